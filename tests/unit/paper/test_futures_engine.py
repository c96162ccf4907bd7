"""Futures orders at the paper venue, with the figures of the Crypto Arsenal spec, section 3.1."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Market, PositionMode, PositionSide, ReasonCode, Side
from app.domain.identifiers import Currency, EpochMs
from app.domain.market import Quote
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.engine import Outcome, cancel, match, place
from tests.support.builders import ETH, a_quote
from tests.support.paper_builders import USDM_ETH, a_futures_account, a_futures_order

USDT = Currency("USDT")
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
AT_2000 = a_quote("2000")
LATER = EpochMs(2_000)

ONEWAY = PositionMode.ONEWAY


def placed(
    order: PaperOrder, account: PaperAccount | None = None, quote: Quote | None = AT_2000
) -> Outcome:
    return place(account or a_futures_account(), order, USDM_ETH, quote)


def size(outcome: Outcome, side: PositionSide) -> Decimal:
    return outcome.account.leg(ETH, side).size


def reason_of(outcome: Outcome) -> ReasonCode | None:
    return None if outcome.order.reason is None else outcome.order.reason.code


def test_e7_opening_a_long_binds_a_share_of_the_wallet() -> None:
    outcome = placed(a_futures_order(Side.BUY, "0.5", leg=LONG))

    assert size(outcome, LONG) == Decimal("0.5")
    assert outcome.order.position_after == Decimal("0.5")
    assert outcome.account.total(USDT) == Decimal(1_000)
    assert outcome.account.free(USDT) == Decimal(800)


def test_e8_a_short_may_bind_nearly_all() -> None:
    outcome = placed(a_futures_order(Side.SELL, "2.475", leg=SHORT))

    assert size(outcome, SHORT) == Decimal("2.475")
    assert outcome.account.free(USDT) == Decimal(10)


def test_more_than_the_margin_allows_is_refused() -> None:
    outcome = placed(a_futures_order(Side.BUY, "2.501", leg=LONG))

    assert outcome.order.status is OrderStatus.REJECTED
    assert reason_of(outcome) is ReasonCode.INSUFFICIENT_FUNDS
    assert outcome.account == a_futures_account()


def test_e10_closing_half_leaves_half() -> None:
    account = a_futures_account(legs={LONG: ("0.5", "2000")})

    outcome = placed(a_futures_order(Side.SELL, "0.25", leg=LONG, reduce_only=True), account)

    assert size(outcome, LONG) == Decimal("0.25")
    assert outcome.order.position_after == Decimal("0.25")


@pytest.mark.parametrize(
    ("leg", "side", "price", "wallet"),
    [
        (LONG, Side.SELL, "2200", "1100"),
        (LONG, Side.SELL, "1900", "950"),
        (SHORT, Side.BUY, "2200", "900"),
        (SHORT, Side.BUY, "1900", "1050"),
    ],
)
def test_profit_settles_to_the_wallet(
    leg: PositionSide, side: Side, price: str, wallet: str
) -> None:
    account = a_futures_account(legs={leg: ("0.5", "2000")})

    outcome = placed(a_futures_order(side, "0.5", leg=leg), account, a_quote(price))

    assert outcome.account.total(USDT) == Decimal(wallet)
    assert outcome.account.free(USDT) == Decimal(wallet)


def test_adding_averages_the_entry_price() -> None:
    account = a_futures_account(legs={LONG: ("0.5", "2000")})

    outcome = placed(a_futures_order(Side.BUY, "0.5", leg=LONG), account, a_quote("2100"))

    assert outcome.account.leg(ETH, LONG).entry_price(Market.USDM) == Decimal(2_050)


def test_e11_a_resting_close_reserves_the_position() -> None:
    account = a_futures_account(legs={LONG: ("0.5", "2000")})
    order = a_futures_order(Side.SELL, "0.2", "2200", leg=LONG, reduce_only=True)

    outcome = placed(order, account)

    position = outcome.account.view().position(ETH, LONG)
    assert (position.size, position.available) == (Decimal("0.5"), Decimal("0.3"))
    assert outcome.account.free(USDT) == Decimal(800)


def test_a_canceled_close_reserves_nothing_any_more() -> None:
    account = a_futures_account(legs={LONG: ("0.5", "2000")})
    resting = placed(a_futures_order(Side.SELL, "0.2", "2200", leg=LONG), account)

    outcome = cancel(resting.account, resting.order, Reason(ReasonCode.REQUESTED, "why"), LATER)

    assert outcome.account == account


def test_a_hedge_close_of_more_than_there_is_is_refused() -> None:
    account = a_futures_account(legs={SHORT: ("2.475", "2000")})

    outcome = placed(a_futures_order(Side.BUY, "9", leg=SHORT, reduce_only=True), account)

    assert outcome.order.status is OrderStatus.REJECTED
    assert reason_of(outcome) is ReasonCode.WOULD_NOT_REDUCE
    assert outcome.account == account


def test_e13_a_close_without_position_is_refused() -> None:
    outcome = placed(a_futures_order(Side.SELL, "1", leg=LONG, reduce_only=True))

    assert outcome.order.status is OrderStatus.REJECTED
    assert reason_of(outcome) is ReasonCode.WOULD_NOT_REDUCE


def test_a_hedge_close_reduces_even_without_the_flag() -> None:
    account = a_futures_account(legs={LONG: ("0.5", "2000")})

    outcome = placed(a_futures_order(Side.SELL, "0.4", leg=LONG), account)

    assert (size(outcome, LONG), size(outcome, SHORT)) == (Decimal("0.1"), Decimal(0))
    more = placed(a_futures_order(Side.SELL, "0.2", leg=LONG), outcome.account)
    assert reason_of(more) is ReasonCode.WOULD_NOT_REDUCE


def test_reduce_only_is_enforced_at_the_fill_not_at_arrival() -> None:
    account = a_futures_account(legs={LONG: ("0.5", "2000")})
    resting = placed(a_futures_order(Side.SELL, "0.5", "2200", leg=LONG), account)
    closed = placed(a_futures_order(Side.SELL, "0.4", leg=LONG), resting.account)

    outcome = match(closed.account, resting.order, a_quote("2200"), 1, LATER)

    assert outcome.order.filled_quantity == Decimal("0.1")
    assert outcome.order.status is OrderStatus.CANCELED
    assert size(outcome, LONG) == 0
    assert outcome.account.reserved == {}


def test_a_resting_close_whose_position_is_gone_is_canceled_when_reached() -> None:
    account = a_futures_account(legs={LONG: ("0.5", "2000")})
    resting = placed(a_futures_order(Side.SELL, "0.5", "2200", leg=LONG), account)
    closed = placed(a_futures_order(Side.SELL, "0.5", leg=LONG), resting.account)

    outcome = match(closed.account, resting.order, a_quote("2200"), 1, LATER)

    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.NO_POSITION
    assert outcome.order.filled_quantity == 0


def test_closes_are_exempt_from_the_minimums() -> None:
    account = a_futures_account(legs={LONG: ("0.001", "2000")})

    outcome = placed(a_futures_order(Side.SELL, "0.001", leg=LONG, reduce_only=True), account)

    assert outcome.order.status is OrderStatus.FILLED


def test_entries_are_not_exempt_from_the_minimums() -> None:
    outcome = placed(a_futures_order(Side.BUY, "0.001", leg=LONG))

    assert reason_of(outcome) is ReasonCode.BELOW_MINIMUM


def test_long_and_short_stand_side_by_side_in_a_hedge_account() -> None:
    account = a_futures_account(legs={SHORT: ("1.5", "2000")})

    outcome = placed(a_futures_order(Side.BUY, "0.5", leg=LONG), account)

    assert (size(outcome, LONG), size(outcome, SHORT)) == (Decimal("0.5"), Decimal("1.5"))


@pytest.mark.parametrize(
    "order",
    [
        a_futures_order(Side.BUY, "1"),
        a_futures_order(Side.BUY, "1", leg=LONG, reduce_only=True),
        replace(a_futures_order(Side.BUY, "1", leg=LONG), market=Market.COINM),
    ],
    ids=["no leg", "a buy cannot reduce a long", "another market"],
)
def test_a_hedge_account_refuses_what_makes_no_sense(order: PaperOrder) -> None:
    outcome = placed(order)

    assert outcome.order.status is OrderStatus.REJECTED


def test_a_resting_entry_holds_its_margin() -> None:
    outcome = placed(a_futures_order(Side.BUY, "1", "1800", leg=LONG))

    assert outcome.account.free(USDT) == Decimal(640)


def test_a_resting_entry_fills_out_of_its_hold() -> None:
    account = a_futures_account(usdt="360")
    resting = placed(a_futures_order(Side.BUY, "1", "1800", leg=LONG), account)

    outcome = match(resting.account, resting.order, a_quote("1790"), 1, LATER)

    assert outcome.order.status is OrderStatus.FILLED
    assert outcome.account.held == {}
    assert outcome.account.free(USDT) == 0


def test_a_leverage_that_divides_badly_does_not_cost_a_fill() -> None:
    account = a_futures_account(usdt="600", leverage=3)
    resting = placed(a_futures_order(Side.BUY, "1", "1800", leg=LONG), account)

    outcome = match(resting.account, resting.order, a_quote("1790"), 1, LATER)

    assert outcome.order.status is OrderStatus.FILLED


def test_fees_come_out_of_the_wallet() -> None:
    outcome = placed(a_futures_order(Side.BUY, "0.5", leg=LONG), a_futures_account(fee="0.001"))

    assert outcome.account.total(USDT) == Decimal(999)
    assert outcome.order.fees == {USDT: Decimal(1)}


def test_a_loss_beyond_the_wallet_still_closes() -> None:
    account = a_futures_account(legs={LONG: ("2", "2000")})

    outcome = placed(a_futures_order(Side.SELL, "2", leg=LONG), account, a_quote("1000"))

    assert outcome.order.status is OrderStatus.FILLED
    assert outcome.account.total(USDT) == Decimal(-1_000)
    assert outcome.account.view().available(USDT) == 0


def test_one_way_orders_in_one_direction_add_up() -> None:
    account = a_futures_account(ONEWAY, legs={LONG: ("0.5", "2000")})

    outcome = placed(a_futures_order(Side.BUY, "0.5"), account)

    assert size(outcome, LONG) == Decimal(1)


def test_one_way_orders_cross_zero() -> None:
    account = a_futures_account(ONEWAY, legs={LONG: ("0.5", "1900")})

    outcome = placed(a_futures_order(Side.SELL, "2"), account)

    assert (size(outcome, LONG), size(outcome, SHORT)) == (Decimal(0), Decimal("1.5"))
    assert outcome.order.position_after == Decimal("1.5")
    assert outcome.account.total(USDT) == Decimal(1_050)
    assert outcome.account.leg(ETH, SHORT).entry_price(Market.USDM) == Decimal(2_000)


def test_crossing_zero_needs_margin_for_the_new_side_only() -> None:
    account = a_futures_account(ONEWAY, usdt="200", legs={LONG: ("0.5", "2000")})

    outcome = placed(a_futures_order(Side.SELL, "1"), account)
    too_much = placed(a_futures_order(Side.SELL, "1.002"), account)

    assert outcome.order.status is OrderStatus.FILLED
    assert reason_of(too_much) is ReasonCode.INSUFFICIENT_FUNDS


def test_one_way_reduce_only_stops_at_zero() -> None:
    account = a_futures_account(ONEWAY, legs={SHORT: ("0.5", "2000")})

    outcome = placed(a_futures_order(Side.BUY, "2", reduce_only=True), account)

    assert outcome.order.filled_quantity == Decimal("0.5")
    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.NO_POSITION
    assert size(outcome, SHORT) == size(outcome, LONG) == 0
    assert outcome.account.reserved == {}


def test_one_way_reduce_only_in_the_wrong_direction_is_refused() -> None:
    account = a_futures_account(ONEWAY, legs={SHORT: ("0.5", "2000")})

    outcome = placed(a_futures_order(Side.SELL, "2", reduce_only=True), account)

    assert reason_of(outcome) is ReasonCode.WOULD_NOT_REDUCE


def test_a_one_way_close_that_turned_into_an_entry_needs_funds_at_the_fill() -> None:
    account = a_futures_account(ONEWAY, usdt="200", legs={LONG: ("0.5", "2000")})
    resting = placed(a_futures_order(Side.SELL, "0.5", "2100"), account)
    closed = placed(a_futures_order(Side.SELL, "0.5"), resting.account)
    poor = replace(closed.account, balances={USDT: Decimal(100)})

    outcome = match(poor, resting.order, a_quote("2100"), 1, LATER)

    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.INSUFFICIENT_FUNDS
    assert size(outcome, SHORT) == 0


def test_what_is_given_back_leaves_nothing_behind() -> None:
    """Thirds and sevenths have no end; what is held of them still sums up exactly."""
    account = a_futures_account(leverage=7, fee="0.001")
    orders = []
    for quantity, price in (("0.05", "1900"), ("0.31", "1881"), ("0.017", "1853")):
        order = a_futures_order(Side.BUY, quantity, leg=LONG, price=price)
        outcome = placed(order, account)
        account = outcome.account
        orders.append(outcome.order)

    for order in orders:
        account = cancel(account, order, Reason(ReasonCode.REQUESTED, "why not"), LATER).account

    assert account.held == {}
