"""Position-dependent work of one (account, symbol), one at a time and in order of its turn."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from itertools import count
from unittest.mock import Mock

import pytest

from app.domain.commands import Action, OnOpposite, SignalCommand, SignalRules
from app.domain.effects import Effect, EffectKind
from app.domain.enums import AccountState, PositionSide, ReasonCode, Side
from app.domain.errors import OutcomeUnknown, VenueUnavailable
from app.domain.identifiers import base_of
from app.domain.order import Order
from app.domain.request.signal import RequestStatus
from app.domain.status import OrderStatus
from app.paper.paper_venue import PaperVenue
from app.ports.ledger import NO_TERMS, Change, CommitConditions
from app.services.placing.lane import TURNS_MAX, work_lane
from tests.support.builders import (
    BTC,
    ETH,
    SPOT_ID,
    USDM_ID,
    a_command,
    a_quote,
    a_report,
    a_view,
    an_id,
    an_order,
    fixed,
    percent,
)
from tests.support.clocks import nothing
from tests.support.fakes import ThenSilent
from tests.support.paper_rig import PaperRig
from tests.support.rig import POLICY, Died, Rig, deaths, encounters, with_ids

SILENCE = OutcomeUnknown("nobody answered")
BUY = a_command(size=fixed("0.1"))
SELL = a_command(Action.SELL, size=fixed("0.1"))
CLOSE = a_command(Action.CLOSE_LONG)
OPEN = a_command(Action.OPEN_LONG, size=fixed("0.1"))
MINUTE_MS = 60_000


def lose_answers(rig: Rig, count: int = 1) -> None:
    """Let the next placements get no answer, nor any question about them for a while."""
    rig.venue.place_script.extend([SILENCE] * count)
    rig.venue.find_script.extend([VenueUnavailable("away")] * 100)


# Order


def test_turns_are_taken_in_order_of_arrival(rig: Rig) -> None:
    ids = [rig.accept(BUY).id for _ in range(4)]

    rig.publisher.waiting.reverse()
    rig.drain()

    assert [order.parent_id for order in rig.venue.sent] == ids


def test_a_delay_that_is_over_comes_before_what_came_later(rig: Rig) -> None:
    delayed = rig.accept(a_command(size=fixed("0.1"), delay_ms=1_000))
    rig.clock.advance(1_500)
    later = rig.accept(BUY)
    rig.publisher.waiting.clear()

    rig.settle()

    assert [order.parent_id for order in rig.venue.sent] == [delayed.id, later.id]


def test_each_turn_sees_what_the_one_before_has_left(rig: Rig) -> None:
    half = a_command(Action.SELL, size=percent("50"))
    for _ in range(3):
        rig.accept(half)

    def spend(order: Order) -> None:
        left = rig.venue.account.available(base_of(BTC)) - order.quantity
        rig.venue.account = a_view({"BTC": str(left)})

    rig.venue.after_place = spend
    rig.drain()

    assert [order.quantity for order in rig.venue.sent] == [
        Decimal("0.25"),
        Decimal("0.125"),
        Decimal("0.0625"),
    ]


def test_lanes_of_other_symbols_and_accounts_do_not_wait(rig: Rig) -> None:
    lose_answers(rig)
    rig.run(BUY)

    futures = rig.run(OPEN)

    assert futures.status is RequestStatus.DONE


# While an order is in flight


def test_an_entry_waits_while_an_order_of_the_lane_is_unknown(rig: Rig) -> None:
    lose_answers(rig)
    rig.run(BUY)

    waiting = rig.run(BUY)

    assert waiting.status is RequestStatus.EXECUTING
    assert len(rig.orders()) == 1


def test_an_entry_goes_on_when_the_order_before_it_is_known(rig: Rig) -> None:
    rig.venue.place_script.append(ThenSilent(a_report(), SILENCE))
    first = rig.run(BUY)
    second = rig.run(BUY)

    rig.settle()

    assert rig.states(first.id, second.id) == [RequestStatus.DONE] * 2
    assert len(rig.venue.ledger) == 2


def test_an_entry_that_waits_too_long_expires_while_the_order_is_still_unknown(rig: Rig) -> None:
    lose_answers(rig)
    first, second, third = (rig.run(BUY) for _ in range(3))

    rig.settle(rounds=10, step_ms=MINUTE_MS // 8)

    assert rig.states(second.id, third.id) == [RequestStatus.EXPIRED] * 2
    assert rig.orders()[0].status is OrderStatus.UNKNOWN
    assert rig.signal(first.id).status is RequestStatus.EXECUTING


def test_an_exit_overtakes_an_unknown_order_when_its_patience_is_over(rig: Rig) -> None:
    lose_answers(rig)
    rig.run(BUY)
    entry, exit_ = rig.run(BUY), rig.run(SELL)

    rig.settle(rounds=POLICY.lane_patience_ms // 1_000 - 1, step_ms=1_000)
    patient = rig.signal(exit_.id).status
    rig.settle(rounds=5, step_ms=1_000)

    assert patient is RequestStatus.EXECUTING
    assert rig.signal(exit_.id).status is RequestStatus.DONE
    assert rig.signal(entry.id).status is RequestStatus.EXECUTING
    assert [order.side for order in rig.venue.sent] == [Side.SELL]


def test_an_exit_that_overtakes_is_sized_from_the_venue_and_only_reduces(rig: Rig) -> None:
    lose_answers(rig)
    rig.run(OPEN)
    rig.run(CLOSE)
    rig.venue.account = a_view({"USDT": "1000"}, {PositionSide.LONG: "0.3"})

    rig.settle(rounds=15, step_ms=1_000)

    (sent,) = rig.venue.sent
    assert (sent.quantity, sent.reduce_only) == (Decimal("0.3"), True)


def test_one_exit_overtakes_at_a_time(rig: Rig) -> None:
    lose_answers(rig, count=2)
    rig.run(BUY)
    first, second = rig.run(SELL), rig.run(SELL)

    rig.settle(rounds=13, step_ms=1_000)

    assert len(rig.orders()) == 2, "the first exit is unknown itself now"
    assert rig.states(first.id, second.id) == [RequestStatus.EXECUTING] * 2
    rig.settle(rounds=15, step_ms=1_000)
    assert rig.states(second.id) == [RequestStatus.DONE]


def test_a_resting_order_holds_up_nobody(rig: Rig) -> None:
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    rig.run(a_command(size=fixed("0.1"), limit_price=Decimal(40_000)))

    assert rig.run(BUY).status is RequestStatus.DONE


# Reversals keep their place


def test_a_reversal_opens_before_those_behind_it_get_their_turn(rig: Rig) -> None:
    rig.venue.account = a_view({"USDT": "1000"}, {PositionSide.SHORT: "1"})
    rules = SignalRules(leverage=5, on_opposite=OnOpposite.REVERSE)

    def go_flat(_: Order) -> None:
        rig.venue.account = a_view({"USDT": "1000"})

    rig.venue.after_place = go_flat
    reversal = rig.accept(OPEN, rules)
    behind = rig.accept(a_command(Action.OPEN_SHORT, size=fixed("0.2")))

    rig.drain()

    parents = [order.parent_id for order in rig.venue.sent]
    assert parents == [reversal.id, reversal.id, behind.id]
    assert [order.reduce_only for order in rig.venue.sent] == [True, False, False]
    assert rig.states(reversal.id, behind.id) == [RequestStatus.DONE] * 2


def test_those_behind_a_reversal_wait_while_its_close_rests(rig: Rig) -> None:
    rig.venue.account = a_view({"USDT": "1000"}, {PositionSide.SHORT: "1"})
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    rig.run(OPEN, SignalRules(leverage=5, on_opposite=OnOpposite.REVERSE))

    behind = rig.run(a_command(Action.OPEN_SHORT, size=fixed("0.2")))

    assert behind.status is RequestStatus.EXECUTING
    assert len(rig.venue.sent) == 1


# The account's state


def test_an_exit_waits_while_its_account_is_halted_and_then_runs(rig: Rig) -> None:
    rig.state(AccountState.HALT)
    waiting = rig.run(SELL)
    denied = rig.run(BUY)

    rig.state(AccountState.RUN)
    rig.settle()

    assert waiting.status is RequestStatus.EXECUTING
    assert denied.status is RequestStatus.DENIED
    assert denied.reason is not None
    assert denied.reason.code is ReasonCode.ACCOUNT_HALTED
    assert rig.signal(waiting.id).status is RequestStatus.DONE
    assert [order.side for order in rig.venue.sent] == [Side.SELL]


# Several at once


def test_one_asks_an_exchange_at_a_time_and_those_who_find_it_asking_go_away(rig: Rig) -> None:
    rig.go_live()
    rig.accept(BUY)
    asked: list[int] = []

    def others_come() -> None:
        asked.append(1)
        for _ in range(3):
            rig.spot_lane()

    rig.venue.before_view = others_come

    rig.spot_lane()

    assert len(asked) == 1
    assert len(rig.orders()) == 1


def test_who_came_while_another_one_asked_is_served_by_that_one() -> None:
    def prepared() -> Rig:
        rig = with_ids()
        rig.accept(CLOSE_NOTHING)
        return rig

    def come_and_find_it_asking(rig: Rig) -> None:
        rig.accept(CLOSE_NOTHING)
        work_lane(USDM_ID, ETH, rig.ports)

    for met in encounters(
        prepared, lambda rig: work_lane(USDM_ID, ETH, rig.ports), come_and_find_it_asking
    ):
        skipped = [one for one in met.reader.newest(None) if not one.is_live]
        assert len(skipped) == 2


CLOSE_NOTHING: SignalCommand = a_command(Action.CLOSE_LONG)


def test_one_call_takes_a_bounded_number_of_turns_and_the_rest_later(rig: Rig) -> None:
    ids = [rig.accept(CLOSE_NOTHING).id for _ in range(TURNS_MAX + 3)]

    work_lane(USDM_ID, ETH, rig.ports)
    left = rig.states(*ids).count(RequestStatus.EXECUTING)
    work_lane(USDM_ID, ETH, rig.ports)

    assert left == 3
    assert set(rig.states(*ids)) == {RequestStatus.SKIPPED}


def test_what_one_call_leaves_is_gone_on_with_at_once(rig: Rig) -> None:
    ids = [rig.accept(CLOSE_NOTHING).id for _ in range(2 * TURNS_MAX + 3)]
    rig.publisher.waiting.clear()

    work_lane(USDM_ID, ETH, rig.ports)
    rig.drain()

    assert set(rig.states(*ids)) == {RequestStatus.SKIPPED}


def test_a_call_of_which_nothing_came_wakes_nobody(rig: Rig) -> None:
    """Others change what is in flight again and again, just while the venue is asked."""
    rig.accept(BUY)
    rig.publisher.waiting.clear()
    numbers = count(900)

    def come_and_go() -> None:
        other = an_order(id=an_id(next(numbers)))
        ended = replace(other, status=OrderStatus.CANCELED)
        rig.ports.ledger.commit([Change(rig.put(other), ended)])

    rig.venue.before_view = come_and_go
    rig.spot_lane()

    assert next(numbers) == 900 + TURNS_MAX
    assert [one for one in rig.publisher.waiting if one.kind is EffectKind.ADVANCE] == []


# A venue that does not answer


def test_a_venue_that_cannot_be_read_leaves_the_lane_to_the_next_try(rig: Rig) -> None:
    accepted = rig.accept(BUY)
    rig.venue.view_script.extend([VenueUnavailable("away")] * 2)

    rig.settle()

    assert rig.signal(accepted.id).status is RequestStatus.DONE


# Death


def one_signal() -> Rig:
    rig = Rig()
    rig.accept(BUY, SignalRules(entry_lateness_ms=0))
    rig.publisher.waiting.clear()
    return rig


def one_signal_live() -> Rig:
    rig = one_signal()
    rig.go_live()
    return rig


@pytest.mark.parametrize("prepare", [one_signal, one_signal_live])
def test_whoever_dies_in_a_turn_leaves_one_order_in_the_end(prepare: Callable[[], Rig]) -> None:
    for rig in deaths(prepare, Rig.spot_lane):
        rig.settle()

        assert len(rig.venue.ledger) == 1
        assert rig.venue.repeats == []
        assert rig.order().status is OrderStatus.FILLED
        assert rig.ports.lanes.head(SPOT_ID, BTC) is None
        assert rig.ports.outbox.owed() == []


@pytest.mark.parametrize("prepare", [one_signal, one_signal_live])
def test_of_two_who_work_the_lane_at_once_one_brings_forth_the_order(
    prepare: Callable[[], Rig],
) -> None:
    for rig in encounters(prepare, Rig.spot_lane, Rig.spot_lane):
        rig.settle()

        assert len(rig.orders()) == 1
        assert len(rig.venue.ledger) == 1


# Sized and claimed at once, with paper


def test_an_order_of_paper_is_sized_and_claimed_with_one_commit() -> None:
    rig = one_signal()
    seen: list[tuple[OrderStatus, int]] = []

    def look() -> None:
        stored = rig.ports.ledger.load(rig.order().id)
        assert isinstance(stored.aggregate, Order)
        seen.append((stored.aggregate.status, stored.version))

    rig.venue.before_place = look

    rig.spot_lane()

    assert seen == [(OrderStatus.PLACING, 1)]
    assert rig.order().status is OrderStatus.FILLED


def test_who_dies_right_after_that_commit_leaves_an_order_that_is_asked_about_first() -> None:
    rig = one_signal()
    rig.venue.before_place = Mock(side_effect=Died)

    with suppress(Died):
        rig.spot_lane()
    rig.bury()
    rig.venue.before_place = nothing
    left = rig.order().status
    asked = Mock(wraps=rig.venue.find)
    rig.venue.find = asked  # type: ignore[method-assign]
    rig.settle()

    assert left is OrderStatus.PLACING
    assert asked.called
    assert len(rig.venue.ledger) == 1
    assert rig.order().status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("command", "status"), [(BUY, OrderStatus.DENIED), (SELL, OrderStatus.FILLED)]
)
def test_where_only_exits_may_go_each_order_is_asked_about_for_itself(
    rig: Rig, command: SignalCommand, status: OrderStatus
) -> None:
    rig.accept(command)
    rig.state(AccountState.REDUCE_ONLY)

    rig.settle()

    assert rig.order().status is status


def test_who_sleeps_through_his_claim_sends_nothing() -> None:
    rig = one_signal()
    commit = rig.ports.ledger.commit

    def slowly(changes: Sequence[Change], terms: CommitConditions = NO_TERMS) -> Sequence[Effect]:
        effects = commit(changes, terms)
        rig.clock.advance(POLICY.place_lease_ms + 1)
        return effects

    rig.ports.ledger.commit = slowly  # type: ignore[method-assign]

    rig.spot_lane()

    assert rig.venue.sent == []
    assert rig.order().status is OrderStatus.PLACING


# What was filled is guarded before the next turn

GUARDED = a_command(Action.OPEN_LONG, size=fixed("0.1"), stop_loss=Decimal(1_000))


def backlog_of_guarded(count: int) -> PaperRig:
    """A rig with so many entries of one lane, of whose messages only the first has come."""
    rig = PaperRig()
    rig.world.ports.prices.set({ETH: a_quote("2000")}, rig.clock.now_ms())
    for _ in range(count):
        rig.accept(GUARDED)
    while len(rig.publisher.waiting) > 1:
        rig.publisher.waiting.pop()
    return rig


def unguarded(rig: PaperRig) -> int:
    """Return how many entries are filled and have no stop in the book."""
    armed = {
        one.parent_id
        for one in rig.smart_orders()
        if rig.ports.book.standing(one.trigger) is not None
    }
    filled = {one.parent_id for one in rig.orders() if one.filled_quantity}
    return len(filled - armed)


@pytest.mark.parametrize("call", ["quote", "place"])
def test_what_was_filled_is_guarded_before_the_next_one_asks_for_anything(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    rig = backlog_of_guarded(3)
    real = getattr(PaperVenue, call)
    left: list[int] = []

    def ask(venue: PaperVenue, *args: object) -> object:
        left.append(unguarded(rig))
        return real(venue, *args)

    monkeypatch.setattr(PaperVenue, call, ask)

    rig.drain()

    assert len(left) >= 3
    assert set(left) == {0}
    assert len([one for one in rig.orders() if one.filled_quantity]) == 3


def test_whoever_dies_in_a_backlog_leaves_one_position_alone_at_most() -> None:
    left = [unguarded(rig) for rig in deaths(lambda: backlog_of_guarded(4), Rig.drain)]

    assert max(left) == 1


def test_where_prices_come_from_an_exchange_one_asks_for_them_at_a_time(rig: Rig) -> None:
    rig.ports = replace(rig.ports, policy=replace(rig.ports.policy, paper_asks=True))
    rig.accept(BUY)
    asked: list[int] = []

    def others_come() -> None:
        asked.append(1)
        rig.spot_lane()

    rig.venue.before_view = others_come

    rig.spot_lane()

    assert len(asked) == 1
