"""What a person says to the paper venue."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial

import pytest

from app.admin import paper_bodies as bodies
from app.admin.paper_bodies import number_from
from app.domain.enums import Market, PositionMode
from app.domain.errors import MalformedPayload
from app.domain.identifiers import Currency
from app.paper.domain.account import Fees
from app.paper.domain.fault import FaultWord
from tests.support.builders import BTC, ETH, a_quote, must

account_setting_from = partial(bodies.read, bodies.PAPER_ACCOUNT)
quotes_from = partial(bodies.read, bodies.PRICES)
instruments_from = partial(bodies.read, bodies.INSTRUMENTS)
fault_plan_from = partial(bodies.read, bodies.FAULTS)


def complaints(read: Callable[[object], object], content: object) -> Mapping[str, list[str]]:
    with pytest.raises(MalformedPayload) as caught:
        read(content)
    assert caught.value.code == "validation_failed"
    return caught.value.fields  # type: ignore[return-value] # lists, as they were gathered


def prices(**quote: object) -> object:
    return {"prices": {"BTC/USDT": quote}}


@pytest.mark.parametrize("value", [1, "1", Decimal("1.0"), " 1 ", "+1.", "1e0", "0.1E1"])
def test_numbers_are_read_as_numbers_or_text(value: object) -> None:
    assert number_from(value) == 1


@pytest.mark.parametrize(
    "value",
    [True, None, "", "1_000", "\uff11", "NaN", "Infinity", "1e99", "1e999999", "0x1", [], "9" * 41],
)
def test_what_is_no_number_is_not_read_as_one(value: object) -> None:
    assert number_from(value) is None


def test_an_account_setting_takes_every_field() -> None:
    setting = account_setting_from(
        {
            "market": "USDM",
            "balances": {"USDT": "1000", "BTC": 1},
            "positions": {"ETH/USDT": {"long": "0.5", "short": 0, "entry_price": "2000"}},
            "leverage": {"ETH/USDT": 5},
            "position_mode": "ONEWAY",
            "fees": {"maker": "0.001", "taker": Decimal("0.002")},
            "reset": True,
        }
    )

    assert setting.market is Market.USDM
    assert setting.balances == {Currency("USDT"): Decimal(1_000), Currency("BTC"): Decimal(1)}
    assert setting.positions[ETH].long == Decimal("0.5")
    assert setting.leverage == {ETH: 5}
    assert setting.position_mode is PositionMode.ONEWAY
    assert setting.fees == Fees(maker=Decimal("0.001"), taker=Decimal("0.002"))
    assert setting.reset


def test_an_empty_account_setting_sets_nothing() -> None:
    setting = account_setting_from({})

    assert (setting.market, setting.position_mode, setting.fees) == (None, None, None)
    assert not setting.reset
    assert not setting.balances


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ([], "body"),
        ({"balance": {}}, "balance"),
        ({"balances": []}, "balances"),
        ({"balances": {"usdt": "1"}}, "balances.usdt"),
        ({"balances": {"USDT": "-1"}}, "balances.USDT"),
        ({"balances": {"USDT": None}}, "balances.USDT"),
        ({"positions": {"ETHUSDT": {}}}, "positions.ETHUSDT"),
        ({"positions": {"ETH/USDT": {"long": "x"}}}, "positions.ETH/USDT.long"),
        ({"positions": {"ETH/USDT": {"size": "1"}}}, "positions.ETH/USDT.size"),
        ({"leverage": {"ETH/USDT": 0}}, "leverage.ETH/USDT"),
        ({"leverage": {"ETH/USDT": "1.5"}}, "leverage.ETH/USDT"),
        ({"position_mode": "BOTH"}, "position_mode"),
        ({"position_mode": []}, "position_mode"),
        ({"fees": {"maker": "1"}}, "fees.maker"),
        ({"fees": {"taker": "1"}}, "fees.taker"),
        ({"reset": "yes"}, "reset"),
    ],
)
def test_a_wrong_account_setting_names_its_field(content: object, field: str) -> None:
    assert list(complaints(account_setting_from, content)) == [field]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    content = {"balances": {"USDT": "-1"}, "reset": 1}

    assert set(complaints(account_setting_from, content)) == {"balances.USDT", "reset"}


def test_a_wrong_name_is_told_before_what_it_names() -> None:
    with pytest.raises(MalformedPayload) as error:
        account_setting_from({"balances": {"usdt": None}, "positions": {"BTC": 1}})

    assert error.value.fields == {
        "balances.usdt": ["must be a currency like USDT"],
        "positions.BTC": ["must be a symbol like BTC/USDT"],
    }


def test_a_last_price_alone_sets_all_three() -> None:
    quotes = quotes_from(prices(last="100"))

    assert quotes == {BTC: a_quote("100")}


def test_without_a_last_price_it_is_the_bid() -> None:

    assert must(quotes_from(prices(bid="99", ask="101"))[BTC]).last == Decimal(99)


def test_null_says_that_no_price_is_known() -> None:
    assert quotes_from({"prices": {"BTC/USDT": None}}) == {BTC: None}


def test_depth_stands_in_for_a_touch_that_is_not_given() -> None:
    quote = must(quotes_from(prices(last="100", asks=[["101", "0.5"], [102, 1]]))[BTC])

    assert (quote.bid, quote.ask) == (Decimal(100), Decimal(101))
    assert quote.asks == ((Decimal(101), Decimal("0.5")), (Decimal(102), Decimal(1)))


def test_one_side_of_the_touch_stands_for_both() -> None:
    assert quotes_from(prices(ask="100")) == {BTC: a_quote("100")}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({}, "prices"),
        ({"prices": {}}, "prices"),
        ({"prices": {"BTC": {"last": "1"}}}, "prices.BTC"),
        (prices(), "prices.BTC/USDT"),
        (prices(last="0"), "prices.BTC/USDT.last"),
        (prices(bid="2", ask="1"), "prices.BTC/USDT.bid"),
        (prices(last="1", mid="1"), "prices.BTC/USDT.mid"),
        (prices(last="1", asks="1"), "prices.BTC/USDT.asks"),
        (prices(last="1", asks=[["1"]]), "prices.BTC/USDT.asks.0"),
        (prices(last="1", asks=[["1", "0"]]), "prices.BTC/USDT.asks.0"),
        (prices(bid="1", asks=[["2", "1"], ["1.5", "1"]]), "prices.BTC/USDT.asks"),
        (prices(bid="1", ask="3", asks=[["2", "1"]]), "prices.BTC/USDT.asks"),
    ],
)
def test_wrong_prices_name_their_field(content: object, field: str) -> None:
    assert list(complaints(quotes_from, content)) == [field]


def test_an_instrument_takes_every_field() -> None:
    (instrument,) = instruments_from(
        {
            "instruments": [
                {
                    "symbol": "BTC/USDT",
                    "market": "USDM",
                    "kind": "linear",
                    "price_step": "0.1",
                    "quantity_step": "0.001",
                    "quote_step": "0.01",
                    "min_quantity": "0.002",
                    "max_quantity": "5",
                    "max_market_quantity": "3",
                    "min_notional": 10,
                    "multiplier_up": "1.05",
                    "multiplier_down": "0.95",
                }
            ]
        }
    )

    assert instrument.market is Market.USDM
    assert instrument.max_quantity == Decimal(5)
    assert instrument.max_market_quantity == Decimal(3)
    assert instrument.min_notional == Decimal(10)
    assert (instrument.multiplier_up, instrument.multiplier_down) == (
        Decimal("1.05"),
        Decimal("0.95"),
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"symbol": "BTCUSDT"}, "symbol"),
        ({"symbol": 1}, "symbol"),
        ({"market": "MARGIN"}, "market"),
        ({"kind": "round"}, "kind"),
        ({"price_step": "0"}, "price_step"),
        ({"quantity_step": None}, "quantity_step"),
        ({"max_quantity": "0"}, "max_quantity"),
        ({"min_notional": "-1"}, "min_notional"),
        ({"lot": "1"}, "lot"),
    ],
)
def test_a_wrong_instrument_names_its_field(change: dict[str, object], field: str) -> None:
    good = {"symbol": "BTC/USDT", "market": "SPOT", "price_step": "1", "quantity_step": "1"}

    found = complaints(instruments_from, {"instruments": [{**good, **change}]})

    assert list(found) == [f"instruments.0.{field}"]


def test_an_instrument_needs_symbol_market_and_steps() -> None:
    found = complaints(instruments_from, {"instruments": [{}]})

    assert {one.removeprefix("instruments.0.") for one in found} == {
        "symbol",
        "market",
        "price_step",
        "quantity_step",
    }


def test_no_instruments_at_all_are_refused() -> None:
    assert list(complaints(instruments_from, {})) == ["instruments"]


def test_a_fault_plan_takes_every_word() -> None:
    plan = fault_plan_from(
        {
            "place": list(FaultWord),
            "cancel": [],
            "find": ["not_found", "ok", "timeout", "error"],
            "delay_ms": 50,
        }
    )

    assert plan.place == tuple(FaultWord)
    assert plan.find == tuple(map(FaultWord, ("not_found", "ok", "timeout", "error")))
    assert plan.delay_ms == 50


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"place": ["maybe"]}, "place.0"),
        ({"place": "ok"}, "place"),
        ({"cancel": [["ok"]]}, "cancel.0"),
        ({"find": ["reject"]}, "find.0"),
        ({"find": ["accept_then_timeout"]}, "find.0"),
        ({"delay_ms": -1}, "delay_ms"),
        ({"look": []}, "look"),
    ],
)
def test_a_wrong_fault_plan_names_its_field(content: object, field: str) -> None:
    assert list(complaints(fault_plan_from, content)) == [field]
