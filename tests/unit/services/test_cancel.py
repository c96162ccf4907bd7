"""What is no longer wanted is taken off, at the venue and in the trigger book."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action, SignalCommand
from app.domain.enums import AccountState, ReasonCode
from app.domain.errors import (
    HookfillError,
    NotFound,
    OutcomeUnknown,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus, Stage
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.services.placing.cancel import cancel_order, request_cancel
from tests.support.builders import (
    REQUESTED,
    a_command,
    a_report,
    a_signal,
    a_smart_order,
    an_id,
    an_order,
    an_order_in,
    client_id,
    fixed,
)
from tests.support.rig import POLICY, Rig, deaths, encounters

ORDER_ID = an_order().id
RESTING = a_report(OrderStatus.NEW)
LIMIT = a_command(size=fixed("0.1"), limit_price=Decimal(40_000), caller_id="a1")
CANCEL = a_command(Action.CANCEL, caller_id="a1")
CANCEL_ALL = a_command(Action.CANCEL_ALL)


def with_resting(**odd: object) -> Rig:
    """A rig with an order that rests at the venue and is wanted gone."""
    rig = Rig()
    rig.put(an_order_in(OrderStatus.NEW, price=Decimal(40_000), cancel_requested=True, **odd))
    rig.venue.ledger[client_id(ORDER_ID)] = RESTING
    return rig


def cancel(rig: Rig) -> Order:
    cancel_order(ORDER_ID, rig.ports)
    return rig.order()


def at_venue(rig: Rig) -> OrderStatus:
    return rig.venue.ledger[client_id(ORDER_ID)].status


def test_an_open_order_is_taken_off() -> None:
    rig = with_resting()

    order = cancel(rig)

    assert order.status is at_venue(rig) is OrderStatus.CANCELED
    assert rig.ports.outbox.owed() == []


def test_an_order_whose_cancel_nobody_wants_stays() -> None:
    rig = with_resting()
    rig.put(an_order_in(OrderStatus.NEW, id=an_id(2)))

    cancel_order(an_order(id=an_id(2)).id, rig.ports)

    assert at_venue(rig) is OrderStatus.NEW


def test_an_order_that_filled_meanwhile_is_filled() -> None:
    rig = with_resting()
    rig.venue.ledger[client_id(ORDER_ID)] = a_report()

    assert cancel(rig).status is OrderStatus.FILLED


@pytest.mark.parametrize("error", [VenueUnavailable("away"), OutcomeUnknown("silence")])
def test_a_cancel_without_a_definite_answer_is_asked_for_again(error: HookfillError) -> None:
    rig = with_resting()
    rig.venue.cancel_script.append(error)

    waiting = cancel(rig)
    too_soon = cancel(rig)
    rig.clock.advance(POLICY.retry_ms)
    gone = cancel(rig)

    assert waiting.next_action_at_ms == rig.clock.server_ms()
    assert too_soon.status is OrderStatus.NEW
    assert gone.status is OrderStatus.CANCELED


@pytest.mark.parametrize("error", [NotFound("no such order"), VenueRejected("too late")])
@pytest.mark.parametrize(
    ("record", "status"),
    [
        (a_report(), OrderStatus.FILLED),
        (a_report(OrderStatus.EXPIRED), OrderStatus.EXPIRED),
        (None, OrderStatus.CANCELED),
    ],
)
def test_an_order_that_cannot_be_canceled_is_looked_up(
    error: HookfillError, record: OrderReport | None, status: OrderStatus
) -> None:
    rig = with_resting()
    rig.venue.cancel_script.append(error)
    del rig.venue.ledger[client_id(ORDER_ID)]
    if record is not None:
        rig.venue.ledger[client_id(ORDER_ID)] = record

    assert cancel(rig).status is status


@pytest.mark.parametrize("error", [VenueUnavailable("away"), VenueRejected("bad key")])
def test_an_order_that_cannot_be_looked_up_is_asked_for_again(error: HookfillError) -> None:
    rig = with_resting()
    rig.venue.cancel_script.append(VenueRejected("not now"))
    rig.venue.find_script.append(error)

    order = cancel(rig)

    assert order.status is OrderStatus.NEW
    assert order.next_action_at_ms > rig.clock.server_ms()


def test_an_order_that_the_venue_will_not_cancel_yet_is_asked_for_again() -> None:
    rig = with_resting()
    rig.venue.cancel_script.append(VenueRejected("not now"))

    assert cancel(rig).status is OrderStatus.NEW
    rig.settle()
    assert rig.order().status is OrderStatus.CANCELED


def test_a_cancel_goes_through_a_halted_account() -> None:
    rig = with_resting()
    rig.state(AccountState.HALT)

    assert cancel(rig).status is OrderStatus.CANCELED


def test_what_is_no_order_is_left_alone(rig: Rig) -> None:
    rig.put(a_signal(id=ORDER_ID))

    cancel_order(ORDER_ID, rig.ports)

    assert rig.signal(ORDER_ID).is_live


def test_an_unknown_id_is_said_to_be_unknown(rig: Rig) -> None:
    with pytest.raises(NotFound):
        cancel_order(ORDER_ID, rig.ports)
    assert not request_cancel(ORDER_ID, REQUESTED, rig.ports)


def test_whoever_dies_while_canceling_leaves_the_order_canceled() -> None:
    for rig in deaths(with_resting, cancel):
        rig.settle()

        assert rig.order().status is at_venue(rig) is OrderStatus.CANCELED
        assert rig.ports.outbox.owed() == []


def test_of_two_who_cancel_at_once_both_find_it_canceled() -> None:
    for rig in encounters(with_resting, cancel, cancel):
        assert rig.order().status is OrderStatus.CANCELED


# Cancel messages


def test_a_cancel_takes_off_what_has_its_caller_id(rig: Rig) -> None:
    rig.venue.place_script.append(RESTING)
    target = rig.run(LIMIT)

    signal = rig.run(CANCEL)

    assert signal.status is RequestStatus.DONE
    assert rig.signal(target.id).status is RequestStatus.CANCELED
    assert rig.order().status is OrderStatus.CANCELED


def test_a_cancel_that_finds_nothing_is_skipped(rig: Rig) -> None:
    signal = rig.run(CANCEL)

    assert signal.status is RequestStatus.SKIPPED
    assert signal.reason is not None
    assert signal.reason.code is ReasonCode.NOTHING_TO_CANCEL


def test_a_cancel_of_all_that_finds_nothing_is_done(rig: Rig) -> None:
    assert rig.run(CANCEL_ALL).status is RequestStatus.DONE


def test_a_cancel_of_all_takes_orders_and_delays(rig: Rig) -> None:
    rig.venue.place_script.append(RESTING)
    resting = rig.run(LIMIT)
    delayed = rig.accept(a_command(delay_ms=5_000))

    rig.run(CANCEL_ALL)

    states = {rig.signal(one).status for one in (resting.id, delayed.id)}
    assert states == {RequestStatus.CANCELED}
    rig.settle()
    assert len(rig.venue.sent) == 1


def test_a_cancel_does_not_reach_what_came_after_it(rig: Rig) -> None:
    cancel_message = rig.accept(CANCEL_ALL)
    later = rig.accept(a_command(size=fixed("0.1")))

    rig.drain()

    assert rig.signal(cancel_message.id).status is RequestStatus.DONE
    assert rig.signal(later.id).status is RequestStatus.DONE
    assert rig.signal(later.id).filled_quantity == Decimal("0.1")


def test_a_cancel_does_not_miss_what_came_just_before_it(rig: Rig) -> None:
    target = rig.accept(LIMIT)
    rig.accept(CANCEL)

    rig.publisher.waiting.reverse()
    rig.drain()

    assert rig.signal(target.id).status is RequestStatus.CANCELED
    assert rig.venue.sent == []


def test_a_delayed_cancel_reaches_what_is_live_when_it_is_due(rig: Rig) -> None:
    rig.accept(replace(CANCEL_ALL, delay_ms=5_000))
    rig.venue.place_script.append(RESTING)
    target = rig.run(LIMIT)

    rig.settle()

    assert rig.signal(target.id).status is RequestStatus.CANCELED


@pytest.mark.parametrize("message", [CANCEL, CANCEL_ALL])
def test_whoever_dies_while_passing_a_cancel_on_finishes_it_later(message: SignalCommand) -> None:
    ids: list[AggregateId] = []

    def prepared() -> Rig:
        rig = Rig()
        rig.venue.place_script.append(RESTING)
        rig.run(LIMIT)
        ids[:] = [rig.accept(message).id]
        return rig

    for rig in deaths(prepared, Rig.drain):
        rig.settle()

        assert rig.signal(ids[0]).status is RequestStatus.DONE
        assert rig.order().status is OrderStatus.CANCELED
        assert rig.ports.outbox.owed() == []


def test_a_cancel_cut_short_still_counts_what_it_had_reached() -> None:
    ids: list[AggregateId] = []

    def prepared() -> Rig:
        rig = Rig()
        rig.accept(a_command(delay_ms=60_000, caller_id="a1"))
        rig.publisher.waiting.clear()
        ids[:] = [rig.accept(CANCEL).id]
        return rig

    for rig in deaths(prepared, Rig.drain):
        rig.settle(rounds=10)

        assert rig.signal(ids[0]).status is RequestStatus.DONE


# Asking one thing to end


def test_a_triggered_smart_order_is_asked_through_its_order(rig: Rig) -> None:
    order = an_order_in(OrderStatus.NEW, id=an_id(3), account=a_smart_order().account)
    rig.put(order)
    rig.put(a_smart_order(status=SmartOrderStatus.TRIGGERED, order_id=order.id))

    was_live = request_cancel(a_smart_order().id, REQUESTED, rig.ports)

    assert was_live
    assert rig.order().cancel_requested


def test_what_has_ended_by_itself_was_not_live(rig: Rig) -> None:
    rig.put(a_signal(status=RequestStatus.DONE))

    assert not request_cancel(a_signal().id, REQUESTED, rig.ports)


def test_a_signal_with_children_asks_them_to_go(rig: Rig) -> None:
    child = a_smart_order(parent_id=a_signal(Action.OPEN_LONG).id)
    rig.put(child)
    rig.put(a_signal(Action.OPEN_LONG, stage=Stage.PROTECTED, working=frozenset({child.id})))

    request_cancel(a_signal(Action.OPEN_LONG).id, REQUESTED, rig.ports)
    rig.settle()

    gone = rig.smart_order()
    assert gone.status is SmartOrderStatus.CANCELED
    assert rig.signal(a_signal(Action.OPEN_LONG).id).status is RequestStatus.DONE
