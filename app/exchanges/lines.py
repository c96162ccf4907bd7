"""The lines of this process to exchanges: warm ones are kept, and each is lent to one thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.domain.account import Account
from app.exchanges.line import Line

#: Lines that wait for their next use. Each is a ccxt exchange without market metadata, 0.3 MB.
WAITING_MAX = 128


class Lines:
    """Lends lines, for the length of one call each.

    An account has as many as threads ask for it at once, usually one. Those given back longest ago
    go first when there are too many; one that is lent is not among them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Line] = []

    @contextmanager
    def lent(self, account: Account, make: Callable[[], Line]) -> Iterator[Line]:
        """Lend a line that has the account's keys.

        Args:
            account: as it is now; lines from before a change of it are not lent any more.
            make: builds one where none waits.
        """
        line = self._taken(account) or make()
        try:
            yield line
        finally:
            with self._lock:
                self._waiting.append(line)
                del self._waiting[:-WAITING_MAX]

    def _taken(self, account: Account) -> Line | None:
        with self._lock:
            for place in range(len(self._waiting) - 1, -1, -1):
                if self._waiting[place].account == account:
                    return self._waiting.pop(place)
        return None
