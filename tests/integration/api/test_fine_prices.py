"""A price is what it is in a market whose step is finer than eight decimals, in every dialect."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from app.domain.enums import Dialect
from app.domain.money import plain
from tests.support import three_commas as wire
from tests.support.caller import Caller, Json, Worker
from tests.support.each_dialect import named, open_for_all, order, signed_by

pytestmark = pytest.mark.integration

#: Step of a market → the pair, and a price there.
MARKETS = {"1e-10": ("PEPE", "0.0000112345"), "1e-12": ("BTTC", "0.000000004321")}


@pytest.fixture(params=MARKETS)
def step(request: pytest.FixtureRequest, demo: Caller) -> Decimal:
    """The step of a fine market, of which the accounts hold coins."""
    step = Decimal(request.param)
    coin, price = MARKETS[request.param]
    rules = {"symbol": f"{coin}/USDT", "price_step": f"{step:f}", "quantity_step": "1"}
    markets = [{**rules, "market": market} for market in ("SPOT", "USDM")]
    demo.call("PUT", "/paper/instruments", {"instruments": markets})
    balances = {"USDT": "10000", "BTC": "1", coin: "1000000"}
    demo.call("PUT", "/paper/accounts/demo", {"balances": balances})
    open_for_all(demo)
    demo.call("PUT", "/paper/prices", {"prices": {f"{coin}/USDT": {"last": price}}})
    return step


def coin_of(step: Decimal) -> str:
    return MARKETS[f"1e-{-step.adjusted()}"][0]


def price_of(step: Decimal) -> Decimal:
    return Decimal(MARKETS[f"1e-{-step.adjusted()}"][1])


def told(demo: Caller, dialect: Dialect, method: str, path: str, fields: Json) -> Any:  # noqa: ANN401
    sent = signed_by(dialect, path, fields, method=method)
    answer = sent.to(demo.client)
    assert answer.status_code in {200, 201}, answer.text
    return answer.get_json(silent=True)


class Trades:
    """Smart trades of the fine market."""

    def __init__(self, demo: Caller, worker: Worker, step: Decimal) -> None:
        self.demo, self.worker, self.step, self.price = demo, worker, step, price_of(step)
        self.pair = f"USDT_{coin_of(step)}"
        self.account = demo.call("GET", "/api/accounts/demo")["id"]

    def call(self, method: str, path: str, fields: Mapping[str, object] | None = None) -> Json:
        path = f"{wire.TRADES}/{path}"
        shown: Json = told(self.demo, Dialect.THREE_COMMAS, method, path, dict(fields or {}))
        self.worker.work()
        return shown

    def made(self, call: str, **fields: object) -> Json:
        about = {"account_id": self.account, "pair": self.pair, "units_to_buy": 1000}
        made = self.call("POST", f"create_{call}", {**about, **fields})
        return self.show(made)

    def show(self, trade: Json) -> Json:
        return self.call("GET", f"{trade['id']}/show")

    def update(self, trade: Json, **fields: object) -> Json:
        return self.call("PATCH", f"{trade['id']}/update", fields)

    def move(self, price: Decimal) -> None:
        self.demo.call(
            "PUT",
            "/paper/prices",
            {"prices": {f"{coin_of(self.step)}/USDT": {"last": f"{price:f}"}}},
        )
        self.worker.work()

    def exits(self, below: int = 100, above: int = 100) -> Json:
        return {
            "take_profit_enabled": True,
            "take_profit_type": "classic",
            "take_profit_price_condition": f"{self.price + above * self.step:f}",
            "stop_loss_enabled": True,
            "stop_loss_price_condition": f"{self.price - below * self.step:f}",
        }


@pytest.fixture
def trades(demo: Caller, worker: Worker, step: Decimal) -> Trades:
    return Trades(demo, worker, step)


@pytest.mark.parametrize("by", [1, 9, -1])
def test_a_stop_that_moves_by_a_step_has_moved(trades: Trades, by: int) -> None:
    trade = trades.made("smart_sell", average_buy_price=f"{trades.price:f}", **trades.exits())
    wanted = trades.price - (100 - by) * trades.step
    shown = trades.update(trade, **trades.exits(below=100 - by))

    assert shown["stop_loss_price_condition"] == plain(wanted)
    trades.move(wanted + trades.step)
    assert trades.show(trade)["status"] == "bought"
    trades.move(wanted)
    assert trades.show(trade)["status"] == "stop_loss_finished"


def test_a_take_profit_that_moves_by_a_step_has_moved(trades: Trades) -> None:
    trade = trades.made("smart_sell", average_buy_price=f"{trades.price:f}", **trades.exits())
    trades.update(trade, **trades.exits(above=101))

    trades.move(trades.price + 100 * trades.step)
    assert trades.show(trade)["status"] == "bought"
    trades.move(trades.price + 101 * trades.step)
    assert trades.show(trade)["status"] == "take_profit_finished"


def sent_back(shown: Json) -> Json:
    """Return what a program sends that reads a trade, changes nothing, and writes it."""
    names = (
        *("buy_price", "average_buy_price", "take_profit_enabled", "take_profit_type"),
        *("take_profit_price_condition", "take_profit_price_method", "take_profit_sell_method"),
        *("take_profit_sell_order_price", "trailing_take_profit", "stop_loss_enabled"),
        *("stop_loss_price_condition", "stop_loss_price_method", "stop_loss_sell_method"),
        *("stop_loss_sell_order_price", "trailing_stop_loss", "stop_loss_timeout_enabled"),
    )
    steps = [
        {name: one[name] for name in ("position", "percent", "price", "price_method")}
        for one in shown["take_profit_steps"]
        if one["position"] is not None
    ]
    back = {name: shown[name] for name in names if shown[name] is not None}
    return {**back, "take_profit_step_orders": steps} if steps else back


def without_times(shown: Json) -> Json:
    steps = [{**one, "updated_at": ""} for one in shown["smart_trade_steps"]]
    others = dict.fromkeys(("take_profit_steps", "stop_loss_steps", "buy_steps", "updated_at"))
    return {**shown, **others, "smart_trade_steps": steps}


@pytest.mark.parametrize("call", ["sell", "bought", "limit", "trailing", "steps"])
def test_a_trade_that_is_sent_back_as_it_is_shown_stays_as_it_is(trades: Trades, call: str) -> None:
    price, step = trades.price, trades.step
    entry: Json = {"buy_method": "market"}
    match call:
        case "sell":
            shown = trades.made("smart_sell", average_buy_price=f"{price:f}", **trades.exits())
        case "bought":
            shown = trades.made("smart_trade", **entry, **trades.exits())
        case "limit":
            entry = {"buy_method": "limit", "buy_price": f"{price - step:f}"}
            shown = trades.made("smart_trade", **entry, **trades.exits())
        case "trailing":
            exits = {**trades.exits(), "trailing_stop_loss": True}
            shown = trades.made("smart_trade", **entry, **exits)
            trades.move(price + 33 * step)
            trades.move(price + 77 * step)
            shown = trades.show(shown)
            assert Decimal(shown["stop_loss_price_condition"]) > price - 100 * step
        case _:
            steps = [
                {"percent": 50, "price": f"{price + step:f}"},
                {"percent": 50, "price": f"{price + 2 * step:f}"},
            ]
            exits = {"take_profit_type": "step_sell", "take_profit_step_orders": steps}
            shown = trades.made("smart_trade", **entry, **{**trades.exits(), **exits})
            trades.move(price + step)
            shown = trades.show(shown)
            assert shown["take_profit_steps"][0]["status"] == "processed"

    trades.update(shown, **sent_back(shown))

    assert without_times(trades.show(shown)) == without_times(shown)


def test_all_of_a_trade_is_shown_as_fine_as_the_market(trades: Trades) -> None:
    fields = {"buy_method": "market", "note": "fine"}
    shown = trades.made("smart_trade", **fields, **trades.exits())
    price = plain(trades.price)

    for name in ("buy_price", "average_buy_price", "current_price"):
        assert shown[name] == price, name
    assert shown["total"] == plain(trades.price * 1000)
    [bought] = shown["buy_steps"]
    assert bought["average_result_price"] == price


def test_every_dialect_keeps_and_shows_the_price_that_it_was_given(
    demo: Caller, worker: Worker, step: Decimal
) -> None:
    coin, price = coin_of(step), price_of(step) - step
    text = plain(price)
    demo.call(
        "PUT",
        "/api/connectors/fine",
        {"account": "demo", "symbol": f"{coin}/USDT", "token": "t" * 20},
    )
    sender = {"connectorName": "fine", "connectorToken": "t" * 20}
    said = {**sender, "action": "buy", "fixed": "1000", "limit": text}
    assert demo.client.post("/trading-signal/webhook", json=said).status_code == 200
    limit = {"symbol": f"{coin}_USDT", "side": "BUY", "quantity": "1000", "price": text}
    polo = told(demo, Dialect.POLONIEX, "POST", "/orders", {**limit, "type": "LIMIT"})
    stop = {**limit, "type": "STOP_LIMIT", "stopPrice": plain(price - step)}
    smart = told(demo, Dialect.POLONIEX, "POST", "/smartorders", {**stop, "side": "SELL"})
    pair = {"trading_pair": f"{coin}-USDT", "amount": 1000, "order_type": "LIMIT"}
    bot = told(demo, Dialect.HUMMINGBOT, "POST", "/trading/orders", named(**pair, price=text))
    order_type = {"order_type": "Limit", "qty": 1000, "symbol": f"{coin}USDT"}
    api = told(demo, Dialect.APISIFY, "POST", "/v1/order", order(**order_type, price=text))
    worker.work()

    orders = demo.rows(kind="ORDER")
    assert [row["price"] for row in orders] == [text] * 4
    shown = told(demo, Dialect.POLONIEX, "GET", f"/orders/{polo['id']}", {})
    assert shown["price"] == text
    shown = told(demo, Dialect.POLONIEX, "GET", f"/smartorders/{smart['id']}", {})
    assert (shown["price"], shown["stopPrice"]) == (text, plain(price - step))
    assert (bot["price"], api["price"]) == (text, text)
    active = demo.client.post(
        "/trading/orders/active",
        headers=dict(signed_by(Dialect.HUMMINGBOT, "/trading/orders/active", {"limit": 5}).headers),
        data=b"{}",
    )
    assert text in active.text

    demo.call("PUT", "/paper/prices", {"prices": {f"{coin}/USDT": {"last": text}}})
    worker.work()
    filled = demo.rows(kind="ORDER", state="FILLED")
    assert [row["average_price"] for row in filled] == [text] * 4
    shown = told(demo, Dialect.POLONIEX, "GET", f"/orders/{polo['id']}", {})
    assert shown["avgPrice"] == text


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("0.000000004321", "0.000000004321"),
        ("0.0000000043217654321987", "≈ 0.00000000432176543"),
        ("0.333333333333333", "≈ 0.333333333"),
        ("49000.123456789", "≈ 49000.12345"),
    ],
)
def test_no_page_cuts_a_fine_price_to_nothing(price: str, shown: str, app: Flask) -> None:
    with app.test_request_context("/"):
        macro = app.jinja_env.get_template("dashboard/parts.html").module.short  # type: ignore[attr-defined]
        assert re.sub("<[^>]*>", "", str(macro(price))) == shown
