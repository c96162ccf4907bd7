"""One aggregate among its family: where it came from, what it brought forth, what happened."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from app.admin.rows import entry_row, row_of
from app.bootstrap import Wiring
from app.domain.aggregate import Aggregate
from app.domain.decision import EntryName, TimelineEntry
from app.domain.errors import UnreadableRecord
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.request.request import Request, RequestStatus
from app.domain.request.signal import Signal
from app.history.reader import WholeReader
from app.web.answers import Json
from app.web.time_texts import span

#: Two things of one millisecond are told in the order of a life.
_RANKS = {name: rank for rank, name in enumerate(EntryName)}

Lines = Sequence[tuple[TimelineEntry, str]]


class Families:
    """Follows the lines between aggregates, up and down."""

    def __init__(self, wiring: Wiring) -> None:
        self._reader = wiring.reader
        self._registry = wiring.registry

    def row(self, aggregate: Aggregate) -> Json:
        """Return an aggregate as one row with its sentence, and the stage of a request at work."""
        sentence = aggregate.sentence()
        stage = None
        if isinstance(aggregate, Request) and aggregate.status is RequestStatus.EXECUTING:
            stage = aggregate.stage
        return {
            **row_of(aggregate, self._registry.account(aggregate.account).name),
            "sentence": sentence[:1].upper() + sentence[1:],
            "stage": stage,
        }

    def root_of(self, aggregate: Aggregate) -> Aggregate:
        """Return the request that began it all."""
        while aggregate.parent_id is not None:
            aggregate = self._reader.find(aggregate.parent_id)
        return aggregate

    def tree(self, aggregate: Aggregate) -> Mapping[str, object]:
        """Return the row of an aggregate, and the same of each that it brought forth."""
        children = [self.tree(child) for child in self._children(aggregate)]
        return {"row": self.row(aggregate), "children": children}

    def timeline(self, aggregate: Aggregate) -> Sequence[Json]:
        """Return what happened to an aggregate and its descent as one row of lines."""
        told = [
            [(entry, process, one) for entry, process in self._reader.timeline(one.id)]
            for one in self._descent(aggregate)
        ]
        lines: list[Json] = []
        before_ms = None
        for entry, process, one in heapq.merge(*told, key=lambda line: _moment_of(line[0])):
            gap = "" if before_ms is None else f"+{span(entry.at_ms - before_ms)}"
            owner = None if one.id == aggregate.id else self.row(one)
            lines.append({**entry_row(entry, process), "gap": gap, "of": owner})
            before_ms = entry.at_ms
        return lines

    def _descent(self, aggregate: Aggregate) -> Iterator[Aggregate]:
        yield aggregate
        for child in self._children(aggregate):
            yield from self._descent(child)

    def _children(self, aggregate: Aggregate) -> list[Aggregate]:
        children = []
        for child in self._reader.children(aggregate.id):
            with suppress(UnreadableRecord):  # in quarantine, where people see it
                children.append(self._reader.find(child))
        return children


def _moment_of(entry: TimelineEntry) -> tuple[int, int]:
    """Return when an entry comes in a merged timeline."""
    return entry.at_ms, _RANKS[entry.name]


def whole_timeline(aggregate_id: AggregateId, reader: WholeReader) -> Lines:
    """Return what happened to an aggregate; of a signal, the lives of its orders are a part.

    What both tell is told once, and an order's end is not the end of the signal.
    """
    own = reader.timeline(aggregate_id)
    if not isinstance(reader.find(aggregate_id), Signal):
        return own
    told = {EntryName.CLOSED, *(entry.name for entry, _ in own)}
    placed = [child for child in reader.children(aggregate_id) if _is_order(child, reader)]
    lives = [
        [line for line in reader.timeline(child) if line[0].name not in told] for child in placed
    ]
    return list(heapq.merge(own, *lives, key=lambda line: _moment_of(line[0])))


def _is_order(aggregate_id: AggregateId, reader: WholeReader) -> bool:
    try:
        return isinstance(reader.find(aggregate_id), Order)
    except UnreadableRecord:
        return False  # in quarantine, where people see it
