"""Leverage and position mode: a worker asks the venue while somebody waits."""

from dataclasses import replace

import pytest

from app.domain.effects import EffectKind
from app.domain.enums import PositionMode
from app.domain.errors import (
    HookfillError,
    NotFound,
    OutcomeUnknown,
    SymbolUnknown,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import AggregateId, Symbol
from app.domain.worker_request import Adjustment, Outcome
from app.exchanges.exchange import CALL_SECONDS
from app.services.admin.adjust import adjust, set_leverage, set_position_mode
from app.services.ask import leave_request
from tests.support.builders import ETH, USDM, USDM_ID, must
from tests.support.clocks import nothing
from tests.support.rig import POLICY, Rig, deaths, encounters, with_ids

#: What one call of a real venue may take.
CALL_MS = int(CALL_SECONDS * 1_000)

WAIT_MS = POLICY.adjust_wait_ms

HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY


def working(rig: Rig) -> Rig:
    """Have workers do what they are told to while somebody waits."""
    rig.clock.while_asleep = rig.drain
    return rig


@pytest.fixture
def rig(rig: Rig) -> Rig:
    return working(rig)


def leverage(rig: Rig, wanted: int = 10) -> None:
    set_leverage(USDM, ETH, wanted, rig.ports)


def mode(rig: Rig, wanted: PositionMode = ONEWAY) -> None:
    set_position_mode(rig.registry.account(USDM_ID), wanted, rig.ports)


def left(rig: Rig, wanted: PositionMode) -> AggregateId:
    """Leave a wish for whoever takes it."""
    adjustment = Adjustment(position_mode=wanted)
    return leave_request(EffectKind.ADJUST, USDM_ID, WAIT_MS, rig.ports, adjustment).id


def noted(rig: Rig) -> PositionMode:
    rig.registry.refresh()
    return rig.registry.account(USDM_ID).position_mode


def test_the_venue_is_told_the_leverage(rig: Rig) -> None:
    leverage(rig)

    assert rig.venue.leverage == {ETH: 10}
    (effect,) = rig.publisher.published
    assert (effect.kind, effect.urgent) == (EffectKind.ADJUST, True)
    assert effect.about == "set leverage of ETH/USDT to 10"


def test_the_leverage_of_what_is_not_traded_is_nobodys_business(rig: Rig) -> None:
    with pytest.raises(SymbolUnknown):
        set_leverage(USDM, Symbol("FOO/BAR"), 10, rig.ports)

    assert not rig.publisher.published


def test_without_rules_nobody_is_asked(rig: Rig) -> None:
    rig.venue.instruments.clear()

    with pytest.raises(VenueUnavailable):
        leverage(rig)
    assert not rig.publisher.published


def test_the_mode_is_set_at_the_venue_and_in_the_record(rig: Rig) -> None:
    mode(rig)

    assert rig.venue.account.position_mode is ONEWAY
    assert noted(rig) is ONEWAY


def test_the_same_mode_again_changes_no_record(rig: Rig) -> None:
    version = rig.registry.version()

    mode(rig, HEDGE)

    rig.registry.refresh()
    assert rig.registry.version() == version


@pytest.mark.parametrize("kind", [VenueRejected, VenueUnavailable, OutcomeUnknown])
def test_the_venues_refusal_is_passed_on(rig: Rig, kind: type[HookfillError]) -> None:
    rig.venue.adjust_script.append(kind("orders rest"))

    with pytest.raises(kind, match="orders rest"):
        mode(rig)
    assert noted(rig) is HEDGE


def test_nobody_waits_for_ever(rig: Rig) -> None:
    before_ms = rig.clock.server_ms()
    rig.clock.while_asleep = nothing

    with pytest.raises(OutcomeUnknown):
        leverage(rig)

    assert WAIT_MS <= rig.clock.server_ms() - before_ms < WAIT_MS + 100
    rig.drain()
    assert rig.venue.leverage == {}


def test_one_account_is_changed_by_one_at_a_time(rig: Rig) -> None:
    rig.ports.locks.acquire(f"adjust:{USDM_ID}", 60_000)

    with pytest.raises(VenueUnavailable):
        leverage(rig)


def test_a_message_that_comes_again_undoes_nothing(rig: Rig) -> None:
    leverage(rig)
    (first,) = rig.publisher.published
    leverage(rig, 20)

    with pytest.raises(NotFound):
        adjust(first.target, rig.ports)

    assert rig.venue.leverage == {ETH: 20}


def test_whoever_dies_over_it_can_be_asked_again() -> None:
    wishes: list[AggregateId] = []

    def prepare() -> Rig:
        rig = working(with_ids())
        wishes.append(left(rig, ONEWAY))
        return rig

    for rig in deaths(prepare, lambda rig: adjust(wishes[-1], rig.ports)):
        rig.clock.advance(60_000)  # the dead one's lease is over

        mode(rig)

        assert (rig.venue.account.position_mode, noted(rig)) == (ONEWAY, ONEWAY)


def test_two_at_once_leave_record_and_venue_alike() -> None:
    def oneway(rig: Rig) -> None:
        mode(rig, ONEWAY)

    def hedge(rig: Rig) -> None:
        try:
            mode(rig, HEDGE)
        except VenueUnavailable:
            return  # told to come again

    for rig in encounters(lambda: working(with_ids()), oneway, hedge):
        assert rig.venue.account.position_mode is noted(rig)


@pytest.mark.parametrize(
    "odd",
    [{}, {"symbol": ETH}, {"leverage": 3}, {"symbol": ETH, "leverage": 3, "position_mode": HEDGE}],
)
def test_an_adjustment_says_one_thing(odd: dict[str, object]) -> None:
    wish = Adjustment(position_mode=HEDGE)

    with pytest.raises(ValueError, match="leverage"):
        replace(wish, **{"position_mode": None, **odd})  # type: ignore[arg-type]


def test_an_answer_is_one_of_four() -> None:
    assert {one.value for one in Outcome} == {"DONE", "REJECTED", "UNAVAILABLE", "UNKNOWN"}


def test_while_a_slow_venue_changes_one_setting_nobody_changes_another(rig: Rig) -> None:
    """Else the venue could keep the first, and our record the second."""
    answers: list[Outcome] = []
    rig.ports.ids.fresh(USDM_ID, 1)

    def another_comes_late(rig: Rig = rig) -> None:
        rig.undisturbed()
        rig.clock.advance(2 * CALL_MS - 1)
        other = left(rig, HEDGE)
        adjust(other, rig.ports)
        answers.append(must(rig.ports.worker_requests.answer(other)).outcome)

    wanted = left(rig, ONEWAY)
    rig.venue.after_call = another_comes_late

    adjust(wanted, rig.ports)

    assert answers == [Outcome.UNAVAILABLE]
    assert noted(rig) is rig.venue.account.position_mode is ONEWAY
