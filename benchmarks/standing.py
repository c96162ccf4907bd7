"""Measures what a running Hookfill takes while nobody asks anything of it.

    python -m benchmarks.standing --seconds 60

Starts `hookfill up` with play money in an empty folder, twice, since the first start makes the demo
accounts; of the second one it tells the CPU time and the wait until it is ready, the memory of each
process, and what all of them use in the seconds that follow. Memory is the proportional set size:
what processes share counts in part for each. It reads /proc, so it needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ingress.load import HOST
from benchmarks.ingress.processes import DidNotStartError, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SECONDS_MAX = 3_600
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
#: Byte code is made by the first start; where none may be written, each start would make it.
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": ""}
_HEAD = (
    "| process | CPU s until ready | MB (PSS) | CPU s a minute, idle |",
    "| :--- | ---: | ---: | ---: |",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a Markdown table; return 1 if it did not start."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="how long it is left alone")
    seconds = parser.parse_args(arguments).seconds
    if not 0 < seconds <= SECONDS_MAX:
        parser.error(f"--seconds is above 0 and at most {SECONDS_MAX}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            print(measured(Path(folder), seconds))
    except DidNotStartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def measured(folder: Path, seconds: float) -> str:
    """Return the table.

    Raises:
        DidNotStartError: it did not start.
    """
    with _ready(folder):
        pass
    begun = time.monotonic()
    with _ready(folder) as processes:
        waited = time.monotonic() - begun
        started, memory = _cpu_seconds(processes), _memory_mb(processes)
        bytes_before = _log_bytes(folder)
        time.sleep(seconds)
        used = _cpu_seconds(processes)
        written = _log_bytes(folder) - bytes_before
    rows = [
        (name, started[name], memory[name], (used[name] - started[name]) * 60 / seconds)
        for name in processes
    ]
    whole = ("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))
    lines = [
        f"| {name} | {cpu:.1f} | {mb:.0f} | {idle:.2f} |" for name, cpu, mb, idle in [*rows, whole]
    ]
    about = (
        f"Ready after {waited:.1f} s. Left alone for {seconds:g} s it wrote "
        f"{written / seconds / 1000:.1f} kB/s to the store's append-only file."
    )
    return "\n".join([*_HEAD, *lines, "", about])


@contextmanager
def _ready(folder: Path) -> Iterator[Mapping[str, int]]:
    """Yield name → id of the processes of a Hookfill that is ready."""
    port, data = free_port(), folder / "data"
    program = str(Path(sys.executable).with_name("hookfill"))
    command = [program, "up", "--port", str(port), "--data-dir", str(data)]
    with running(command, _ENVIRONMENT, folder / "up.log") as supervisor:
        supervisor.wait_for_answer(f"http://{HOST}:{port}/readyz")
        while not (data / "run.json").exists():
            time.sleep(0.05)
        run = json.loads((data / "run.json").read_text())
        yield {"supervisor": supervisor.pid, **run["pids"]}


def _cpu_seconds(processes: Mapping[str, int]) -> Mapping[str, float]:
    """Return name → what it and those that it has started have used since their start."""
    used: defaultdict[str, float] = defaultdict(float)
    for name, pid in _members(processes):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[name] += sum(map(int, fields[11:13])) / _TICKS_A_SECOND
    return used


def _memory_mb(processes: Mapping[str, int]) -> Mapping[str, float]:
    held: defaultdict[str, float] = defaultdict(float)
    for name, pid in _members(processes):
        with suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            held[name] += int(text.partition("\nPss:")[2].split()[0]) / 1024
    return held


def _members(processes: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield each process with the name of the one that has started it."""
    names = {pid: name for name, pid in processes.items()}
    for name, pid in processes.items():
        waiting = [pid]
        while waiting:
            one = waiting.pop()
            yield name, one
            with suppress(OSError):
                children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
                waiting += [child for child in map(int, children) if child not in names]


def _log_bytes(folder: Path) -> int:
    """Return the size of what the store has appended."""
    return sum(one.stat().st_size for one in folder.rglob("*.aof"))


if __name__ == "__main__":
    sys.exit(main())
