"""An aggregate reads what concerns it and was not told with the change: who closed its position."""

from contextlib import suppress

from app.domain.errors import NewsChanged
from app.domain.identifiers import AggregateId
from app.ports import Ports
from app.ports.ledger import Stored
from app.services.advance import Along, advance_from, told_of
from app.services.apart import apart
from app.services.find_anywhere import present, present_record


def read_news(aggregate_id: AggregateId, ports: Ports) -> Stored:
    """Tell the aggregate how those who concern it are now, and count that as read.

    Whoever of them has left for the history comes back for it. Returns the aggregate as it is then.

    Raises:
        NotFound: there is no such aggregate.
    """
    load = ports.ledger.load
    known, news = ports.ledger.with_news(aggregate_id)
    if known is None and news:
        known = present_record(aggregate_id, ports)
    for child_id, version in news.items():
        before, known = known, None
        # The child is looked at before the commit. If there is newer news since, how it was then
        # must not count: that news is owed for itself, or others have read it already.
        with apart("news", child_id), suppress(NewsChanged):
            known = _read(before or load(aggregate_id), child_id, version, ports)
    return known or load(aggregate_id)


def _read(stored: Stored, child_id: AggregateId, version: int, ports: Ports) -> Stored:
    event = told_of(present(child_id, ports), ports)
    return advance_from(stored, event, ports, along=Along(read={child_id: version})).stored
