"""The time of the store's server, which all processes share, and the business clock above it.

Somebody may set the clock of that host. docs/design.md, Time, says what follows from it.
"""

import math
import threading
import time
from contextlib import suppress
from typing import NamedTuple

import redis
import structlog

from app import metrics
from app.domain.errors import StoreUnavailable
from app.domain.identifiers import EpochMs
from app.store.core import keys
from app.store.core.scripts import text_of

#: After this long the offset to the server's clock is measured anew.
SYNC_SECONDS = 1.0

#: After this long one thread measures it, and the others go on with what they have. Else many that
#: come at once would all find it too old at once.
AHEAD_SECONDS = 0.5

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


class _Measurement(NamedTuple):
    """What the server's clock said, and when here the question left and the answer came."""

    server_ms: float
    asked_at: float
    at_seconds: float

    @property
    def doubt_ms(self) -> float:
        """By how much the answer may be old."""
        return (self.at_seconds - self.asked_at) * 1000


_NEVER = _Measurement(0.0, -math.inf, -math.inf)


class RedisClock:
    """Server time, from this machine's steady clock and an offset measured once a second.

    One thread measures ahead. Each that finds the last measurement too old all the same makes one,
    whoever else does: nobody waits for an answer to somebody else, so a server that stands still
    holds up all at once for as long as one.

    The estimate is never ahead of the server, its answer being as old as its way back, unless the
    server's clock is corrected by less than STEP_MS: then this one stands still meanwhile.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._last = self._measured_ahead = _NEVER
        self._told_ms = 0
        self._seen_step_ms = 0  # by this process
        self._noted_step_ms = 0  # by any, as far as the store says
        self._begun_ms = 0.0

    def server_ms(self) -> EpochMs:
        """Return the server's time; it does not go back unless the server's clock was set."""
        self._measure_if_due()
        with self._lock:
            return self._server_ms()

    def now_ms(self) -> EpochMs:
        """Return business time, which is the server's."""
        return self.server_ms()

    def lasted_ms(self, since_ms: EpochMs) -> int:
        """Return for how long something has lasted for certain: a step of the clock ends that."""
        self._measure_if_due()
        with self._lock:
            now_ms = self._server_ms()
            steps_ms = self._seen_step_ms, self._noted_step_ms
            step_ms = max((one for one in steps_ms if one <= now_ms), default=0)
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
        passed_ms = (steady_seconds() - self._last.at_seconds) * 1000
        self._told_ms = max(self._told_ms, int(self._last.server_ms + passed_ms))
        return EpochMs(self._told_ms)

    def _measure_if_due(self) -> None:
        last = self._last
        age_seconds = steady_seconds() - last.at_seconds
        if age_seconds <= AHEAD_SECONDS:
            return
        if age_seconds <= SYNC_SECONDS:
            if self._measured_ahead is not last:
                self._measured_ahead = last  # this thread measures
                with suppress(StoreUnavailable):  # the last one is good for a while yet
                    self._measure()
            return
        self._measure()

    def _measure(self) -> None:
        # All at once: of a measurement that is cut short nothing may be left, or a step is missed.
        measured, noted_ms = self._asked(), int(self._client.get(keys.CLOCK_STEP) or 0)
        with self._lock:
            was_set = self._take_over(measured, noted_ms)
        if was_set:
            self._note_step(int(measured.server_ms))

    def _take_over(self, measured: _Measurement, noted_ms: int) -> bool:
        """Go by a measurement, unless that of another thread came since this one was asked for.

        Which of two that crossed is the newer cannot be told, and the older would look like a step.

        Returns:
            whether the server's clock was set since the one before.
        """
        last = self._last
        if last.at_seconds > measured.asked_at:
            return False
        self._last = measured
        if last is _NEVER:
            self._begun_ms = measured.server_ms
        elif _was_set(last, measured):
            now_ms = int(measured.server_ms)
            _log.error("clock_was_set", told_ms=self._told_ms, now_ms=now_ms)
            self._told_ms, self._begun_ms, self._seen_step_ms = 0, now_ms, now_ms
            return True
        self._noted_step_ms = noted_ms
        return False

    def _asked(self) -> _Measurement:
        measured = self._asked_once()
        for _ in range(MEASUREMENTS_MAX - 1):
            if measured.doubt_ms <= ANSWER_SECONDS_MAX * 1000:
                break
            measured = self._asked_once()
        return measured

    def _asked_once(self) -> _Measurement:
        asked_at = steady_seconds()
        seconds, micros = self._client.time()
        return _Measurement(seconds * 1000 + micros / 1000, asked_at, steady_seconds())

    def _note_step(self, now_ms: int) -> None:
        """Tell people and all processes; those that see it for themselves say the same."""
        metrics.CLOCK_STEPS.inc()
        try:
            self._client.set(keys.CLOCK_STEP, now_ms)
        except StoreUnavailable as error:  # full, for instance: it still tells the time
            _log.warning("clock_step_not_noted", error=str(error))


def _was_set(before: _Measurement, after: _Measurement) -> bool:
    """Tell whether the server's clock was set between two measurements."""
    passed_ms = (after.at_seconds - before.at_seconds) * 1000
    by_ms = after.server_ms - before.server_ms - passed_ms
    doubt_ms = before.doubt_ms + after.doubt_ms
    return abs(by_ms) > STEP_MS + passed_ms * DRIFT + doubt_ms


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
