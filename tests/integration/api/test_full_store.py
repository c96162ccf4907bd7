"""A store that is full to the last byte takes in no entries, and ends all that there is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest
import redis
from werkzeug.test import TestResponse

from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.factory import create_app
from tests.support import three_commas as wire
from tests.support.caller import WEBHOOK, Caller, Json, Worker, make_all_rounds
from tests.support.each_dialect import ACCOUNT, NET, named, open_for_all, order, signed_by
from tests.support.servers import QUICK, fill, make_room, running_server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that nobody else fills."""
    with running_server(tmp_path_factory.mktemp("full"), QUICK) as server:
        yield f"{server.url}/0"


@dataclass
class Room:
    """Somebody who trades in every dialect over a store that can be filled.

    Attributes:
        demo: has the admin token.
        worker: works when it is told to.
        server: the store's.
        wiring: of a web process over it.
    """

    demo: Caller
    worker: Worker
    server: redis.Redis
    wiring: Wiring

    def send(self, dialect: Dialect, path: str, fields: Json, method: str = "POST") -> TestResponse:
        """Send a request of a dialect, signed now."""
        one = signed_by(dialect, path, fields, method=method)
        return one.to(self.demo.client)

    def make(self, dialect: Dialect, path: str, fields: Json, method: str = "POST") -> Json:
        """Send a request that must be taken in, and let it be carried out; return its answer."""
        answer = self.send(dialect, path, fields, method)
        assert answer.status_code in {200, 201}, answer.text
        self.worker.work()
        return answer.get_json(silent=True) or {}

    def price(self, last: str) -> None:
        """Let the price of bitcoin be another one, with all that follows."""
        self.demo.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": last}}})
        self.worker.work()

    def fill(self) -> None:
        """Let the server be full to the last byte."""
        fill(self.server)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            self.server.set("one more", "")

    def orders(self) -> list[str]:
        """Return how the orders stand, newest first."""
        return [row["state"] for row in self.demo.rows(kind="ORDER")]

    def held(self) -> Decimal:
        """Return the bitcoin of the spot account, and what is held of it in futures."""
        return self.demo.balance(ACCOUNT, "BTC") + self.position("long")

    def position(self, leg: str) -> Decimal:
        """Return the net position if it is of this leg, else 0."""
        positions = self.demo.call("GET", f"/paper/accounts/{NET}")["positions"]
        return Decimal(positions.get("BTC/USDT", {}).get(leg, "0"))


@pytest.fixture
def room(demo: Caller, worker: Worker, wiring: Wiring, redis_server: str) -> Iterator[Room]:
    open_for_all(demo)
    connector = {"account": NET, "symbol": "BTC/USDT", "token": "net-token"}
    demo.call("PUT", "/api/connectors/net", {**connector, "on_opposite": "reverse"})
    with redis.Redis.from_url(redis_server) as server:
        server.config_set("maxmemory", "256mb")
        yield Room(demo, worker, server, wiring)


CA, APISIFY, POLONIEX = Dialect.CRYPTO_ARSENAL, Dialect.APISIFY, Dialect.POLONIEX
THREE_COMMAS, HUMMINGBOT = Dialect.THREE_COMMAS, Dialect.HUMMINGBOT

_BUY = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "40000"}
_SELL = {"symbol": "BTC_USDT", "side": "SELL", "type": "MARKET", "quantity": "0.1"}
_SALE = wire.sale(
    pair="USDT_BTC",
    units_to_buy="0.1",
    average_buy_price=49_000,
    take_profit_price_condition=60_000,
    stop_loss_price_condition=45_000,
)
_SIMPLE_BUY = wire.simple(pair="USDT_BTC", units_to_buy="0.01", buy_price=40_000)
_ORDERS, _SMART = "/trading/orders", f"{wire.TRADES}/create_smart_sell"

#: Dialect → path and fields of a request that opens, and the words in which it is refused.
ENTRIES: Mapping[Dialect, tuple[str, Json, str]] = {
    CA: (WEBHOOK, {"action": "buy", "fixed": "0.01", "limit": "40000"}, "store_full"),
    APISIFY: ("/v1/order", order(qty=0.01, order_type="Limit", price=40_000), "store_full"),
    POLONIEX: ("/orders", _BUY, "Service Unavailable: store full"),
    THREE_COMMAS: (f"{wire.TRADES}/create_simple_buy", _SIMPLE_BUY, "store_full"),
    HUMMINGBOT: (_ORDERS, named(amount=0.01, order_type="LIMIT", price=40_000), "Store full"),
}


@pytest.mark.parametrize("dialect", ENTRIES)
def test_an_entry_is_refused_until_there_is_room(room: Room, dialect: Dialect) -> None:
    path, fields, word = ENTRIES[dialect]
    before = room.demo.rows()

    room.fill()
    refused = room.send(dialect, path, fields)
    after = room.demo.rows()
    make_room(room.server)
    room.make(dialect, path, fields)

    assert (refused.status_code, word in refused.text) == (503, True), refused.text
    assert after == before
    assert room.orders() == ["NEW"]


#: Dialect → path and fields of a request that closes.
_CLOSES: Mapping[Dialect, tuple[str, Json]] = {
    CA: (WEBHOOK, {"action": "sell", "fixed": "0.1"}),
    POLONIEX: ("/orders", _SELL),
    HUMMINGBOT: (_ORDERS, named(trade_type="SELL", amount=0.1, order_type="MARKET")),
}


@pytest.mark.parametrize("dialect", _CLOSES)
def test_what_is_held_can_be_sold(room: Room, dialect: Dialect) -> None:
    room.fill()
    room.make(dialect, *_CLOSES[dialect])

    assert room.orders() == ["FILLED"]
    assert room.held() == Decimal("0.9")


@pytest.mark.parametrize(("side", "short"), [("Close", "0"), ("Sell", "0"), ("Sarsell", "0.1")])
def test_a_net_position_can_be_closed_and_turned(room: Room, side: str, short: str) -> None:
    quantity = 0 if side == "Close" else 0.1
    room.make(APISIFY, "/v1/order", order(qty=0.1, order_type="Market"))

    room.fill()
    room.make(APISIFY, "/v1/order", order(side=side, qty=quantity, order_type="Market"))

    assert room.position("long") == 0
    assert room.position("short") == Decimal(short)


def test_a_signal_that_turns_what_is_held_is_no_mere_entry(room: Room) -> None:
    room.make(CA, WEBHOOK, {**_NET, "action": "openLong", "fixed": "0.1"})

    room.fill()
    added = room.send(CA, WEBHOOK, {**_NET, "action": "openLong", "fixed": "0.2"})
    room.make(CA, WEBHOOK, {**_NET, "action": "openShort", "fixed": "0.1"})

    assert added.status_code == 503
    assert room.position("short") == Decimal("0.1")


def test_panic_sells(room: Room) -> None:
    trade = room.make(THREE_COMMAS, _SMART, _SALE)

    room.fill()
    room.make(THREE_COMMAS, f"{wire.TRADES}/{trade['id']}/panic_sell", {})

    assert room.held() == Decimal("0.9")


_NET: Json = {"connectorName": "net", "connectorToken": "net-token"}

#: Dialect → path and fields of a request that guards 0.1 bitcoin at 45,000.
_STOPS: Mapping[Dialect, tuple[str, Json]] = {
    CA: (WEBHOOK, {**_NET, "action": "openLong", "fixed": "0.1", "loss": "45000"}),
    POLONIEX: ("/smartorders", {**_SELL, "type": "STOP", "stopPrice": "45000"}),
    THREE_COMMAS: (_SMART, _SALE),
}


@pytest.mark.parametrize("dialect", _STOPS)
def test_a_stop_fires_and_fills(room: Room, dialect: Dialect) -> None:
    room.make(dialect, *_STOPS[dialect])
    held = room.held()

    room.fill()
    room.price("44000")

    assert room.orders()[0] == "FILLED"
    assert held - room.held() == Decimal("0.1")


@pytest.mark.parametrize("dialect", [CA, POLONIEX, THREE_COMMAS, HUMMINGBOT])
def test_a_cancel_reaches_what_rests(room: Room, dialect: Dialect) -> None:
    path, fields, _ = ENTRIES[dialect]
    if dialect is CA:
        fields = {**fields, "clientOrderId": "mine"}
    made = room.make(dialect, path, fields)
    by_id = f"/trading/{ACCOUNT}/paper/orders/{made.get('order_id')}/cancel"
    ways: Mapping[Dialect, tuple[str, Json, str]] = {
        CA: (WEBHOOK, {"action": "cancel", "clientOrderId": "mine"}, "POST"),
        POLONIEX: (f"/orders/{made.get('id')}", {}, "DELETE"),
        THREE_COMMAS: (f"{wire.TRADES}/{made.get('id')}/cancel", {}, "POST"),
        HUMMINGBOT: (by_id, {}, "POST"),
    }

    room.fill()
    room.make(dialect, *ways[dialect])

    assert room.orders() == ["CANCELED"]


def test_halt_counts_and_is_lifted(room: Room) -> None:
    room.fill()
    halted = room.demo.call("PUT", f"/api/accounts/{ACCOUNT}", {"state": "HALT"})
    room.make(CA, *_CLOSES[CA])
    waiting = room.orders()
    room.demo.call("PUT", f"/api/accounts/{ACCOUNT}", {"state": "RUN"})
    room.worker.work()

    assert (halted["state"], waiting) == ("HALT", [])
    assert room.orders() == ["FILLED"]


def test_a_delayed_entry_ends_when_it_is_due_and_a_delayed_exit_runs(room: Room) -> None:
    delayed: Json = {"fixed": "0.1", "delaySeconds": 60}
    for action in ("buy", "sell"):
        room.make(CA, WEBHOOK, {**delayed, "action": action})
    turning = {**_NET, **delayed, "action": "openShort"}
    room.make(CA, WEBHOOK, turning)

    room.fill()
    clock = room.worker.wiring.movable_clock
    assert clock is not None
    clock.advance(60_000)
    room.worker.work()
    turned, sale, entry = room.demo.rows(kind="SIGNAL")

    assert (entry["state"], entry["reason"]["code"]) == ("DENIED", "store_full")
    assert (turned["state"], sale["state"]) == ("DONE", "DONE")
    assert room.held() == Decimal("0.9")


def test_funds_are_added_only_where_there_is_room(room: Room) -> None:
    trade = room.make(THREE_COMMAS, _SMART, _SALE)
    path = f"{wire.TRADES}/{trade['id']}/add_funds"
    funds: Json = {"quantity": 0.01, "is_market": True}

    room.fill()
    refused = room.send(THREE_COMMAS, path, funds)
    make_room(room.server)
    room.make(THREE_COMMAS, path, funds)

    assert (refused.status_code, refused.get_json()["error"]) == (503, "store_full")
    assert room.orders() == ["FILLED"]


def _shortages(room: Room) -> tuple[int, Json, list[tuple[str, str]]]:
    """Return the status of /readyz, its warnings, and check and grade of the doctor's findings."""
    # A web process that remembers no answer.
    ready = create_app(room.wiring).test_client().get("/readyz")
    found = room.demo.call("POST", "/api/doctor")["findings"]
    graded = [(one["check"], one["grade"]) for one in found if one["check"] in {"memory", "disk"}]
    return ready.status_code, ready.get_json()["warnings"], graded


def test_it_stays_ready_and_says_that_entries_are_refused(room: Room) -> None:
    make_all_rounds(room.worker.wiring.ports)
    before = _shortages(room)

    _make_used(room, percent=75)
    warned = _shortages(room)
    room.fill()
    refusing = _shortages(room)
    metrics = room.demo.client.get("/metrics").text

    assert before == (200, {}, [])
    assert "above 80 % entries are refused" in warned[1]["memory"]
    assert (warned[0], warned[2]) == (200, [("memory", "warning")])
    assert "Entries are refused, exits go on" in refusing[1]["memory"]
    assert (refusing[0], refusing[2]) == (200, [("memory", "error")])
    used, limit = (_gauge(metrics, f"store_memory_{one}") for one in ("bytes", "limit_bytes"))
    assert used > limit > 0


def test_it_warns_of_a_disk_that_is_nearly_full(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_all_rounds(room.worker.wiring.ports)
    monkeypatch.setattr("app.admin.room.DISK_FREE_BYTES_MIN", 1 << 62)

    status, warnings, graded = _shortages(room)

    assert (status, list(warnings), graded) == (200, ["disk"], [("disk", "warning")])
    assert 0 < _gauge(room.demo.client.get("/metrics").text, "disk_free_bytes") < 1 << 62


def _make_used(room: Room, percent: int) -> None:
    used = int(room.server.info("memory")["used_memory"])
    room.server.config_set("maxmemory", used * 100 // percent)


def _gauge(metrics: str, name: str) -> float:
    (line,) = [one for one in metrics.splitlines() if one.startswith(f"hookfill_{name} ")]
    return float(line.partition(" ")[2])


def test_who_has_been_told_before_is_told_again(room: Room) -> None:
    one = signed_by(POLONIEX, "/orders", {**_BUY, "clientOrderId": "mine"})
    first = one.to(room.demo.client)

    room.fill()
    again = one.to(room.demo.client)  # the very same

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.get_json() == again.get_json()
