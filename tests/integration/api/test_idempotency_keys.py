"""`Idempotency-Key` in every dialect that creates something."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from app.bootstrap import Wiring, web_wiring
from app.dialects.apisify.signing import signed
from app.domain.smart_trade.trade import SmartTrade
from app.factory import create_app
from app.settings import Settings
from tests.support.caller import WEBHOOK, Caller, Worker
from tests.support.faulty_store import FaultyStore
from tests.support.three_commas import TRADES, headers, json_body, sale
from tests.support.trader import KEY, SECRET, Trader

#: Sends a request with a size and further headers, signed anew each time.
Send = Callable[[Trader, str, Mapping[str, str]], TestResponse]

pytestmark = pytest.mark.integration


@pytest.fixture
def wiring(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Wiring:
    """A web process, with the store that `Trader` wants."""
    monkeypatch.setattr("app.bootstrap.connect", FaultyStore)
    return web_wiring(settings)


@pytest.fixture
def trader(demo: Caller, wiring: Wiring, worker: Worker) -> Trader:
    demo.call("PUT", "/paper/accounts/net", {"market": "USDM", "balances": {"USDT": "10000"}})
    demo.call("PUT", f"/api/clients/apisify/{KEY}", {"secret": SECRET, "accounts": ["net"]})
    client = {"password": SECRET, "accounts": ["demo"]}
    demo.call("PUT", "/api/clients/hummingbot/parts", client)
    return Trader(demo, wiring, worker)


def poloniex(path: str) -> Send:
    def send(trader: Trader, size: str, extra: Mapping[str, str]) -> TestResponse:
        shape = {"symbol": "BTC_USDT", "side": "BUY", "quantity": size, "price": "40000"}
        stop = {"type": "STOP_LIMIT", "stopPrice": "90000"}
        body = {**shape, **(stop if path == "/smartorders" else {"type": "LIMIT"})}
        request = trader.signed("POST", path, [body] if path.endswith("batch") else body)
        return trader.send({**request, "headers": {**request["headers"], **extra}})

    return send


def crypto_arsenal(trader: Trader, size: str, extra: Mapping[str, str]) -> TestResponse:
    sender = {"connectorName": "demo", "connectorToken": "demo-token"}
    body = {**sender, "action": "buy", "baseAmount": size}
    return trader.client.post(WEBHOOK, json=body, headers=extra)


def apisify(trader: Trader, size: str, extra: Mapping[str, str]) -> TestResponse:
    trader.signed_ms = stamp = max(trader.signed_ms + 1, int(time.time() * 1000))
    order = {"strategy": "s", "exchange": "paper", "order_type": "Market", "side": "Buy"}
    sign = signed(SECRET, str(stamp), "http://localhost/v1/order")
    sender = {"apikey": KEY, "timestamp": stamp, "sign": sign}
    body = {**order, **sender, "symbol": "BTCUSDT", "qty": size}
    return trader.client.post("/v1/order", json=body, headers=extra)


def three_commas(trader: Trader, size: str, extra: Mapping[str, str]) -> TestResponse:
    terms = {"average_buy_price": 49_000, "take_profit_price_condition": 60_000}
    odd = {"pair": "USDT_BTC", "units_to_buy": size, "stop_loss_price_condition": 40_000}
    path, body = f"{TRADES}/create_smart_sell", json_body(sale(**terms, **odd))
    said = headers(path, body, key=KEY, secret=SECRET)
    return trader.client.post(path, data=body, headers={**said, **extra})


def hummingbot(trader: Trader, size: str, extra: Mapping[str, str]) -> TestResponse:
    pair = {"account_name": "demo", "connector_name": "paper", "trading_pair": "BTC-USDT"}
    body = {**pair, "trade_type": "BUY", "amount": size, "price": "40000"}
    auth = ("parts", SECRET)
    return trader.client.post("/trading/orders", json=body, auth=auth, headers=extra)


SENDS: dict[str, Send] = {
    "poloniex order": poloniex("/orders"),
    "poloniex batch": poloniex("/orders/batch"),
    "poloniex smart order": poloniex("/smartorders"),
    "crypto arsenal": crypto_arsenal,
    "apisify": apisify,
    "3commas": three_commas,
    "hummingbot": hummingbot,
}


@pytest.mark.parametrize("name", SENDS)
def test_the_same_key_is_the_same_request(trader: Trader, name: str) -> None:
    def send(size: str, key: str) -> TestResponse:
        return SENDS[name](trader, size, {"Idempotency-Key": key})

    first = send("0.001", "one")
    made = len(roots(trader))
    assert (first.status_code in {200, 201}, made) == (True, 1), first.text
    again = send("0.001", "one")
    other, empty, long = send("0.002", "one"), send("0.001", ""), send("0.001", "x" * 65)

    assert (again.status_code, len(roots(trader))) == (first.status_code, made), again.text
    assert same(first) == same(again)
    for refused in (other, empty, long):
        is_batch = name == "poloniex batch" and refused.status_code == 200
        assert is_batch or 400 <= refused.status_code < 500, refused.text
        assert "Idempotency-Key" in refused.text
    assert send("0.001", "two").status_code == first.status_code
    assert len(roots(trader)) == made + 1


def test_funds_are_added_once(trader: Trader) -> None:
    terms = {"average_buy_price": 49_000, "take_profit_price_condition": 60_000}
    odd = {"pair": "USDT_BTC", "units_to_buy": 0.001, "stop_loss_price_condition": 40_000}
    made = trader.tell(f"{TRADES}/create_smart_sell", json_body(sale(**terms, **odd)))
    path, before = f"{TRADES}/{made.get_json()['id']}/add_funds", steps(trader, made)

    def add(quantity: str, *keys: str) -> TestResponse:
        body = json_body({"is_market": True, "quantity": quantity, "response_type": "step"})
        said = headers(path, body, key=KEY, secret=SECRET)
        extra = dict.fromkeys(["Idempotency-Key"][: len(keys)], "".join(keys))
        client = trader.client.application.test_client()
        return client.post(path, data=body, headers={**said, **extra})

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: add("0.001", "one"), range(5)))
    trader.worker.work()
    answers.append(add("0.001", "one"))

    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert steps(trader, made) == before + 1
    other = add("0.002", "one")
    assert (other.status_code, "Idempotency-Key" in other.text) == (422, True)
    assert add("0.001").status_code == add("0.001").status_code == 201
    assert steps(trader, made) == before + 3


def steps(trader: Trader, made: TestResponse) -> int:
    trade = trader.worker.wiring.reader.find(made.get_json()["id"])
    assert isinstance(trade, SmartTrade)
    return len(trade.steps)


def roots(trader: Trader) -> list[object]:
    """Return what requests have made, without what that has brought forth."""
    return [one.id for one in trader.newest() if one.parent_id is None]


def same(answer: TestResponse) -> object:
    """Return what tells of the thing that was made."""
    told = answer.headers.get("X-Hookfill-Id")
    if told is not None:
        return told
    body = json.loads(answer.text)
    return body.get("id", body.get("order_id")) if isinstance(body, dict) else body


@pytest.mark.parametrize(("is_on", "made"), [(False, 2), (True, 1)])
def test_equal_trades_of_3commas_may_be_one(
    demo: Caller,
    settings: Settings,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_on: bool,
    made: int,
) -> None:
    monkeypatch.setattr("app.bootstrap.connect", FaultyStore)
    wiring = web_wiring(replace(settings, three_commas_single_use_sign=is_on))
    client = create_app(wiring).test_client()
    caller = Caller(client, demo.headers["Authorization"].removeprefix("Bearer "))
    trader = Trader(caller, wiring, worker)

    answers = [three_commas(trader, "0.001", {}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.get_json()["id"] for answer in answers}) == len(roots(trader)) == made
    assert three_commas(trader, "0.002", {}).status_code == 201
    assert len(roots(trader)) == made + 1
