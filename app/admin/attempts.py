"""Failed logins are counted, so that nobody can go on guessing."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from app.domain.errors import RateLimited

#: Failures of one address before it must wait. A person who mistypes needs fewer.
FAILURES_MAX = 10

#: How long an address must wait, counted from its first failure.
WINDOW_MS = 60_000

#: Addresses kept; beyond it the oldest are forgotten, so that memory stays bounded.
ADDRESSES_MAX = 1024


class Attempts:
    """Failures by address, in the memory of one process.

    Args:
        now_ms: milliseconds of a clock that never goes back.
    """

    def __init__(
        self, now_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000
    ) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def check(self, address: str) -> None:
        """Let pass whoever may try.

        Raises:
            RateLimited: it has failed too often.
        """
        with self._lock:
            since_ms, count = self._failures.get(address, (0, 0))
            left_ms = since_ms + WINDOW_MS - self._now_ms()
        if count >= FAILURES_MAX and left_ms > 0:
            raise RateLimited(f"too many failed logins; wait {-(-left_ms // 1000)} s", left_ms)

    def fail(self, address: str) -> None:
        """Count a failure."""
        now_ms = self._now_ms()
        with self._lock:
            since_ms, count = self._failures.pop(address, (now_ms, 0))
            if now_ms - since_ms >= WINDOW_MS:
                since_ms, count = now_ms, 0
            self._failures[address] = (since_ms, count + 1)
            if len(self._failures) > ADDRESSES_MAX:
                self._failures.popitem(last=False)

    def succeed(self, address: str) -> None:
        """Forget the failures of an address that knew the token in the end."""
        with self._lock:
            self._failures.pop(address, None)
