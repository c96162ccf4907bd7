"""Kills, freezes and confuses a running Hookfill for a long time, and checks what it promises.

    python -m benchmarks.chaos --seconds 600 --seed 1

The same as tests/end_to_end/test_chaos.py, for as long as one likes; see there what is checked.
Afterwards the store is killed `--restarts` times in a row, and each time a message must come
through. Everything runs on loopback, in a folder of its own, with play money. The seed decides what
is sent and what is done to whom; when exactly, the machine decides.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.load import percentile
from tests.support.chaos.checker import violations
from tests.support.chaos.load import ACCOUNTS, Load, a_trade, prepare
from tests.support.chaos.trial import await_filled, quiet, tried
from tests.support.stack import Stack, running_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS_MAX = 4 * 3600
RESTARTS_MAX = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the figures, and return 1 if anything was not as promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--seconds", type=int, default=300, help="of harm (300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--restarts", type=int, default=20, help="of the store in a row (20)")
    parser.add_argument("--data-dir", type=Path, help="kept afterwards; else a passing folder")
    options = parser.parse_args(arguments)
    if not 0 <= options.seconds <= SECONDS_MAX or not 0 <= options.restarts <= RESTARTS_MAX:
        parser.error(f"at most {SECONDS_MAX} seconds and {RESTARTS_MAX} restarts")
    with (
        tempfile.TemporaryDirectory() as passing,
        running_stack(options.data_dir or Path(passing)) as stack,
    ):
        count = _told(_harmed(stack, options.seed, options.seconds))
        count += _told(_restarted(stack, options.seed, options.restarts))
    print(f"{count} violations, seed {options.seed}")
    return 1 if count else 0


def _told(complaints: Sequence[str]) -> int:
    for complaint in complaints:
        print(f"VIOLATION {complaint}", flush=True)
    return len(complaints)


def _harmed(stack: Stack, seed: int, seconds: int) -> list[str]:
    verdict = tried(stack, seed, seconds)
    print(json.dumps({**verdict.tally, **verdict.harms}, indent=2))
    for what, values in verdict.recovery_seconds.items():
        _print_figures(f"whole again after {what}", values)
    print(f"everything had ended {verdict.quiet_seconds:.1f} s after the last fault")
    return verdict.violations


def _restarted(stack: Stack, seed: int, count: int) -> list[str]:
    """Kill the store again and again; each time an order must come through soon."""
    prepare(stack)
    load = Load(stack.url("/trading-signal/webhook"), seed)
    took = []
    for number in range(count):
        stack.kill("redis")
        started = time.monotonic()
        message = a_trade(f"restart-{seed}-{number}", ACCOUNTS[0])
        load.send(message, resends=200)
        await_filled(stack, message)
        took.append(time.monotonic() - started)
    if took:
        _print_figures("an order filled after a restart of the store", took)
    return violations(quiet(load, stack))


def _print_figures(what: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    figures = f"p50 {percentile(ordered, 50):.1f} s, max {ordered[-1]:.1f} s"
    print(f"{what}: {len(ordered)} times, {figures}")


if __name__ == "__main__":
    sys.exit(main())
