"""Logs are one JSON object a line, with ids, and without secrets."""

import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.logs import configure, log_context
from app.outages import Outage
from app.scrubbing import hide, hide_nothing, scrub, scrubbed
from app.settings import Secret

HIDDEN = "hunter2hunter2"


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_has_an_event_its_fields_and_who_wrote_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("web")

    structlog.get_logger().info("order_sent", quantity="0.5")

    (line,) = lines(capsys)
    assert line["event"] == "order_sent"
    assert line["quantity"] == "0.5"
    assert line["process"] == "web"
    assert line["level"] == "info"
    assert line["at"].endswith("Z")


def test_the_context_stands_in_every_line_inside(capsys: pytest.CaptureFixture[str]) -> None:
    configure("web")
    log = structlog.get_logger()

    with log_context(order_id="7"):
        log.info("inside")
        logging.getLogger("library").info("inside too")
    log.info("outside")

    assert [line.get("order_id") for line in lines(capsys)] == ["7", "7", None]


def test_less_important_lines_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure("web", "warning")

    structlog.get_logger().info("not this")
    logging.getLogger("library").info("nor this")
    structlog.get_logger().warning("this")

    assert [line["event"] for line in lines(capsys)] == ["this"]


def test_libraries_log_in_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    chatty = logging.getLogger("library.with.a.handler")
    chatty.addHandler(logging.StreamHandler())
    chatty.propagate = False
    configure("worker")

    chatty.warning("lost %s of %s", 1, 2)

    (line,) = lines(capsys)
    assert line["event"] == "lost 1 of 2"
    assert line["logger"] == "library.with.a.handler"
    assert line["process"] == "worker"


def test_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure("web")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", stacklevel=1)

    assert "old" in lines(capsys)[0]["event"]


def test_an_exception_is_told_without_the_secrets_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure("web")

    try:
        int(f"redis://me:{HIDDEN}@host/0")
    except ValueError:
        structlog.get_logger().exception("failed")

    (line,) = lines(capsys)
    assert "redis://***@host/0" in line["exception"]
    assert HIDDEN not in line["exception"]


@pytest.mark.parametrize(
    "fields",
    [
        {"connectorToken": HIDDEN},
        {"secret": HIDDEN},
        {"password": HIDDEN},
        {"HTTP_AUTHORIZATION": HIDDEN},
        {"apiKey": HIDDEN},
        {"api_key": HIDDEN},
        {"credentials": {"a": HIDDEN}},
        {"tokens": [HIDDEN]},
        {"nested": {"deep": [{"signature": HIDDEN}]}},
        {"value": Secret(HIDDEN)},
        {"header": f"Bearer {HIDDEN}"},
        {"header": f"basic {HIDDEN}"},
        {"url": f"rediss://me:{HIDDEN}@host:1/0"},
        {"text": f'got {{"connectorToken": "{HIDDEN}", "action": "buy"}}'},
        {"text": f"GET /x?signature={HIDDEN}&y=1"},
        {"text": f"client_secret: {HIDDEN}"},
        {"blob": "gAAAA" + HIDDEN * 3},
        {"raw": f"password={HIDDEN}".encode()},
    ],
)
def test_secrets_are_masked(fields: dict[str, object]) -> None:
    assert HIDDEN not in repr(scrub(None, "info", fields))


def test_what_is_no_secret_stays() -> None:
    fields = {"order_id": "7", "quantity": "0.5", "lane_token": 12, "is_fast": True, "price": None}

    assert scrub(None, "info", dict(fields)) == fields


def test_the_rest_of_a_text_stays() -> None:
    assert scrubbed('{"token": "abc", "action": "buy"}') == '{"token": "***", "action": "buy"}'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the action was 'tOk-en_0.12x'", "the action was '***'"),
        ("the action was TOK/EN012X", "the action was ***"),
        ("it was 'tok-en_0.12'", "it was '***'"),
        ("of tok and en_0", "of tok and en_0"),
        ("no order 123456789012345", "no order 123456789012345"),
    ],
)
def test_what_a_caller_says_is_masked_however_it_is_written(text: str, shown: str) -> None:
    hide(lambda: ["tok-en_0.12x", "123456789012345", "order", "request_refused"])
    try:
        ours = scrub(
            None, "info", {"event": "request_refused", "why": text, "kind": "tok-en_0.12x"}
        )
        of_a_library = scrub(None, "info", {"event": "tok-en_0.12x"})
    finally:
        hide_nothing()

    assert ours == {"event": "request_refused", "why": shown, "kind": "tok-en_0.12x"}
    assert of_a_library == {"event": "***"}


def test_what_is_nested_without_end_is_cut() -> None:
    endless: dict[str, object] = {}
    endless["more"] = endless

    assert "***" in repr(scrub(None, "info", {"tree": endless}))


@pytest.mark.parametrize("part", ["token", "a-", "api_key ", "token=", "secret    "])
def test_no_text_of_a_stranger_keeps_a_process_busy(part: str) -> None:
    begun = time.monotonic()

    scrubbed(part * (64_000 // len(part)))

    assert time.monotonic() - begun < 5


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Outage:
    outage = Outage("broker")
    monkeypatch.setattr("app.logs.BROKER", outage)
    return outage


@pytest.mark.parametrize("name", ["celery.beat", "celery.worker.consumer.consumer", "kombu.x"])
def test_a_library_tells_what_ails_the_broker_once(
    capsys: pytest.CaptureFixture[str], broker: Outage, name: str
) -> None:
    del broker
    configure("worker")
    library = logging.getLogger(name)

    for number in range(5):
        library.error("Cannot connect, attempt %s: %s", number, ConnectionRefusedError())
        library.error("Cannot connect, attempt %s: %s", number, TimeoutError())
    library.warning("something else")

    assert [line["event"] for line in lines(capsys)] == [
        "Cannot connect, attempt 0: ",
        "Cannot connect, attempt 0: ",
        "something else",
    ]


def test_what_libraries_say_of_anything_else_is_written_each_time(
    capsys: pytest.CaptureFixture[str], broker: Outage
) -> None:
    del broker
    configure("worker")

    for _ in range(3):
        logging.getLogger("celery.app.trace").error("a task failed")
        logging.getLogger("celery.worker.consumer").info("connected")

    assert len(lines(capsys)) == 6


def test_what_is_no_text_is_logged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="utf-8"))
    configure("worker")

    structlog.get_logger().warning("message_ignored", value="half \ud800 of it")
    logging.getLogger("kombu").warning("half %s", "\udfff")
    sys.stdout.flush()

    assert b"half \\ud800 of it" in written.getvalue()
    assert b"half \\udfff" in written.getvalue()
