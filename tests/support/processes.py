"""Waiting for, and looking at, processes that are not those of the tests."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T | None], seconds: float = 40.0, told: Callable[[], object] = lambda: ""
) -> T:
    """Return what one waits for, as soon as it is there.

    Args:
        look: returns it, or something false.
        seconds: how long one waits.
        told: what is said if it never comes.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s: {told()}"
        time.sleep(0.02)
    return found


def is_alive(pid: int) -> bool:
    """Tell whether the process runs.

    One that has ended and that nobody has waited for does not: where the first process of a
    container is no init, orphans stay in that state for ever.
    """
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return True  # gone meanwhile, or a system without such files
    return stat.rpartition(")")[2].split()[0] != "Z"


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for one in found:
        for told in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, told.read_text().split())
    return found
