"""Processes of an earlier run whose supervisor was killed, found by a file that they hold open."""

import os
import signal
from contextlib import suppress
from pathlib import Path

#: One link for each open file of each process. Where there is none, nobody is found.
_OPEN_FILES = "[0-9]*/fd/*"


def holders_of(path: Path, processes: Path = Path("/proc")) -> frozenset[int]:
    """Return the ids of the other processes that have this file open."""
    wanted = str(path.resolve())
    holders = set()
    for link in processes.glob(_OPEN_FILES):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            if str(link.readlink()) == wanted:
                holders.add(int(link.parts[-3]))
    return frozenset(holders - {os.getpid()})


def kill_holders_of(path: Path) -> None:
    """Kill the other processes that have this file open; what they had begun is found again."""
    for pid in holders_of(path):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
