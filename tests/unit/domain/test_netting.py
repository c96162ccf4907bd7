"""What is asked of a net position, as orders (apisify spec, section 3.3)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import NetAction, OnSameSide
from app.domain.enums import Market, PositionMode, PositionSide, ReasonCode, Side
from app.domain.identifiers import Currency, Symbol
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Balance, Position
from app.domain.reason import Reason
from app.domain.request.netting import Legs, legs_of
from tests.support.builders import BTC_SPOT, must

BTC_USD = Symbol("BTC/USD")
LINEAR = Instrument(
    symbol=BTC_USD,
    market=Market.USDM,
    price_step=Decimal("0.5"),
    quantity_step=Decimal("0.001"),
    min_notional=Decimal(5),
    max_quantity=Decimal(10),
)
ONEWAY, HEDGE = PositionMode.ONEWAY, PositionMode.HEDGE


def view(position: str, mode: PositionMode = ONEWAY) -> AccountView:
    """One net position: long above 0."""
    size = Decimal(position)
    side = PositionSide.LONG if size > 0 else PositionSide.SHORT
    return AccountView(
        position_mode=mode, positions={(BTC_USD, side): Position(size=abs(size))} if size else {}
    )


def legs(
    position: str, action: NetAction, wanted: str, mode: PositionMode = ONEWAY
) -> Legs | Reason:
    return legs_of(action, Decimal(wanted), OnSameSide.SKIP, view(position, mode), LINEAR)


@pytest.mark.parametrize(
    ("case", "position", "action", "wanted", "side", "closing", "opening", "one"),
    [
        ("E1", "0", NetAction.BUY, "1", Side.BUY, "0", "1", True),
        ("E2", "1", NetAction.BUY, "0.5", Side.BUY, "0", "0.5", True),
        ("E3", "1", NetAction.SELL, "3", Side.SELL, "1", "2", True),
        ("E4", "-3", NetAction.REVERSE_BUY, "1", Side.BUY, "3", "1", True),
        ("E5", "2", NetAction.REVERSE_SELL, "2", Side.SELL, "2", "2", True),
        ("E6", "0", NetAction.REVERSE_SELL, "1", Side.SELL, "0", "1", True),
        ("E8", "2", NetAction.CLOSE, "1", Side.SELL, "1", "0", False),
        ("E9", "-2", NetAction.CLOSE, "5", Side.BUY, "2", "0", False),
        ("E10", "-2", NetAction.CLOSE, "0", Side.BUY, "2", "0", False),
    ],
)
def test_the_examples_of_the_spec(  # noqa: PLR0913, PLR0917 - a table
    case: str,
    position: str,
    action: NetAction,
    wanted: str,
    side: Side,
    closing: str,
    opening: str,
    *,
    one: bool,
) -> None:
    found = legs(position, action, wanted)

    assert isinstance(found, Legs), case
    assert (found.side, found.closing, found.opening, found.is_one_order) == (
        side,
        Decimal(closing),
        Decimal(opening),
        one,
    )


@pytest.mark.parametrize(
    ("position", "action", "code"),
    [
        ("1", NetAction.REVERSE_BUY, ReasonCode.ALREADY_IN_POSITION),  # E7
        ("0", NetAction.CLOSE, ReasonCode.NO_POSITION),  # E11
    ],
)
def test_there_may_be_nothing_to_do(position: str, action: NetAction, code: ReasonCode) -> None:
    found = legs(position, action, "1")

    assert isinstance(found, Reason)
    assert found.code is code


def test_a_reversal_may_add_to_its_own_side() -> None:
    added = legs_of(NetAction.REVERSE_BUY, Decimal(1), OnSameSide.ADD, view("1"), LINEAR)

    assert isinstance(added, Legs)
    assert (added.closing, added.opening) == (Decimal(0), Decimal(1))


@pytest.mark.parametrize("action", [NetAction.REVERSE_BUY, NetAction.BUY])
def test_a_hedge_account_has_two_legs(action: NetAction) -> None:
    found = legs("-2", action, "3", HEDGE)

    assert isinstance(found, Legs)
    assert not found.is_one_order
    assert found.closing == 2
    assert found.opening == (3 if action.reverses else 1)
    assert found.is_together is action.reverses


def test_what_is_more_than_one_order_may_be_is_closed_first() -> None:
    found = legs("-9", NetAction.REVERSE_BUY, "2")

    assert isinstance(found, Legs)
    assert (found.is_one_order, found.is_together) == (False, False)
    assert found.refusal(LINEAR, Decimal(60_000), Decimal(2)) is None


def test_a_quantity_below_the_lot_is_refused() -> None:
    found = legs("0", NetAction.BUY, "0.0009")

    assert isinstance(found, Legs)
    refusal = must(found.refusal(LINEAR, Decimal(60_000), Decimal("0.0009")))
    assert refusal.code is ReasonCode.BELOW_MINIMUM
    assert refusal.message.startswith("quantity was 0.0009, ")


def test_a_close_is_exempt_from_the_least_notional() -> None:
    found = legs("1", NetAction.CLOSE, "0.001")

    assert isinstance(found, Legs)
    assert found.refusal(LINEAR, Decimal(1), Decimal("0.001")) is None


# Spot: the coins are the position


def coins(held: str, free: str | None = None) -> AccountView:
    """A spot account with so many BTC, of which orders that rest may hold a part."""
    there = Balance(total=Decimal(held), available=Decimal(held if free is None else free))
    return AccountView(balances={Currency("BTC"): there, Currency("USDT"): Balance()})


def spot_legs(account: AccountView, action: NetAction, wanted: str) -> Legs | Reason:
    return legs_of(action, Decimal(wanted), OnSameSide.SKIP, account, BTC_SPOT)


@pytest.mark.parametrize(
    ("action", "wanted", "side", "closing", "opening"),
    [
        (NetAction.BUY, "1", Side.BUY, "0", "1"),
        (NetAction.SELL, "0.5", Side.SELL, "0.5", "0"),
        (NetAction.SELL, "3", Side.SELL, "2", "0"),
        (NetAction.CLOSE, "0.5", Side.SELL, "0.5", "0"),
        (NetAction.CLOSE, "0", Side.SELL, "2", "0"),
    ],
)
def test_coins_are_bought_and_what_is_there_is_sold(
    action: NetAction, wanted: str, side: Side, closing: str, opening: str
) -> None:
    assert spot_legs(coins("2.000001"), action, wanted) == Legs(
        side=side, closing=Decimal(closing), opening=Decimal(opening)
    )


@pytest.mark.parametrize("held", ["0", "0.000009"])
@pytest.mark.parametrize("action", [NetAction.SELL, NetAction.CLOSE])
def test_without_a_lot_of_coins_there_is_nothing_to_sell(action: NetAction, held: str) -> None:
    found = spot_legs(coins(held), action, "1")

    assert found == Reason(ReasonCode.NO_POSITION, "no BTC is held to sell")


def test_coins_that_rest_in_orders_are_left_to_them() -> None:
    part = spot_legs(coins("2", free="0.5"), NetAction.CLOSE, "0")
    none = spot_legs(coins("2", free="0"), NetAction.CLOSE, "0")

    assert [one.closing for one in (part, none) if isinstance(one, Legs)] == [
        Decimal("0.5"),
        Decimal(2),  # the venue says no, as long as they do
    ]


def test_a_sale_of_coins_has_a_least_notional() -> None:
    legs = Legs(side=Side.SELL, closing=Decimal("0.00009"), opening=Decimal(0))

    refusal = must(legs.refusal(BTC_SPOT, Decimal(50_000), Decimal(0)))

    assert refusal.code is ReasonCode.BELOW_MINIMUM
    assert legs.refusal(replace(BTC_SPOT, market=Market.USDM), Decimal(50_000), Decimal(0)) is None
