"""Leverage and position mode: a worker asks the venue while somebody waits."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.domain.adjustment import Adjustment, Outcome
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
from app.domain.identifiers import EpochMs, Symbol
from app.exchanges.exchange import CALL_SECONDS
from app.services.admin.adjust import WAIT_MS, adjust, set_leverage, set_position_mode
from tests.support.builders import ETH, USDM, USDM_ID, an_id
from tests.support.rig import Rig, deaths, encounters, with_ids

#: What one call of a real venue may take.
CALL_MS = int(CALL_SECONDS * 1_000)

HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY


def waiting(rig: Rig, work: Callable[[Rig], object] = Rig.drain) -> Callable[[int], None]:
    """Return a pause in which time passes, and workers work."""

    def pause(pause_ms: int) -> None:
        rig.clock.advance(pause_ms)
        work(rig)

    return pause


def leverage(rig: Rig, work: Callable[[Rig], object] = Rig.drain) -> None:
    set_leverage(USDM, ETH, 10, rig.ports, waiting(rig, work))


def mode(rig: Rig, wanted: PositionMode = ONEWAY) -> None:
    set_position_mode(rig.registry.account(USDM_ID), wanted, rig.ports, waiting(rig))


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
        set_leverage(USDM, Symbol("FOO/BAR"), 10, rig.ports, waiting(rig))

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

    with pytest.raises(OutcomeUnknown):
        leverage(rig, lambda _: None)

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
    set_leverage(USDM, ETH, 20, rig.ports, waiting(rig))

    with pytest.raises(NotFound):
        adjust(first.target, rig.ports)

    assert rig.venue.leverage == {ETH: 20}


def test_whoever_dies_over_it_can_be_asked_again() -> None:
    def prepare() -> Rig:
        rig = Rig()
        errand = an_id(1, USDM_ID)
        until_ms = EpochMs(rig.clock.server_ms() + WAIT_MS)
        wish = Adjustment(account=USDM_ID, position_mode=ONEWAY)
        rig.ports.errands.leave(errand, wish, until_ms)
        return rig

    for rig in deaths(prepare, lambda rig: adjust(an_id(1, USDM_ID), rig.ports)):
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

    for rig in encounters(with_ids, oneway, hedge):
        assert rig.venue.account.position_mode is noted(rig)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"symbol": ETH},
        {"leverage": 3},
        {"symbol": ETH, "leverage": 3, "position_mode": HEDGE},
    ],
)
def test_an_adjustment_says_one_thing(odd: dict[str, object]) -> None:
    wish = Adjustment(account=USDM_ID, position_mode=HEDGE)

    with pytest.raises(ValueError, match="leverage"):
        replace(wish, **{"position_mode": None, **odd})  # type: ignore[arg-type]


def test_an_answer_is_one_of_four() -> None:
    assert {one.value for one in Outcome} == {"DONE", "REJECTED", "UNAVAILABLE", "UNKNOWN"}


def test_while_a_slow_venue_changes_one_setting_nobody_changes_another(rig: Rig) -> None:
    """Else the venue could keep the first, and our record the second."""
    answers: list[Outcome] = []

    def another_comes_late(rig: Rig = rig) -> None:
        rig.undisturbed()
        rig.clock.advance(2 * CALL_MS - 1)
        other = Adjustment(account=USDM_ID, position_mode=HEDGE)
        rig.ports.errands.leave(an_id(2), other, EpochMs(rig.clock.server_ms() + WAIT_MS))
        adjust(an_id(2), rig.ports)
        answer = rig.ports.errands.answer(an_id(2))
        assert answer is not None
        answers.append(answer[0])

    wanted = Adjustment(account=USDM_ID, position_mode=ONEWAY)
    rig.ports.errands.leave(an_id(1), wanted, EpochMs(rig.clock.server_ms() + WAIT_MS))
    rig.venue.after_call = another_comes_late

    adjust(an_id(1), rig.ports)

    assert answers == [Outcome.UNAVAILABLE]
    assert noted(rig) is rig.venue.account.position_mode is ONEWAY
