"""Threads of their own for each venue: one that hangs holds up its own work and nobody else's.

So have a few things that are of no venue, and may last.

A message is only a wake-up, so the task that takes it from the broker hands its work to the crew
of the venue that it is about, and is done. What waits here is lost with the process, and what
finds no room is not taken; both are still owed, and the sweep sends them again.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from enum import IntEnum

import structlog

_log = structlog.get_logger()

#: Pieces of work that wait for one venue in one process.
WAITING_MAX = 10_000

#: Between two looks whether all is done.
_LOOK_SECONDS = 0.01

Run = Callable[[], None]


class Rank(IntEnum):
    """Who goes first; the lower the number, the sooner. Stops hang on prices."""

    URGENT = 0
    PRICES = 1
    ORDER = 2
    POLL = 3


def ceilings(size: int) -> Mapping[Rank, int]:
    """Return how many threads may work on pieces of a rank and those below it.

    So a quarter is always left for cancels and exits, and polls never have more than a quarter.
    """
    return {
        Rank.URGENT: size,
        Rank.PRICES: max(size * 3 // 4, 1),
        Rank.ORDER: max(size * 3 // 4, 1),
        Rank.POLL: max(size // 4, 1),
    }


class Crew:
    """The threads of one venue in one process, and what waits for them, in order.

    A piece of work is known by its key. One that waits already is not taken a second time; one
    that is being worked on is, since what woke it may have come after the look.

    Args:
        name: of the venue.
        size: how many threads there are at most; each is started when it is first needed.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._ceilings = ceilings(size)
        self._changed = threading.Condition()
        self._waiting: Mapping[Rank, OrderedDict[Hashable, Run]] = {
            rank: OrderedDict() for rank in Rank
        }
        self._working = dict.fromkeys(Rank, 0)
        self._threads = 0
        self._is_closed = False

    def offer(self, key: Hashable, run: Run, rank: Rank = Rank.ORDER) -> bool:
        """Take in a piece of work, and return whether it will be done unless the process ends.

        One that waits with less of a rank is raised to this one.
        """
        with self._changed:
            if self._is_closed:
                return False
            for other in Rank:
                if key in self._waiting[other]:
                    if other <= rank:
                        return self._is_served()
                    del self._waiting[other][key]
            if len(self._waiting[rank]) >= WAITING_MAX:
                return False
            self._waiting[rank][key] = run
            if self._is_served():
                self._changed.notify()
                return True
            del self._waiting[rank][key]
            return False

    def awaits(self, key: Hashable, rank: Rank) -> bool:
        """Tell whether a piece of work waits that would not be taken a second time."""
        with self._changed:
            is_there = any(key in self._waiting[other] for other in Rank if other <= rank)
            return is_there and self._threads > 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being worked on, and nothing waits that may be begun."""
        with self._changed:
            return not (sum(self._working.values()) if self._is_closed else self._count())

    def close(self) -> None:
        """Begin with nothing more."""
        with self._changed:
            self._is_closed = True

    def _count(self) -> int:
        return sum(map(len, self._waiting.values())) + sum(self._working.values())

    def _is_served(self) -> bool:
        """Start one more thread if there is work for it, and return whether there is any."""
        if self._threads < min(self._count(), self._size):
            self._start()
        return self._threads > 0

    def _start(self) -> None:
        """Start one more thread, if the system has one to give."""
        name = f"{self._name}-{self._threads + 1}"
        # A process that is to end does not wait for a venue that hangs.
        thread = threading.Thread(target=self._serve, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            _log.error("thread_missing", crew=self._name, error=str(error))
        else:
            self._threads += 1

    def _serve(self) -> None:
        try:
            while True:
                self._work()
        finally:
            with self._changed:
                self._threads -= 1  # the next offer starts another

    def _work(self) -> None:
        rank, run = self._take()
        try:
            run()
        except Exception:  # noqa: BLE001 - a mistake of ours in one piece ends no thread
            _log.exception("work_failed", crew=self._name)
        finally:
            with self._changed:
                self._working[rank] -= 1
                self._changed.notify()

    def _take(self) -> tuple[Rank, Run]:
        with self._changed:
            while (rank := self._next_rank()) is None:
                self._changed.wait()
            _, run = self._waiting[rank].popitem(last=False)
            self._working[rank] += 1
            return rank, run

    def _next_rank(self) -> Rank | None:
        """Return the first rank of which something waits and may be begun."""
        if self._is_closed:
            return None
        for rank in Rank:
            if self._working_from(rank) >= self._ceilings[rank]:
                return None  # then those below have no room, either
            if self._waiting[rank]:
                return rank
        return None

    def _working_from(self, rank: Rank) -> int:
        return sum(count for other, count in self._working.items() if other >= rank)


class Crews:
    """The crews of this process, by the name of their venue.

    Args:
        size_of: how many threads the crew of a venue has.
    """

    def __init__(self, size_of: Callable[[str], int]) -> None:
        self._size_of = size_of
        self._crews: dict[str, Crew] = {}
        self._lock = threading.Lock()

    def of(self, venue: str) -> Crew:
        """Return the crew of a venue."""
        with self._lock:
            if venue not in self._crews:
                self._crews[venue] = Crew(venue, self._size_of(venue))
            return self._crews[venue]

    def alone(self, name: str) -> Crew:
        """Return a crew of one, for what is of no venue."""
        key = f"alone:{name}"
        with self._lock:
            if key not in self._crews:
                self._crews[key] = Crew(name, 1)
            return self._crews[key]

    def await_already(self, key: Hashable, rank: Rank) -> bool:
        """Tell whether any of them would not take a piece of work a second time."""
        return any(crew.awaits(key, rank) for crew in list(self._crews.values()))

    def finish(self, seconds: float) -> bool:
        """Wait until there is nothing to do, and return whether it came to that in time."""
        deadline = time.monotonic() + seconds
        while not (self._are_idle() and self._are_idle()):  # one may have woken another meanwhile
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def _are_idle(self) -> bool:
        return all(crew.is_idle for crew in list(self._crews.values()))

    def close(self, seconds: float) -> bool:
        """Begin with nothing more, and wait for what is under way, so long.

        Returns:
            Whether all of it has ended.
        """
        for crew in list(self._crews.values()):
            crew.close()
        return self.finish(seconds)
