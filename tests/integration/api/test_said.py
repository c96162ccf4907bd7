"""No log repeats a word of a caller that may be a token, wherever in a request he puts it."""

import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from app.domain.enums import Dialect
from app.logs import configure
from app.web.clients import Clients
from tests.support.caller import Caller, Json
from tests.support.each_dialect import SECRET, Sent, open_for_all, request_of, signed_by

pytestmark = pytest.mark.integration

TOKEN = "demo-token"  # noqa: S105 - of the connector of these tests

#: Signed with their bodies; what the others sign does not cover them.
BODY_SIGNED = {Dialect.POLONIEX, Dialect.THREE_COMMAS}


@pytest.fixture(autouse=True)
def _callers(demo: Caller) -> Iterator[None]:
    """Let there be callers of all dialects, and let nobody log after the test as it did."""
    open_for_all(demo)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers, root.level = handlers, level


def canary_of(dialect: Dialect) -> str:
    return TOKEN if dialect is Dialect.CRYPTO_ARSENAL else SECRET


def wrong_fields(fields: Json, canary: str) -> Iterator[Json]:
    """Yield bodies with the canary in one place each."""
    for name, value in fields.items():
        yield {**fields, name: canary}
        yield {**fields, name: canary.upper()}
        yield {**fields, name: [canary]}
        if isinstance(value, dict):
            for inner in value:
                yield {**fields, name: {**value, inner: canary}}
    yield {**fields, canary: canary}


def wrong_requests(dialect: Dialect) -> Iterator[Sent]:
    canary, sent = canary_of(dialect), request_of(dialect, 1)
    text = sent.body.decode()
    for fields in wrong_fields(json.loads(text), canary):
        signed = signed_by(dialect, sent.path, fields)
        body = signed.body if dialect in BODY_SIGNED else json.dumps(fields).encode()
        yield Sent(sent.path, body, signed.headers)
    twice = f', "{canary}": 1, "{canary}": 2}}'
    for wrong in (text[:-1] + twice, text[:-1] + canary, f'"{canary}"', f"a={canary}&b"):
        yield Sent(sent.path, wrong.encode(), sent.headers)
    for path in (f"{sent.path}/{canary}", f"{sent.path}?symbol={canary}&{canary}=1"):
        yield Sent(path, sent.body, signed_by(dialect, path, json.loads(text)).headers)
    for name in [*sent.headers, "Idempotency-Key", "Authorization", "key", "apikey"]:
        yield Sent(sent.path, sent.body, {**sent.headers, name: canary * 9})


def bare(text: str) -> str:
    return re.sub("[^0-9a-z]", "", text.lower())


@pytest.mark.parametrize("dialect", Dialect)
def test_a_token_in_the_wrong_place_is_in_no_log(
    dialect: Dialect, demo: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("web", "debug")
    for sent in wrong_requests(dialect):
        sent.to(demo.client)

    log = capsys.readouterr().out
    assert log.count('"request_refused"') > 10
    assert bare(canary_of(dialect)) not in bare(log)


@pytest.mark.parametrize("dialect", Dialect)
def test_nor_is_it_among_the_refusals(
    dialect: Dialect, demo: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.coordination.refusals.NOTED_MAX", 10_000)
    for sent in wrong_requests(dialect):
        sent.to(demo.client, HTTP_X_FORWARDED_FOR=canary_of(dialect))

    shown = demo.call("GET", "/api/refusals")["data"]
    assert sum(row["times"] for row in shown) > 10
    assert bare(canary_of(dialect)) not in bare(json.dumps(shown))


def test_a_mistake_of_ours_repeats_nothing_either(
    demo: Caller, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("web", "debug")

    def mistake(*_: object) -> None:
        raise LookupError(f"no {SECRET}, and no {SECRET!r}")

    monkeypatch.setattr(Clients, "find", mistake)
    path = f"/orders/{SECRET}"

    answer = demo.client.get(path, headers=dict(request_of(Dialect.POLONIEX, 1).headers))

    log = capsys.readouterr().out
    assert answer.status_code == 500
    assert '"event": "request_failed"' in log
    assert '"route": "/orders/<order_id>"' in log
    assert "LookupError: no ***" in log
    assert bare(SECRET) not in bare(log)


def test_what_is_wrong_is_told_without_the_word(
    demo: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("web", "debug")
    said = demo.signal(action="open-something", fixed="1")
    demo.signal(action="bye", fixed="1")

    one, other = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "open-something" in said.text
    assert one["why"] == "action was '***'"
    assert other["why"] == "action was 'bye'"
    assert one["dialect"] == Dialect.CRYPTO_ARSENAL


def test_what_is_logged_after_a_request_is_whole(
    demo: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("web", "debug")
    demo.signal(action="open-something", fixed="1")
    capsys.readouterr()

    structlog.get_logger().info("note", why="open-something")

    assert json.loads(capsys.readouterr().out)["why"] == "open-something"


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (f"Invalid request from ip=192.0.2.1: Invalid HTTP header name: {SECRET!r}", "header name"),
        (f"Error handling request GET /x?token={SECRET}", "Error handling request ***"),
        ("Invalid request from ip=192.0.2.1: Request Line is too large (9000 > 4094)", "9000"),
    ],
)
def test_what_the_web_server_says_repeats_nothing(
    event: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("web", "debug")
    logging.getLogger("gunicorn.error").warning("%s", event)

    log = capsys.readouterr().out
    assert shown in log
    assert bare(SECRET) not in bare(log)
