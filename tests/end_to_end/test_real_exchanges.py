"""From a webhook to the ledger of a simulated exchange, through every process and real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from app.web.shared import KEPT_MS
from tests.support import three_commas as wire
from tests.support.exchange_stack import Running, stack_at_exchanges
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.stops import waiting
from tests.support.processes import eventually
from tests.support.proxy import LOGIN
from tests.support.stack import Json, Stack
from tests.support.venue_world import KEY, account_at, by_hand

VENUES = ["binance", "binance_testnet", "bybit", "bybit_testnet", "poloniex"]
FUTURES = [one for one in VENUES if one != "poloniex"]

ENDED = {"FILLED", "CANCELED", "REJECTED", "DENIED", "EXPIRED"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with stack_at_exchanges(tmp_path_factory.mktemp("real"), VENUES) as running:
        _set_up(running.stack)
        yield running


def _set_up(stack: Stack) -> None:
    for venue in VENUES:
        for market, symbol in (("SPOT", "BTC/USDT"), ("USDM", "ETH/USDT")):
            if venue == "poloniex" and market == "USDM":
                continue
            name = f"{venue}-{market}"
            connector = {"token": "T", "account": name, "symbol": symbol}
            stack.call("PUT", f"/api/accounts/{name}", account_at(venue, market))
            stack.call("PUT", f"/api/connectors/{name}", connector)


@pytest.mark.parametrize("venue", VENUES)
def test_a_webhook_becomes_one_filled_order(running: Running, venue: str) -> None:
    before = len(running.received(venue))

    signal = running.send(venue, "SPOT", action="buy", fixed="0.01")

    order = running.order(signal, "FILLED")
    assert order["filled_quantity"].startswith("0.01")
    assert order["fees"]
    (taken,) = running.received(venue)[before:]
    assert taken.ticket.client_id == order["client_order_id"]
    assert str(taken.id) == order["venue_order_id"]


def test_an_exchange_is_reached_by_its_proxy_and_nobody_sees_the_password(
    running: Running,
) -> None:
    for venue in ("bybit", "binance"):
        running.order(running.send(venue, "SPOT", action="buy", fixed="0.01"), "FILLED")

    assert 0 < len(running.gateways["bybit"].log) <= len(running.proxy.asked)
    places = {f"http://{urlsplit(one.split()[1]).netloc}" for one in running.proxy.asked}
    assert places == {running.urls["bybit"]}
    logs = list(running.stack.data_dir.rglob("*.log"))
    assert logs
    assert not any(LOGIN.partition(":")[2] in log.read_text() for log in logs)


@pytest.mark.parametrize("venue", VENUES)
def test_a_resting_order_is_polled_to_its_fill(running: Running, venue: str) -> None:
    signal = running.send(venue, "SPOT", action="buy", fixed="0.01", limit="40000")
    running.order(signal, "NEW")

    running.wires[venue].exchange.set_price("BTC/USDT", "40000")
    filled = running.order(signal, "FILLED")
    running.wires[venue].exchange.set_price("BTC/USDT", "50000")

    assert filled["average_price"].startswith("40000")


@pytest.mark.parametrize("venue", VENUES)
def test_a_resting_order_is_canceled(running: Running, venue: str) -> None:
    signal = running.send(venue, "SPOT", action="buy", fixed="0.01", limit="30000")
    order = running.order(signal, "NEW")

    running.stack.call("POST", f"/api/orders/{order['id']}/cancel", {})

    running.order(signal, "CANCELED")
    assert running.received(venue)[-1].status == "CANCELED"


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR])
def test_a_lost_answer_is_looked_up(running: Running, venue: str, fault: Fault) -> None:
    before = len(running.received(venue))
    running.wires[venue].plan.plan(Call.PLACE, fault)

    signal = running.send(venue, "SPOT", action="buy", fixed="0.01")

    order = running.order(signal, "FILLED")
    (taken,) = running.received(venue)[before:]
    assert taken.ticket.client_id == order["client_order_id"]


@pytest.mark.parametrize("venue", VENUES)
def test_a_lost_request_is_sent_again_after_the_proof(running: Running, venue: str) -> None:
    before = len(running.received(venue))
    running.wires[venue].plan.plan(Call.PLACE, Fault.CUT)

    signal = running.send(venue, "SPOT", action="buy", fixed="0.01")

    order = running.order(signal, "FILLED")
    timeline = running.stack.call("GET", f"/api/orders/{order['id']}")["timeline"]
    events = [one["event"] for one in timeline]
    assert events.index("unknown") < events.index("absent") < events.index("filled")
    assert len(running.received(venue)) == before + 1


@pytest.mark.parametrize("venue", VENUES)
def test_trades_that_are_listed_late_complete_an_order_that_has_ended(
    running: Running, venue: str
) -> None:
    plan = running.wires[venue].plan
    plan.trades_lag_ms = 3_600_000
    signal = running.send(venue, "SPOT", action="buy", fixed="0.01")
    early = running.order(signal, "FILLED")

    plan.trades_lag_ms = 0
    eventually(lambda: bool(running.order(signal, "FILLED")["fees"]))
    eventually(lambda: bool(running.stack.call("GET", f"/api/orders/{signal}")["fees"]))

    assert early["fees"] == {}
    late = running.order(signal, "FILLED")
    assert late["filled_quantity"] == early["filled_quantity"]
    timeline = running.stack.call("GET", f"/api/orders/{late['id']}")["timeline"]
    events = [one["event"] for one in timeline]
    assert events.index("closed") < events.index("fills_listed")


@pytest.mark.parametrize("venue", FUTURES)
def test_a_stop_loss_closes_a_position(running: Running, venue: str) -> None:
    exchange = running.wires[venue].exchange
    signal = running.send(venue, "USDM", action="openLong", fixed="0.1", profit="2200", loss="1900")
    running.order(signal, "FILLED")
    eventually(lambda: len(running.guards(signal)) == 2)

    exchange.set_price("ETH/USDT", "1899")
    eventually(lambda: running.received(venue)[-1].ticket.side == "SELL")
    exchange.set_price("ETH/USDT", "2000")

    closed = running.received(venue)[-1]
    eventually(lambda: running.state(signal) == "DONE")
    assert closed.filled == closed.ticket.quantity
    assert exchange.accounts[KEY].positions["ETH/USDT", "LONG"].quantity == 0
    assert not waiting(exchange.accounts[KEY])


@pytest.mark.parametrize("venue", FUTURES)
def test_metrics_tell_how_old_prices_are_and_how_long_a_stop_takes(
    running: Running, venue: str
) -> None:
    exchange = running.wires[venue].exchange
    # Around the price of the test before as well, which may be the newest that is known.
    signal = running.send(venue, "USDM", action="openLong", fixed="0.1", profit="2200", loss="1800")
    running.order(signal, "FILLED")
    eventually(lambda: len(running.guards(signal)) == 2)
    timed = f'hookfill_tick_to_placement_seconds_count{{venue="{venue}"}}'
    time.sleep(KEPT_MS / 1_000)  # metrics of before are kept for so long
    before = running.gauge(timed)

    exchange.set_price("ETH/USDT", "1799")
    eventually(lambda: running.state(signal) == "DONE")
    exchange.set_price("ETH/USDT", "2000")

    eventually(lambda: running.gauge(timed) == before + 1)
    mode = "testnet" if venue.endswith("_testnet") else "live"
    feed = f'hookfill_price_age_seconds_count{{feed="{venue}:USDM:{mode}"}}'
    assert running.gauge(feed) > 0


def test_the_doctor_finds_nothing_wrong(running: Running) -> None:
    answer = running.stack.call("POST", "/api/doctor", {})

    wrong = [one for one in answer["findings"] if one["grade"] == "error"]
    assert wrong == []
    assert answer["ok"] is True
    checked = {(one["account"], one["check"]) for one in answer["findings"]}
    assert {(None, "store"), (None, "queue"), ("binance-SPOT", "clock")} <= checked


def test_an_account_is_tested(running: Running) -> None:
    answer = running.stack.call("POST", "/api/accounts/bybit-SPOT/test", {})

    assert answer["ok"] is True
    running.stack.call("POST", "/api/accounts/nobody/test", {}, status=404)


def test_accounts_are_compared_with_their_venues(running: Running) -> None:
    path = "/api/accounts/binance-SPOT/reconciliation"

    eventually(lambda: running.stack.call("GET", path)["at_ms"] is not None)

    answer = running.stack.call("GET", path)
    assert answer["foreign_orders"] == []
    assert answer["adapter"] == "full"


@pytest.mark.parametrize("venue", VENUES)
def test_a_foreign_order_is_found_at_once_and_canceled(running: Running, venue: str) -> None:
    path = f"/api/accounts/{venue}-SPOT"
    exchange = running.wires[venue].exchange
    placed = exchange.place(exchange.accounts[KEY], by_hand(20_000))

    eventually(
        lambda: bool(running.stack.post(f"{path}/reconciliation").json().get("foreign_orders"))
    )
    (foreign,) = running.stack.call("GET", f"{path}/reconciliation")["foreign_orders"]
    body = {name: foreign[name] for name in ("symbol", "venue_order_id")}
    canceled = running.stack.call("POST", f"{path}/venue-cancels", body)

    assert foreign["venue_order_id"] == str(placed.id)
    assert canceled["state"] == "ENDED"
    assert running.received(venue)[-1].status == "CANCELED"
    after = running.stack.post(f"{path}/reconciliation").json()
    assert (after["agrees"], after["foreign_orders"]) == (True, [])


def test_spellings_are_resolved(running: Running) -> None:
    running.stack.call("POST", "/api/accounts/binance-USDM/test", {})
    path = "/api/symbols/resolve?venue=binance&market=USDM&symbol=BINANCE:ETHUSDT.P"

    answer = running.stack.call("GET", path)

    assert (answer["symbol"], answer["market"]) == ("ETH/USDT", "USDM")


@pytest.mark.parametrize("venue", FUTURES)
def test_a_connector_takes_any_spelling_and_trades_what_it_means(
    running: Running, venue: str
) -> None:
    stack, name = running.stack, f"{venue}-spelled"
    body = {"token": "T", "account": f"{venue}-USDM"}
    for spelling in ("BINANCE:ETHUSDT.P", "ETHUSDT", "ETH-USDT", "ETH_USDT", "ETH/USDT:USDT"):
        answer = stack.call("PUT", f"/api/connectors/{name}", {**body, "symbol": spelling})
        assert answer["symbol"] == "ETH/USDT"
    stack.call("PUT", f"/api/connectors/{name}", {**body, "symbol": "ETHUSDTPERP"})

    fields = {"connectorName": name, "connectorToken": "T", "number": time.time_ns()}
    sent = stack.send({**fields, "action": "openLong", "fixed": "0.1"})
    running.order(sent.headers["X-Hookfill-Id"], "FILLED")

    assert running.received(venue)[-1].ticket.market.symbol == "ETH/USDT"
    body["symbol"] = "ETHBUSD"
    refusal = stack.call("PUT", f"/api/connectors/{name}", body, status=400)
    assert "ETH/USDT in USDM" in refusal["error"]["fields"]["symbol"][0]


def _state(running: Running, reference: str) -> str:
    state: str = running.stack.call("GET", f"/api/orders/{reference}")["state"]
    return state


@pytest.mark.parametrize("venue", ["binance", "bybit", "poloniex"])
def test_what_nobody_has_looked_at_is_asked_for(running: Running, venue: str) -> None:
    stack, name, password = running.stack, f"{venue}-SPOT", "a-password-of-these-tests"
    account_id = stack.call("GET", f"/api/accounts/{name}")["id"]
    stack.call(
        "PUT", f"/api/clients/hummingbot/{venue}", {"password": password, "accounts": [name]}
    )
    client = {"secret": wire.SECRET, "accounts": [name]}
    stack.call("PUT", f"/api/clients/three_commas/{venue}", client)
    before = len(running.received(venue))

    wanted = {"account_name": name, "connector_name": venue, "trading_pair": "BTC-USDT"}
    market = {**wanted, "trade_type": "BUY", "amount": 0.01, "order_type": "MARKET"}
    placed = requests.post(
        stack.url("/trading/orders"), json=market, auth=(venue, password), timeout=10
    )
    assert placed.status_code == 201, placed.text
    eventually(lambda: len(running.received(venue)) == before + 1)

    waits = wire.simple(account_id, pair="USDT_BTC", units_to_buy="0.01", buy_price="51000")
    waits["buy_method"] = "conditional"
    made = _three_commas(running, venue, "POST", "create_simple_buy", waits)
    assert made["status"] == "conditional_order_waiting_price"
    rates = "accounts/currency_rates?pair=USDT_BTC&pretty_display_type="
    display = _three_commas(running, venue, "GET", "../accounts")[0]["pretty_display_type"]
    told = requests.get(stack.url(f"{wire.BASE}/ver1/{rates}{display}"), timeout=10).json()
    assert Decimal(told["last"]) == 50_000
    time.sleep(3)  # some looks at prices
    shown = _three_commas(running, venue, "GET", f"{made['id']}/show")
    assert (shown["status"], Decimal(shown["current_price"])) == (made["status"], Decimal(50_000))
    assert len(running.received(venue)) == before + 1
    _three_commas(running, venue, "POST", f"{made['id']}/cancel")


def _three_commas(
    running: Running, key: str, method: str, call: str, body: Json | None = None
) -> Any:  # noqa: ANN401 - JSON
    path = f"{wire.TRADES}/{call}".replace("smart_trades/../", "")
    text = wire.json_body(body)
    answer = requests.request(
        method,
        running.stack.url(path),
        data=text or None,
        headers=wire.headers(path, text, key=key),
        timeout=10,
    )
    assert answer.ok, answer.text
    return answer.json()


def test_market_data_without_a_key_is_that_of_the_exchange(running: Running) -> None:
    """A web process that knows nothing of it has a worker look, and answers as soon as it can."""

    def shown(path: str) -> Any:  # noqa: ANN401
        answer = requests.get(running.stack.url(path), timeout=10)
        assert answer.status_code in {200, 503}, answer.text
        return answer.json() if answer.ok else None

    running.wires["poloniex"].exchange.set_price("ETH/USDT", "2345")

    rows = eventually(lambda: shown("/markets/price"))
    book = eventually(lambda: shown("/markets/ETH_USDT/orderBook"))

    assert {one["symbol"]: one["price"] for one in rows}["ETH_USDT"] == "2345"
    assert book["asks"][0] == "2345"
