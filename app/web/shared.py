"""Answers that are the same for whoever asks are made once, for all who ask within a second."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

#: For how long an answer is good, from the moment at which it was begun.
KEPT_MS: Final = 1_000

#: Answers kept; beyond it the oldest are forgotten, so that memory stays bounded.
ANSWERS_MAX: Final = 64

Made = TypeVar("Made")


@dataclass(slots=True)
class _Entry:
    begun_ms: int
    answer: Future[Any] = field(default_factory=Future)


class Shared:
    """Remembers answers for a moment.

    Whoever comes while one is made waits for it, and is told what its maker is told, also an error:
    where the store stands still, all know at the same time. No lock is held meanwhile.

    Args:
        now_ms: milliseconds of a clock that never goes back.
        kept_ms: 0 shares nothing but what is being made at the moment.
    """

    def __init__(
        self,
        now_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
        kept_ms: int = KEPT_MS,
    ) -> None:
        self._now_ms = now_ms
        self._kept_ms = kept_ms
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return the answer under a key, made now unless one is kept or being made.

        Args:
            key: all that the answer depends on.
            make: makes it; what it raises is kept for nobody who comes later.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._is_good(entry):
                mine = False
            else:
                entry, mine = _Entry(self._now_ms()), True
                self._entries.pop(key, None)
                self._entries[key] = entry
                self._forget_old()
        if mine:
            self._make(key, entry, make)
        made: Made = entry.answer.result()
        return made

    def _forget_old(self) -> None:
        while self._entries:
            key, oldest = next(iter(self._entries.items()))
            if self._is_good(oldest) and len(self._entries) <= ANSWERS_MAX:
                return
            del self._entries[key]

    def __len__(self) -> int:
        """Return how many answers are kept."""
        return len(self._entries)

    def _is_good(self, entry: _Entry) -> bool:
        return not entry.answer.done() or self._now_ms() - entry.begun_ms < self._kept_ms

    def _make(self, key: Hashable, entry: _Entry, make: Callable[[], object]) -> None:
        try:
            entry.answer.set_result(make())
        except BaseException as error:
            with self._lock:
                if self._entries.get(key) is entry:
                    del self._entries[key]
            entry.answer.set_exception(error)
            raise
