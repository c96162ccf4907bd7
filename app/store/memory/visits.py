"""Requests without credentials are counted by peer, in the memory of one process."""

import threading
import time
from collections.abc import Callable
from typing import Final

from app.store.memory.counts import Counts

#: Of one peer in a window. Dozens of bots that ask for prices every few seconds need fewer, even
#: if all look alike.
VISITS_MAX: Final = 200

WINDOW_MS: Final = 10_000


class Visits:
    """How often each peer has come of late.

    Args:
        now_ms: milliseconds of a clock that never goes back.
    """

    def __init__(
        self, now_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000
    ) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._counts: Counts[str] = Counts(WINDOW_MS)

    def come(self, peer: str) -> int:
        """Count a visit, and return 0; or for how long the peer must stay away, and count none."""
        now_ms = self._now_ms()
        with self._lock:
            left_ms = self._counts.left_ms(peer, VISITS_MAX, now_ms)
            if not left_ms:
                self._counts.add(peer, now_ms)
        return left_ms
