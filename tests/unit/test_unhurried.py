"""Long work lets others go on, and short work is not held up by that."""

import time
from collections.abc import Iterable, Iterator

from app.unhurried import PIECE_SECONDS, unhurried


def _times_given_way(items: Iterable[float]) -> int:
    """Return how often others could go on while so many seconds were spent on each item."""
    given: list[None] = []
    for seconds in unhurried(items, lambda: given.append(None)):
        time.sleep(seconds)
    return len(given)


def test_others_may_go_on_between_long_pieces() -> None:
    assert _times_given_way([2 * PIECE_SECONDS] * 5) == 5


def test_making_an_item_counts_as_work_on_it() -> None:
    def made() -> Iterator[float]:
        for _ in range(3):
            time.sleep(2 * PIECE_SECONDS)
            yield 0

    assert _times_given_way(made()) == 3


def test_all_items_come_in_their_order() -> None:
    assert list(unhurried(range(1_000))) == list(range(1_000))
