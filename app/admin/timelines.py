"""What happened to an aggregate, from the request to the last fill, as one list."""

import heapq
from collections.abc import Sequence

from app.domain.decision import EntryName, TimelineEntry
from app.domain.errors import UnreadableRecord
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.request.signal import Signal
from app.history.reader import WholeReader

#: Two things of one millisecond are told in the order of a life.
_RANKS = {name: rank for rank, name in enumerate(EntryName)}

Lines = Sequence[tuple[TimelineEntry, str]]


def moment_of(entry: TimelineEntry) -> tuple[int, int]:
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
    return list(heapq.merge(own, *lives, key=lambda line: moment_of(line[0])))


def _is_order(aggregate_id: AggregateId, reader: WholeReader) -> bool:
    try:
        return isinstance(reader.find(aggregate_id), Order)
    except UnreadableRecord:
        return False  # in quarantine, where people see it
