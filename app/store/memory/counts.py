"""Counts that last for a while, in bounded memory of one process."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

#: Counts kept; beyond it the oldest are forgotten.
COUNTS_MAX = 4096

Key = TypeVar("Key", bound=Hashable)


class Counts(Generic[Key]):
    """How often something has happened within a window, which begins when it first does.

    Whoever calls holds a lock.

    Args:
        window_ms: after which a count begins anew.
    """

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._counts: OrderedDict[Key, tuple[int, int]] = OrderedDict()

    def of(self, key: Key, now_ms: int) -> tuple[int, int]:
        """Return since when there is a count, and how high it is; one that is over is none."""
        since_ms, count = self._counts.get(key, (now_ms, 0))
        return (since_ms, count) if now_ms - since_ms < self._window_ms else (now_ms, 0)

    def left_ms(self, key: Key, limit: int, now_ms: int) -> int:
        """Return for how long a count is at its limit; 0 if it is not."""
        since_ms, count = self.of(key, now_ms)
        return since_ms + self._window_ms - now_ms if count >= limit else 0

    def add(self, key: Key, now_ms: int) -> None:
        """Count once more."""
        self._forget_old(now_ms)
        since_ms, count = self.of(key, now_ms)
        if count == 0:
            self._counts.pop(key, None)
        self._counts[key] = since_ms, count + 1  # keeps its place, by the begin of its window
        while len(self._counts) > COUNTS_MAX:
            self._counts.popitem(last=False)

    def __len__(self) -> int:
        """Return how many counts are kept."""
        return len(self._counts)

    def _forget_old(self, now_ms: int) -> None:
        while self._counts:
            key, (since_ms, _) = next(iter(self._counts.items()))
            if now_ms - since_ms < self._window_ms:
                return
            del self._counts[key]
