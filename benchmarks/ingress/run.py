"""Measures Hookfill's webhook beside the naive app, on one store, in one run.

    python -m benchmarks.ingress.run [--seconds 4] [--rounds 3] [--with-workers]

Everything runs on loopback and in a temporary folder, and is gone afterwards.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from benchmarks.ingress.contenders import Contender, hookfill, naive_app, store
from benchmarks.ingress.load import Result, drive, percentile
from benchmarks.ingress.processes import DidNotStartError
from benchmarks.ingress.report import Round, errors, table

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many senders wait for an answer at a time.
CONNECTIONS = (1, 16, 64)
#: A longer pause and gunicorn would take the paused processes of the other app for dead.
SECONDS_MAX = 20.0
ROUNDS_MAX = 20

_WARM_UP_SECONDS = 1.0
_WARM_UP_CONNECTIONS = 8
_SYNCED_WRITES = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if anything but 200 was answered, or nothing started."""
    options = _options(arguments)
    # Ended from outside it must still stop what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="hookfill-ingress-") as folder,
            ExitStack() as stack,
        ):
            store_url = stack.enter_context(store(Path(folder)))
            print(_about(store_url, with_workers=options.with_workers), flush=True)
            start = {"with_workers": options.with_workers}
            apps = (
                stack.enter_context(naive_app(store_url, Path(folder), **start)),
                stack.enter_context(hookfill(store_url, Path(folder), **start)),
            )
            rounds = measured(*apps, seconds=options.seconds, count=options.rounds)
    except DidNotStartError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(rounds))
    complaints = errors(rounds)
    if complaints:
        print("\nNot every request was answered 200, so the figures say little:")
        print("\n".join(f"- {complaint}" for complaint in complaints))
    return 1 if complaints else 0


def measured(naive: Contender, hookfill_: Contender, *, seconds: float, count: int) -> list[Round]:
    """Drive the two apps in turn; who comes first changes from round to round."""
    for app in (naive, hookfill_):
        app.pause()
    for app in (naive, hookfill_):
        _driven(app, _WARM_UP_CONNECTIONS, _WARM_UP_SECONDS)
    rounds = []
    for number in range(count):
        for connections in CONNECTIONS:
            order = (naive, hookfill_) if number % 2 == 0 else (hookfill_, naive)
            seen = {app.name: _driven(app, connections, seconds) for app in order}
            rounds.append(Round(seen[naive.name], seen[hookfill_.name]))
    return rounds


def _driven(app: Contender, connections: int, seconds: float) -> Result:
    """Measure one app while the other one stands still."""
    app.resume()
    try:
        return drive(app.port, app.requests, connections=connections, seconds=seconds)
    finally:
        app.pause()


def _about(store_url: str, *, with_workers: bool) -> str:
    """Return what a reader must know of the machine to compare figures."""
    client = redis.Redis.from_url(store_url)
    client.set("warm", "up")
    waits_ms = sorted(_synced_write_ms(client) for _ in range(_SYNCED_WRITES))
    facts = client.info("server")
    client.close()
    version = facts.get("valkey_version") or facts["redis_version"]
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"{facts.get('server_name', 'redis')} {version}, appendfsync always: one small write takes "
        f"{percentile(waits_ms, 50):.2f} ms (p99 {percentile(waits_ms, 99):.2f}). "
        f"Workers {'run, task events on' if with_workers else 'do not run'}.\n"
    )


def _synced_write_ms(client: redis.Redis) -> float:
    started = time.perf_counter()
    client.set("probe", "1")
    return (time.perf_counter() - started) * 1000


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ingress.run", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seconds", type=float, default=4, help="length of each run (4)")
    parser.add_argument("--rounds", type=int, default=3, help="how often all is repeated (3)")
    parser.add_argument(
        "--with-workers", action="store_true", help="run the workers of both apps as well"
    )
    options = parser.parse_args(arguments)
    if not 0 < options.seconds <= SECONDS_MAX or not 0 < options.rounds <= ROUNDS_MAX:
        parser.error(f"at most {SECONDS_MAX:g} seconds and {ROUNDS_MAX} rounds")
    return options


if __name__ == "__main__":
    sys.exit(main())
