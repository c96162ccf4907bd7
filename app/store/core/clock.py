"""The time of the store's server, which all processes share, and the business clock above it.

Somebody may set the clock of that host. docs/design.md, Time, says what follows from it.
"""

import threading
import time

import redis
import structlog

from app import metrics
from app.domain.errors import StoreUnavailable
from app.domain.identifiers import EpochMs
from app.store.core import keys
from app.store.core.scripts import text_of

#: After this long the offset to the server's clock is measured anew.
SYNC_SECONDS = 1.0

#: An answer that was longer on its way is not believed, so often: a process that stood still after
#: its question would take an old time for the present one, and a lease that is over for its own.
ANSWER_SECONDS_MAX = 0.1
MEASUREMENTS_MAX = 3

#: A clock that is off by more than this was set; by less, and it is being corrected as it runs.
STEP_MS = 1_000

#: What clocks drift apart at most, as a share of the time between two measurements.
DRIFT = 0.001

_OFFSET, _FROZEN = "offset", "frozen"

_log = structlog.get_logger()


def steady_seconds() -> float:
    """Return the time of a clock of this machine that nobody sets; it runs while that is asleep."""
    return time.clock_gettime(_STEADY)


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class RedisClock:
    """Server time, from this machine's steady clock and an offset measured once a second.

    The estimate is never ahead of the server, its answer being as old as its way back, unless the
    server's clock is corrected by less than STEP_MS: then this one stands still meanwhile.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._base_ms = 0.0
        self._measured_at = 0.0
        self._doubt_ms = 0.0
        self._told_ms = 0
        self._step_ms = 0
        self._begun_ms = 0.0

    def server_ms(self) -> EpochMs:
        """Return the server's time; it does not go back unless the server's clock was set."""
        with self._lock:
            return self._server_ms()

    def now_ms(self) -> EpochMs:
        """Return business time, which is the server's."""
        return self.server_ms()

    def lasted_ms(self, since_ms: EpochMs) -> int:
        """Return for how long something has lasted for certain: a step of the clock ends that."""
        with self._lock:
            now_ms = self._server_ms()
            step_ms = self._step_ms if self._step_ms <= now_ms else 0
            if since_ms > now_ms + STEP_MS:  # set back, and by how much is not known
                return max(now_ms - (step_ms or int(self._begun_ms)), 0)
            return max(now_ms - max(since_ms, step_ms), 0)

    def steady_ms(self) -> int:
        """Return the time of this machine's steady clock, which means nothing to any other."""
        return int(steady_seconds() * 1000)

    def sleep(self, for_ms: int) -> None:
        """Let so many milliseconds pass."""
        time.sleep(for_ms / 1000)

    def _server_ms(self) -> EpochMs:
        now = steady_seconds()
        if not self._base_ms or now - self._measured_at > SYNC_SECONDS:
            self._measure()
            now = steady_seconds()
        estimate_ms = int(self._base_ms + (now - self._measured_at) * 1000)
        self._told_ms = max(self._told_ms, estimate_ms)
        return EpochMs(self._told_ms)

    def _measure(self) -> None:
        before = self._base_ms, self._measured_at, self._doubt_ms
        # All at once: of a measurement that is cut short nothing may be left, or a step is missed.
        self._base_ms, self._measured_at, self._doubt_ms = self._asked()
        if self._was_set(*before):
            self._note_step()
        else:
            self._step_ms = int(self._client.get(keys.CLOCK_STEP) or 0)

    def _asked(self) -> tuple[float, float, float]:
        """Return the server's time, when its answer came, and how long that took, in ms."""
        measured = self._asked_once()
        for _ in range(MEASUREMENTS_MAX - 1):
            if measured[2] <= ANSWER_SECONDS_MAX * 1000:
                break
            measured = self._asked_once()
        return measured

    def _asked_once(self) -> tuple[float, float, float]:
        asked_at = steady_seconds()
        seconds, micros = self._client.time()
        measured_at = steady_seconds()
        return seconds * 1000 + micros / 1000, measured_at, (measured_at - asked_at) * 1000

    def _was_set(self, base_ms: float, measured_at: float, doubt_ms: float) -> bool:
        """Tell whether the server's clock was set since that measurement."""
        if not base_ms:
            self._begun_ms = self._base_ms
            return False
        passed_ms = (self._measured_at - measured_at) * 1000
        by_ms = self._base_ms - base_ms - passed_ms
        return abs(by_ms) > STEP_MS + passed_ms * DRIFT + self._doubt_ms + doubt_ms

    def _note_step(self) -> None:
        """Tell people and all processes; those that see it for themselves say the same."""
        now_ms = int(self._base_ms)
        _log.error("clock_was_set", told_ms=self._told_ms, now_ms=now_ms)
        metrics.CLOCK_STEPS.inc()
        self._told_ms, self._begun_ms, self._step_ms = 0, now_ms, now_ms
        try:
            self._client.set(keys.CLOCK_STEP, now_ms)
        except StoreUnavailable as error:  # full, for instance: it still tells the time
            _log.warning("clock_step_not_noted", error=str(error))


class MovableClock(RedisClock):
    """The clock of the test profile: business time can be moved, for all processes at once."""

    def now_ms(self) -> EpochMs:
        """Return business time: moved or frozen, if it was."""
        setting = self._client.get(keys.CLOCK)
        if setting is None:
            return self.server_ms()
        word, _, value = text_of(setting).partition(":")
        if word == _FROZEN:
            return EpochMs(int(value))
        return EpochMs(self.server_ms() + int(value))

    def advance(self, by_ms: int) -> EpochMs:
        """Move business time ahead; a frozen clock stays frozen, later."""
        setting = self._client.get(keys.CLOCK)
        word, _, value = text_of(setting or f"{_OFFSET}:0").partition(":")
        self._client.set(keys.CLOCK, f"{word}:{int(value) + by_ms}")
        return self.now_ms()

    def freeze(self, at_ms: int) -> EpochMs:
        """Let business time stand still at this moment."""
        self._client.set(keys.CLOCK, f"{_FROZEN}:{at_ms}")
        return self.now_ms()

    def follow_server(self) -> EpochMs:
        """Let business time be the server's again."""
        self._client.delete(keys.CLOCK)
        return self.now_ms()
