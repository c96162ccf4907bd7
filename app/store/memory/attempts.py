"""Wrong credentials are counted by peer and name, so that nobody can go on guessing for nothing.

In the memory of one process: another process counts for itself.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

#: Wrong credentials of one peer for one name in a window. A person who mistypes needs fewer.
FAILURES_MAX = 10

#: Of one peer, whatever names it has tried.
PEER_FAILURES_MAX = 100

#: How long a count lasts, from its first failure on.
WINDOW_MS = 60_000

#: Counts kept; beyond it the oldest are forgotten, so that memory stays bounded.
COUNTS_MAX = 4096

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
        self._failures: OrderedDict[_Key, tuple[int, int]] = OrderedDict()
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
            self._forget_old(now_ms)
            if self._left_ms(peer, name, now_ms) > 0:
                return False
            for key in _keys(peer, name):
                since_ms, count = self._of(key, now_ms)
                self._failures.pop(key, None)
                self._failures[key] = since_ms, count + 1
            while len(self._failures) > COUNTS_MAX:
                self._failures.popitem(last=False)
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
        limits = FAILURES_MAX, PEER_FAILURES_MAX
        counts = [self._of(key, now_ms) for key in _keys(peer, name)]
        return max(
            since_ms + WINDOW_MS - now_ms if count >= limit else 0
            for (since_ms, count), limit in zip(counts, limits, strict=True)
        )

    def _of(self, key: _Key, now_ms: int) -> tuple[int, int]:
        """Return since when a key fails, and how often; a window that is over counts no more."""
        since_ms, count = self._failures.get(key, (now_ms, 0))
        return (since_ms, count) if now_ms - since_ms < WINDOW_MS else (now_ms, 0)

    def _forget_old(self, now_ms: int) -> None:
        while self._failures:
            key, (since_ms, _) = next(iter(self._failures.items()))
            if now_ms - since_ms < WINDOW_MS:
                return
            del self._failures[key]


def _keys(peer: str, name: str) -> tuple[_Key, _Key]:
    peer = peer[:TEXT_CHARACTERS_MAX]
    return (peer, name[:TEXT_CHARACTERS_MAX]), (peer, None)
