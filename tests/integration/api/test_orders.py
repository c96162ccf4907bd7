"""What came in is listed, shown whole, canceled by hand, and told as it happens."""

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from app.bootstrap import Wiring, web_wiring
from app.domain.events import OrderReported
from app.domain.identifiers import AggregateId
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.factory import create_app
from app.ports.ledger import Stored
from app.services.advance import advance
from app.services.keeping.archive import archive
from app.settings import Settings
from app.settings.kinds import DATABASE_URL
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import WEBHOOK, Caller, Json, Worker
from tests.support.processes import eventually

pytestmark = pytest.mark.integration

BAD = (400, "validation_failed")


def test_nothing_has_come_in_yet(api: Caller) -> None:
    assert api.call("GET", "/api/orders") == {"data": [], "next_cursor": None}


def test_a_signal_and_its_order_are_rows(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1", clientOrderId="mine")
    worker.work()

    order, signal = demo.rows()

    assert (signal["kind"], signal["state"], signal["parent_id"]) == ("SIGNAL", "DONE", None)
    assert (order["kind"], order["state"], order["parent_id"]) == ("ORDER", "FILLED", signal["id"])
    for row in (order, signal):
        assert row["account"] == "demo"
        assert (row["quantity"], row["filled_quantity"]) == ("0.1", "0.1")
        assert (row["average_price"], row["caller_id"]) == ("50000", "mine")
    assert order["client_order_id"].startswith("h")
    assert order["venue_order_id"]


def test_the_detail_is_found_by_id_and_by_client_order_id(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1")
    worker.work()
    order, signal = demo.rows()

    detail = demo.call("GET", f"/api/orders/{signal['id']}")
    by_client_id = demo.call("GET", f"/api/orders/{order['client_order_id']}")

    assert detail["children"] == [order["id"]]
    events = [entry["event"] for entry in detail["timeline"]]
    assert events[:3] == ["received", "validated", "queued"]
    assert events[-1] == "closed"
    assert by_client_id == demo.call("GET", f"/api/orders/{order['id']}")
    assert {"sent", "acknowledged", "filled"} <= {one["event"] for one in by_client_id["timeline"]}
    assert all(entry["process"] for entry in by_client_id["timeline"])


@pytest.mark.parametrize(
    "reference", ["1", "9" * 16, "9" * 400, "nonsense", "h0000zzzzzzzzzzz", "%00", "%F0%9F%92%A9"]
)
def test_what_is_not_there(demo: Caller, reference: str) -> None:
    path = f"/api/orders/{reference}"

    assert demo.refusal("GET", path) == (404, "not_found", [])
    assert demo.refusal("POST", f"{path}/cancel") == (404, "not_found", [])


def test_a_row_must_have_all_that_is_asked(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1", clientOrderId="one")
    demo.signal(action="buy", fixed="0.01", limit="40000", clientOrderId="two")
    worker.work()
    (signal,) = demo.rows(kind="SIGNAL", caller_id="two")

    assert len(demo.rows(account="demo", dialect="crypto_arsenal")) == 4
    assert [row["state"] for row in demo.rows(parent=signal["id"])] == ["NEW"]
    assert demo.rows(parent=signal["id"], kind="SIGNAL") == []
    assert demo.rows(parent="999") == []
    assert demo.rows(state="EXECUTING") == [signal]
    assert demo.rows(dialect="poloniex") == []
    assert len(demo.rows(kind="", state="", cursor="")) == 4


def _pages(api: Caller, query: str) -> Iterator[list[Json]]:
    cursor = ""
    while cursor is not None:
        page = api.call("GET", f"/api/orders?{query}&cursor={cursor}")
        yield page["data"]
        cursor = page["next_cursor"]


@pytest.mark.parametrize("is_archived", [False, True])
def test_pages_hold_everything_once(demo: Caller, worker: Worker, *, is_archived: bool) -> None:
    for number in range(7):
        demo.signal(action="buy", fixed=f"0.0{number + 1}")
    worker.work()
    if is_archived:
        archive(worker.wiring.ports)
    everything = [row for page in _pages(demo, "limit=500") for row in page]

    pages = list(_pages(demo, "limit=2&kind=SIGNAL"))

    assert len(everything) == 14
    places = [(row["created_at_ms"], int(row["id"])) for row in everything]
    assert places == sorted(places, reverse=True)
    assert all(len(page) <= 2 for page in pages)
    listed = [row for page in pages for row in page]
    assert listed == [row for row in everything if row["kind"] == "SIGNAL"]


def _everything(demo: Caller) -> list[Json]:
    return [demo.call("GET", f"/api/orders/{row['id']}") for row in demo.rows()]


def test_what_has_left_is_shown_as_before(demo: Caller, worker: Worker, settings: Settings) -> None:
    demo.signal(action="buy", fixed="0.1", clientOrderId="one")
    demo.signal(action="buy", fixed="0.01", limit="40000", clientOrderId="two")
    demo.signal(action="buy", fixed="9999")
    worker.work()
    demo.call("POST", "/paper/clock", {"advance_ms": 3_600_000})
    worker.work()
    before = _everything(demo)
    (gone,) = [one for one in before if one["kind"] == "ORDER" and one["state"] == "FILLED"]

    worker.archive()

    with redis.Redis.from_url(settings.redis_url) as client:
        assert len(list(client.scan_iter("*:aggregate:*"))) == 2
    assert _everything(demo) == before
    assert demo.call("GET", f"/api/orders/{gone['client_order_id']}") == gone
    assert [row["id"] for row in demo.rows(parent=gone["parent_id"])] == [gone["id"]]
    assert [row["id"] for row in demo.rows(caller_id="one", kind="ORDER")] == [gone["id"]]
    canceled = demo.call("POST", f"/api/orders/{gone['id']}/cancel", {})
    assert canceled == {"requested": False, "order": gone}


def test_a_range_of_time_and_a_symbol_are_searched(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1")
    worker.work()
    (order, signal) = demo.rows()
    created = signal["created_at_ms"]

    for _ in range(2):
        assert demo.rows(symbol="BTC/USDT", since_ms=str(created)) == [order, signal]
        assert demo.rows(until_ms=str(created)) == demo.rows(symbol="ETH/USDT") == []
        assert demo.rows(kind="REVERSAL") == []
        archive(worker.wiring.ports)


@pytest.fixture
def without_history(settings: Settings) -> Caller:
    """The same installation, whose history is out of reach."""
    away = replace(settings, database_url=DATABASE_URL.read("postgresql://x:pw@127.0.0.1:1/x"))
    return Caller(create_app(web_wiring(away)).test_client(), settings.admin_token.reveal())


def test_without_the_history_only_what_has_finished_is_out_of_reach(
    demo: Caller, worker: Worker, without_history: Caller
) -> None:
    demo.signal(action="buy", fixed="0.1")
    worker.work()
    order, signal = demo.rows()
    worker.archive()
    away = without_history

    assert away.signal(action="buy", fixed="0.01", limit="40000").text == "ok"
    worker.work()

    (resting,) = away.rows(state="NEW")
    assert away.call("GET", f"/api/orders/{resting['id']}")["state"] == "NEW"
    assert away.call("POST", f"/api/orders/{resting['id']}/cancel", {})["requested"]
    assert away.refusal("GET", "/api/orders") == (503, "history_unavailable", [])
    assert away.refusal("GET", "/api/orders/5") == (503, "history_unavailable", [])
    gone = f"/api/orders/{order['id']}"
    assert away.refusal("GET", gone) == (503, "history_unavailable", [])
    assert demo.call("GET", gone)["parent_id"] == signal["id"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("since_ms=-1", ["since_ms"]),
        ("since_ms=soon&until_ms=9999999999999999", ["since_ms", "until_ms"]),
        ("color=red", ["color"]),
        ("kind=order", ["kind"]),
        ("kind=ORDER&kind=SIGNAL", ["kind"]),
        ("account=nobody", ["account"]),
        ("dialect=telegram", ["dialect"]),
        ("state=HAPPY", ["state"]),
        ("parent=mine", ["parent"]),
        ("parent=" + "9" * 400, ["parent"]),
        ("limit=0", ["limit"]),
        ("limit=501", ["limit"]),
        ("limit=many", ["limit"]),
        ("limit=1e99", ["limit"]),
        ("limit=%EF%BC%95", ["limit"]),
        ("cursor=nonsense", ["cursor"]),
        ("cursor=%F0%9F%92%A9", ["cursor"]),
        ("limit=x&state=y", ["limit", "state"]),
    ],
)
def test_a_query_that_makes_no_sense(api: Caller, query: str, fields: list[str]) -> None:
    assert api.refusal("GET", f"/api/orders?{query}") == (*BAD, fields)


def test_a_resting_order_is_canceled_by_hand(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1", limit="40000")
    worker.work()
    (order,) = demo.rows(kind="ORDER")

    answer = demo.call("POST", f"/api/orders/{order['id']}/cancel", {})
    worker.work()

    assert answer["requested"] is True
    assert answer["order"]["timeline"][-1]["event"] == "cancel_requested"
    canceled, signal = demo.rows()
    assert (canceled["state"], signal["state"]) == ("CANCELED", "CANCELED")
    assert canceled["reason"]["code"] == "requested"


def test_a_delayed_signal_is_canceled_by_hand(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1", delaySeconds=3600)
    (signal,) = demo.rows(state="SCHEDULED")

    answer = demo.call("POST", f"/api/orders/{signal['id']}/cancel")

    assert (answer["requested"], answer["order"]["state"]) == (True, "CANCELED")
    worker.work()
    assert demo.rows(kind="ORDER") == []


def test_what_has_ended_is_left_alone(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1")
    worker.work()
    order = demo.rows(kind="ORDER")[0]

    answer = demo.call("POST", f"/api/orders/{order['id']}/cancel")

    assert (answer["requested"], answer["order"]["state"]) == (False, "FILLED")


def test_a_cancel_takes_no_fields(demo: Caller) -> None:
    demo.signal(action="buy", fixed="0.1")
    path = f"/api/orders/{demo.rows()[0]['id']}/cancel"

    assert demo.refusal("POST", path, {"why": "x"}) == (*BAD, ["why"])
    assert demo.refusal("POST", path, "[]") == (400, "invalid_json", [])


def _events(text: str) -> list[dict[str, str]]:
    """Return the events of a stream, without comments and the pause to connect again."""
    blocks = [dict(line.split(": ", 1) for line in one.split("\n")) for one in text.split("\n\n")]
    return [block for block in blocks if "event" in block]


@pytest.fixture
def unknown(demo: Caller, worker: Worker) -> str:
    """Return the id of an order of which nobody knows what became of it."""
    faults = {"place": ["timeout"], "find": ["not_found"] * 9}
    demo.call("PUT", "/paper/faults/demo", faults)
    demo.signal(action="buy", fixed="0.1")
    worker.step(3)
    (order,) = demo.rows(kind="ORDER")
    assert order["state"] == "UNKNOWN"
    order_id: str = order["id"]
    return order_id


@pytest.mark.parametrize(
    ("body", "state", "filled"),
    [
        ({"outcome": "absent"}, "CANCELED", "0"),
        ({"outcome": "filled", "average_price": "50000"}, "FILLED", "0.1"),
        (
            {"outcome": "canceled", "filled_quantity": "0.04", "average_price": "50000"},
            "CANCELED",
            "0.04",
        ),
        ({"outcome": "open", "venue_order_id": "77"}, "NEW", "0"),
    ],
)
def test_a_person_says_what_became_of_an_order(
    demo: Caller, unknown: str, body: Json, state: str, filled: str
) -> None:
    answer = demo.call("POST", f"/api/orders/{unknown}/resolve", body)

    assert (answer["id"], answer["state"], answer["filled_quantity"]) == (unknown, state, filled)
    known = demo.call("GET", f"/api/orders/{unknown}")
    assert (known["state"], known["filled_quantity"]) == (state, filled)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["outcome"]),
        ({"outcome": "lost"}, ["outcome"]),
        ({"outcome": "filled"}, ["average_price"]),
        ({"outcome": "open"}, ["venue_order_id"]),
        (
            {"outcome": "canceled", "filled_quantity": "0.2", "average_price": "1"},
            ["filled_quantity"],
        ),
        (
            {"outcome": "absent", "filled_quantity": "0.1", "average_price": "1"},
            ["filled_quantity"],
        ),
    ],
)
def test_a_word_that_makes_no_sense_is_not_taken(
    demo: Caller, unknown: str, body: Json, fields: list[str]
) -> None:
    path = f"/api/orders/{unknown}/resolve"

    assert demo.refusal("POST", path, body) == (400, "validation_failed", fields)
    assert demo.call("GET", f"/api/orders/{unknown}")["state"] == "UNKNOWN"


def test_a_word_about_an_earlier_placement_is_not_taken(demo: Caller, unknown: str) -> None:
    path = f"/api/orders/{unknown}/resolve"
    shown = demo.call("GET", f"/api/orders/{unknown}")["placement"]

    refusal = demo.refusal("POST", path, {"outcome": "absent", "placement": shown - 1})

    assert refusal == (409, "wrong_state", [])
    assert demo.call("GET", f"/api/orders/{unknown}")["state"] == "UNKNOWN"
    answer = demo.call("POST", path, {"outcome": "absent", "placement": shown})
    assert answer["state"] == "CANCELED"


def test_a_word_that_is_overtaken_is_not_taken(
    demo: Caller, unknown: str, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The venue tells that the order rests between the look of the web process and its commit."""
    ports = wiring.ports
    load = ports.ledger.load

    def overtaken(order_id: AggregateId) -> Stored:
        found = load(order_id)
        monkeypatch.undo()
        report = OrderReport(status=OrderStatus.NEW)
        advance(order_id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)
        return found

    monkeypatch.setattr(ports.ledger, "load", overtaken)

    refusal = demo.refusal("POST", f"/api/orders/{unknown}/resolve", {"outcome": "absent"})

    assert refusal == (409, "wrong_state", [])
    assert demo.call("GET", f"/api/orders/{unknown}")["state"] == "NEW"


def test_what_the_venue_has_told_stays(demo: Caller, worker: Worker) -> None:
    demo.signal(action="buy", fixed="0.1")
    worker.work()
    order, signal = demo.rows()
    body = {"outcome": "absent"}

    status, code, _ = demo.refusal("POST", f"/api/orders/{order['id']}/resolve", body)

    assert (status, code) == (403, "forbidden")
    assert demo.refusal("POST", f"/api/orders/{signal['id']}/resolve", body)[0] == 404
    assert demo.call("GET", f"/api/orders/{order['id']}")["state"] == "FILLED"


def test_events_are_told_as_they_happen(demo: Caller, worker: Worker) -> None:
    stream = demo.send("GET", "/api/events", buffered=False)
    parts = stream.iter_encoded()
    assert next(parts) == b"retry: 1000\n\n"
    assert stream.mimetype == "text/event-stream"

    demo.signal(action="buy", fixed="0.1")
    worker.work()
    text = ""
    while "filled" not in text:
        text += next(parts).decode()
    stream.close()

    events = _events(text.strip())
    order, signal = demo.rows()
    assert [one["event"] for one in events][:4] == ["received", "validated", "queued", "sized"]
    first = json.loads(events[0]["data"])
    assert set(first) == {"id", "event", "at_ms", "process", "reason"}
    assert (first["id"], first["event"]) == (signal["id"], "received")
    assert {json.loads(one["data"])["id"] for one in events} == {signal["id"], order["id"]}


def test_a_quiet_stream_says_that_it_lives(demo: Caller) -> None:
    stream = demo.send("GET", "/api/events", buffered=False)
    parts = stream.iter_encoded()

    assert [next(parts), next(parts)] == [b"retry: 1000\n\n", b": nothing\n\n"]
    stream.close()


def _told_after(api: Caller, position: str, count: int) -> list[dict[str, str]]:
    """Return the first events of a stream that goes on after a position."""
    headers = {**api.headers, "Last-Event-ID": position}
    stream = api.client.get("/api/events", headers=headers, buffered=False)
    parts = stream.iter_encoded()
    assert next(parts) == b"retry: 1000\n\n"
    told = [_events(next(parts).decode().strip())[0] for _ in range(count)]
    stream.close()
    return told


def test_a_broken_stream_goes_on_where_it_was(demo: Caller) -> None:
    demo.signal(action="buy", fixed="0.1")
    told = _told_after(demo, "1-0", 3)

    again = _told_after(demo, told[-1]["id"], 3)

    assert [one["event"] for one in told] == ["received", "validated", "queued"]
    assert again == told  # what was told in that very millisecond comes again


def test_streams_leave_threads_for_orders(demo: Caller, settings: Settings) -> None:
    most = settings.web_connections // 10
    streams = [demo.send("GET", "/api/events", buffered=False) for _ in range(most)]

    assert demo.refusal("GET", "/api/events") == (429, "rate_limited", [])
    assert demo.client.head("/api/events", headers=demo.headers).status_code == 200

    for stream in streams:
        stream.close()
    again = demo.send("GET", "/api/events", buffered=False)
    assert again.status_code == 200
    again.close()


def test_a_stream_gives_its_connection_back(demo: Caller, redis_server: str) -> None:
    with redis.Redis.from_url(redis_server) as client:
        demo.call("GET", "/api/orders")
        before = len(client.client_list())
        stream = demo.send("GET", "/api/events", buffered=False)
        parts = stream.iter_encoded()
        assert [next(parts), next(parts)]
        during = len(client.client_list())
        stream.close()
        eventually(
            lambda: len(client.client_list()) == before
        )  # the server hears of it a little later

    assert during - before == 1


def test_a_stream_ends_when_the_store_goes_away(demo: Caller, redis_server: str) -> None:
    stream = demo.send("GET", "/api/events", buffered=False)
    parts = stream.iter_encoded()
    assert [next(parts), next(parts)]

    with redis.Redis.from_url(redis_server) as client:
        hang_up = threading.Timer(0.2, lambda: client.client_kill_filter(_type="normal"))
        hang_up.start()
        left = list(itertools.islice(parts, 10))
        hang_up.join()

    assert left == []
    stream.close()


def test_the_list_does_not_shift_while_it_is_read(demo: Caller, wiring: Wiring) -> None:
    for number in range(60):
        demo.signal(action="buy", fixed=f"0.0{number + 1}")
    reading = wiring.reader.newest(None)
    read = [next(reading) for _ in range(10)]
    sender = threading.Thread(target=lambda: demo.signal(action="buy", fixed="0.9"))
    sender.start()
    sender.join()

    read += list(reading)

    assert len({one.id for one in read}) == len(read) == 60


@pytest.mark.parametrize("sign", ["x", "長", "🚀", "ع", "é", "line\n\tbreak "])
def test_the_log_of_a_signal_is_kept_whole_and_shown(
    sign: str, demo: Caller, worker: Worker
) -> None:
    log = (sign * 4096)[:4096]
    body = {
        "connectorName": "demo",
        "connectorToken": "demo-token",
        "action": "buy",
        "fixed": "0.01",
    }
    text = json.dumps({**body, "log": f"{log}and more"}, ensure_ascii=False)
    assert demo.client.post(WEBHOOK, data=text.encode()).status_code == 200
    [row] = demo.rows()

    assert demo.call("GET", f"/api/orders/{row['id']}")["log"] == log
    worker.work()
    worker.archive()
    assert demo.call("GET", f"/api/orders/{row['id']}")["log"] == log
    demo.client.post("/login", data={"token": ADMIN_TOKEN})
    assert log in demo.client.get(f"/ui/orders/{row['id']}").text
