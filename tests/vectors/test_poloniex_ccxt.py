"""The `poloniex` class of ccxt, as it comes, takes Hookfill for Poloniex."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import ccxt
import pytest

from tests.support.users.poloniex import ACCOUNT, KEY, SECRET, Trader

PAIR = "BTC/USDT"


@pytest.fixture
def trader(trader: Trader) -> Trader:
    """Return what happens around the exchange: the state of the vectors, in real time.

    The client answers in the shape that its caller reads.
    """
    trader.real_time()
    trader.stack.call("PUT", f"/api/clients/poloniex/{KEY}", {"by_id_shape": "auto"})
    return trader


@pytest.fixture
def exchange(trader: Trader) -> Iterator[Any]:
    """Return the class with nothing but its addresses changed."""
    exchange = ccxt.poloniex({"apiKey": KEY, "secret": SECRET})
    url = trader.stack.run["base_url"]
    exchange.urls["api"] = {"spot": url, "swap": url}
    yield exchange
    exchange.session.close()


def test_markets_and_currencies(exchange: Any) -> None:  # noqa: ANN401
    markets = exchange.load_markets()

    assert set(markets) == {"BTC/USDT", "ETH/USDT"}
    market = markets[PAIR]
    assert (market["active"], market["spot"]) == (True, True)
    assert market["precision"]["price"] == 0.01
    assert market["precision"]["amount"] == 0.000001
    assert market["limits"]["cost"]["min"] == 1
    assert {"BTC", "ETH", "USDT"} <= set(exchange.currencies)
    assert exchange.fetch_time() > 1_600_000_000_000


def test_prices(exchange: Any, trader: Trader) -> None:  # noqa: ANN401
    trader.book("60000", [["60010", "0.3"], ["60200", "5"]], [["59990", "2"]])

    ticker = exchange.fetch_ticker(PAIR)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 59990, 60010)
    assert exchange.fetch_tickers()[PAIR]["close"] == 60000
    book = exchange.fetch_order_book(PAIR, 5)
    assert book["asks"] == [[60010, 0.3], [60200, 5]]
    assert book["bids"] == [[59990, 2]]


def test_candles_of_the_walk(exchange: Any, trader: Trader) -> None:  # noqa: ANN401
    trader.stack.call("DELETE", "/paper/prices")

    candles = exchange.fetch_ohlcv(PAIR, "1m", limit=20)

    assert len(candles) == 20
    steps = {later[0] - sooner[0] for sooner, later in pairwise(candles)}
    assert steps == {60_000}
    for _, first, high, low, last, _ in candles:
        assert low <= first <= high
        assert low <= last <= high
    again = exchange.fetch_ohlcv(PAIR, "1m", since=candles[0][0], limit=5)
    assert again == candles[:5]


def test_plain_orders(exchange: Any, trader: Trader) -> None:  # noqa: ANN401
    order = exchange.create_order(PAIR, "limit", "buy", 0.1, 59000, {"clientOrderId": "plain-1"})
    trader.stack.settle()

    known = exchange.fetch_order(order["id"], PAIR)
    assert (known["status"], known["price"], known["amount"]) == ("open", 59000, 0.1)
    (listed,) = exchange.fetch_open_orders(PAIR, None, 10)
    assert (listed["id"], listed["clientOrderId"]) == (order["id"], "plain-1")
    balance = exchange.fetch_balance()
    assert (balance["USDT"]["used"], balance["USDT"]["total"]) == (5900, 100000)

    exchange.cancel_order(order["id"], PAIR)
    trader.stack.settle()
    assert exchange.fetch_order(order["id"], PAIR)["status"] == "canceled"
    assert exchange.fetch_open_orders(PAIR) == []


def test_market_orders_and_trades(exchange: Any, trader: Trader) -> None:  # noqa: ANN401
    fees = {"fees": {"maker": "0.001", "taker": "0.002"}}
    trader.stack.call("PUT", f"/paper/accounts/{ACCOUNT}", fees)
    bought = exchange.create_order(PAIR, "market", "buy", 0.1, 60000)
    trader.stack.settle()
    sold = exchange.create_order(PAIR, "market", "sell", 0.05)
    trader.stack.settle()

    order = exchange.fetch_order(bought["id"], PAIR)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.1, 60000)
    trades = exchange.fetch_my_trades(PAIR, limit=10)
    assert [one["order"] for one in trades] == [bought["id"], sold["id"]]
    assert [one["side"] for one in trades] == ["buy", "sell"]
    assert trades[0]["fee"] == {"cost": 0.0002, "currency": "BTC"}
    assert trades[0]["takerOrMaker"] == "taker"
    assert [one["order"] for one in exchange.fetch_order_trades(sold["id"], PAIR)] == [sold["id"]]
    public = exchange.fetch_trades(PAIR)
    assert [(one["side"], one["amount"]) for one in public[-2:]] == [("buy", 0.1), ("sell", 0.05)]
    assert exchange.fetch_trading_fees()[PAIR]["taker"] == 0.002
    assert exchange.fetch_ohlcv(PAIR, "1d")[-1][5] >= 0.15


def test_what_cannot_be_paid_is_refused(exchange: Any) -> None:  # noqa: ANN401
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(PAIR, "limit", "buy", 10, 59000)
    exchange.load_markets()
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("123", PAIR)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("123", PAIR, {"trigger": True})


def test_trigger_orders(exchange: Any, trader: Trader) -> None:  # noqa: ANN401  (A63)
    params = {"triggerPrice": 61000, "clientOrderId": "stop-1"}
    order = exchange.create_order(PAIR, "limit", "buy", 0.1, 61100, params)
    trader.stack.settle()

    (listed,) = exchange.fetch_open_orders(PAIR, None, 10, {"trigger": True})
    assert (listed["id"], listed["status"]) == (order["id"], "open")
    assert (listed["triggerPrice"], listed["amount"], listed["price"]) == (61000, 0.1, 61100)
    known = exchange.fetch_order(order["id"], PAIR, {"trigger": True})
    assert (known["id"], known["triggerPrice"], known["amount"]) == (order["id"], 61000, 0.1)
    edited = exchange.edit_order(
        order["id"], PAIR, "limit", "buy", 0.2, 61200, {"triggerPrice": 61050}
    )
    canceled = exchange.cancel_order(edited["id"], PAIR, {"trigger": True})
    assert (canceled["id"], canceled["status"]) == (edited["id"], "canceled")
    assert exchange.fetch_open_orders(PAIR, None, None, {"trigger": True}) == []


def test_a_trigger_order_is_canceled_by_its_client_order_id(
    exchange: Any,  # noqa: ANN401
    trader: Trader,
) -> None:
    params = {"triggerPrice": 61000, "cost": 10, "clientOrderId": "by-cost"}
    order = exchange.create_order(PAIR, "market", "buy", 0.1, None, params)
    trader.stack.settle()

    known = trader.sdk.get_by_id(order["id"])
    assert (known["type"], known["amount"]) == ("STOP", "10")
    named = {"trigger": True, "clientOrderId": "by-cost"}
    assert exchange.cancel_order(order["id"], PAIR, named)["status"] == "canceled"


def test_many_at_once(exchange: Any, trader: Trader) -> None:  # noqa: ANN401
    orders = [
        {"symbol": PAIR, "type": "limit", "side": "buy", "amount": 0.1, "price": price}
        for price in (58000, 57000, 56000)
    ]
    too_much = {"symbol": PAIR, "type": "limit", "side": "buy", "amount": 90, "price": 55000}
    created = exchange.create_orders([*orders, too_much])
    trader.stack.settle()
    assert [one["status"] for one in created][-1] == "rejected"

    exchange.cancel_orders([created[0]["id"]], PAIR)
    trader.stack.settle()
    assert len(exchange.fetch_open_orders(PAIR)) == 2
    assert len(exchange.cancel_all_orders(PAIR)) == 2
    trader.stack.settle()
    assert exchange.fetch_open_orders(PAIR) == []
    exchange.create_order(PAIR, "limit", "sell", 0.1, 50000, {"triggerPrice": 50500})
    assert len(exchange.cancel_all_orders(None, {"trigger": True})) == 1


def test_an_order_is_edited(exchange: Any, trader: Trader) -> None:  # noqa: ANN401
    order = exchange.create_order(PAIR, "limit", "buy", 0.1, 58000)
    trader.stack.settle()

    edited = exchange.edit_order(order["id"], PAIR, "limit", "buy", 0.2, 58500)

    trader.stack.settle()
    assert exchange.fetch_order(order["id"], PAIR)["status"] == "canceled"
    known = exchange.fetch_order(edited["id"], PAIR)
    assert (known["status"], known["price"], known["amount"]) == ("open", 58500, 0.2)
