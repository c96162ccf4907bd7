"""From the webhook on: how many are acknowledged, how soon each is an order, and how delays end."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from benchmarks.apps import Hookfill
from benchmarks.load import Result, drive, paced, percentile
from benchmarks.processes import cpu_seconds
from benchmarks.table import Row, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.apps import App

T = TypeVar("T")

#: How many senders wait for an answer at a time.
CONNECTIONS = (1, 16, 64)
#: Lanes of the rows that have many.
LANES = 100
#: Lanes over which delays end.
DELAY_LANES = 1_000
#: So many webhooks are kept waiting where it is measured how fast they are carried out.
BACKLOG = 150
#: Webhooks a second to an app that has done with each before the next comes, and to a busy one.
IDLE, BUSY = 10, 50
#: Any app acknowledges more in a second; with some room all is sent before the first is due.
_SENDS_A_SECOND, _ROOM_SECONDS_MAX = 400, 15
_DRAINED_SECONDS_MAX = 1_800.0
_WARM_UP_CONNECTIONS, _WARM_UP_SECONDS = 8, 1.0
#: To look is work for the store as well.
_LOOK_SECONDS = 0.1
_SEED = 1


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of webhooks that were sent as fast as they were acknowledged.

    Attributes:
        filled: orders a second, while it lasted.
        drained_seconds: from its end until nothing waited any more.
        expired: signals that had waited for too long by then.
    """

    result: Result
    filled: float
    drained_seconds: float
    expired: int


@dataclass(frozen=True, slots=True)
class Busy:
    """What was seen of an app for which more waited than it could place.

    Attributes:
        filled: orders a second.
        cpu_ms: of each process, an order.
    """

    filled: float
    cpu_ms: Mapping[str, float]


def acknowledged(apps: Sequence[App], seconds: float, rounds: int) -> Iterator[Row | str]:
    """Measure how many webhooks are acknowledged, and what becomes of them."""
    for app in apps:
        with _ready(app, LANES):
            _burst(app, _WARM_UP_CONNECTIONS, _WARM_UP_SECONDS)
    for connections in CONNECTIONS:
        found = _bursts(apps, connections, seconds, rounds)
        at = f"{connections} connection{'s' * (connections > 1)}"
        yield _row(f"acknowledged/s, {at}", found, lambda one: one.result.per_second, more=True)
        yield _row(f"acknowledged, p99 ms, {at}", found, lambda one: one.result.percentile_ms(99))
        for name, bursts in found.items():
            for burst in bursts:
                yield from _complaints(f"{name}, {at}", burst.result)
        if connections != CONNECTIONS[-1]:
            continue
        yield _row(f"orders filled/s meanwhile, {at}", found, lambda one: one.filled, more=True)
        yield _row(f"s from then until none waited, {at}", found, lambda one: one.drained_seconds)
        expired = median(one.expired for one in found["Hookfill"])
        yield Row(name=f"expired by then, {at}", hookfill=expired)


def alert_to_order(apps: Sequence[App], seconds: float) -> Iterator[Row | str]:
    """Measure the time from the alert to its order, of an idle app and of a busy one."""
    for name, per_second, lanes in (("idle", IDLE, 1), (f"at {BUSY}/s", BUSY, LANES)):
        found = {}
        for app in apps:
            with _ready(app, lanes):
                requests = paced(app.requests(lanes), per_second)
                result = drive(app.port, requests, connections=4, seconds=seconds)
                _drained(app)
                found[app.name] = [app.waits_ms(result.answered)]
                yield from _complaints(f"{app.name}, {name}", result)
        for percent in (50, 99):
            figure = partial(percentile, percent=percent)
            yield _row(f"alert to order, p{percent} ms, {name}", found, figure)


def lanes(apps: Sequence[App], seconds: float) -> Iterator[Row | str]:
    """Measure how many orders are filled a second while more wait, and what each takes."""
    found: dict[str, list[Busy]] = {}
    for name, count in (("one lane", 1), (f"{LANES} lanes", LANES)):
        for app in apps:
            with _ready(app, count):
                found[app.name] = [_held_busy(app, count, seconds)]
        yield _row(f"orders filled/s, {name}", found, lambda one: one.filled, more=True)
        yield _row(f"CPU ms an order, {name}", found, lambda one: sum(one.cpu_ms.values()))
    for app in apps:
        each = told(found[app.name][0].cpu_ms)
        yield f"CPU ms an order of {app.name}, {LANES} lanes, its webhook included: {each}."


def delays(apps: Sequence[App], count: int, seconds: float) -> Iterator[Row | str]:
    """Measure how late delayed signals are, of which all are due within so many seconds."""
    in_lanes = min(DELAY_LANES, count)
    released: dict[str, list[list[float]]] = {}
    made: dict[str, list[list[float]]] = {}
    for app in apps:
        with _ready(app, in_lanes):
            dice = random.Random(_SEED)  # noqa: S311
            room = min(count / 100, _ROOM_SECONDS_MAX)
            first = time.time() + 2 + count / _SENDS_A_SECOND + room
            due = [first + dice.uniform(0, seconds) for _ in range(count)]
            requests = app.delayed(in_lanes, due)
            result = drive(app.port, requests, connections=16, seconds=_DRAINED_SECONDS_MAX)
            _drained(app)
            begun, ordered = app.late_ms(result.answered)
            released[app.name], made[app.name] = [begun], [ordered]
            yield from _complaints(f"{app.name}, delays", result)
    what = f"{count:,} delays over {seconds:g} s"
    for name, found in (("released", released), ("order made", made)):
        for percent in (50, 99):
            figure = partial(percentile, percent=percent)
            yield _row(f"{what}: {name}, p{percent} ms late", found, figure)
    yield _row(f"{what}: orders made", made, len, more=True)
    yield _row(f"{what}: early", {app: [released[app][0] + made[app][0]] for app in made}, _early)


def _early(late_ms: Sequence[float]) -> int:
    return sum(one < 0 for one in late_ms)


@contextmanager
def _ready(app: App, lanes: int) -> Iterator[None]:
    """Let this app alone run, with as many lanes as are wanted."""
    with app.going_on():
        if isinstance(app, Hookfill):
            app.prepare(lanes)
        yield


def _bursts(
    apps: Sequence[App], connections: int, seconds: float, rounds: int
) -> Mapping[str, Sequence[Burst]]:
    """Drive the apps in turn; who comes first changes from round to round."""
    found: dict[str, list[Burst]] = {app.name: [] for app in apps}
    for number in range(rounds):
        for app in apps if number % 2 == 0 else reversed(apps):
            with _ready(app, LANES):
                found[app.name].append(_burst(app, connections, seconds))
    return found


def _complaints(of: str, result: Result) -> Iterator[str]:
    """Yield a sentence for each answer that makes the figures worth less."""
    for error, count in result.errors.items():
        yield f"{of}: {count} webhooks were not answered 200 but {error}."


def _row(
    name: str, found: Mapping[str, Sequence[T]], figure: Callable[[T], float], *, more: bool = False
) -> Row:
    """Return the median of what was found for each app."""
    medians = {app: float(median(map(figure, every))) for app, every in found.items()}
    return Row(
        name=name,
        hookfill=medians["Hookfill"],
        naive=medians["naive"],
        fast_api=medians.get("FastAPI"),
        more_is_better=more,
    )


def _burst(app: App, connections: int, seconds: float) -> Burst:
    filled, expired = app.filled(), _expired(app)
    result = drive(app.port, app.requests(LANES), connections=connections, seconds=seconds)
    filled = app.filled() - filled
    drained = _drained(app)
    return Burst(result, filled / seconds, drained, _expired(app) - expired)


def _expired(app: App) -> int:
    """Return how many signals it has given up; others than Hookfill never do."""
    return app.expired() if isinstance(app, Hookfill) else 0


def _drained(app: App) -> float:
    """Wait until it has done with all that it has acknowledged; return after how many seconds."""
    begun = time.monotonic()
    while app.unfinished():
        if time.monotonic() > begun + _DRAINED_SECONDS_MAX:
            raise TimeoutError(f"{app.name} has not done with {app.unfinished()} webhooks")
        time.sleep(_LOOK_SECONDS)
    return time.monotonic() - begun


def _held_busy(app: App, lanes: int, seconds: float) -> Busy:
    seen: list[tuple[float, int]] = []
    used, first = cpu_seconds(app.pids()), app.filled()
    requests = _held_back(app, app.requests(lanes), seconds, seen)
    drive(app.port, requests, connections=16, seconds=seconds)
    seen.append((time.monotonic(), app.filled()))
    _drained(app)
    orders = app.filled() - first
    (begun, before), (end, after) = seen[len(seen) // 5], seen[-1]
    return Busy(
        filled=(after - before) / (end - begun),
        cpu_ms={
            name: (now - used[name]) * 1000 / max(orders, 1)
            for name, now in cpu_seconds(app.pids()).items()
        },
    )


def _held_back(
    app: App, requests: Iterator[bytes], seconds: float, seen: list[tuple[float, int]]
) -> Iterator[bytes]:
    """Yield webhooks so that as many wait as should; note how many orders were filled when."""
    end, before = time.monotonic() + seconds, app.filled()
    for sent, request in enumerate(requests):
        while not seen or time.monotonic() < end:
            if not seen or time.monotonic() > seen[-1][0] + _LOOK_SECONDS:
                seen.append((time.monotonic(), app.filled()))
            if sent - (seen[-1][1] - before) < BACKLOG:
                break
            time.sleep(0.01)
        yield request
