"""Spot orders of exact figures: taken in once, paid for, replaced without ever trading twice."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest

from app.domain.commands import PlaceOrder
from app.domain.enums import Dialect, OrderType, ReasonCode, Side
from app.domain.errors import (
    CallerIdInUse,
    InsufficientFunds,
    NotWaiting,
    OutcomeUnknown,
    StaleRegistry,
    StoreUnavailable,
)
from app.domain.identifiers import Currency
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.services.intake.orders import accept_exact_order
from app.services.intake.replace import await_place, replace_order
from app.services.keeping.archive import archive
from app.services.placing.cancel import request_cancel
from tests.support.builders import BTC, NOW, SPOT, a_fill, a_report, a_view, must
from tests.support.rig import POLICY, Rig, deaths, encounters, with_ids

LIMIT = PlaceOrder(
    symbol=BTC,
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=Decimal("0.1"),
    price=Decimal(40_000),
    caller_id="mine",
)
BY_REQUEST = Reason(ReasonCode.REQUESTED, "canceled by request")
SENDER = Sender(dialect=Dialect.POLONIEX, origin="poloniex:1", account=SPOT, received_at_ms=NOW)


def accept(rig: Rig, command: PlaceOrder = LIMIT) -> Order:
    sender = replace(SENDER, received_at_ms=rig.clock.now_ms())
    return accept_exact_order(command, sender, rig.ports)


def resting() -> Rig:
    """Return a rig with one order that rests."""
    rig = Rig()
    rig.venue.place_script.append(a_report(OrderStatus.NEW, filled_quantity=Decimal(0)))
    accept(rig)
    rig.drain()
    assert rig.order().status is OrderStatus.NEW
    return rig


def ask(rig: Rig, *, proceeds: bool = False, size: str | None = None) -> Order:
    """Replace the oldest order by one at another price, of what is left or of a size of its own."""

    def command_of(old: Order) -> PlaceOrder:
        quantity = old.remaining_quantity if size is None else Decimal(size)
        return replace(LIMIT, price=Decimal(41_000), quantity=quantity, caller_id="new")

    sender = replace(SENDER, received_at_ms=rig.clock.now_ms())
    old_id, is_rest = rig.orders()[0].id, size is None
    return replace_order(
        old_id, command_of, sender, rig.ports, takes_rest=is_rest, proceeds=proceeds
    )


def taken_over(
    rig: Rig,
    old: Order,
    command: PlaceOrder,
    **bounds: Any,  # noqa: ANN401
) -> Order:
    sender = replace(SENDER, received_at_ms=rig.clock.now_ms(), **bounds)
    return replace_order(old.id, lambda _: command, sender, rig.ports)


def exchange(rig: Rig, *, proceeds: bool = False, size: str | None = None) -> Order:
    """Ask for it, and wait for what comes of it; workers work meanwhile."""
    rig.clock.while_asleep = rig.drain
    return await_place(ask(rig, proceeds=proceeds, size=size), rig.ports)


def test_it_is_placed_as_it_is() -> None:
    rig = Rig()

    order = accept(rig)
    rig.drain()

    placed = rig.order()
    assert (placed.id, placed.status) == (order.id, OrderStatus.FILLED)
    assert (placed.caller_id, placed.reduces, placed.parent_id) == ("mine", False, None)
    assert rig.events(order.id)[:3] == ["received", "validated", "queued"]


def test_a_sale_reduces_and_is_never_late() -> None:
    rig = Rig()

    order = accept(rig, replace(LIMIT, side=Side.SELL))

    assert (order.reduces, order.not_after_ms) == (True, None)


@pytest.mark.parametrize(
    ("command", "currency", "available"),
    [
        (LIMIT, "USDT", "3999.99"),
        (replace(LIMIT, side=Side.SELL), "BTC", "0.09"),
        (
            replace(
                LIMIT, type=OrderType.MARKET, price=None, quantity=Decimal(0), amount=Decimal(10)
            ),
            "USDT",
            "9.99",
        ),
        (replace(LIMIT, type=OrderType.MARKET, price=None), "USDT", "4999.99"),
    ],
)
def test_it_must_be_paid_for(command: PlaceOrder, currency: str, available: str) -> None:
    rig = Rig()
    rig.venue.account = a_view({currency: available})
    assert rig.venue.view().available(Currency(currency)) == Decimal(available)

    with pytest.raises(InsufficientFunds):
        accept(rig, command)
    assert rig.orders() == []


def test_a_caller_id_is_taken_while_its_order_lives() -> None:
    rig = resting()

    with pytest.raises(CallerIdInUse, match=str(rig.order().id)):
        accept(rig)
    accept(rig, replace(LIMIT, caller_id="other"))
    accept(rig, replace(LIMIT, caller_id=None))
    rig.drain()

    exchange(rig)
    rig.drain()
    accept(rig)


def test_two_at_once_do_not_get_one_caller_id() -> None:
    for rig in encounters(with_ids, accept, accept):
        rig.drain()
        assert len(rig.orders()) == 1


def test_a_replacement_waits_for_the_end_of_the_old_one() -> None:
    rig = resting()

    new = exchange(rig)

    old = rig.orders()[0]
    assert old.status is OrderStatus.CANCELED
    assert (new.price, new.caller_id) == (Decimal(41_000), "new")
    rig.drain()
    assert [one.status for one in rig.orders()] == [OrderStatus.CANCELED, OrderStatus.FILLED]


def test_what_was_filled_meanwhile_is_not_bought_again() -> None:
    rig = resting()
    old = rig.order()
    partly = a_report(
        OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal("0.04"),
        fills=(a_fill(quantity=Decimal("0.04")),),
    )
    rig.venue.ledger[old.client_order_id] = partly

    new = exchange(rig)

    assert new.quantity == Decimal("0.06")


def test_one_that_has_filled_is_not_replaced() -> None:
    rig = resting()
    old = rig.order()
    rig.venue.ledger[old.client_order_id] = a_report(filled_quantity=old.quantity)

    with pytest.raises(NotWaiting, match="FILLED"):
        exchange(rig)
    rig.drain()

    filled, denied = rig.orders()
    assert (filled.status, denied.status) == (OrderStatus.FILLED, OrderStatus.DENIED)
    assert must(denied.reason).code is ReasonCode.NOT_REPLACED
    assert [one.id for one in rig.venue.sent] == [filled.id]


def test_unless_its_caller_says_so() -> None:
    rig = resting()
    old = rig.order()
    rig.venue.ledger[old.client_order_id] = a_report(filled_quantity=old.quantity)

    new = exchange(rig, proceeds=True)
    rig.drain()

    assert (new.quantity, rig.orders()[1].status) == (old.quantity, OrderStatus.FILLED)


def test_one_that_has_ended_is_replaced_only_if_its_caller_says_so() -> None:
    rig = Rig()
    accept(rig)
    rig.drain()

    with pytest.raises(NotWaiting):
        exchange(rig)
    assert len(rig.orders()) == 1
    assert not exchange(rig, proceeds=True, size="0.1").is_held
    assert len(rig.orders()) == 2


def test_one_that_has_left_the_store_is_found() -> None:
    rig = Rig()
    accept(rig)
    rig.drain()
    for _ in range(2):  # it is kept first, and leaves later
        archive(rig.ports)
        rig.clock.advance(POLICY.history_after_ms + 1)
    archive(rig.ports)

    with pytest.raises(NotWaiting):
        exchange(rig)
    exchange(rig, proceeds=True, size="0.1")
    assert len(rig.orders()) == 2


def test_a_venue_that_does_not_answer_holds_up_both() -> None:
    rig = resting()
    rig.venue.cancel_script += [OutcomeUnknown("no answer")] * 3

    new = exchange(rig)
    rig.drain()

    assert new.is_held
    assert rig.orders()[0].cancel_requested
    assert [one.id for one in rig.venue.sent] == [rig.orders()[0].id]
    rig.settle()
    assert [one.status for one in rig.orders()] == [OrderStatus.CANCELED, OrderStatus.FILLED]


def test_a_store_that_is_away_after_the_commit_does_not_undo_it() -> None:
    rig = resting()
    rig.clock.while_asleep = Mock(side_effect=StoreUnavailable("no answer"))
    new = await_place(ask(rig), rig.ports)
    rig.settle()

    assert (rig.orders()[1].id, rig.orders()[1].status) == (new.id, OrderStatus.FILLED)


def test_one_that_was_never_sent_is_replaced_at_once() -> None:
    rig = Rig()
    accept(rig)

    new = ask(rig)

    assert not new.is_held
    rig.drain()
    assert [one.id for one in rig.venue.sent] == [new.id]


def test_one_that_nobody_can_vouch_for_is_waited_for() -> None:
    rig = Rig()
    rig.venue.place_script.append(OutcomeUnknown("no answer"))
    accept(rig)
    rig.drain()
    assert rig.order().status is OrderStatus.UNKNOWN

    new = ask(rig)
    rig.drain()
    assert rig.orders()[1].is_held
    rig.settle()

    assert [one.status for one in rig.orders()] == [OrderStatus.CANCELED, OrderStatus.FILLED]
    assert [one.id for one in rig.venue.sent] == [new.id]


def test_a_replacement_of_its_own_size_keeps_it() -> None:
    rig = resting()
    partly = a_report(OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal("0.04"))
    rig.venue.ledger[rig.order().client_order_id] = partly

    assert exchange(rig, size="0.1").quantity == Decimal("0.1")


def test_a_held_one_can_be_canceled_and_not_replaced() -> None:
    rig = resting()
    held = ask(rig)

    with pytest.raises(NotWaiting):
        taken_over(rig, held, LIMIT)
    request_cancel(held.id, BY_REQUEST, rig.ports)
    rig.settle()

    assert [one.status for one in rig.orders()] == [OrderStatus.CANCELED] * 2
    assert [one.id for one in rig.venue.sent] == [rig.orders()[0].id]


def test_a_replacement_may_take_over_the_caller_id() -> None:
    rig = resting()

    new = taken_over(rig, rig.order(), LIMIT)
    with pytest.raises(CallerIdInUse, match=str(new.id)):
        accept(rig)
    rig.venue.place_script.append(a_report(OrderStatus.NEW, filled_quantity=Decimal(0)))
    rig.drain()

    assert [one.status for one in rig.orders()] == [OrderStatus.CANCELED, OrderStatus.NEW]
    with pytest.raises(CallerIdInUse, match=str(new.id)):
        accept(rig)


def test_what_the_old_one_holds_back_pays_for_the_new_one() -> None:
    rig = resting()
    rig.venue.account = a_view({"USDT": "99.99"})

    with pytest.raises(InsufficientFunds):  # 4,000 are set free, and 4,100 needed
        ask(rig)
    assert not rig.order().cancel_requested
    rig.venue.account = a_view({"USDT": "100"})
    ask(rig)


def refused(rig: Rig, caller_id: str = "new", **bounds: object) -> None:
    """Let a replacement be refused, and see that it has changed nothing."""
    command = replace(LIMIT, caller_id=caller_id)
    before = rig.orders()
    with pytest.raises((CallerIdInUse, StaleRegistry, StoreUnavailable)):
        taken_over(rig, before[0], command, **bounds)
    assert rig.orders() == before


def test_what_refuses_the_new_one_leaves_the_old_one_alone() -> None:
    rig = resting()
    accept(rig, replace(LIMIT, caller_id="other"))

    refused(rig, caller_id="other")
    refused(rig, registry_version=-1)
    rig.ports = replace(rig.ports, policy=replace(POLICY, give_up_ms=-1))
    refused(rig)


def test_two_replacements_at_once_make_one_new_order() -> None:
    def again(rig: Rig) -> None:
        with suppress(NotWaiting, CallerIdInUse):  # one of the two comes too late
            exchange(rig)

    met = 0
    for rig in encounters(resting, exchange, again):
        met += 1
        rig.settle()
        old, *new = rig.orders()
        assert old.status is OrderStatus.CANCELED
        assert [one.status for one in new] == [OrderStatus.FILLED]
    assert met > 0


def test_a_fill_at_any_moment_is_not_bought_again() -> None:
    def ask_and_drain(rig: Rig) -> None:
        ask(rig)
        rig.drain()

    def fill(rig: Rig) -> None:
        """Let the old one fill at the venue, unless it has been taken off."""
        old = rig.orders()[0]
        if rig.venue.ledger[old.client_order_id].status is OrderStatus.NEW:
            filled = a_report(filled_quantity=old.quantity)
            rig.venue.ledger[old.client_order_id] = filled

    outcomes = set()
    for rig in encounters(resting, ask_and_drain, fill):
        rig.settle()
        old, new = rig.orders()
        outcomes.add((old.status, new.status))
        assert sum(one.filled_quantity for one in (old, new)) == LIMIT.quantity
    assert outcomes == {
        (OrderStatus.FILLED, OrderStatus.DENIED),
        (OrderStatus.CANCELED, OrderStatus.FILLED),
    }


def test_stopped_halfway_it_is_done_or_undone() -> None:
    outcomes = set()
    for rig in deaths(resting, exchange):
        rig.settle()
        old, *new = rig.orders()
        outcomes.add((old.status, *(one.status for one in new)))
        assert rig.venue.repeats == []
    assert outcomes - {(OrderStatus.NEW,)} == {(OrderStatus.CANCELED, OrderStatus.FILLED)}
