"""Long work of a web process lets others go on between its pieces.

Such a process goes from one request to another only where one waits for an answer. Who goes through
hundreds of records never waits, and an alert that has come meanwhile does.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

Item = TypeVar("Item")

#: As long as a piece may take. To give way costs a few hundredths of that.
PIECE_SECONDS: Final = 0.001

#: Not 0: gevent would go on with fifty others that give way before it looks who has an answer.
_MOMENT_SECONDS: Final = 1e-9


def give_way() -> None:
    """Let others go on who can, whatever they have waited for."""
    time.sleep(_MOMENT_SECONDS)


def unhurried(items: Iterable[Item], give_way: Callable[[], None] = give_way) -> Iterator[Item]:
    """Yield the items; whenever a piece of work on them is done, others may go on."""
    begun = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - begun > PIECE_SECONDS:
            give_way()
            begun = time.perf_counter()
