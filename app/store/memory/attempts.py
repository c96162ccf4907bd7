"""Wrong credentials are counted by peer and name, so that nobody can go on guessing for nothing.

In the memory of one process: another process counts for itself.
"""

import threading
import time
from collections.abc import Callable

from app.store.memory.counts import Counts

#: Wrong credentials of one peer for one name in a window. A person who mistypes needs fewer.
FAILURES_MAX = 10

#: Of one peer, whatever names it has tried.
PEER_FAILURES_MAX = 100

#: How long a count lasts, from its first failure on.
WINDOW_MS = 60_000

#: Characters of a peer and of a name that are kept.
TEXT_CHARACTERS_MAX = 160

#: Between two looks into the store on behalf of peers that have guessed too often.
LOOK_MS = 1_000

#: A peer with a name, or for all its names.
_Key = tuple[str, str | None]


class Attempts:
    """Failures by peer and name.

    Args:
        now_ms: milliseconds of a clock that never goes back.
    """

    def __init__(
        self, now_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000
    ) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._failures: Counts[_Key] = Counts(WINDOW_MS)
        self._looked_ms = -LOOK_MS

    def left_ms(self, peer: str, name: str) -> int:
        """Return for how long a peer has guessed too often at a name; 0 is not at all."""
        now_ms = self._now_ms()
        with self._lock:
            return self._left_ms(peer, name, now_ms)

    def fail(self, peer: str, name: str) -> bool:
        """Count a failure, and return whether it was the last that the peer had.

        Beyond that nothing is counted, so that one peer fills the table with few names.
        """
        now_ms = self._now_ms()
        with self._lock:
            if self._left_ms(peer, name, now_ms) > 0:
                return False
            for key in _keys(peer, name):
                self._failures.add(key, now_ms)
            return self._left_ms(peer, name, now_ms) > 0

    def may_look(self) -> bool:
        """Tell, once in a while, that a guess beyond the limit may be looked up all the same.

        It may be a credential that another process has made meanwhile.
        """
        now_ms = self._now_ms()
        with self._lock:
            if now_ms - self._looked_ms < LOOK_MS:
                return False
            self._looked_ms = now_ms
            return True

    def __len__(self) -> int:
        """Return how many counts are kept."""
        return len(self._failures)

    def _left_ms(self, peer: str, name: str, now_ms: int) -> int:
        limits = zip(_keys(peer, name), (FAILURES_MAX, PEER_FAILURES_MAX), strict=True)
        return max(self._failures.left_ms(key, limit, now_ms) for key, limit in limits)


def _keys(peer: str, name: str) -> tuple[_Key, _Key]:
    peer = peer[:TEXT_CHARACTERS_MAX]
    return (peer, name[:TEXT_CHARACTERS_MAX]), (peer, None)
