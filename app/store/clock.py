"""The time of the store's server, which all processes share, and the business clock above it."""

import threading
import time

import redis

from app.domain.identifiers import EpochMs
from app.store import keys
from app.store.scripts import text_of, translated

#: After this long the offset to the server's clock is measured anew.
SYNC_SECONDS = 1.0

#: An answer that was longer on its way is not believed, so often: a process that stood still after
#: its question would take an old time for the present one, and a lease that is over for its own.
ANSWER_SECONDS_MAX = 0.1
MEASUREMENTS_MAX = 3

_OFFSET, _FROZEN = "offset", "frozen"


class RedisClock:
    """Server time, from this process's monotonic clock and an offset measured once a second.

    The estimate is never ahead of the server: its answer is as old as its way back.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._base_ms = 0.0
        self._measured_at = 0.0

    def server_ms(self) -> EpochMs:
        """Return the server's time."""
        with self._lock:
            now = time.monotonic()
            if not self._base_ms or now - self._measured_at > SYNC_SECONDS:
                self._measure()
                now = time.monotonic()
            return EpochMs(int(self._base_ms + (now - self._measured_at) * 1000))

    def now_ms(self) -> EpochMs:
        """Return business time, which is the server's."""
        return self.server_ms()

    def _measure(self) -> None:
        for _ in range(MEASUREMENTS_MAX):
            asked_at = time.monotonic()
            with translated():
                seconds, micros = self._client.time()
            self._measured_at = time.monotonic()
            self._base_ms = seconds * 1000 + micros / 1000
            if self._measured_at - asked_at <= ANSWER_SECONDS_MAX:
                return


class MovableClock(RedisClock):
    """The clock of the test profile: business time can be moved, for all processes at once."""

    def now_ms(self) -> EpochMs:
        """Return business time: moved or frozen, if it was."""
        with translated():
            setting = self._client.get(keys.CLOCK)
        if setting is None:
            return self.server_ms()
        word, _, value = text_of(setting).partition(":")
        if word == _FROZEN:
            return EpochMs(int(value))
        return EpochMs(self.server_ms() + int(value))

    def advance(self, by_ms: int) -> EpochMs:
        """Move business time ahead; a frozen clock stays frozen, later."""
        with translated():
            setting = self._client.get(keys.CLOCK)
            word, _, value = text_of(setting or f"{_OFFSET}:0").partition(":")
            self._client.set(keys.CLOCK, f"{word}:{int(value) + by_ms}")
        return self.now_ms()

    def freeze(self, at_ms: int) -> EpochMs:
        """Let business time stand still at this moment."""
        with translated():
            self._client.set(keys.CLOCK, f"{_FROZEN}:{at_ms}")
        return self.now_ms()

    def follow_server(self) -> EpochMs:
        """Let business time be the server's again."""
        with translated():
            self._client.delete(keys.CLOCK)
        return self.now_ms()
