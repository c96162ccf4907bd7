"""What has left for the history is found there, and comes back when there is news about it."""

from collections.abc import Iterable, Iterator

from app.domain.aggregate import Aggregate, decide
from app.domain.errors import NotFound
from app.domain.events import Event
from app.domain.identifiers import AggregateId, EpochMs
from app.ports import Ports
from app.ports.history import Record
from app.ports.ledger import Stored
from app.services.advance import advance

#: From the look into the history to the copy in the store. What is in the store does not leave
#: within a second (`STAY_MS_MIN`), so a copy that is made in less than that is never older than
#: another one.
HASTE_MS = 500


def readable(ids: Iterable[AggregateId], ports: Ports) -> Iterator[Aggregate]:
    """Return those of the store's aggregates that are still there and can be read."""
    wanted = list(ids)
    found = ports.ledger.load_all(wanted) if wanted else ()
    return (one.aggregate for one in found)


def find_anywhere(aggregate_id: AggregateId, ports: Ports) -> Aggregate:
    """Return an aggregate as it is now, or as it was when it left; it stays where it is kept.

    Raises:
        NotFound: neither the store nor the history knows it.
        HistoryUnavailable: it is not in the store, and the history does not answer.
    """
    try:
        return ports.ledger.load(aggregate_id).aggregate
    except NotFound:
        record = ports.history.load([aggregate_id]).get(aggregate_id)
        if record is None:
            raise
        return record.aggregate


def present(aggregate_id: AggregateId, ports: Ports) -> Aggregate:
    """Return an aggregate as it is in the store, brought back if it has left; see below."""
    return present_record(aggregate_id, ports).aggregate


def present_record(aggregate_id: AggregateId, ports: Ports) -> Stored:
    """Return an aggregate as it is stored, brought back if it has left.

    Twice, or by two at once, is harmless: one that is there is left alone.

    Raises:
        NotFound: neither the store nor the history knows it.
        HistoryUnavailable: it is not in the store, and the history does not answer.
    """
    try:
        return ports.ledger.load(aggregate_id)
    except NotFound:
        give_up_at_ms, record = _left(aggregate_id, ports)
        ports.archive_queue.bring_back(record, give_up_at_ms)
        return ports.ledger.load(aggregate_id)


def tell(aggregate_id: AggregateId, event: Event, ports: Ports) -> None:
    """Let `event` happen to an aggregate; one that has left comes back if it means anything to it.

    Raises:
        NotFound: neither the store nor the history knows it.
        HistoryUnavailable: it is not in the store, and the history does not answer.
        Conflict: as in `advance`.
    """
    try:
        advance(aggregate_id, event, ports)
    except NotFound:
        give_up_at_ms, record = _left(aggregate_id, ports)
        if decide(record.aggregate, event).ignored is not None:
            return
        ports.archive_queue.bring_back(record, give_up_at_ms)
        advance(aggregate_id, event, ports)


def _left(aggregate_id: AggregateId, ports: Ports) -> tuple[EpochMs, Record]:
    give_up_at_ms = EpochMs(ports.clock.server_ms() + HASTE_MS)
    record = ports.history.load([aggregate_id]).get(aggregate_id)
    if record is None:
        raise NotFound(f"there is no aggregate {aggregate_id}, and never was")
    return give_up_at_ms, record
