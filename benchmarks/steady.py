"""How full the store becomes while orders come at one rate for minutes.

    python -m benchmarks.steady [--minutes 10] [--per-second 100] [--lanes 100]

A whole `hookfill up` with its own limits of memory takes alerts that buy and sell by turns. What
has finished goes into the history, and leaves the store the sooner the fuller that is.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.apps import AS_IT_COMES, Hookfill, hookfill_up
from benchmarks.load import drive, paced

if TYPE_CHECKING:
    from collections.abc import Sequence

#: All that is set of it: one sender stands for many.
_SETTINGS = {**AS_IT_COMES, "HOOKFILL_RATE_LIMITS": "0"}
_CONNECTIONS = 16
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of it at a moment.

    Attributes:
        memory_percent: of what the store may use.
        filled: orders since the start.
        unfinished: requests and orders that have come to no end.
    """

    memory_percent: float
    filled: int
    unfinished: int


def main() -> int:
    arguments = _arguments()
    with TemporaryDirectory() as folder, hookfill_up(Path(folder), _SETTINGS) as app:
        app.prepare(arguments.lanes)
        looks, ended = [_look(app)], threading.Event()
        looker = threading.Thread(target=_watch, args=(app, looks, ended))
        looker.start()
        try:
            requests = paced(app.requests(arguments.lanes), arguments.per_second)
            seconds = arguments.minutes * 60
            result = drive(app.port, requests, connections=_CONNECTIONS, seconds=seconds)
        finally:
            ended.set()
            looker.join()
    print(json.dumps(_told(looks, result.answered, seconds) | {"errors": result.errors}, indent=2))
    return 0


def _watch(app: Hookfill, looks: list[Look], ended: threading.Event) -> None:
    while not ended.wait(_LOOK_SECONDS):
        looks.append(_look(app))


def _look(app: Hookfill) -> Look:
    memory = app.memory()
    percent = round(100 * memory.used_bytes / memory.limit_bytes, 1)
    return Look(percent, app.filled(), app.unfinished())


def _told(looks: Sequence[Look], answered: int, seconds: float) -> dict[str, object]:
    fullest = max(one.memory_percent for one in looks)
    later = looks[len(looks) // 2 :]
    return {
        "acknowledged_per_second": round(answered / seconds, 1),
        "filled_per_second": round((looks[-1].filled - looks[0].filled) / seconds, 1),
        "memory_percent_at_most": fullest,
        "memory_percent_at_most_in_the_second_half": max(one.memory_percent for one in later),
        "unfinished_at_most": max(one.unfinished for one in looks),
        "at_the_end": asdict(looks[-1]),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--per-second", type=float, default=100.0)
    parser.add_argument("--lanes", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
