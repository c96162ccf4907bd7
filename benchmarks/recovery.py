"""How soon Hookfill goes on after its processes were killed."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from benchmarks.load import drive
from benchmarks.table import Row
from tests.support.processes import eventually, family, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.apps import Hookfill

#: Webhooks of one lane that are on their way when its workers are killed.
_ON_THEIR_WAY = 100
#: Of these so many are filled by then.
_FILLED = 10
_PATIENCE_SECONDS = 180.0


def recovered(app: Hookfill, kills: int) -> Iterator[Row]:
    """Kill the web, then all workers, so often, and measure how long each is felt at most."""
    with app.going_on():
        app.prepare(lanes=1)
        for name, gone_on in (
            ("SIGKILL of all web processes to `ok`", _web),
            ("SIGKILL of all workers to the next order of a busy lane", _lane),
        ):
            waits = [gone_on(app) for _ in range(kills)]
            yield Row(name=f"s from {name}, longest of {kills}", hookfill=max(waits))


def _web(app: Hookfill) -> float:
    begun = _killed(app, "web")
    requests = app.requests()
    eventually(lambda: _is_answered(app, requests), _PATIENCE_SECONDS)
    return time.monotonic() - begun


def _is_answered(app: Hookfill, requests: Iterator[bytes]) -> bool:
    with suppress(OSError):
        result = drive(app.port, islice(requests, 1), connections=1, seconds=_PATIENCE_SECONDS)
        return result.answered == 1
    return False


def _lane(app: Hookfill) -> float:
    before = app.filled()
    requests = islice(app.requests(), _ON_THEIR_WAY)
    drive(app.port, requests, connections=16, seconds=_PATIENCE_SECONDS)
    eventually(lambda: app.filled() >= before + _FILLED, _PATIENCE_SECONDS)
    begun = _killed(app, "worker")
    before = app.filled()
    eventually(lambda: app.filled() > before, _PATIENCE_SECONDS)
    took = time.monotonic() - begun
    eventually(lambda: not app.unfinished(), _PATIENCE_SECONDS)
    return took


def _killed(app: Hookfill, kind: str) -> float:
    """Kill all processes of a kind at once; return when that was."""
    eventually(lambda: all(map(is_alive, app.pids().values())), _PATIENCE_SECONDS)
    leaders = [pid for name, pid in app.pids().items() if name.partition("-")[0] == kind]
    for pid in [one for leader in leaders for one in family(leader)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return time.monotonic()
