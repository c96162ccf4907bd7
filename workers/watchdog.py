"""Ends a process in which a piece of work is stuck; whoever has started it starts another.

Nobody can end a thread from outside, so one that hangs for ever (a driver, a lock, a mistake of
ours) takes a slot with it until there is none left. What the process had in hand is still owed.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

_log = structlog.get_logger()

#: What a process ends with that had to be ended.
EXIT_CODE = 70

#: Looks within the time that a piece of work may take.
_LOOKS = 30


class Watchdog:
    """Notes since when each thread is busy with one step, in seconds of this process's own time.

    That time goes on with the looks, by two of them at most: what the process slept through
    (SIGSTOP, a machine that was suspended) is held against nobody.

    Args:
        limit_seconds: how long one step may take. A question to a venue is a step of its own, and
            so is a commit, so slow work that goes on is never stuck.
    """

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._now = 0.0
        self._looked_at: float | None = None
        self._since: dict[int, float] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what this thread does inside."""
        thread = threading.get_ident()
        self._since[thread] = self._now
        try:
            yield
        finally:
            self._since.pop(thread, None)

    def alive(self) -> None:
        """Note that a step of this thread has ended, and the next one begins."""
        thread = threading.get_ident()
        if thread in self._since:
            self._since[thread] = self._now

    def look(self, seconds: float) -> bool:
        """Tell whether a thread is stuck.

        Args:
            seconds: the monotonic time of this look.
        """
        if self._looked_at is not None:
            self._now += min(seconds - self._looked_at, self.pause_seconds * 2)
        self._looked_at = seconds
        return any(self._now - since > self._limit for since in list(self._since.values()))

    @property
    def pause_seconds(self) -> float:
        """Between two looks."""
        return self._limit / _LOOKS

    def start(self, end: Callable[[], None]) -> None:
        """Look from now on, in a thread of its own, and call `end` when a thread is stuck.

        The thread needs the interpreter to look. A timer that needs nothing ends the process if
        that is not to be had for as long; each look puts it off. That timer knows no sleep: it may
        end a process that was stopped (SIGSTOP) for longer, whose leases are over by then anyway.
        """
        threading.Thread(target=self._watch, args=(end,), name="watchdog", daemon=True).start()

    def _watch(self, end: Callable[[], None]) -> None:
        while not self.look(time.monotonic()):
            faulthandler.dump_traceback_later(max(self._limit, 1.0), exit=True)
            time.sleep(self.pause_seconds)
        _log.error("worker_stuck", limit_seconds=self._limit)
        end()


def end_process() -> None:
    """End at once, and say in the log what each thread was at."""
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    os._exit(EXIT_CODE)
