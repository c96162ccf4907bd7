"""Spot orders of exact figures: taken in once, paid for, replaced without ever trading twice."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.errors import CallerIdInUse, InsufficientFunds, NotWaiting
from app.domain.exact_order import ExactOrder
from app.domain.identifiers import Currency
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.domain.words import Dialect, OrderType, ReasonCode, Side
from app.ports import Admission
from app.services.accept_exact_order import (
    Replacement,
    accept_exact_order,
    replace_exact_order,
)
from app.services.accept_order import OrderSender
from tests.builders import BTC, SPOT, a_fill, a_report, a_view
from tests.rig import Rig, deaths, encounters

LIMIT = ExactOrder(
    symbol=BTC,
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=Decimal("0.1"),
    price=Decimal(40_000),
    caller_id="mine",
)
SENDER = OrderSender(dialect=Dialect.POLONIEX, origin="poloniex:1", account=SPOT)


def accept(rig: Rig, command: ExactOrder = LIMIT) -> Order:
    return accept_exact_order(command, SENDER, Admission(), rig.clock.now_ms(), rig.ports)


def resting() -> Rig:
    """Return a rig with one order that rests."""
    rig = Rig()
    rig.venue.place_script.append(a_report(OrderStatus.NEW, filled_quantity=Decimal(0)))
    accept(rig)
    rig.drain()
    assert rig.order().status is OrderStatus.NEW
    return rig


def exchange(rig: Rig, *, proceeds: bool = False) -> Order:
    """Replace the oldest order by one at another price; workers work while it waits."""
    replacement = Replacement(
        old=rig.orders()[0],
        command_of=lambda old: replace(
            LIMIT, price=Decimal(41_000), quantity=old.remaining_quantity, caller_id="new"
        ),
        pause_ms=lambda _: rig.drain(),
        proceed_on_failure=proceeds,
    )
    return replace_exact_order(replacement, SENDER, Admission(), rig.clock.now_ms(), rig.ports)


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
def test_it_must_be_paid_for(command: ExactOrder, currency: str, available: str) -> None:
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
    def prepared() -> Rig:
        rig = Rig()
        rig.ports.ids.fresh(SPOT.id, 1)  # both are one process here, and draw from one block
        return rig

    for rig in encounters(prepared, accept, accept):
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

    with pytest.raises(NotWaiting):
        exchange(rig)
    rig.drain()
    assert len(rig.orders()) == 1


def test_unless_its_caller_says_so() -> None:
    rig = Rig()
    accept(rig)
    rig.drain()

    with pytest.raises(NotWaiting):
        exchange(rig)
    replacement = Replacement(
        old=rig.order(),
        command_of=lambda _: LIMIT,
        pause_ms=lambda _: rig.drain(),
        proceed_on_failure=True,
    )
    replace_exact_order(replacement, SENDER, Admission(), rig.clock.now_ms(), rig.ports)
    assert len(rig.orders()) == 2


def test_a_venue_that_does_not_answer_keeps_the_old_one() -> None:
    rig = resting()
    replacement = Replacement(old=rig.order(), command_of=lambda _: LIMIT, pause_ms=lambda _: None)

    with pytest.raises(NotWaiting):
        replace_exact_order(replacement, SENDER, Admission(), rig.clock.now_ms(), rig.ports)
    assert len(rig.orders()) == 1
    assert rig.order().cancel_requested


def test_two_replacements_at_once_make_one_new_order() -> None:
    def again(rig: Rig) -> None:
        with pytest.raises((NotWaiting, CallerIdInUse)):
            exchange(rig)

    for rig in encounters(resting, exchange, again):
        rig.drain()
        old, *new = rig.orders()
        assert old.status is OrderStatus.CANCELED
        assert len(new) == 1


def test_stopped_halfway_nothing_trades_twice() -> None:
    for rig in deaths(resting, exchange):
        rig.settle()
        old, *new = rig.orders()
        assert len(new) <= 1
        if new:
            assert old.status is OrderStatus.CANCELED
            assert old.reason is not None
            assert old.reason.code in {ReasonCode.REPLACED, ReasonCode.REQUESTED}
