"""A store that stands still: everybody is told so soon, however many ask at once."""

import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, cycle, islice
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask

from app import bootstrap
from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.settings import Settings
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import Caller
from tests.support.each_dialect import open_for_all, request_of
from tests.support.servers import QUICK, Server, running_server

pytestmark = pytest.mark.integration

AT_ONCE = 40

#: As deployed; other tests are more patient.
STORE_SECONDS = 0.5

#: Whoever waits for a connection first, and then for an answer, waits half as long again; and all
#: share a few processors. One after the other they would take AT_ONCE times as long.
LONGER_THAN_ALONE = 4

_numbers = count(1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path / "redis", QUICK) as server:
        yield server


@pytest.fixture
def settings(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As in real use, where time is no record of the store, save that signatures last longer."""
    monkeypatch.setattr(bootstrap, "WEB_STORE_SECONDS", STORE_SECONDS)
    given = Settings.from_environment(
        {
            "REDIS_URL": server.url,
            "HOOKFILL_DATA_DIR": str(tmp_path),
            "HOOKFILL_ADMIN_TOKEN": ADMIN_TOKEN,
            "HOOKFILL_FAST": "1",
        }
    )
    return replace(given, fast=False, poloniex_clock_tolerance_ms=60_000)


@contextmanager
def standing_still(server: Server) -> Iterator[None]:
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def sent(app: Flask, dialect: Dialect) -> tuple[int, float]:
    """Send what was never sent before; return the status, and how many seconds it took."""
    one, begun = request_of(dialect, next(_numbers)), time.monotonic()
    answer = one.to(app.test_client())
    return answer.status_code, time.monotonic() - begun


def sent_at_once(app: Flask, dialects: Sequence[Dialect]) -> list[tuple[int, float]]:
    together = Barrier(len(dialects))

    def send(dialect: Dialect) -> tuple[int, float]:
        together.wait()
        return sent(app, dialect)

    with ThreadPoolExecutor(len(dialects)) as pool:
        return list(pool.map(send, dialects))


def made(wiring: Wiring) -> int:
    return len(list(islice(wiring.reader.newest(None), 200)))


def test_nobody_waits_for_others_while_the_store_stands_still(
    app: Flask, wiring: Wiring, demo: Caller, server: Server
) -> None:
    open_for_all(demo)
    for dialect in Dialect:
        assert sent(app, dialect)[0] < 300, dialect
    before = made(wiring)
    crowd = list(islice(cycle(Dialect), AT_ONCE))

    with standing_still(server):
        alone = [sent(app, dialect) for dialect in Dialect]
        together = sent_at_once(app, crowd)

    assert {status for status, _ in alone + together} == {503}
    slowest = max(seconds for _, seconds in together)
    assert slowest < LONGER_THAN_ALONE * max(STORE_SECONDS, *(seconds for _, seconds in alone))
    assert made(wiring) == before, "what was answered 503 was queued"
    for dialect in Dialect:
        assert sent(app, dialect)[0] < 300, dialect
    assert made(wiring) == before + len(Dialect)
