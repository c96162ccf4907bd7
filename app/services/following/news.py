"""An aggregate reads what concerns it: how its children are, and who closed its position."""

from contextlib import suppress

from app.domain.errors import NewsChanged, NotFound
from app.domain.events import OrderUpdated, SmartOrderUpdated
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.draft import IDS_PER_EVENT
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.services.advance import advance
from app.services.apart import apart
from app.services.find_anywhere import present


def read_news(aggregate_id: AggregateId, ports: Ports) -> None:
    """Tell the aggregate how those who concern it are now, and count that as read.

    Whoever of them has left for the history comes back for it.
    """
    news = ports.ledger.news(aggregate_id)
    if news:
        present(aggregate_id, ports)
    for child_id, version in news.items():
        # The child is looked at before the commit. If there is newer news since, how it was then
        # must not count: that news is owed for itself, or others have read it already.
        with apart("news", child_id), suppress(NewsChanged):
            _read(aggregate_id, child_id, version, ports)


def _read(aggregate_id: AggregateId, child_id: AggregateId, version: int, ports: Ports) -> None:
    child = present(child_id, ports)
    at_ms = ports.clock.now_ms()
    match child:
        case Order():
            new_ids = ports.ids.fresh(child.account, IDS_PER_EVENT)
            event = OrderUpdated(at_ms=at_ms, order=child, new_ids=new_ids)
            advance(aggregate_id, event, ports, read={child_id: version})
        case SmartOrder():
            update = SmartOrderUpdated(at_ms=at_ms, smart_order=child)
            advance(aggregate_id, update, ports, read={child_id: version})
        case Request() | SmartTrade():
            raise NotFound(f"{child.kind} {child_id} is nobody's child")
