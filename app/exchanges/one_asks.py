"""Of all threads and workers that want to know the same thing of a venue, one asks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Question:
    """What some threads want to know at the moment.

    Attributes:
        turn: of the one who asks.
        threads: how many they are.
        unanswered: how often the venue has left one of them without an answer.
    """

    turn: threading.Lock = field(default_factory=threading.Lock)
    threads: int = 0
    unanswered: int = 0


class OneAsks:
    """Lets one ask what many want to know, while the others wait for what it is told.

    Args:
        locks: keep other workers from asking.
        clock: lets time pass.
    """

    def __init__(self, locks: Locks, clock: Clock) -> None:
        self._locks = locks
        self._clock = clock
        self._lock = threading.Lock()
        self._questions: dict[str, _Question] = {}

    def __len__(self) -> int:
        """Return how many questions threads ask or wait for."""
        return len(self._questions)

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
        with self._question(name) as question:
            unanswered = question.unanswered
            with _turn(question, line):
                if (found := look()) is not None:
                    return found
                if question.unanswered != unanswered:
                    why = f"{line.account.venue} has just left a question without an answer"
                    raise VenueBusy(why)
                return self._asked(name, line, look, lambda: _told(question, ask))

    @contextmanager
    def _question(self, name: str) -> Iterator[_Question]:
        """Yield what all threads share that want to know this; it is forgotten with the last."""
        with self._lock:
            question = self._questions.setdefault(name, _Question())
            question.threads += 1
        try:
            yield question
        finally:
            with self._lock:
                question.threads -= 1
                if not question.threads:
                    del self._questions[name]

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
            return ask() if found is None else found
        finally:
            self._locks.release(lock, token)


@contextmanager
def _turn(question: _Question, line: Line) -> Iterator[None]:
    """Wait until no other thread asks."""
    if not question.turn.acquire(blocking=False):
        line.breaker.admit(changes=True)
        if not question.turn.acquire(timeout=max(line.left_seconds, 0)):
            raise _still_asked(line)
    try:
        yield
    finally:
        question.turn.release()


def _told(question: _Question, ask: Callable[[], _Known]) -> _Known:
    try:
        return ask()
    except VenueBusy:
        raise
    except Exception:
        question.unanswered += 1
        raise


def _still_asked(line: Line) -> VenueBusy:
    return VenueBusy(f"{line.account.venue} is still being asked what must be known first")
