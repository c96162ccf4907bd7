"""From a webhook to the ledger of a simulated exchange, through every process and real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.enums import Market
from app.web.shared import KEPT_MS
from tests.support.exchanges.books import Order
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.server import Dialect, Gateway, served
from tests.support.processes import eventually
from tests.support.stack import Json, Stack, running_stack
from tests.support.venue_world import KEY, QUICK, account_at, by_hand, wire_of

VENUES = ["binance", "binance_testnet", "bybit", "bybit_testnet", "poloniex"]
FUTURES = [one for one in VENUES if one != "poloniex"]

ENDED = {"FILLED", "CANCELED", "REJECTED", "DENIED", "EXPIRED"}


@dataclass
class Running:
    """A stack, and the exchanges that its accounts are at."""

    stack: Stack
    wires: dict[str, Dialect]
    gateways: dict[str, Gateway]

    def received(self, venue: str) -> list[Order]:
        """Return every order that an exchange has taken in."""
        return self.wires[venue].exchange.accounts[KEY].orders

    def send(self, venue: str, market: str, **fields: object) -> str:
        """Send a signal, and return the id under which it is followed."""
        names = {"connectorName": f"{venue}-{market}", "connectorToken": "T"}
        answer = self.stack.send({**names, **fields, "number": time.time_ns()})
        assert answer.text == "ok", answer.text
        return answer.headers["X-Hookfill-Id"]

    def order(self, signal: str, *states: str, number: int = 0) -> Json:
        """Wait until an order of a signal is in one of these states, and return it."""

        def rows() -> list[Json]:
            return self.stack.rows(kind="ORDER", parent=signal)

        def found() -> Json | None:
            there = rows()
            row = there[-1 - number] if len(there) > number else None
            return row if row and row["state"] in states else None

        return eventually(found, 90, rows)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data_dir: Path = tmp_path_factory.mktemp("real")
    with ExitStack() as exchanges:
        wires = {venue: wire_of(venue, Market.SPOT) for venue in VENUES}
        served_at = {venue: exchanges.enter_context(served(wires[venue])) for venue in VENUES}
        urls = {venue: url for venue, (url, _) in served_at.items()}
        gateways = {venue: gateway for venue, (_, gateway) in served_at.items()}
        environment = {**QUICK, "HOOKFILL_VENUE_URLS": json.dumps(urls)}
        with running_stack(data_dir, environment) as stack:
            _set_up(stack)
            yield Running(stack, wires, gateways)


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
    eventually(lambda: len(running.stack.rows(kind="SMART_ORDER", parent=signal)) == 2)

    exchange.set_price("ETH/USDT", "1899")
    eventually(lambda: running.received(venue)[-1].ticket.side == "SELL")
    exchange.set_price("ETH/USDT", "2000")

    closed = running.received(venue)[-1]
    eventually(lambda: _state(running, signal) == "DONE")
    assert closed.filled == closed.ticket.quantity
    assert exchange.accounts[KEY].positions["ETH/USDT", "LONG"].quantity == 0


@pytest.mark.parametrize("venue", FUTURES)
def test_metrics_tell_how_old_prices_are_and_how_long_a_stop_takes(
    running: Running, venue: str
) -> None:
    exchange = running.wires[venue].exchange
    # Around the price of the test before as well, which may be the newest that is known.
    signal = running.send(venue, "USDM", action="openLong", fixed="0.1", profit="2200", loss="1800")
    running.order(signal, "FILLED")
    eventually(lambda: len(running.stack.rows(kind="SMART_ORDER", parent=signal)) == 2)
    timed = f'hookfill_tick_to_placement_seconds_count{{venue="{venue}"}}'
    time.sleep(KEPT_MS / 1_000)  # metrics of before are kept for so long
    before = _counted(running, timed)

    exchange.set_price("ETH/USDT", "1799")
    eventually(lambda: _state(running, signal) == "DONE")
    exchange.set_price("ETH/USDT", "2000")

    eventually(lambda: _counted(running, timed) == before + 1)
    mode = "testnet" if venue.endswith("_testnet") else "live"
    feed = f'hookfill_price_age_seconds_count{{feed="{venue}:USDM:{mode}"}}'
    assert _counted(running, feed) > 0


def _counted(running: Running, sample: str) -> float:
    text = running.stack.session.get(running.stack.url("/metrics"), timeout=10).text
    found = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(sample)]
    return float(found[0]) if found else 0


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
