"""What is live and what has left, as one.

The order of questions keeps gaps out: for each stretch of a list the store is asked first. What
leaves its list before that is in the history by then; what leaves it later was told by the store.
What both tell of is taken from the store, which has it newer.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from app.domain.aggregate import Aggregate
from app.domain.decision import TimelineEntry
from app.domain.enums import Kind
from app.domain.errors import NotFound
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.report import Fill
from app.domain.search import (
    EVERYTHING,
    FillPlace,
    Moment,
    Place,
    Search,
    place_by,
    place_of,
)
from app.history.sql_history import SqlHistory
from app.store.core.reader import RedisReader
from app.store.core.records import entry_from

#: Places of the store that are looked at in one go.
STRETCH = 500

_Traded = tuple[FillPlace, Order, Fill]


class WholeReader:
    """Reads the store and the history as one.

    Args:
        live: the store.
        history: what has left it.
    """

    def __init__(self, live: RedisReader, history: SqlHistory) -> None:
        self._live = live
        self._history = history

    def find(self, aggregate_id: AggregateId) -> Aggregate:
        """Return the aggregate as it is, or as it was when it left.

        Raises:
            NotFound: there is none with this id, and never was.
        """
        live = self._live.find(aggregate_id)
        if live is not None:
            return live
        record = self._history.load([aggregate_id]).get(aggregate_id)
        if record is None:
            raise NotFound(f"there is no aggregate {aggregate_id}")
        return record.aggregate

    def newest(self, before: Place | None, search: Search = EVERYTHING) -> Iterator[Aggregate]:
        """Yield aggregates from the newest, by creation time, then id; lazily, in pages.

        Args:
            before: only those older than this (creation time, id); None begins at the newest.
            search: what they must have.
        """
        for live, above, floor in self._stretches(before, search):
            ours = sorted(filter(search.match, live.values()), key=place_of, reverse=True)
            kept = () if search.finds_live_only else self._history.newest(search, above, floor)
            theirs = (one for one in kept if one.id not in live)
            yield from heapq.merge(ours, theirs, key=place_of, reverse=True)

    def oldest(
        self, search: Search, moment: Moment, *, offset: int, limit: int
    ) -> Sequence[Aggregate]:
        """Return a page of a list that begins with the oldest; what has not happened is at its end.

        Args:
            search: names accounts and one kind; a type of smart trades only.
            moment: what the list is sorted by, then by id.
            offset: how many are left out before the page.
            limit: how many it shows; less if one of them cannot be read.
        """
        live = {} if search.finds_nothing else self._all_live(search)
        if not (search.finds_nothing or search.finds_live_only):
            return self._history.oldest(live, search, moment, offset=offset, limit=limit)
        ours = sorted(filter(search.match, live.values()), key=partial(place_by, moment))
        return ours[offset : offset + limit]

    def count(self, search: Search = EVERYTHING) -> int:
        """Return how many aggregates have what is searched for."""
        if search.types is not None:
            return sum(1 for _ in self.newest(None, search))  # an index may not know them all
        live = self._all_live(search)
        matching = sum(map(search.match, live.values()))
        if search.finds_live_only:
            return matching
        return matching + self._history.count(search, live)

    def fills(self, before: FillPlace | None, search: Search = EVERYTHING) -> Iterator[_Traded]:
        """Yield fills from the newest, each with its place and its order; lazily, in pages.

        Args:
            before: only those older than this place; None begins at the newest.
            search: what their orders must have, save kind, state and parent; times are the fill's.
        """
        live = self._all_live(_whenever(search))
        ours = sorted(_fills_of(live.values(), search), key=_fill_place, reverse=True)
        newer = (one for one in ours if before is None or one[0] < before)
        kept = self._history.fills(search, before)
        theirs = (one for one in kept if one[1].id not in live)
        yield from heapq.merge(newer, theirs, key=_fill_place, reverse=True)

    def count_fills(self, search: Search = EVERYTHING) -> int:
        """Return how many fills there are of what is searched for."""
        live = self._all_live(_whenever(search))
        ours = sum(1 for _ in _fills_of(live.values(), search))
        return ours + self._history.count_fills(search, live)

    def timeline(self, aggregate_id: AggregateId) -> Sequence[tuple[TimelineEntry, str]]:
        """Return what has happened to an aggregate, oldest first, each with its process."""
        live = self._live.timeline(aggregate_id)
        if live or self._live.load([aggregate_id]):
            return live
        records = self._history.load([aggregate_id])
        return [entry_from(text) for one in records.values() for text in one.timeline]

    def children(self, aggregate_id: AggregateId) -> Sequence[AggregateId]:
        """Return what the aggregate has brought forth, oldest first."""
        live = self._live.children(aggregate_id)
        if live or self._live.load([aggregate_id]):
            return live
        records = self._history.load([aggregate_id])
        return [child for one in records.values() for child in one.children]

    def _stretches(
        self, before: Place | None, search: Search
    ) -> Iterator[tuple[Mapping[AggregateId, Aggregate], Place | None, Place | None]]:
        """Yield what the store has, stretch by stretch, with the places between which that is."""
        if search.until_ms is not None:
            newest = (search.until_ms, AggregateId(0))
            before = newest if before is None else min(before, newest)
        while True:
            places = self._live.places(before, STRETCH, search)
            floor = places[-1] if len(places) == STRETCH else None
            if floor is not None and search.since_ms is not None and floor[0] < search.since_ms:
                floor = None
            yield self._live.load([one for _, one in places], search.kinds), before, floor
            if floor is None:
                return
            before = floor

    def _all_live(self, search: Search) -> Mapping[AggregateId, Aggregate]:
        found: dict[AggregateId, Aggregate] = {}
        for live, _, _ in self._stretches(None, search):
            found.update(live)
        return found


def _whenever(search: Search) -> Search:
    """Return what is asked of the orders of fills: they may be older than their fills."""
    orders = frozenset({Kind.ORDER})
    return replace(search, kinds=orders, since_ms=None, until_ms=None, parent=None)


def _fills_of(aggregates: Iterable[Aggregate], search: Search) -> Iterator[_Traded]:
    for order in aggregates:
        if not isinstance(order, Order) or not search.is_about(order):
            continue
        for number, fill in enumerate(order.fills):
            if search.covers(fill.at_ms):
                yield (fill.at_ms, order.id, number), order, fill


def _fill_place(traded: _Traded) -> FillPlace:
    return traded[0]
