"""How long whoever asks waits for the history: for one reading, and for all those of a request."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: To end what was begun, however late it is.
_ENDING_SECONDS = 0.1


class _Thread(threading.local):
    """What the thread at hand waits for.

    Attributes:
        until: on the steady clock, what it reads at the moment is to end; None is for ever.
        waited: seconds that the readings of its request have taken so far; None without a request.
    """

    until: float | None = None
    waited: float | None = None


_thread = _Thread()


@contextmanager
def of_one_request() -> Iterator[None]:
    """Let all that is read within share the time that one reading may take."""
    _thread.waited = 0.0
    try:
        yield
    finally:
        _thread.waited = None


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Let what is done within take this long; None is for ever."""
    before = _thread.until
    _thread.until = None if seconds is None else time.monotonic() + seconds
    try:
        yield
    finally:
        _thread.until = before


@contextmanager
def one_reading(seconds: float | None) -> Iterator[None]:
    """Let a reading take this long, less what others of its request have taken."""
    began, waited = time.monotonic(), _thread.waited
    try:
        with within(seconds and seconds - (waited or 0.0)):
            yield
    finally:
        if waited is not None:
            _thread.waited = waited + time.monotonic() - began


def left() -> float | None:
    """Return how many seconds are left, enough to end in good order at least; None is no bound."""
    if _thread.until is None:
        return None
    return max(_thread.until - time.monotonic(), _ENDING_SECONDS)


def is_late() -> bool:
    """Tell whether the time for what is read has passed."""
    return _thread.until is not None and time.monotonic() >= _thread.until
