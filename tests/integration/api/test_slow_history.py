"""A history that takes long for each answer: a request waits for it once, a webhook never."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import Connection

from app import bootstrap
from app.domain.enums import Dialect
from app.history import database
from app.settings import Settings
from tests.support.caller import Caller, Json, Worker
from tests.support.each_dialect import ACCOUNT, Sent, open_for_all, request_of, signed_by
from tests.support.three_commas import TRADES

pytestmark = pytest.mark.integration

#: In which a reading alone is in time, and two are not.
SLOW_SECONDS = 0.8

_WORKS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE works()) SELECT max(i) FROM n
"""


class SlowHistory:
    """Lets each reading of the process take a while, as long as nobody calls it off.

    Attributes:
        seconds: how long.
        readings: so many were begun.
    """

    def __init__(self, begin: Callable[[Connection], None]) -> None:
        self._begin = begin
        self.seconds = 0.0
        self.readings = 0

    def begin(self, connection: Connection) -> None:
        self._begin(connection)
        self.readings += 1
        until = time.monotonic() + self.seconds
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.create_function("works", 0, lambda: time.monotonic() < until)
        connection.exec_driver_sql(_WORKS)


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As deployed; other tests are more patient. Signatures outlast a slow machine."""
    monkeypatch.setattr(bootstrap, "WEB_HISTORY_SECONDS", 1.5)
    return replace(settings, poloniex_clock_tolerance_ms=60_000)


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch) -> SlowHistory:
    slow = SlowHistory(database._begin)  # noqa: SLF001 - where each reading begins
    monkeypatch.setattr(database, "_begin", slow.begin)
    return slow


@pytest.fixture
def gone(demo: Caller, worker: Worker) -> tuple[Json, Json]:
    """A signal that has left the store, and its order."""
    open_for_all(demo)
    demo.signal(action="buy", fixed="0.01")
    worker.work()
    order, signal = demo.rows()
    worker.archive()
    return signal, order


def asked(dialect: Dialect, method: str, path: str, fields: Json | None = None) -> Sent:
    return signed_by(dialect, path, fields or {}, method=method)


def questions(signal: Json, order: Json) -> Iterator[Sent]:
    """Yield requests of the dialects that read more than once."""
    polo, search = Dialect.POLONIEX, {"account_names": [ACCOUNT], "limit": 10}
    yield asked(polo, "GET", f"/orders/{order['id']}")
    yield asked(polo, "GET", "/orders/history")
    yield asked(polo, "GET", "/smartorders/history")
    yield asked(polo, "GET", "/trades")
    yield asked(polo, "DELETE", f"/orders/{signal['id']}")
    yield asked(Dialect.THREE_COMMAS, "GET", TRADES)
    yield asked(Dialect.HUMMINGBOT, "POST", "/trading/orders/search", search)
    yield asked(Dialect.HUMMINGBOT, "POST", "/trading/trades", search)


def test_a_request_of_many_readings_waits_once(
    demo: Caller, app: Flask, history: SlowHistory, gone: tuple[Json, Json]
) -> None:
    def told() -> Iterator[tuple[int, int]]:
        """Yield the status of each answer, and how many readings were begun for it."""
        for path in ("/api/orders", f"/api/orders/{gone[0]['id']}"):
            history.readings = 0
            yield demo.send("GET", path).status_code, history.readings
        for one in questions(*gone):
            history.readings = 0
            yield one.to(app.test_client()).status_code, history.readings

    quick = list(told())
    history.seconds = SLOW_SECONDS
    slow = list(told())

    assert max(readings for _, readings in quick) > 2
    assert all(readings <= 2 for _, readings in slow)
    for (usual, readings), (status, _) in zip(quick, slow, strict=True):
        assert status in ({503} if readings > 2 else {usual, 503})


@pytest.mark.usefixtures("gone")
def test_parts_of_which_the_history_says_nothing_wait_together(
    app: Flask, history: SlowHistory
) -> None:
    live = request_of(Dialect.POLONIEX, 1).to(app.test_client()).get_json()["id"]
    named = {"orderIds": ["101", "102", "103", "104", live]}
    history.seconds, history.readings = SLOW_SECONDS, 0

    several = asked(Dialect.POLONIEX, "DELETE", "/orders/cancelByIds", named)
    answer = several.to(app.test_client())

    assert history.readings <= 2
    codes = [one["code"] for one in answer.get_json()]
    assert (answer.status_code, codes[2:]) == (200, [503, 503, 200])


@pytest.mark.usefixtures("gone")
def test_a_webhook_asks_it_nothing(app: Flask, history: SlowHistory) -> None:
    history.seconds, history.readings = SLOW_SECONDS, 0

    alerts = [request_of(Dialect.CRYPTO_ARSENAL, 1), request_of(Dialect.APISIFY, 2)]
    statuses = [one.to(app.test_client()).status_code for one in alerts]

    assert (statuses, history.readings) == ([200, 200], 0)
