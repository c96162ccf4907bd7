"""What compares dry runs with real ones finds what they differ in."""

import json
import threading
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from unittest.mock import Mock

import fakeredis
import pytest
import redis

from tests.support.rehearsing import ALIKE, Differences, Rehearsing


class App:
    """Says one thing dry, and does another."""

    def __init__(self, told: Any, status: str, store: redis.Redis, writes: bool) -> None:  # noqa: ANN401, FBT001
        self._told, self._status = told, status
        self._store, self._writes = store, writes

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401
        if "HTTP_X_DRY_RUN" not in environ:
            start_response(self._status, [])
            return [b"ok"]
        if self._writes:
            self._store.set("a", "b")
        start_response("200 OK", [])
        return [json.dumps(self._told).encode()]


def differences(
    orders: list[object],
    status: str = "200 OK",
    writes: bool = False,  # noqa: FBT001, FBT002
) -> list[str]:
    """Return what is found where nothing was ordered, and the answer should be 200."""
    store = fakeredis.FakeRedis(decode_responses=True)
    worker = Mock()
    worker.wiring.reader.newest.return_value = []
    told = {
        "dry_run": True,
        "answer": {"status": 200},
        "orders": orders,
        "outcome": "would_send",
    }
    found = Differences()
    app = Rehearsing(App(told, status, store, writes), worker, threading.Lock(), store, found)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/orders",
        "CONTENT_LENGTH": "2",
        "wsgi.input": BytesIO(b"{}"),
    }
    assert list(app(environ, lambda *_: None)) == [b"ok"]
    return found.found


def test_what_is_the_same_is_no_difference() -> None:
    assert differences([]) == []


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"orders": [dict.fromkeys(ALIKE, "1")]}, "orders were to be"),
        ({"orders": [], "status": "400 BAD REQUEST"}, "the answer would be"),
        ({"orders": [], "writes": True}, "the dry run wrote"),
    ],
    ids=["orders", "answer", "store"],
)
def test_what_differs_is_found(said: dict[str, Any], word: str) -> None:
    (found,) = differences(**said)

    assert word in found
