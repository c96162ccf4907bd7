"""Spot orders at the paper venue, with the figures of the Crypto Arsenal spec, section 3.1."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Market, OrderType, ReasonCode, Side, TimeInForce
from app.domain.identifiers import Currency, EpochMs
from app.domain.market import Quote
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.engine import Outcome, cancel, match, place
from tests.support.builders import a_quote, must
from tests.support.paper_builders import SPOT_BTC, a_spot_account, a_spot_order

USDT = Currency("USDT")
BTC = Currency("BTC")
AT_50000 = a_quote("50000")
LATER = EpochMs(2_000)


def placed(
    order: PaperOrder, account: PaperAccount | None = None, quote: Quote | None = AT_50000
) -> Outcome:
    return place(account or a_spot_account(), order, SPOT_BTC, quote)


def reason_of(outcome: Outcome) -> ReasonCode | None:
    return None if outcome.order.reason is None else outcome.order.reason.code


@pytest.mark.parametrize(
    ("case", "quantity", "usdt", "btc"),
    [("E1", "0.1", "5000", "0.6"), ("E2", "0.198", "100", "0.698"), ("E4", "0.01", "9500", "0.51")],
)
def test_a_market_buy_pays_the_ask(case: str, quantity: str, usdt: str, btc: str) -> None:
    outcome = placed(a_spot_order(Side.BUY, quantity))

    assert outcome.order.status is OrderStatus.FILLED, case
    assert outcome.account.total(USDT) == Decimal(usdt)
    assert outcome.account.total(BTC) == Decimal(btc)


def test_a_market_sale_gets_the_bid() -> None:
    outcome = placed(a_spot_order(Side.SELL, "0.45"), quote=a_quote("50000", "50010"))

    assert outcome.account.total(BTC) == Decimal("0.05")
    assert outcome.account.total(USDT) == Decimal(32_500)


def test_a_limit_buy_below_the_market_rests_and_holds_its_cost() -> None:
    outcome = placed(a_spot_order(Side.BUY, "0.125", "40000"))

    assert outcome.order.status is OrderStatus.NEW
    assert outcome.account.total(USDT) == Decimal(10_000)
    assert outcome.account.free(USDT) == Decimal(5_000)


def test_a_resting_sale_holds_what_it_sells() -> None:
    outcome = placed(a_spot_order(Side.SELL, "0.3", "60000"))

    assert outcome.account.free(BTC) == Decimal("0.2")
    assert outcome.account.free(USDT) == Decimal(10_000)


def test_a_cancel_gives_back_the_hold() -> None:
    resting = placed(a_spot_order(Side.BUY, "0.125", "40000"))

    outcome = cancel(resting.account, resting.order, Reason(ReasonCode.REQUESTED, "why"), LATER)

    assert outcome.order.status is OrderStatus.CANCELED
    assert outcome.account == a_spot_account()


def test_a_cancel_of_a_closed_order_changes_nothing() -> None:
    filled = placed(a_spot_order(Side.BUY, "0.1"))

    outcome = cancel(filled.account, filled.order, Reason(ReasonCode.REQUESTED, "why"), LATER)

    assert outcome == filled


def test_a_marketable_limit_buy_takes_the_better_price() -> None:
    outcome = placed(a_spot_order(Side.BUY, "0.1", "60000"))

    assert outcome.order.status is OrderStatus.FILLED
    assert outcome.order.average_price == Decimal(50_000)
    assert outcome.account.free(USDT) == Decimal(5_000)
    assert [fill.is_maker for fill in outcome.order.fills] == [False]


def test_a_limit_order_takes_what_it_can_and_rests_at_its_own_price() -> None:
    quote = a_quote("49990", "50000", asks=(("50000", "0.02"), ("50100", "1")))

    outcome = placed(a_spot_order(Side.BUY, "0.1", "50000"), quote=quote)

    assert outcome.order.status is OrderStatus.PARTIALLY_FILLED
    assert outcome.order.filled_quantity == Decimal("0.02")
    assert outcome.account.total(USDT) == Decimal(9_000)
    assert outcome.account.free(USDT) == Decimal(5_000)


def test_a_market_order_walks_through_the_depth() -> None:
    quote = a_quote("49990", "50000", asks=(("50000", "0.02"), ("50100", "1")))

    outcome = placed(a_spot_order(Side.BUY, "0.1"), quote=quote)

    assert outcome.order.status is OrderStatus.FILLED
    assert outcome.order.average_price == Decimal(50_080)
    assert [fill.trade_id for fill in outcome.order.fills] == ["7-1", "7-2"]


def test_what_a_market_order_cannot_get_is_canceled() -> None:
    quote = a_quote("50000", bids=(("50000", "0.2"),))

    outcome = placed(a_spot_order(Side.SELL, "0.5"), quote=quote)

    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.TIME_IN_FORCE
    assert outcome.account.total(BTC) == Decimal("0.3")
    assert outcome.account.held == {}


def test_the_rest_of_an_immediate_order_is_canceled() -> None:
    quote = a_quote("49990", "50000", asks=(("50000", "0.02"),))

    outcome = placed(a_spot_order(Side.BUY, "0.1", "50000", TimeInForce.IOC), quote=quote)

    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.TIME_IN_FORCE
    assert outcome.order.filled_quantity == Decimal("0.02")
    assert outcome.account.free(USDT) == Decimal(9_000)


def test_an_immediate_order_without_a_match_is_canceled_unfilled() -> None:
    outcome = placed(a_spot_order(Side.BUY, "0.1", "40000", TimeInForce.IOC))

    assert outcome.order.status is OrderStatus.CANCELED
    assert outcome.account == a_spot_account()


@pytest.mark.parametrize("price", ["50050", None])
def test_fill_or_kill_trades_nothing_when_a_part_is_missing(price: str | None) -> None:
    quote = a_quote("49990", "50000", asks=(("50000", "0.02"), ("50050", "0.01")))

    outcome = placed(a_spot_order(Side.BUY, "0.1", price, TimeInForce.FOK), quote=quote)

    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.TIME_IN_FORCE
    assert outcome.account == a_spot_account()


def test_fill_or_kill_fills_when_all_is_there() -> None:
    quote = a_quote("49990", "50000", asks=(("50000", "0.02"), ("50050", "1")))

    outcome = placed(a_spot_order(Side.BUY, "0.1", "50050", TimeInForce.FOK), quote=quote)

    assert outcome.order.status is OrderStatus.FILLED


def test_post_only_is_refused_when_it_would_take() -> None:
    outcome = placed(a_spot_order(Side.BUY, "0.1", "50000", kind=OrderType.LIMIT_MAKER))

    assert outcome.order.status is OrderStatus.REJECTED
    assert reason_of(outcome) is ReasonCode.WOULD_TAKE
    assert must(outcome.order.reason).message.startswith("post only, ")


def test_post_only_rests_when_it_would_not_take() -> None:
    order = a_spot_order(Side.SELL, "0.1", "50000.01", kind=OrderType.LIMIT_MAKER)

    outcome = placed(order)

    assert outcome.order.status is OrderStatus.NEW


@pytest.mark.parametrize(
    "order",
    [
        a_spot_order(Side.BUY, "0.21"),
        a_spot_order(Side.BUY, "0.3", "40000"),
        a_spot_order(Side.SELL, "0.6"),
        a_spot_order(Side.SELL, "0.6", "60000"),
        a_spot_order(Side.BUY, "0.19", "60000"),  # affordable at the ask, not at its limit
    ],
    ids=["market buy", "resting buy", "market sale", "resting sale", "limit above the market"],
)
def test_what_the_account_cannot_pay_is_refused_whole(order: PaperOrder) -> None:
    outcome = placed(order)

    assert outcome.order.status is OrderStatus.REJECTED
    assert reason_of(outcome) is ReasonCode.INSUFFICIENT_FUNDS
    assert outcome.account == a_spot_account()


def test_held_funds_are_not_spent_twice() -> None:
    resting = placed(a_spot_order(Side.BUY, "0.2", "40000"))

    outcome = placed(a_spot_order(Side.BUY, "0.1"), resting.account)

    assert reason_of(outcome) is ReasonCode.INSUFFICIENT_FUNDS


@pytest.mark.parametrize(
    ("order", "code", "figures"),
    [
        (a_spot_order(Side.BUY, "0.000015"), ReasonCode.AGAINST_RULES, "0.000015"),
        (a_spot_order(Side.BUY, "0.1", "40000.001"), ReasonCode.AGAINST_RULES, "40000.001"),
        (a_spot_order(Side.BUY, "0.00009"), ReasonCode.BELOW_MINIMUM, "4.5"),
        (a_spot_order(Side.SELL, "1001"), ReasonCode.ABOVE_MAXIMUM, "1001"),
    ],
)
def test_the_filters_refuse_with_their_figures(
    order: PaperOrder, code: ReasonCode, figures: str
) -> None:
    outcome = placed(order)

    assert outcome.order.status is OrderStatus.REJECTED
    assert outcome.order.reason is not None
    assert outcome.order.reason.code is code
    assert figures in outcome.order.reason.message


def test_a_market_order_may_be_refused_where_a_limit_is_not() -> None:
    rules = replace(SPOT_BTC, max_market_quantity=Decimal("0.1"))

    limit = place(a_spot_account(), a_spot_order(Side.BUY, "0.11", "50000"), rules, AT_50000)
    market = place(a_spot_account(), a_spot_order(Side.BUY, "0.11"), rules, AT_50000)

    assert limit.order.status is OrderStatus.FILLED
    assert reason_of(market) is ReasonCode.ABOVE_MAXIMUM


def test_a_limit_beyond_the_band_is_refused_where_a_price_is_known() -> None:
    rules = replace(SPOT_BTC, multiplier_up=Decimal("1.05"))
    order = a_spot_order(Side.BUY, "0.1", "52500.01")

    refused = place(a_spot_account(), order, rules, AT_50000)

    assert reason_of(refused) is ReasonCode.AGAINST_RULES
    assert place(a_spot_account(), order, rules, None).order.status is OrderStatus.NEW


def test_an_unknown_symbol_is_refused() -> None:
    outcome = place(a_spot_account(), a_spot_order(Side.BUY, "1"), None, AT_50000)

    assert reason_of(outcome) is ReasonCode.UNKNOWN_INSTRUMENT


def test_an_order_for_another_market_is_refused() -> None:
    order = replace(a_spot_order(Side.BUY, "1"), market=Market.USDM)

    outcome = placed(order)

    assert reason_of(outcome) is ReasonCode.UNKNOWN_INSTRUMENT


def test_without_a_price_market_orders_are_refused() -> None:
    outcome = placed(a_spot_order(Side.BUY, "0.1"), quote=None)

    assert reason_of(outcome) is ReasonCode.NO_PRICE


def test_without_a_price_limit_orders_rest() -> None:
    outcome = placed(a_spot_order(Side.BUY, "0.1", "60000"), quote=None)

    assert outcome.order.status is OrderStatus.NEW


def test_fees_come_out_of_what_is_received() -> None:
    account = a_spot_account(fee="0.001")

    bought = placed(a_spot_order(Side.BUY, "0.1"), account)
    sold = placed(a_spot_order(Side.SELL, "0.1"), account)

    assert bought.account.total(BTC) == Decimal("0.5999")
    assert bought.order.fees == {BTC: Decimal("0.0001")}
    assert sold.account.total(USDT) == Decimal(14_995)
    assert sold.order.fees == {USDT: Decimal(5)}


def test_a_resting_order_fills_at_its_own_price_when_the_touch_reaches_it() -> None:
    resting = placed(a_spot_order(Side.BUY, "0.125", "40000"))

    outcome = match(resting.account, resting.order, a_quote("38990", "39000"), 1, LATER)

    assert outcome.order.status is OrderStatus.FILLED
    assert outcome.order.average_price == Decimal(40_000)
    assert [fill.is_maker for fill in outcome.order.fills] == [True]
    assert outcome.account.total(USDT) == outcome.account.free(USDT) == Decimal(5_000)
    assert outcome.order.updated_at_ms == LATER


def test_a_resting_sale_fills_when_the_bid_reaches_it() -> None:
    resting = placed(a_spot_order(Side.SELL, "0.5", "60000"))

    outcome = match(resting.account, resting.order, a_quote("60000", "60010"), 1, LATER)

    assert outcome.order.status is OrderStatus.FILLED
    assert outcome.account.total(USDT) == Decimal(40_000)


@pytest.mark.parametrize("tick", [3, 4])
def test_a_resting_order_does_not_meet_the_tick_that_it_arrived_at(tick: int) -> None:
    order = replace(a_spot_order(Side.BUY, "0.125", "40000"), tick=4)
    resting = placed(order)

    outcome = match(resting.account, resting.order, a_quote("39000"), tick, LATER)

    assert outcome == Outcome(resting.account, resting.order)


def test_the_ask_must_reach_a_resting_buy_the_bid_is_not_enough() -> None:
    resting = placed(a_spot_order(Side.BUY, "0.125", "40000"))

    outcome = match(resting.account, resting.order, a_quote("39990", "40000.01"), 1, LATER)

    assert outcome.order.status is OrderStatus.NEW


def test_depth_limits_what_a_resting_order_gets_at_one_tick() -> None:
    resting = placed(a_spot_order(Side.BUY, "0.125", "40000"))
    quote = a_quote("39000", asks=(("39000", "0.02"), ("40000", "0.03"), ("40001", "9")))

    first = match(resting.account, resting.order, quote, 1, LATER)
    again = match(first.account, first.order, quote, 1, LATER)
    second = match(first.account, first.order, quote, 2, LATER)

    assert first.order.status is OrderStatus.PARTIALLY_FILLED
    assert first.order.filled_quantity == Decimal("0.05")
    assert first.account.free(USDT) == Decimal(5_000)
    assert again == first
    assert second.order.filled_quantity == Decimal("0.10")


def test_a_touch_without_anything_behind_it_fills_nothing() -> None:
    resting = placed(a_spot_order(Side.BUY, "0.125", "40000"))
    quote = a_quote("39000", "39500", asks=(("40001", "1"),))

    outcome = match(resting.account, resting.order, quote, 1, LATER)

    assert outcome == Outcome(resting.account, resting.order)


def test_a_fill_that_somebody_took_the_money_for_is_canceled() -> None:
    resting = placed(a_spot_order(Side.BUY, "0.125", "40000"))
    poor = replace(resting.account, balances={USDT: Decimal(10)})

    outcome = match(poor, resting.order, a_quote("39000"), 1, LATER)

    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.INSUFFICIENT_FUNDS
    assert outcome.account.held == {}


def test_a_report_tells_all_fills() -> None:
    outcome = placed(a_spot_order(Side.BUY, "0.1"))

    report = outcome.order.report()

    assert report.status is OrderStatus.FILLED
    assert report.venue_order_id == "7"
    assert report.position_after is None
    assert [fill.quantity for fill in report.fills] == [Decimal("0.1")]


# A market buy of an amount of quote currency


def a_buy_for(amount: str, time_in_force: TimeInForce = TimeInForce.GTC) -> PaperOrder:
    order = a_spot_order(Side.BUY, "0", time_in_force=time_in_force)
    return replace(order, amount=Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "bought"), [("100", "0.002"), ("10", "0.0002"), ("99.99", "0.00199")]
)
def test_an_amount_is_spent_down_to_less_than_a_lot(amount: str, bought: str) -> None:
    outcome = placed(a_buy_for(amount))

    assert outcome.order.status is OrderStatus.FILLED
    assert outcome.order.filled_quantity == outcome.order.quantity == Decimal(bought)
    assert outcome.account.total(USDT) == 10_000 - Decimal(bought) * 50_000
    assert outcome.account.free(USDT) == outcome.account.total(USDT)


def test_an_amount_walks_through_the_depth() -> None:
    quote = a_quote("49990", "50000", asks=(("50000", "0.001"), ("60000", "1")))

    outcome = placed(a_buy_for("110"), quote=quote)

    assert [fill.quantity for fill in outcome.order.fills] == [Decimal("0.001"), Decimal("0.001")]
    assert outcome.order.average_price == Decimal(55_000)


@pytest.mark.parametrize(
    ("time_in_force", "filled"),
    [(TimeInForce.GTC, "0.001"), (TimeInForce.IOC, "0.001"), (TimeInForce.FOK, "0")],
)
def test_an_amount_that_cannot_all_be_spent(time_in_force: TimeInForce, filled: str) -> None:
    quote = a_quote("49990", "50000", asks=(("50000", "0.001"),))

    outcome = placed(a_buy_for("110", time_in_force), quote=quote)

    assert outcome.order.status is OrderStatus.CANCELED
    assert reason_of(outcome) is ReasonCode.TIME_IN_FORCE
    assert outcome.order.filled_quantity == Decimal(filled)
    assert outcome.account.free(USDT) == 10_000 - Decimal(filled) * 50_000


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("10000.01", ReasonCode.INSUFFICIENT_FUNDS),
        ("4.99", ReasonCode.BELOW_MINIMUM),
        ("0.1", ReasonCode.BELOW_MINIMUM),
    ],
)
def test_an_amount_that_is_not_there_or_too_small_is_refused(amount: str, code: ReasonCode) -> None:
    outcome = placed(a_buy_for(amount))

    assert outcome.order.status is OrderStatus.REJECTED
    assert reason_of(outcome) is code
    assert outcome.account == a_spot_account()


def test_an_amount_less_than_a_lot_is_refused() -> None:
    outcome = placed(a_buy_for("5"), quote=a_quote("600000"))

    assert reason_of(outcome) is ReasonCode.BELOW_MINIMUM


def test_an_amount_needs_a_price() -> None:
    assert reason_of(placed(a_buy_for("100"), quote=None)) is ReasonCode.NO_PRICE
