"""Trades, steps and accounts as they are shown: every key of the page, whatever the trade."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from app.dialects.three_commas.entities import (
    order_entity,
    price_text,
    step_entity,
    trade_entity,
    with_trails,
)
from app.dialects.three_commas.market_routes import account_entity, currency_rates
from app.dialects.three_commas.names import (
    currency_id,
    market_of,
    pair_of,
    paper_name,
    symbol_of,
)
from app.domain.enums import Market, Mode, OrderType, ReasonCode, Side
from app.domain.identifiers import AggregateId, Currency, EpochMs, Symbol, VenueName
from app.domain.market import Quote
from app.domain.reason import Reason
from app.domain.smart_trade.enums import (
    EntryMethod,
    StepKind,
    StepStatus,
    TakeProfitType,
    TradeStatus,
    TradeType,
)
from app.domain.smart_trade.spec import EntryRule, StopLoss, TakeProfit
from app.services.smart_trades.trailing import TrailingPrice
from app.web.exact_json import exact_json
from app.web.time_texts import iso
from tests.support.three_commas_trades import (
    ACCOUNT,
    ENTRY,
    NOW,
    PROFIT,
    RULES,
    STOP,
    a_step,
    a_trade,
    an_order,
)

QUOTE = Quote(bid=Decimal(103), ask=Decimal("103.1"), last=Decimal("103.05"))
AROUND = (ACCOUNT, QUOTE, Decimal(1), paper_name)

TRADE_KEYS = {
    "id",
    "account_id",
    "trailing_stop_loss",
    "from_currency_id",
    "trailing_stop_loss_condition_percentage",
    "trailing_take_profit",
    "stop_loss_enabled",
    "panic_sell_market_order_id",
    "take_profit_enabled",
    "trailing_buy_enabled",
    "stop_loss_timeout_seconds",
    "stop_loss_timeout_enabled",
    "panic_sellable",
    "editable",
    "finished",
    "cancellable",
    "created_at",
    "updated_at",
    "trailing_stop_loss_last_price_updated_at",
    "trailing_take_profit_last_price_updated_at",
    "closed_at",
    "status",
    "take_profit_price_condition",
    "take_profit_price_order",
    "stop_loss_price_condition",
    "stop_loss_price_order",
    "units_to_buy",
    "buy_price",
    "total",
    "average_buy_price",
    "average_sell_price",
    "error_message",
    "trailing_take_profit_step",
    "type",
    "stop_loss_price_method",
    "take_profit_price_method",
    "trailing_stop_loss_last_price",
    "trailing_take_profit_last_price",
    "note",
    "buy_method",
    "take_profit_type",
    "stop_loss_type",
    "stop_loss_sell_method",
    "take_profit_sell_method",
    "take_profit_sell_order_price",
    "stop_loss_sell_order_price",
    "trailing_buy_step",
    "profit_percentage",
    "current_price",
    "account_market",
    "account_name",
    "from_currency_code",
    "from_currency_name",
    "from_currency_display_name",
    "to_currency_code",
    "to_currency_name",
    "to_currency_display_name",
    "usd_profit",
    "smart_trade_steps",
    "take_profit_steps",
    "stop_loss_steps",
    "buy_steps",
}

STEP_KEYS = {
    "id",
    "editable",
    "position",
    "order_id",
    "smart_trade_id",
    "is_panic_sell",
    "created_at",
    "updated_at",
    "trailing_last_pirce_updated_at",
    "trailing_last_price_updated_at",
    "type",
    "price",
    "average_result_price",
    "deviation_condition",
    "price_method",
    "trailing_last_pirce",
    "trailing_last_price",
    "sell_method",
    "sell_order_price",
    "percent",
    "pair",
    "initial_amount",
    "initial_total",
    "actual_amount",
    "actual_total",
    "status",
    "market_order_id",
    "market_class",
    "price_percentage",
}


def test_every_key_of_the_page_is_there() -> None:
    shown = trade_entity(a_trade(), *AROUND)

    assert set(shown) >= TRADE_KEYS
    assert set(shown) - TRADE_KEYS == {"to_currency_id"}
    assert "error" not in shown
    assert {frozenset(step) for step in shown["smart_trade_steps"]} == {frozenset(STEP_KEYS)}
    assert json.loads(exact_json(shown)) == json.loads(json.dumps(shown))


def test_a_bought_trade() -> None:
    shown = trade_entity(a_trade(note="a pair"), *AROUND)

    expected = {
        "id": 10,
        "type": "SmartTrade::Classic",
        "status": "bought",
        "account_id": 1,
        "account_name": "my acc",
        "account_market": "BinanceMarket",
        "from_currency_code": "USDT",
        "to_currency_code": "ETH",
        "to_currency_display_name": "Ethereum (ETH)",
        "buy_method": "market",
        "buy_price": "100",
        "units_to_buy": "2",
        "total": "200",
        "average_buy_price": "100",
        "average_sell_price": None,
        "take_profit_price_condition": "105",
        "take_profit_price_order": None,
        "stop_loss_price_condition": "95",
        "trailing_buy_step": "5",
        "stop_loss_timeout_seconds": 300,
        "profit_percentage": "3",
        "usd_profit": "6",
        "current_price": "103.05",
        "created_at": "2018-08-08T08:08:08.008Z",
        "closed_at": None,
        "panic_sellable": True,
        "editable": True,
        "cancellable": True,
        "finished": False,
        "error_message": None,
        "note": "a pair",
    }
    assert {name: shown[name] for name in expected} == expected
    assert [step["id"] for step in shown["smart_trade_steps"]] == [11, 12, 13]
    assert [step["id"] for step in shown["buy_steps"]] == [11]
    assert [step["id"] for step in shown["take_profit_steps"]] == [12]
    assert [step["id"] for step in shown["stop_loss_steps"]] == [13]


def test_before_its_order_fills_a_market_trade_has_no_price() -> None:
    trade = a_trade(status=TradeStatus.BUY_ORDER_PLACED, orders=())

    shown = trade_entity(trade, ACCOUNT, None, None, paper_name)

    assert (shown["buy_price"], shown["total"], shown["average_buy_price"]) == ("0", "0", None)
    assert (shown["current_price"], shown["usd_profit"]) == ("0", None)
    assert shown["profit_percentage"] == "0"


def test_exits_that_are_off_have_defaults() -> None:
    shown = trade_entity(a_trade(take_profit=None, stop_loss=None, steps=(ENTRY,)), *AROUND)

    expected = {
        "take_profit_enabled": False,
        "stop_loss_enabled": False,
        "take_profit_type": "classic",
        "stop_loss_type": "classic",
        "take_profit_price_method": "bid",
        "stop_loss_sell_method": "market",
        "take_profit_price_condition": None,
        "stop_loss_price_condition": None,
        "trailing_take_profit_step": None,
    }
    assert {name: shown[name] for name in expected} == expected


def test_limits_are_shown_as_configured_and_as_placed() -> None:
    profit = TakeProfit(order_type=OrderType.LIMIT, order_price=Decimal(106))
    placed = an_order(22, 12, Side.SELL, "0", price=Decimal(106), type=OrderType.LIMIT)
    trade = a_trade(take_profit=profit)

    waiting = trade_entity(trade, *AROUND)
    shown = trade_entity(replace(trade, orders=(*trade.orders, placed)), *AROUND)

    assert waiting["take_profit_sell_order_price"] == "106"
    assert waiting["take_profit_price_order"] is None
    assert shown["take_profit_price_order"] == "106"
    assert shown["take_profit_sell_method"] == "limit"


def test_a_trade_in_steps_has_no_one_condition() -> None:
    steps = [
        a_step(
            12 + position,
            StepKind.TAKE_PROFIT,
            position=position,
            percent=Decimal(50),
            price=Decimal(105),
        )
        for position in (1, 2)
    ]
    profit = TakeProfit(type=TakeProfitType.STEP_SELL)

    shown = trade_entity(a_trade(take_profit=profit, steps=(ENTRY, *steps)), *AROUND)

    assert shown["take_profit_type"] == "step_sell"
    assert shown["take_profit_price_condition"] is None
    assert [step["position"] for step in shown["take_profit_steps"]] == [1, 2]
    assert shown["take_profit_steps"][0]["percent"] == "50"


def a_trail(extreme: str, level: str, at_ms: EpochMs | None = None) -> TrailingPrice:
    return TrailingPrice(extreme=Decimal(extreme), level=Decimal(level), at_ms=at_ms)


def test_a_trailing_stop_shows_its_level() -> None:
    stop = replace(
        STOP,
        is_trailing=True,
        trailing_percent=Decimal("5.5"),
        extreme=Decimal(110),
        extreme_at_ms=NOW,
    )
    trade = a_trade(stop_loss=StopLoss(is_trailing=True), steps=(ENTRY, PROFIT, stop))

    moved = with_trails(trade, {AggregateId(13): a_trail("120", "113.4", EpochMs(NOW + 5))})
    shown = trade_entity(moved, *AROUND)

    assert shown["trailing_stop_loss"] is True
    assert shown["trailing_stop_loss_condition_percentage"] == Decimal("5.5")
    assert '"trailing_stop_loss_condition_percentage":5.5,' in exact_json(shown)
    assert shown["trailing_stop_loss_last_price"] == "120"
    assert shown["trailing_stop_loss_last_price_updated_at"] == "2018-08-08T08:08:08.013Z"
    assert shown["stop_loss_price_condition"] == "113.4"


def test_a_trailing_take_profit_keeps_its_condition() -> None:
    profit = replace(PROFIT, is_trailing=True, trailing_percent=Decimal(2))
    trade = a_trade(take_profit=TakeProfit(trailing_percent=Decimal(2)), steps=(ENTRY, profit))

    before = trade_entity(trade, *AROUND)
    moved = with_trails(trade, {AggregateId(12): a_trail("110", "107.8")})
    shown = trade_entity(moved, *AROUND)

    assert before["trailing_take_profit_last_price"] is None
    assert shown["trailing_take_profit_last_price"] == "110"
    assert shown["take_profit_price_condition"] == "105"
    assert shown["trailing_take_profit_step"] == "2"


def test_what_failed_says_why() -> None:
    reason = Reason(ReasonCode.INSUFFICIENT_FUNDS, "not enough USDT")
    failed = a_trade(status=TradeStatus.FAILED, reason=reason, closed_at_ms=NOW)
    cancelled = a_trade(status=TradeStatus.CANCELLED, reason=reason, closed_at_ms=NOW)

    assert trade_entity(failed, *AROUND)["error_message"] == "not enough USDT"
    assert trade_entity(failed, *AROUND)["closed_at"] == "2018-08-08T08:08:08.008Z"
    assert trade_entity(failed, *AROUND)["finished"] is True
    assert trade_entity(cancelled, *AROUND)["error_message"] is None


@pytest.mark.parametrize(
    ("note", "shown"), [(None, "0.0001 is left"), ("of mine", "of mine; 0.0001 is left")]
)
def test_what_was_not_there_to_close_is_noted(note: str | None, shown: str) -> None:
    reason = Reason(ReasonCode.NO_POSITION, "0.0001 is left")
    finished = a_trade(status=TradeStatus.STOP_LOSS_FINISHED, reason=reason, note=note)

    assert trade_entity(finished, *AROUND)["note"] == shown
    assert trade_entity(finished, *AROUND)["error_message"] is None


def test_held_coins_have_their_basis() -> None:
    trade = a_trade(
        type=TradeType.SMART_SALE,
        entry=None,
        basis_price=Decimal("98.5"),
        steps=(PROFIT, STOP),
        orders=(),
    )

    shown = trade_entity(trade, *AROUND)

    assert (shown["buy_method"], shown["buy_price"]) == (None, "98.5")
    assert (shown["average_buy_price"], shown["total"]) == ("98.5", "197")
    assert shown["buy_steps"] == []


def test_a_conditional_entry_that_trails() -> None:
    entry = EntryRule(
        method=EntryMethod.CONDITIONAL, price=Decimal(400), trailing_percent=Decimal(10)
    )
    trade = a_trade(
        type=TradeType.CONDITIONAL_BUY,
        status=TradeStatus.TRAILING_BUY_ACTIVATED,
        entry=entry,
        orders=(),
    )

    shown = trade_entity(trade, *AROUND)

    assert (shown["trailing_buy_enabled"], shown["trailing_buy_step"]) == (True, "10")
    assert (shown["buy_price"], shown["total"]) == ("400", "800")
    assert shown["panic_sellable"] is False


# Steps


def test_a_step_that_was_carried_out() -> None:
    shown = step_entity(a_trade(), ENTRY)

    expected = {
        "id": 11,
        "smart_trade_id": 10,
        "order_id": 21,
        "market_order_id": "v21",
        "market_class": "BinanceMarket",
        "type": "SmartTradeStep::BuyStep",
        "status": "processed",
        "pair": "USDT_ETH",
        "price_method": "ask",
        "sell_method": "market",
        "price": None,
        "percent": None,
        "initial_amount": "2",
        "initial_total": "200",
        "actual_amount": "2",
        "actual_total": "200",
        "average_result_price": "100",
        "editable": False,
    }
    assert {name: shown[name] for name in expected} == expected


def test_a_step_that_waits() -> None:
    shown = step_entity(a_trade(), PROFIT)

    assert (shown["order_id"], shown["market_order_id"]) == (None, None)
    assert (shown["actual_amount"], shown["actual_total"]) == ("0", "0")
    assert (shown["initial_amount"], shown["initial_total"]) == (None, None)
    assert shown["average_result_price"] is None
    assert shown["editable"] is True


@pytest.mark.parametrize("misspelt", ["trailing_last_pirce", "trailing_last_pirce_updated_at"])
def test_the_misspelt_keys_say_the_same(misspelt: str) -> None:
    step = replace(PROFIT, extreme=Decimal(110), extreme_at_ms=NOW, trailing_percent=Decimal(2))

    shown = step_entity(a_trade(steps=(step,)), step)

    assert shown[misspelt] == shown[misspelt.replace("pirce", "price")] is not None
    assert shown["deviation_condition"] == "2"


@pytest.mark.parametrize(
    ("trade_type", "kind", "trails", "name"),
    [
        (TradeType.CLASSIC, StepKind.TAKE_PROFIT, False, "TakeProfitStep"),
        (TradeType.SMART_SALE, StepKind.TAKE_PROFIT, True, "TrailingTakeProfitStep"),
        (TradeType.CLASSIC, StepKind.STOP_LOSS, False, "StopLossStep"),
        (TradeType.CONDITIONAL_BUY, StepKind.STOP_LOSS, True, "TrailingStopLossStep"),
        (TradeType.SELL_BUY_BACK, StepKind.TAKE_PROFIT, False, "TakeProfitBuyStep"),
        (TradeType.CONDITIONAL_SELL, StepKind.TAKE_PROFIT, True, "TrailingTakeProfitBuyStep"),
        (TradeType.SELL_BUY_BACK, StepKind.STOP_LOSS, False, "StopLossBuyStep"),
        (TradeType.SELL_BUY_BACK, StepKind.STOP_LOSS, True, "TrailingStopLossBuyStep"),
        (TradeType.SELL_BUY_BACK, StepKind.ENTRY, False, "BuyStep"),
        (TradeType.CLASSIC, StepKind.FUNDS, False, "BuyStep"),
    ],
)
def test_the_type_of_a_step(
    trade_type: TradeType, kind: StepKind, *, trails: bool, name: str
) -> None:
    step = a_step(11, kind, is_trailing=trails)

    shown = step_entity(a_trade(type=trade_type, steps=(step,)), step)

    assert shown["type"] == f"SmartTradeStep::{name}"


@pytest.mark.parametrize("status", list(StepStatus))
def test_only_an_idle_step_can_be_edited(status: StepStatus) -> None:
    step = replace(PROFIT, status=status)

    assert step_entity(a_trade(steps=(step,)), step)["editable"] is (status is StepStatus.IDLE)


def test_the_order_of_added_funds() -> None:
    step = a_step(14, StepKind.FUNDS, status=StepStatus.ENQUEUED)
    order = an_order(
        24, 14, Side.BUY, "1", price=Decimal(90), type=OrderType.LIMIT, venue_order_id=None
    )

    assert order_entity(a_trade(), step, order) == {
        "id": 24,
        "market_order_id": None,
        "smart_trade_id": 10,
        "step_id": 14,
        "side": "buy",
        "type": "limit",
        "price": "90",
        "quantity": "1",
        "status": "enqueued",
    }


# Names, figures, accounts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (Decimal("0.00069300"), "0.000693"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-8"), "0.00000001"),
        (Decimal(200) / 3, "66.66666667"),
        (Decimal("1.000000005"), "1.00000001"),
        (Decimal("9" * 30 + "." + "1" * 10), "9" * 30 + ".11111111"),
        (Decimal("1E+70"), "1" + "0" * 70),
        (Decimal("1E-70"), "0"),
    ],
)
def test_prices_have_eight_decimals_at_most(value: Decimal | None, text: str | None) -> None:
    assert price_text(a_trade(), value) == text


@pytest.mark.parametrize(
    ("step", "value", "text"),
    [
        ("1E-10", "0.00001122469", "0.0000112247"),
        ("1E-12", "0.000000004011", "0.000000004011"),
        ("1E-12", "4.0115E-9", "0.000000004012"),
        ("0.000000000100", "1E-10", "0.0000000001"),
        ("0.01", "1E-8", "0.00000001"),
        ("10", "0.000000015", "0.00000002"),
    ],
)
def test_prices_are_as_fine_as_the_market(step: str, value: str, text: str) -> None:
    trade = a_trade()
    fine = replace(trade, instrument=replace(trade.instrument, price_step=Decimal(step)))

    assert price_text(fine, Decimal(value)) == text


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [
        ("USDT_BTC", "BTC/USDT"),
        ("BTC_LTC", "LTC/BTC"),
        ("USDT_A_B", "A_B/USDT"),
        ("USDTBTC", None),
        ("_BTC", None),
        ("USDT_", None),
        ("", None),
        ("USDT_BTC/X", None),
    ],
)
def test_what_is_paid_comes_first_in_a_pair(pair: str, symbol: str | None) -> None:
    assert symbol_of(pair) == symbol
    if symbol is not None:
        assert pair_of(Symbol(symbol)) == pair


def test_currencies_have_steady_numbers() -> None:
    codes = ["BTC", "ETH", "USDT", "1INCH", "VERYLONGCOIN", "VERYLONGTOKEN", "币"]

    numbers = [currency_id(Currency(code)) for code in codes]

    assert len(set(numbers)) == len(codes)
    assert all(0 < number < 2**53 for number in numbers)


def test_currencies_are_called_as_their_venue_calls_them() -> None:
    names = {"BTC": "Bitcoin of the exchange"}
    at_exchange = trade_entity(a_trade(), *AROUND[:3], lambda one: names.get(one, one))

    assert {paper_name(Currency(one)) for one in ("BTC", "XYZ")} == {"Bitcoin", "XYZ"}
    quote, base = at_exchange["from_currency_code"], at_exchange["to_currency_code"]
    assert at_exchange["from_currency_name"] == names.get(quote, quote)
    assert at_exchange["from_currency_display_name"] == f"{names.get(quote, quote)} ({quote})"
    assert at_exchange["to_currency_name"] == names.get(base, base)
    assert at_exchange["to_currency_display_name"] == f"{names.get(base, base)} ({base})"


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.TESTNET])
def test_a_trade_at_an_exchange_names_it_as_3commas_does(mode: Mode) -> None:
    account = replace(ACCOUNT, venue=VenueName("binance"), mode=mode)
    trade = replace(a_trade(), venue=account.feed)

    assert trade_entity(trade, account, QUOTE, None, str)["account_market"] == "BinanceMarket"
    assert step_entity(trade, ENTRY)["market_class"] == "BinanceMarket"


def test_markets_have_three_names() -> None:
    assert market_of(VenueName("binance")).market == "BinanceMarket"
    assert market_of(VenueName("my_venue")) == ("MyVenueMarket", "my_venue", "MyVenue")


def test_times_have_milliseconds() -> None:
    assert iso(EpochMs(1_533_715_688_000)) == "2018-08-08T08:08:08.000Z"


def test_an_account_says_what_it_can_do() -> None:
    shown = account_entity(ACCOUNT)
    futures = account_entity(replace(ACCOUNT, market=Market.USDM))
    off = account_entity(replace(ACCOUNT, enabled=False))

    assert (shown["id"], shown["name"], shown["market_code"]) == (1, "my acc", "paper_trading")
    supported = {
        "smart_trading_supported",
        "smart_selling_supported",
        "available_for_trading",
        "market_buy_supported",
        "market_sell_supported",
        "conditional_buy_supported",
    }
    assert all(shown[name] is True for name in supported)
    assert not any(one[name] for one in (futures, off) for name in supported)
    assert (shown["is_locked"], off["is_locked"]) == (False, True)


def test_rates_are_text_and_steps_are_numbers() -> None:
    text = exact_json(currency_rates(QUOTE, RULES))
    assert '"last":"103.05","bid":"103","ask":"103.1"' in text
    assert '"minPrice":0.01' in text
    assert '"lotStep":0.01' in text
