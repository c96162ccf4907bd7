"""What an app takes to start, and what it takes while nobody asks anything of it.

Hookfill is started twice, since the first start makes the demo accounts and byte code. Memory is
the proportional set size: what processes share counts in part for each. It is read in /proc, so
this needs Linux.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.apps import AS_IT_COMES, hookfill_up, naive_app
from benchmarks.processes import cpu_seconds, memory_mb
from benchmarks.table import Row, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from benchmarks.apps import App


@dataclass(frozen=True, slots=True)
class Standing:
    """What was seen of one app.

    Attributes:
        ready_seconds: from its start until it worked.
        start_cpu_seconds: what all its processes used by then.
        memory_mb: by process.
        cpu_seconds: by process, in a minute in which nobody asked anything.
        written_kb: in a second of it, to the append-only file of the store.
    """

    ready_seconds: float
    start_cpu_seconds: float
    memory_mb: Mapping[str, float]
    cpu_seconds: Mapping[str, float]
    written_kb: float


def standing(folder: Path, seconds: float) -> Iterator[Row | str]:
    """Measure both apps, one after the other, alone for so many seconds each."""
    with hookfill_up(folder / "hookfill", AS_IT_COMES):
        pass
    begun = time.monotonic()
    with hookfill_up(folder / "hookfill", AS_IT_COMES) as app:
        ours = _seen(app, folder / "hookfill", begun, seconds)
    begun = time.monotonic()
    with naive_app(folder / "naive") as other:
        theirs = _seen(other, folder / "naive", begun, seconds)
    figures = {
        "ready after its start, s": [one.ready_seconds for one in (ours, theirs)],
        "CPU s until ready": [one.start_cpu_seconds for one in (ours, theirs)],
        "memory of all, MB (PSS)": [sum(one.memory_mb.values()) for one in (ours, theirs)],
        "CPU s a minute, idle": [sum(one.cpu_seconds.values()) for one in (ours, theirs)],
        "kB/s to the append-only file, idle": [one.written_kb for one in (ours, theirs)],
    }
    for name, (hookfill, naive) in figures.items():
        yield Row(name=name, hookfill=hookfill, naive=naive)
    yield f"Memory of Hookfill, MB: {told(ours.memory_mb)}."
    yield f"CPU of Hookfill, s a minute, idle: {told(ours.cpu_seconds)}."


def _seen(app: App, folder: Path, begun: float, seconds: float) -> Standing:
    ready = time.monotonic() - begun
    pids = app.pids()
    started, memory, written = cpu_seconds(pids), memory_mb(pids), _log_bytes(folder)
    time.sleep(seconds)
    used = cpu_seconds(pids)
    return Standing(
        ready_seconds=ready,
        start_cpu_seconds=sum(started.values()),
        memory_mb=memory,
        cpu_seconds={name: (used[name] - started[name]) * 60 / seconds for name in pids},
        written_kb=(_log_bytes(folder) - written) / seconds / 1000,
    )


def _log_bytes(folder: Path) -> int:
    """Return the size of what the store has appended."""
    return sum(one.stat().st_size for one in folder.rglob("*.aof"))
