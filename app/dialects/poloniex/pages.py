"""One page of a list that runs from the newest to the oldest."""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Protocol, TypeVar

from app.dialects.poloniex.queries import Page
from app.domain.identifiers import AggregateId


class _Identified(Protocol):
    @property
    def id(self) -> AggregateId:
        """What pages go by."""


Item = TypeVar("Item", bound=_Identified)


def page_of(newest_first: Iterable[Item], page: Page) -> list[Item]:
    """Return a page, newest first: beyond a start and next to it, else the newest there are."""
    start = page.start
    if start is None:
        return list(islice(newest_first, page.limit))
    if page.newer:
        return list(deque((one for one in newest_first if one.id > start), maxlen=page.limit))
    return list(islice((one for one in newest_first if one.id < start), page.limit))
