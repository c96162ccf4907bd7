"""How large an exit is when it is sent, and when the next one is."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Market, PositionMode, PositionSide, ReasonCode, Side
from app.domain.exits import fitted, heard, may_go_on, total
from app.domain.identifiers import Currency, OrderId
from app.domain.market import AccountView, Balance, Position
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import CLOSED, OrderStatus
from tests.support.builders import (
    BTC_SPOT,
    ETH,
    ETH_USDM,
    USDM_ID,
    an_id,
    an_order,
    an_order_in,
)

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def a_close(quantity: str = "0.4", **odd: object) -> Order:
    return an_order(
        account=USDM_ID,
        symbol=ETH,
        market=ETH_USDM.market,
        side=Side.SELL,
        position_side=LONG,
        quantity=Decimal(quantity),
        reduce_only=True,
        reduces=True,
        **odd,
    )


def a_sale(quantity: str = "0.1") -> Order:
    return an_order(side=Side.SELL, quantity=Decimal(quantity), reduces=True)


def coins(total: str, available: str | None = None) -> AccountView:
    held = Balance(total=Decimal(total), available=Decimal(available or total))
    return AccountView(balances={Currency("BTC"): held})


def size_of(fit: Order | Reason) -> Decimal:
    assert isinstance(fit, Order), fit
    return fit.quantity


def code_of(fit: Order | Reason) -> ReasonCode:
    assert isinstance(fit, Reason), fit
    return fit.code


def legs(size: str, available: str | None = None) -> AccountView:
    position = Position(size=Decimal(size), available=Decimal(available or size))
    return AccountView(positions={(ETH, LONG): position})


@pytest.mark.parametrize(
    ("wanted", "held", "sent"),
    [("0.4", "1", "0.4"), ("0.4", "0.4", "0.4"), ("0.4", "0.2", "0.2"), ("0.4", "0.2009", "0.2")],
)
def test_never_more_than_the_leg_has(wanted: str, held: str, sent: str) -> None:
    assert size_of(fitted(a_close(wanted), legs(held), ETH_USDM, None)) == Decimal(sent)


def test_a_net_position_is_the_leg_on_its_side() -> None:
    view = replace(legs("0.3"), position_mode=PositionMode.ONEWAY)
    close = replace(a_close(), position_side=None)

    assert size_of(fitted(close, view, ETH_USDM, None)) == Decimal("0.3")
    cover = replace(close, side=Side.BUY, parent_id=an_id(7))
    assert code_of(fitted(cover, view, ETH_USDM, None)) is ReasonCode.NO_POSITION


def test_coins_that_a_fee_has_taken_are_not_sold() -> None:
    fit = fitted(a_sale("0.1"), coins("0.0999"), BTC_SPOT, Decimal(50_000))

    assert size_of(fit) == Decimal("0.0999")


def test_coins_are_bought_back_whatever_is_held_of_them() -> None:
    cover = replace(a_sale("0.1"), side=Side.BUY, parent_id=an_id(7))
    capped = replace(BTC_SPOT, max_quantity=Decimal("0.04"))

    assert size_of(fitted(cover, coins("0"), capped, Decimal(50_000))) == Decimal("0.04")
    dust = replace(cover, quantity=Decimal("0.00005"))
    assert code_of(fitted(dust, coins("9"), capped, Decimal(50_000))) is ReasonCode.NO_POSITION


def test_no_more_than_one_order_may_be() -> None:
    capped = replace(ETH_USDM, max_quantity=Decimal(120))

    ours = a_close("150", parent_id=an_id(7))
    assert size_of(fitted(ours, legs("150"), capped, None)) == 120
    # Of one that stands alone nobody would send the rest.
    assert code_of(fitted(a_close("150"), legs("150"), capped, None)) is ReasonCode.ABOVE_MAXIMUM
    assert size_of(fitted(a_close("150"), legs("120"), capped, None)) == 120


@pytest.mark.parametrize("held", ["0", "0.0004"])
def test_a_leg_that_is_gone_or_dust_is_no_position(held: str) -> None:
    ours = a_close(parent_id=an_id(7))
    assert code_of(fitted(ours, legs(held), ETH_USDM, None)) is ReasonCode.NO_POSITION
    # One that stands alone is sent, and refused: nobody would look a second time.
    assert fitted(a_close(), legs(held), ETH_USDM, None) == a_close()


def test_coins_below_the_least_notional_are_dust() -> None:
    rules = replace(BTC_SPOT, min_notional=Decimal(10))

    fit = fitted(a_sale("0.1"), coins("0.0001"), rules, Decimal(50_000))

    assert code_of(fit) is ReasonCode.NO_POSITION


def test_what_other_orders_hold_is_not_gone() -> None:
    fit = fitted(a_close(), legs("0.4", "0"), ETH_USDM, None)

    assert code_of(fit) is ReasonCode.INSUFFICIENT_FUNDS


def test_what_is_left_by_other_orders_is_closed() -> None:
    assert size_of(fitted(a_close(), legs("0.4", "0.1"), ETH_USDM, None)) == Decimal("0.1")


def test_without_a_price_a_sale_is_tried() -> None:
    rules = replace(BTC_SPOT, min_notional=Decimal(10))

    assert size_of(fitted(a_sale("0.0001"), coins("1"), rules, None)) == Decimal("0.0001")


def done(number: int, quantity: str, price: str, fee: str = "0") -> Order:
    return an_order(
        id=OrderId(an_id(number)),
        filled_quantity=Decimal(quantity),
        average_price=Decimal(price),
        fees={"USDT": Decimal(fee)},
    )


def test_orders_add_up_however_often_and_in_which_order_they_are_heard_of() -> None:
    first, second = done(1, "0.3", "100", "1"), done(2, "0.1", "200", "2")
    once = heard(heard({}, first), second)
    again = heard(heard(heard(heard({}, second), first), second), first)

    assert total(once, Market.SPOT) == total(again, Market.SPOT)
    assert total(once, Market.SPOT).quantity == Decimal("0.4")
    assert total(once, Market.SPOT).average_price == 125
    assert total(once, Market.SPOT).fees == {"USDT": Decimal(3)}
    assert heard(once, an_order(id=OrderId(an_id(3)))) == once


def test_inverse_contracts_are_worth_coins() -> None:
    known = heard(heard({}, done(1, "300", "100")), done(2, "100", "200"))

    assert total(known, Market.COINM).average_price == Decimal(400) / Decimal("3.5")


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_a_cancel_that_was_wanted_ends_it(status: OrderStatus) -> None:
    assert may_go_on(an_order_in(status))
    assert not may_go_on(an_order_in(status, cancel_requested=True))


def test_a_limit_that_was_taken_off_at_the_venue_ends_it() -> None:
    limit = {"type": "LIMIT", "price": Decimal(2000)}
    assert not may_go_on(an_order_in(OrderStatus.CANCELED, **limit))
    assert may_go_on(an_order_in(OrderStatus.REJECTED, **limit))


def test_an_order_that_lives_is_waited_for() -> None:
    assert not may_go_on(an_order_in(OrderStatus.PARTIALLY_FILLED))
