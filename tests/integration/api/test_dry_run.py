"""Dry runs of all dialects: asked for in any way, and nothing is stored."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final
from urllib.parse import quote

import pytest
import redis
from flask import Flask

from app import metrics
from app.bootstrap import Wiring
from app.dialects.surfaces import SURFACES
from app.domain.enums import Dialect
from app.domain.errors import NotDry
from app.domain.identifiers import AccountName
from app.ports import Ports
from app.rehearsal.ports import WorkingClock
from app.rehearsal.rehearsal import rehearsal_of
from app.store.core.keys import REFUSALS
from app.store.overlay.client import OverlayClient
from app.web import dry_run
from app.web.dry_answer import DRY_RUN
from app.web.routes import Route, routes_of
from tests.support.caller import WEBHOOK, Caller, Json, Worker
from tests.support.each_dialect import Sent, open_for_all, order, request_of, signed_by, with_body

DRY = {"X-Dry-Run": "true"}

#: What a dry run has of the web process itself, and why that writes nothing.
REAL: Final = {
    "backlog": "only counts messages",
    "book": "only asked where triggers stand",
    "messages": "dialects do not know it",
    "publisher": "tells workers of questions to exchanges, and of nothing else",
    "results": "only read: what would be kept of them is added up again by the next who looks",
    "venues": "of a web process: it asks no exchange, and sends none anything",
    "worker_requests": "questions to exchanges, which change nothing",
}


@pytest.fixture
def traded(demo: Caller) -> Caller:
    """A caller of an installation in which each dialect has a client."""
    open_for_all(demo)
    return demo


@pytest.fixture
def store(wiring: Wiring) -> redis.Redis:
    """The store."""
    return wiring.store


def contents(store: redis.Redis) -> dict[str, Any]:
    """Return every key with what it holds; refusals of other tests may still be on their way."""
    execute: Any = store.execute_command
    with redis.Redis(connection_pool=_raw(store)) as raw:
        return {key: raw.dump(key) for key in sorted(execute("KEYS", "*")) if key != REFUSALS}


def _raw(store: redis.Redis) -> redis.ConnectionPool:
    pool = store.connection_pool
    settings = {**pool.connection_kwargs, "decode_responses": False}
    return redis.ConnectionPool(pool.connection_class, **settings)


def with_header(sent: Sent, **headers: str) -> Sent:
    return replace(sent, headers={**sent.headers, **headers})


def foretold(caller: Caller, sent: Sent) -> Json:
    """Send a request that must be answered as a dry run, and return the answer."""
    answer = sent.to(caller.client)
    assert answer.status_code == 200, answer.text
    told: Json = answer.get_json()
    assert told["dry_run"] is True
    return told


@pytest.mark.parametrize("dialect", Dialect)
def test_a_dry_run_stores_nothing(dialect: Dialect, traded: Caller, store: redis.Redis) -> None:
    sent = request_of(dialect, 1)
    before = contents(store)

    told = foretold(traded, with_header(sent, **DRY))

    assert contents(store) == before
    assert told["accepted"] is True
    assert told["outcome"] in {"would_send", "would_wait"}
    assert sent.to(traded.client).status_code == told["answer"]["status"]
    assert traded.rows() != []


@pytest.mark.parametrize("dialect", Dialect)
def test_a_repeat_is_found_to_be_one(dialect: Dialect, traded: Caller) -> None:
    sent = request_of(dialect, 2)
    if dialect in {Dialect.HUMMINGBOT, Dialect.THREE_COMMAS}:  # which know repeats by their key
        sent = with_header(sent, **{"Idempotency-Key": "k"})
    sent.to(traded.client)

    told = foretold(traded, with_header(sent, **DRY))

    assert (told["outcome"], told["orders"]) == ("duplicate", [])
    assert told["accepted"] is False


# Where it can be asked for


@pytest.mark.parametrize("dialect", Dialect)
def test_a_parameter_asks_for_it(dialect: Dialect, traded: Caller) -> None:
    usual = request_of(dialect, 3)
    path = f"{usual.path}?dry_run=true"
    body = {key: one for key, one in json.loads(usual.body).items() if key not in _OF_SENDERS}

    # apisify signs the address without its query, and Poloniex the body alone.
    signs_query = dialect is Dialect.THREE_COMMAS
    sent = signed_by(dialect, path, body) if signs_query else replace(usual, path=path)

    assert foretold(traded, sent)["accepted"] is True
    assert traded.rows() == []


def test_where_the_query_is_signed_it_is_signed_with_it(traded: Caller) -> None:
    plain = signed_by(Dialect.POLONIEX, "/orders", {}, method="DELETE")
    asking = "/orders?dry_run=true"

    assert replace(plain, path=asking).to(traded.client).status_code == 401
    signed = signed_by(Dialect.POLONIEX, asking, {}, method="DELETE")
    assert foretold(traded, signed)["outcome"] == "nothing"


#: What `signed_by` adds to a body.
_OF_SENDERS: Final = ("connectorName", "connectorToken", "strategy", "apikey", "timestamp", "sign")


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", ["dry_run", "dryRun", "DRY-RUN"])
def test_a_field_of_the_body_asks_for_it(dialect: Dialect, name: str, traded: Caller) -> None:
    usual = request_of(dialect, 4)
    body = {key: one for key, one in json.loads(usual.body).items() if key not in _OF_SENDERS}
    sent = signed_by(dialect, usual.path, {**body, name: True})

    assert foretold(traded, sent)["accepted"] is True
    assert traded.rows() == []


def test_an_escaped_name_asks_for_it(traded: Caller) -> None:
    text = '{"connectorName": "demo", "connectorToken": "demo-token", "action": "buy"'
    body = text + ', "fixed": "0.01", "\\u0064\\u0072y\\u005frun": true}'

    answer = traded.client.post(WEBHOOK, data=body)

    assert answer.get_json()["dry_run"] is True
    assert traded.rows() == []


@pytest.mark.parametrize("wrapped", [lambda text: f"{quote(text)}=", lambda text: f"\ufeff{text}"])
def test_however_an_alert_is_wrapped(wrapped: Any, traded: Caller) -> None:  # noqa: ANN401
    sender = {"connectorName": "demo", "connectorToken": "demo-token"}
    text = json.dumps({**sender, "action": "buy", "fixed": "0.01", "dry_run": True})

    answer = traded.client.post(WEBHOOK, data=wrapped(text).encode())

    assert answer.get_json()["dry_run"] is True
    assert traded.rows() == []


@pytest.mark.parametrize("said", ["true", "TRUE", "1", "yes", "Yes", "on", " true "])
def test_yes_is_said_in_many_ways(said: str, traded: Caller) -> None:
    assert foretold(traded, with_header(request_of(Dialect.POLONIEX, 5), **{"X-Dry-Run": said}))
    assert traded.rows() == []


@pytest.mark.parametrize("said", ["false", "0", "No", "off"])
def test_no_is_a_real_run(said: str, traded: Caller) -> None:
    sent = with_header(request_of(Dialect.POLONIEX, 6), **{"X-Dry-Run": said})

    assert "id" in sent.to(traded.client).get_json()
    assert len(traded.rows()) == 1


def test_one_place_that_says_so_is_enough(traded: Caller) -> None:
    sent = request_of(Dialect.CRYPTO_ARSENAL, 7)

    foretold(traded, with_header(replace(sent, path=f"{sent.path}?dry_run=false"), **DRY))

    assert traded.rows() == []


@pytest.mark.parametrize("said", ["", "maybe", "2", "null", "tru", "true,false"])
@pytest.mark.parametrize("dialect", Dialect)
def test_what_is_neither_is_refused(
    dialect: Dialect, said: str, traded: Caller, worker: Worker
) -> None:
    sent = request_of(dialect, 8)
    usual = with_header(sent, **{"X-Dry-Run": ""}).to(traded.client)

    answer = with_header(sent, **{"X-Dry-Run": said}).to(traded.client)

    assert 400 <= answer.status_code < 500
    assert answer.get_json().keys() == usual.get_json().keys()
    assert "dry_run" not in answer.get_json()
    worker.work()
    assert traded.rows() == []


@pytest.mark.parametrize("said", [None, "", "perhaps", 2, [], {}, "tru", 1.5])
def test_a_field_that_is_neither_is_refused(said: object, traded: Caller) -> None:
    answer = traded.signal(action="buy", fixed="0.01", dry_run=said)

    assert answer.status_code == 400
    assert list(answer.get_json()["error"]["fields"]) == ["dry_run"]
    assert traded.rows() == []


def test_bad_input_is_refused_as_ever(traded: Caller) -> None:
    sender = {"connectorName": "demo", "connectorToken": "demo-token"}
    bad = {**sender, "action": "buy", "fixed": "abc"}

    real = traded.client.post(WEBHOOK, json=bad)
    dry = traded.client.post(WEBHOOK, json=bad, headers=DRY)

    assert (dry.status_code, dry.get_json()) == (real.status_code, real.get_json())


def test_strangers_learn_nothing(traded: Caller) -> None:
    bad = {"connectorName": "demo", "connectorToken": "wrong", "action": "buy", "fixed": "1"}

    answer = traded.client.post(WEBHOOK, json=bad, headers=DRY)

    assert answer.status_code == 401
    assert answer.get_json() == traded.client.post(WEBHOOK, json=bad).get_json()


# Nothing is forgotten


def changing(app: Flask) -> Iterator[Route]:
    """Yield the routes of dialects that change something."""
    for endpoint, route in routes_of(app).items():
        if endpoint.partition(".")[0] in set(Dialect) and not route.reads:
            yield route


def test_every_route_that_changes_something_can_run_dry(traded: Caller, app: Flask) -> None:
    routes = list(changing(app))
    assert len(routes) > 5 * len(SURFACES)

    for route in routes:
        path = route.rule
        while "<" in path:
            before, _, rest = path.partition("<")
            path = f"{before}1{rest.partition('>')[2]}"
        answer = traded.client.open(path, method=route.method, headers={"X-Dry-Run": "perhaps"})

        assert 400 <= answer.status_code < 500, path
        sent = traded.client.open(path, method=route.method)
        assert answer.text != sent.text or "dry_run" in answer.text, path


def test_no_route_stores_anything_when_it_runs_dry(
    traded: Caller, app: Flask, worker: Worker, store: redis.Redis
) -> None:
    limit = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001"}
    stop = {"symbol": "BTC_USDT", "side": "SELL", "quantity": "0.001", "stopPrice": "40000"}
    for path, body in (("/orders", {**limit, "price": "40000"}), ("/smartorders", stop)):
        signed_by(Dialect.POLONIEX, path, body).to(traded.client)
    trade = request_of(Dialect.THREE_COMMAS, 1).to(traded.client).get_json()["id"]
    worker.work()
    order, smart = (traded.rows(kind=kind)[0] for kind in ("ORDER", "SMART_ORDER"))
    # What the bodies say is for some of the routes; the others refuse it.
    said_there: Json = {
        **limit,
        "price": "41000",
        "timeout": "60",
        "orderIds": [order["id"]],
        "leverage": 2,
    }
    told = 0

    for route in changing(app):
        dialect = Dialect(_dialect(app, route))
        ours = order["client_order_id"] if dialect is Dialect.HUMMINGBOT else order["id"]
        path = (
            route.rule.replace("<trade_id>", str(trade))
            .replace("<order_id>", smart["id"] if "smartorders" in route.rule else ours)
            .replace("<account_name>/<connector_name>", "demo/paper")
        )
        said = said_there if dialect is Dialect.POLONIEX else {"action": "buy", "fixed": "0.001"}
        sent = with_header(signed_by(dialect, path, said, method=route.method), **DRY)
        before = contents(store)

        answer = sent.to(traded.client)

        assert contents(store) == before, path
        assert answer.status_code < 500, path
        told += answer.status_code == 200

    assert told > 20


def _dialect(app: Flask, wanted: Route) -> str:
    """Return the name of the dialect that a route is of."""
    found = routes_of(app).items()
    return next(name.partition(".")[0] for name, route in found if route is wanted)


def test_nothing_of_a_dry_run_writes_to_the_store(wiring: Wiring) -> None:
    rehearsal = rehearsal_of(wiring)

    ports = {one.name: getattr(rehearsal.wiring.ports, one.name) for one in fields(Ports)}
    rest = {one.name: getattr(rehearsal.wiring, one.name) for one in fields(Wiring)}
    del rest["ports"]
    real = {name for name, one in {**rest, **ports}.items() if any(map(is_real, clients_in(one)))}

    assert real <= set(REAL)


def is_real(client: redis.Redis) -> bool:
    return not isinstance(client, OverlayClient)


def clients_in(one: object, depth: int = 6) -> Iterator[redis.Redis]:
    """Yield the clients of the store that anything holds."""
    if isinstance(one, redis.Redis):
        yield one
        return
    if depth == 0 or isinstance(one, str | int | type | WorkingClock):
        return  # a clock measures the store's, and notes when that was set
    for part in _parts(one):
        yield from clients_in(part, depth - 1)


def _parts(one: object) -> Iterator[object]:
    bound = getattr(one, "__self__", None)
    if bound is not None:
        yield bound
    if is_dataclass(one):
        yield from (getattr(one, field.name) for field in fields(one))
    elif isinstance(one, dict):
        yield from one.values()
    else:
        yield from vars(one).values() if hasattr(one, "__dict__") else ()


@pytest.mark.parametrize(
    "command",
    [
        ("FLUSHALL",),
        ("RENAME", "a", "b"),
        ("ZPOPMIN", "a"),
        ("ZADD", "a", "GT", "1", "b"),
        ("EVAL", "return redis.call('SET', KEYS[1], 'x')", 1, "a"),
        ("EVALSHA", "0" * 40, 1, "a"),
    ],
    ids=lambda one: one[0],
)
def test_what_cannot_be_done_in_memory_is_refused(
    command: tuple[Any, ...], traded: Caller, wiring: Wiring, store: redis.Redis
) -> None:
    del traded
    rehearsal, before = rehearsal_of(wiring), contents(store)
    execute: Any = rehearsal.store.execute_command

    with pytest.raises(NotDry):
        execute(*command)

    assert contents(store) == before
    with pytest.raises(NotDry):  # also if somebody has caught the first
        rehearsal.finish()


def test_there_is_no_way_around(wiring: Wiring) -> None:
    store: Any = rehearsal_of(wiring).store

    with pytest.raises(NotDry):
        store.pubsub().subscribe("a")
    with pytest.raises(NotDry), store.pipeline() as pipeline:
        pipeline.watch("a")


def test_a_dry_run_leaves_no_trace_in_metrics(traded: Caller) -> None:
    def counted() -> list[str]:
        text = traded.client.get("/metrics", headers=traded.headers).text
        return [one for one in text.splitlines() if one.startswith("hookfill_changes_total{")]

    before = counted()

    foretold(traded, with_header(request_of(Dialect.CRYPTO_ARSENAL, 9), **DRY))

    assert counted() == before


@pytest.mark.parametrize("asked", [{"headers": DRY}, {"query_string": {"dry_run": "true"}}])
def test_what_cannot_run_dry_is_not_done(asked: dict[str, Any], traded: Caller) -> None:
    traded.signal(action="buy", fixed="0.01", limit="40000")
    (row,) = traded.rows()
    headers = {**traded.headers, **asked.get("headers", {})}
    path = f"/api/orders/{row['id']}/cancel"

    answer = traded.client.post(path, **{**asked, "headers": headers})

    assert answer.status_code == 400
    assert traded.rows() == [row]


def test_dry_runs_take_turns(traded: Caller) -> None:
    sent = with_header(request_of(Dialect.CRYPTO_ARSENAL, 10), **DRY)

    with dry_run.TURNS.turn(), dry_run.TURNS.turn():
        answer = sent.to(traded.client)

    assert answer.status_code == 503
    foretold(traded, sent)


# What it says


def test_what_comes_later(traded: Caller, wiring: Wiring) -> None:
    sender = {"connectorName": "demo", "connectorToken": "demo-token"}
    body = {**sender, "action": "buy", "percent": "50", "delaySeconds": 60}
    now_ms = wiring.ports.clock.now_ms()

    told = traded.client.post(WEBHOOK, json=body, headers=DRY).get_json()

    assert (told["outcome"], told["orders"], told["waits_for"]) == ("would_wait", [], "its time")
    assert 55_000 < told["due_at_ms"] - now_ms < 65_000
    assert told["answer"] == {"status": 200, "body": "ok"}


def test_what_a_cancel_would_change(traded: Caller, worker: Worker) -> None:
    limit = {"type": "LIMIT", "quantity": "0.001", "price": "40000"}
    made = signed_by(Dialect.POLONIEX, "/orders", {"symbol": "BTC_USDT", "side": "BUY", **limit})
    number = made.to(traded.client).get_json()["id"]
    worker.work()

    cancel = signed_by(Dialect.POLONIEX, f"/orders/{number}", {}, method="DELETE")
    told = foretold(traded, with_header(cancel, **DRY))

    assert told["outcome"] == "would_change"
    (change,) = told["changes"]
    assert (change["id"], change["state_before"], change["state"]) == (number, "NEW", "CANCELED")
    assert [one["state"] for one in traded.rows(kind="ORDER")] == ["NEW"]


def test_parts_are_told_apart(traded: Caller) -> None:
    def buy(quantity: str) -> Json:
        return {
            "symbol": "BTC_USDT",
            "side": "BUY",
            "type": "LIMIT",
            "price": "40000",
            "quantity": quantity,
        }

    text = json.dumps([buy("0.001"), buy("0.002")])
    batch = with_body(Dialect.POLONIEX, Sent("/orders/batch", b"", {}), text)

    told = foretold(traded, with_header(batch, **DRY))

    assert [one["quantity"] for one in told["orders"]] == ["0.001", "0.002"]
    assert [one["outcome"] for one in told["parts"]] == ["would_send", "would_send"]
    assert DRY_RUN.validate(told) == {}
    assert told.keys() == DRY_RUN.fields.keys()


def test_a_kill_switch_is_a_change(traded: Caller, wiring: Wiring) -> None:
    sent = signed_by(Dialect.POLONIEX, "/orders/killSwitch", {"timeout": "60"})

    told = foretold(traded, with_header(sent, **DRY))

    assert (told["outcome"], told["orders"]) == ("would_change", [])
    account = wiring.registry.account_named(AccountName("demo")).id
    assert wiring.ports.kill_switches.of(account) is None


def test_a_skipped_one_says_why(traded: Caller) -> None:
    close = order(side="Close", qty=0, order_type="Market")

    told = foretold(traded, with_header(signed_by(Dialect.APISIFY, "/v1/order", close), **DRY))

    assert (told["outcome"], told["reason"]["code"]) == ("would_skip", "no_position")


# What nobody may take for a real one


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("filler", ['"zz": ' + "1" * 5_000, '"zz": 1e400', '"zz": "\t\u2028"'])
def test_what_else_a_body_holds_hides_nothing(
    dialect: Dialect, filler: str, traded: Caller, worker: Worker
) -> None:
    usual = request_of(dialect, 9)
    text = json.dumps({**json.loads(usual.body), "dry_run": True})
    sent = replace(usual, body=f"{text[:-1]}, {filler}}}".encode())

    answer = sent.to(traded.client)

    worker.work()
    assert traded.rows() == []
    assert answer.status_code < 500


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(
    "lead", ["\ufeff", "\ufeff\ufeff", "\x0b", "\x0c", "\ufeff\x0c", "\x1f ", "\x85"]
)
def test_what_stands_before_a_body_hides_nothing(
    dialect: Dialect, lead: str, traded: Caller, worker: Worker
) -> None:
    usual = request_of(dialect, 10)
    text = json.dumps({**json.loads(usual.body), "dry_run": True})

    answer = replace(usual, body=(lead + text).encode()).to(traded.client)

    worker.work()
    assert traded.rows() == []
    assert answer.status_code < 500


@pytest.mark.parametrize("name", ["X-Dry-Run", "x-dry-run", "XDryRun", "XDry-Run", "Dry-Run"])
def test_the_header_is_known_however_it_is_spelled(name: str, traded: Caller) -> None:
    foretold(traded, with_header(request_of(Dialect.CRYPTO_ARSENAL, 11), **{name: "true"}))

    assert traded.rows() == []


@pytest.mark.parametrize(
    "query",
    [
        "a=1;dry_run=true",
        "a=1&amp;dry_run=true",
        "x=1?dry_run=true",
        "a=1%26dry_run=true",
        '{"dry_run":true}',
        "smart[dry_run]=1",
        "a=dry-run:yes",
    ],
)
def test_a_query_that_may_ask_for_it_is_never_a_real_run(
    query: str, traded: Caller, worker: Worker
) -> None:
    sent = request_of(Dialect.CRYPTO_ARSENAL, 12)
    replace(sent, path=f"{sent.path}?{query}").to(traded.client)

    worker.work()
    assert traded.rows() == []


@pytest.mark.parametrize("log", ["dry_run", "no dry run today", "dry_run: true", "a dry-run=1"])
def test_a_text_that_speaks_of_it_is_no_dry_run(log: str, traded: Caller) -> None:
    assert traded.signal(action="buy", fixed="0.01", log=log).text == "ok"
    assert len(traded.rows()) == 1


def test_one_is_counted_and_logged_as_what_it_is(
    traded: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    counter = metrics.DRY_RUNS.labels(dialect=Dialect.CRYPTO_ARSENAL)
    before = counter._value.get()  # noqa: SLF001 - prometheus_client has no other way
    foretold(traded, with_header(request_of(Dialect.CRYPTO_ARSENAL, 13), **DRY))

    assert counter._value.get() == before + 1  # noqa: SLF001
    assert "ran_dry" in capsys.readouterr().out


# With limits


@pytest.mark.parametrize("dialect", Dialect)
def test_what_a_limit_would_deny_is_foretold(
    dialect: Dialect, traded: Caller, worker: Worker, store: redis.Redis
) -> None:
    sent = request_of(dialect, 14)
    for account in traded.call("GET", "/api/accounts")["data"]:
        limits = {"limits": {"max_order_value": "1"}}
        traded.call("PUT", f"/api/accounts/{account['name']}", limits)
    worker.wiring.registry.refresh()
    before = contents(store)

    told = with_header(sent, **DRY).to(traded.client)

    assert contents(store) == before
    if dialect is Dialect.THREE_COMMAS:  # which sells what is held: no limit keeps that back
        assert told.get_json()["outcome"] == "would_wait"
    elif told.status_code == 200:
        assert told.get_json()["outcome"] == "would_deny"
        assert told.get_json()["reason"]["code"] == "max_order_value"
    else:  # its dialect says so at once, as it does of the real one
        real = sent.to(traded.client)
        assert (told.status_code, told.get_json()) == (real.status_code, real.get_json())
        assert "above the limit of 1" in told.text
    worker.work()
    assert all(row["state"] != "FILLED" for row in traded.rows())
