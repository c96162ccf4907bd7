"""Several workers over one store and one venue, in whatever order their steps may come.

Each runs in a thread of its own, but only one at a time: it stands still wherever it `pause`s,
until the schedule lets it go on. So a schedule, a row of choices, is a run that can be repeated,
and all schedules of a few steps can be tried.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from app.domain.errors import HookfillError

Act = Callable[[], object]

THREADS = 16


def at_once(work: Callable[[int], object]) -> list[object]:
    """Let threads begin together, and return what each came to, errors of ours included."""
    gate = threading.Barrier(THREADS)

    def begin(number: int) -> object:
        gate.wait()
        try:
            return work(number)
        except HookfillError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


class Worker(threading.Thread):
    """Somebody who does one thing after the other, and stands still before each.

    Args:
        acts: what it does; one that fails is left to the sweep, as a worker does.
    """

    def __init__(self, acts: Sequence[Act]) -> None:
        super().__init__(daemon=True)
        self.has_ended = False
        self.failure: BaseException | None = None
        self._acts = acts
        self._may_go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)

    def run(self) -> None:
        """Do it all."""
        try:
            for act in self._acts:
                self.pause()
                with suppress(HookfillError):
                    act()
        except BaseException as failure:  # noqa: BLE001 - told by `step`, in the thread of the test
            self.failure = failure
        self.has_ended = True
        self._stands.release()

    def pause(self) -> None:
        """Stand still until it is let go on."""
        self._stands.release()
        self._may_go.acquire()

    def begin(self) -> None:
        """Go to where it first stands still."""
        self.start()
        self._stands.acquire()

    def step(self) -> None:
        """Go on to where it stands still next, or to its end."""
        self._may_go.release()
        self._stands.acquire()
        if self.failure is not None:
            raise self.failure


def pause() -> None:
    """Stand still, if a worker asks for it; whoever else passes."""
    worker = threading.current_thread()
    if isinstance(worker, Worker):
        worker.pause()


def run_all(workers: Sequence[Worker], schedule: Sequence[int]) -> list[tuple[int, int]]:
    """Run workers to their end, by a schedule as far as it goes, then one after the other.

    Args:
        workers: who have not begun.
        schedule: who goes on next, by the place among those who have not ended, whatever is beyond.

    Returns:
        For each step: which choice was taken, and among how many.
    """
    for worker in workers:
        worker.begin()
    taken: list[tuple[int, int]] = []
    while left := [one for one in workers if not one.has_ended]:
        choice = schedule[len(taken)] % len(left) if len(taken) < len(schedule) else 0
        taken.append((choice, len(left)))
        left[choice].step()
    return taken


def every_schedule(run: Callable[[Sequence[int]], list[tuple[int, int]]]) -> Iterator[list[int]]:
    """Run every schedule there is, each once, and yield it.

    Args:
        run: runs one, as `run_all` does.
    """
    schedule: list[int] = []
    while True:
        taken = run(schedule)
        yield [choice for choice, _ in taken]
        # In the next one, the last choice that was not the last there was is another.
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return
        schedule = [choice for choice, _ in taken]
        schedule[-1] += 1
