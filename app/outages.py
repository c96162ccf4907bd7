"""What ails a server for a while is told once for each reason, and once when it is over.

All that is sent to it fails meanwhile, many times a second, and each line says the same.
"""

import threading
import time
from collections.abc import Callable, Hashable

import structlog

#: Seconds without a failure after which what gets through ends an outage. Else one that fails
#: half the time would be told without end.
QUIET_SECONDS = 5.0

#: Seconds without a failure after which the next one begins another outage, whatever got through.
APART_SECONDS = 60.0

_log = structlog.get_logger()


class Outage:
    """The outages of one server, as this process meets them; for any number of threads.

    Args:
        of: what is out.
        seconds: a clock that nobody sets.
    """

    def __init__(self, of: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._of = of
        self._seconds = seconds
        self._lock = threading.Lock()
        self._reasons: set[Hashable] = set()
        self._failures = 0
        self._began_at = self._failed_at = 0.0

    def is_news(self, reason: Hashable) -> bool:
        """Note a failure, and return whether it is the first one for this reason."""
        with self._lock:
            now = self._seconds()
            if self._reasons and now - self._failed_at >= APART_SECONDS:
                self._end()
            if not self._reasons:
                self._began_at, self._failures = now, 0
            self._failed_at = now
            self._failures += 1
            is_first = reason not in self._reasons
            self._reasons.add(reason)
            return is_first

    def got_through(self) -> None:
        """Note a success: what failed before is over, unless that was just now."""
        if self._reasons:
            with self._lock:
                if self._reasons and self._seconds() - self._failed_at >= QUIET_SECONDS:
                    self._end()

    def _end(self) -> None:
        self._reasons.clear()
        _log.info(
            "outage_over",
            of=self._of,
            failures=self._failures,
            seconds=round(self._failed_at - self._began_at),
        )


#: Of the broker.
BROKER = Outage("broker")


def note_lost(task: str, error: BaseException) -> None:
    """Say that a message could not be sent, once in an outage of the broker for each reason."""
    first = error
    while first.__cause__ is not None:
        first = first.__cause__
    # Their words differ by the command that it befell.
    if BROKER.is_news(("message_lost", type(first))):
        _log.warning("message_lost", task=task, error=str(error))
