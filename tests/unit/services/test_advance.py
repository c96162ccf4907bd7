"""The one path by which anything changes."""

from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.domain.aggregate import decide
from app.domain.commands import Action
from app.domain.effects import Effect, EffectKind
from app.domain.enums import AccountState, PositionSide, Side
from app.domain.errors import Conflict, NotFound, NotPermitted, StoreUnavailable
from app.domain.events import (
    CancelRequested,
    OrderReported,
    OutcomeLost,
    PlacementClaimed,
    TimerDue,
)
from app.domain.request.signal import Stage
from app.domain.status import OrderStatus
from app.ports import Ports
from app.ports.ledger import NO_TERMS, Change, CommitConditions
from app.services.advance import ATTEMPTS_MAX, advance, advance_from
from app.store.core.ledger import RedisLedger
from tests.support.builders import (
    ETH,
    LATER,
    NOW,
    REQUESTED,
    USDM_ID,
    a_report,
    a_signal,
    an_id,
    an_order,
    an_order_in,
)
from tests.support.rig import Rig
from tests.support.round_trips import round_trips

CLAIMED = PlacementClaimed(at_ms=NOW, lease_until_ms=LATER)
FILLED = OrderReported(at_ms=NOW, report=a_report())


def test_an_event_is_decided_on_and_committed(rig: Rig) -> None:
    rig.put(an_order())

    decision = advance(an_order().id, CLAIMED, rig.ports)

    assert rig.order() == decision.aggregate
    assert rig.order().status is OrderStatus.PLACING
    assert rig.events(an_order().id) == ["sent"]


def test_what_came_to_be_owed_is_published(rig: Rig) -> None:
    rig.put(an_order_in(OrderStatus.NEW))

    advance(an_order().id, CancelRequested(at_ms=NOW, reason=REQUESTED), rig.ports)

    assert [effect.kind for effect in rig.publisher.published] == [EffectKind.CANCEL]


def test_an_event_that_is_ignored_writes_nothing(rig: Rig) -> None:
    stored = rig.put(an_order())

    decision = advance(an_order().id, TimerDue(at_ms=NOW), rig.ports)

    assert decision.ignored
    assert rig.ports.ledger.load(an_order().id) == stored


def test_what_does_not_exist_cannot_change(rig: Rig) -> None:
    with pytest.raises(NotFound):
        advance(an_id(99), CLAIMED, rig.ports)


def test_what_was_just_committed_goes_on_without_being_read_again(rig: Rig) -> None:
    stored = rig.put(an_order())
    claimed = advance_from(stored, CLAIMED, rig.ports).stored

    with round_trips(rig.redis) as trips:
        filled = advance_from(claimed, FILLED, rig.ports).stored

    assert rig.ports.ledger.load(an_order().id) == filled
    assert "HMGET" not in trips


def test_a_copy_that_is_old_by_now_is_read_again(rig: Rig) -> None:
    old = rig.put(an_order())
    advance(old.aggregate.id, CLAIMED, rig.ports)

    after = advance_from(old, CancelRequested(at_ms=NOW, reason=REQUESTED), rig.ports)

    assert after.stored == rig.ports.ledger.load(an_order().id)
    assert rig.order().status is OrderStatus.PLACING
    assert rig.order().cancel_requested


def test_what_means_nothing_to_an_old_copy_may_mean_something_by_now(rig: Rig) -> None:
    old = rig.put(an_order())
    advance(old.aggregate.id, CLAIMED, rig.ports)
    lost = OutcomeLost(
        at_ms=NOW,
        token=rig.order().token,
        server_ms=NOW,
        next_check_at_ms=LATER,
        reason=REQUESTED,
    )
    assert decide(old.aggregate, lost).ignored

    decision = advance_from(old, lost, rig.ports).decision

    assert not decision.ignored
    assert rig.order().status is OrderStatus.UNKNOWN


def test_terms_that_are_not_met_are_no_race(rig: Rig) -> None:
    rig.put(an_order())
    rig.state(AccountState.HALT)
    terms = CommitConditions(permits=frozenset({AccountState.RUN}))

    with pytest.raises(NotPermitted):
        advance(an_order().id, CLAIMED, rig.ports, terms)


class RivalLedger(RedisLedger):
    """A ledger in which somebody else commits first, a number of times."""

    races = 0

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        if self.races:
            type(self).races -= 1
            stored = self.load(changes[0].after.id)
            super().commit([Change(stored, replace(stored.aggregate, updated_at_ms=LATER))])
        return super().commit(changes, terms)


def rivals(rig: Rig, races: int) -> Ports:
    """The ports of a process whose next commits come second."""
    ledger = RivalLedger(rig.redis, rig.clock, lambda: "rival", 3_000)
    RivalLedger.races = races
    return replace(rig.ports, ledger=ledger)


def test_a_race_that_is_lost_is_run_again_on_what_the_winner_left(rig: Rig) -> None:
    rig.put(an_order())

    advance(an_order().id, CLAIMED, rivals(rig, ATTEMPTS_MAX - 1))

    assert rig.order().status is OrderStatus.PLACING
    assert rig.order().token == 1


def test_races_that_are_all_lost_are_left_to_the_next_wake_up(rig: Rig) -> None:
    rig.put(an_order())

    with pytest.raises(Conflict, match=f"changed {ATTEMPTS_MAX} times"):
        advance(an_order().id, CLAIMED, rivals(rig, ATTEMPTS_MAX))

    assert rig.order().status is OrderStatus.PENDING_NEW


# Who else must hear of it


def test_whoever_waits_in_the_lane_is_woken_when_an_order_is_in_flight_no_more(rig: Rig) -> None:
    waiting = rig.put(a_signal(id=an_id(5)))
    rig.put(an_order_in(OrderStatus.PLACING))

    advance(an_order().id, FILLED, rig.ports)

    assert Effect(kind=EffectKind.ADVANCE, target=waiting.aggregate.id) in rig.publisher.published


def test_nobody_is_woken_while_another_order_is_in_flight(rig: Rig) -> None:
    rig.put(a_signal(id=an_id(5)))
    rig.put(an_order_in(OrderStatus.UNKNOWN, id=an_id(6)))
    rig.put(an_order_in(OrderStatus.PLACING))

    advance(an_order().id, FILLED, rig.ports)

    assert rig.publisher.published == []


def a_guard_and_a_close(rig: Rig, left: str) -> None:
    """A long with its protection, and the fill of a foreign order that leaves this much of it."""
    rig.put(a_signal(Action.OPEN_LONG, id=an_id(1, USDM_ID), stage=Stage.PROTECTED))
    order = an_order_in(
        OrderStatus.PLACING,
        id=an_id(2, USDM_ID),
        account=USDM_ID,
        symbol=ETH,
        side=Side.SELL,
        position_side=PositionSide.LONG,
    )
    rig.put(order)
    report = a_report(position_after=type(order.quantity)(left))
    advance(order.id, OrderReported(at_ms=NOW, report=report), rig.ports)


def test_who_guards_a_position_hears_that_it_is_gone(rig: Rig) -> None:
    a_guard_and_a_close(rig, "0")

    assert rig.ports.ledger.with_news(an_id(1, USDM_ID))[1] == {an_id(2, USDM_ID): 2}


def test_who_guards_a_position_does_not_hear_of_its_reduction(rig: Rig) -> None:
    a_guard_and_a_close(rig, "0.1")

    assert rig.ports.ledger.with_news(an_id(1, USDM_ID))[1] == {}


def test_what_is_committed_is_not_called_failed_for_want_of_a_hint(rig: Rig) -> None:
    rig.put(an_order_in(OrderStatus.PLACING))
    lanes = Mock(wraps=rig.ports.lanes)
    lanes.head.side_effect = StoreUnavailable("no answer")
    ports = replace(rig.ports, lanes=lanes)

    decision = advance(an_order().id, FILLED, ports)

    assert decision.ignored is None
    assert rig.order().status is OrderStatus.FILLED
