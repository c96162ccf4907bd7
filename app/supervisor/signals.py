"""Waiting that a signal ends: a child that died, or somebody who wants the end."""

import os
import select
import signal
import time
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self

#: What asks for the end. A terminal that is closed does, too.
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Signals that come together count once: make, timeout and terminals send to the whole group.
_TOGETHER_SECONDS = 1.0


class Interrupted(Exception):
    """Somebody asked for the end; a second time, if it is raised again."""


class Signals:
    """Catches signals while it is entered. To be used in the main thread."""

    def __init__(self) -> None:
        self._is_asked = False
        self._asked_at = -_TOGETHER_SECONDS
        self._before: dict[int, object] = {}

    def pause(self, seconds: float) -> None:
        """Wait this long, or until a child changes.

        Raises:
            Interrupted: once for each time that somebody has asked for the end.
        """
        if not self._is_asked:
            waiting = select.poll()
            waiting.register(self._reader, select.POLLIN)
            waiting.poll(max(seconds, 0) * 1000)
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)
        if self._is_asked:
            self._is_asked = False
            raise Interrupted

    def __enter__(self) -> Self:
        """Start to catch."""
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in _STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._ask)
        if self._before[signal.SIGHUP] == signal.SIG_IGN:  # started with nohup
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        # A handler that does nothing still writes to the pipe, which ends the waiting.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the signals as they were."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._reader)
        os.close(self._writer)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._asked_at >= _TOGETHER_SECONDS:
            self._is_asked = True
            self._asked_at = now
