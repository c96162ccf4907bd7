"""What only reads takes turns, so that orders, alerts and cancels find a process that is free.

A web process does one thing at a time, and goes from one request to another where one waits. So an
alert waits for all others that have something to do at that moment, each until it gives way.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.domain.errors import TooBusy

#: That run at once, of each kind of access.
TURNS_MAX: Final = 2

#: How long one waits for its turn; it holds up nobody meanwhile.
PATIENCE_SECONDS: Final = 1.0


class Turns:
    """So many requests at once, while the others wait a little.

    Args:
        most: that have a turn at the same time.
        patience_seconds: for which one waits for its turn.
    """

    def __init__(self, most: int = TURNS_MAX, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._slots = threading.BoundedSemaphore(most)
        self._patience_seconds = patience_seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a turn.

        Raises:
            TooBusy: none became free in time.
        """
        if not self._slots.acquire(timeout=self._patience_seconds):
            raise TooBusy("too much is asked at once; come again")
        try:
            yield
        finally:
            self._slots.release()
