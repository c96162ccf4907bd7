"""Measures how late delayed signals are, and how many Celery messages they take.

    python -m benchmarks.delays --count 2000 --seconds 10

Starts a Hookfill of its own (test profile, play money, loopback), sends signals that are all due
within so many seconds, and reads when each was released and when its order arrived at the paper
venue. Beside it: an app that leaves the delays to Celery, `apply_async(countdown=...)`, on the same
kind of server, with one worker. Its task only notes the time, Hookfill's places an order.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
from celery import Celery

from benchmarks.ingress.load import percentile
from benchmarks.ingress.processes import running
from tests.support.chaos.load import ACCOUNTS, Load, a_trade, prepare
from tests.support.chaos.trial import quiet
from tests.support.servers import running_server
from tests.support.stack import Stack, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COUNT_MAX = 10_000
SECONDS_MAX = 120
SEED = 1
SENDERS = 8
#: Slower than it is, so that everything has been sent before the first is due.
SENDS_PER_SECOND = 60
#: Signals whose timeline is read.
SAMPLE = 200
#: Of each of Hookfill's workers.
CONCURRENCY = 2
_WAIT_SECONDS = 120.0
_RAN = "ran"
_SLOTS = "hookfill:slot:*"

naive = Celery("naive_delays", broker=os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/3"))
naive.conf.update(task_ignore_result=True, task_default_queue="naive")


@naive.task(name="naive.due")
def due(number: int) -> None:
    """Note when it ran."""
    with redis.Redis.from_url(os.environ["BROKER_URL"]) as store:
        store.hset(_RAN, str(number), _now_ms())


@dataclass(frozen=True)
class Figures:
    """What became of the signals.

    Attributes:
        late_ms: how late each of them was, sorted; negative is early.
        messages: Celery messages that were to wake somebody at the due times.
    """

    late_ms: Sequence[int]
    messages: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a Markdown table, and return 1 if a signal of ours was early or is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delays")
    parser.add_argument("--count", type=int, default=2_000, help="signals (2000)")
    parser.add_argument("--seconds", type=int, default=10, help="in which all are due (10)")
    options = parser.parse_args(arguments)
    if not 0 < options.count <= COUNT_MAX or not 0 < options.seconds <= SECONDS_MAX:
        parser.error(f"at most {COUNT_MAX} signals and {SECONDS_MAX} seconds")
    with tempfile.TemporaryDirectory() as folder:
        released, arrived = hookfill(Path(folder) / "hookfill", options.count, options.seconds)
        theirs = countdowns(Path(folder) / "naive", options.count, options.seconds)
    print("| | signals | messages | early | p50 ms | p99 ms | max ms |")
    print("| :--- | ---: | ---: | ---: | ---: | ---: | ---: |")
    _print_row("Hookfill, released (a sample)", released)
    _print_row("Hookfill, order at the venue", arrived)
    _print_row("one countdown each, task begun", theirs)
    is_well = (
        len(arrived.late_ms) == options.count and min(released.late_ms[0], arrived.late_ms[0]) >= 0
    )
    return 0 if is_well else 1


def hookfill(folder: Path, count: int, seconds: int) -> tuple[Figures, Figures]:
    """Send signals to a Hookfill; return when they were released, and reached the venue."""
    with running_stack(folder) as stack:
        prepare(stack)
        load = Load(stack.url("/trading-signal/webhook"), SEED)
        due_ms = _due_times_ms(count, seconds)

        def send(number: int) -> None:
            delay_ms = max(due_ms[number] - _now_ms(), 0)
            account = ACCOUNTS[number % len(ACCOUNTS)]
            load.send(a_trade(f"delay-{number}", account, delaySeconds=delay_ms / 1000))

        with _counted_slots(stack.run["redis_url"]) as slots:
            with ThreadPoolExecutor(SENDERS) as pool:
                list(pool.map(send, range(count)))
            found = quiet(load, stack)
        orders = {row["client_order_id"]: row for row in found.rows if row["kind"] == "ORDER"}
        arrived = [
            row["received_at_ms"] - orders[row["client_order_id"]]["due_at_ms"]
            for account in found.accounts.values()
            for row in account["ledger"]
        ]
        signals = [row for row in found.rows if row["kind"] == "SIGNAL"]
        sample = signals[:: max(len(signals) // SAMPLE, 1)]
        released = [late_ms for row in sample for late_ms in _late_ms(stack, row)]
        return Figures(sorted(released), len(slots)), Figures(sorted(arrived), len(slots))


def countdowns(folder: Path, count: int, seconds: int) -> Figures:
    """Leave the same delays to Celery."""
    with running_server(folder) as server, redis.Redis.from_url(server.url) as store:
        environment = {"BROKER_URL": server.url}
        command = [sys.executable, "-m", "celery", "-A", "benchmarks.delays", "worker"]
        options = ["-c", str(CONCURRENCY), "--without-gossip", "--without-mingle"]
        with running([*command, *options], environment, folder / "worker.log"):
            naive.conf.update(broker_url=server.url)
            due.delay(-1)
            _await_ran(store, 1)  # the worker is up
            due_ms = _due_times_ms(count, seconds)
            for number, at_ms in enumerate(due_ms):
                due.apply_async((number,), countdown=max(at_ms - _now_ms(), 0) / 1000)
            _await_ran(store, count + 1)
        ran = {int(number): int(at_ms) for number, at_ms in store.hgetall(_RAN).items()}
    return Figures(sorted(ran[one] - at_ms for one, at_ms in enumerate(due_ms)), count)


def _due_times_ms(count: int, seconds: int) -> list[int]:
    """Return due times, the first of which comes when all of them should have been sent."""
    dice, first_ms = random.Random(SEED), _now_ms() + count * 1000 // SENDS_PER_SECOND  # noqa: S311
    return [first_ms + dice.randrange(seconds * 1000) for _ in range(count)]


def _late_ms(stack: Stack, row: Mapping[str, Any]) -> list[int]:
    """Return how late a signal was released; nothing if it was sent too late to be delayed."""
    timeline = stack.call("GET", f"/api/orders/{row['id']}")["timeline"]
    return [one["at_ms"] - row["due_at_ms"] for one in timeline if one["event"] == "due"]


@contextmanager
def _counted_slots(url: str) -> Iterator[set[bytes]]:
    """Gather the marks of countdown messages; each stays in the store until after its time."""
    seen: set[bytes] = set()
    has_ended = threading.Event()

    def look() -> None:
        with redis.Redis.from_url(url) as store:
            while not has_ended.wait(0.5):
                seen.update(store.scan_iter(_SLOTS, count=10_000))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        has_ended.set()
        thread.join()


def _await_ran(store: redis.Redis, count: int) -> None:
    until = time.monotonic() + _WAIT_SECONDS
    while store.hlen(_RAN) < count and time.monotonic() < until:
        time.sleep(0.2)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _print_row(name: str, figures: Figures) -> None:
    late = figures.late_ms
    early = sum(one < 0 for one in late)
    numbers = [percentile(late, 50), percentile(late, 99), late[-1]] if late else []
    cells = [len(late), figures.messages, early, *(f"{one:.0f}" for one in numbers)]
    print(f"| {name} | {' | '.join(str(cell) for cell in cells)} |")


if __name__ == "__main__":
    sys.exit(main())
