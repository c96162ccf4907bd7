"""Of all threads and workers that want to know the same thing of a venue, one asks."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app.domain.errors import VenueBusy
from app.exchanges.line import Line
from app.ports.clock import Clock
from app.ports.coordination import Locks

#: Between two looks whether another worker knows by now.
LOOK_MS = 50

#: A worker that dies over a question holds up the others for no longer than this; one that asks for
#: longer meets another one who asks, which costs a question and does no harm.
LEASE_MS = 10_000

_Known = TypeVar("_Known")


class OneAsks:
    """Lets one ask what many want to know, while the others wait for what it is told.

    Args:
        locks: keep other workers from asking.
        clock: lets time pass.
    """

    def __init__(self, locks: Locks, clock: Clock) -> None:
        self._locks = locks
        self._clock = clock
        self._turns: dict[str, threading.Lock] = {}
        self._unanswered: Counter[str] = Counter()

    def known(
        self,
        name: str,
        line: Line,
        look: Callable[[], _Known | None],
        ask: Callable[[], _Known],
    ) -> _Known:
        """Return what the venue says to the one who asks, for those who do not know it yet.

        Who could not ask by itself, for want of budget or time, is followed by the next one. But
        nobody asks again for what the venue has just left without an answer: all would, in turn.
        While the breaker is open nobody waits.

        Args:
            name: of what is to be known.
            line: tells how much time there is.
            look: returns it as far as any worker knows, or None.
            ask: asks the venue, and keeps what it says where `look` finds it.

        Raises:
            VenueBusy: the one who asked had no answer, or has none in the time that there is.
        """
        unanswered = self._unanswered[name]
        with self._turn(name, line):
            if (found := look()) is not None:
                return found
            if self._unanswered[name] != unanswered:
                raise VenueBusy(f"{line.account.venue} has just left a question without an answer")
            return self._asked(name, line, look, ask)

    @contextmanager
    def _turn(self, name: str, line: Line) -> Iterator[None]:
        """Wait until no other thread asks."""
        turn = self._turns.setdefault(name, threading.Lock())
        if not turn.acquire(blocking=False):
            line.breaker.admit(changes=True)
            if not turn.acquire(timeout=max(line.left_seconds, 0)):
                raise _still_asked(line)
        try:
            yield
        finally:
            turn.release()

    def _asked(
        self,
        name: str,
        line: Line,
        look: Callable[[], _Known | None],
        ask: Callable[[], _Known],
    ) -> _Known:
        """Wait until no other worker asks, and ask if none has been told."""
        lock = f"ask:{name}"
        while (token := self._locks.acquire(lock, LEASE_MS)) is None:
            line.breaker.admit(changes=True)
            if line.left_seconds <= 0:
                raise _still_asked(line)
            self._clock.sleep(LOOK_MS)
            if (found := look()) is not None:
                return found
        try:
            found = look()  # another worker may have had the lock just now
            return self._told(name, ask) if found is None else found
        finally:
            self._locks.release(lock, token)

    def _told(self, name: str, ask: Callable[[], _Known]) -> _Known:
        try:
            return ask()
        except VenueBusy:
            raise
        except Exception:
            self._unanswered[name] += 1
            raise


def _still_asked(line: Line) -> VenueBusy:
    return VenueBusy(f"{line.account.venue} is still being asked what must be known first")
