"""A smart order that waits is taken off."""

from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.events import CancelRequested
from app.domain.identifiers import AggregateId
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder
from app.ports import Ports
from app.services.advance import advance
from app.services.find_anywhere import present


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOutcome:
    """How a cancel found a smart order.

    Attributes:
        smart_order: as it is after it.
        is_canceled: this cancel has ended it. Else `smart_order.state` says what came before.
    """

    smart_order: SmartOrder
    is_canceled: bool


def cancel_smart_order(aggregate_id: AggregateId, reason: Reason, ports: Ports) -> CancelOutcome:
    """End the waiting of a smart order, in one step; an order that it has placed stays as it is.

    Raises:
        NotFound: there is no such smart order.
        HistoryUnavailable: it has left the store, and the history does not answer.
        Conflict: others changed it first, again and again.
    """
    found = present(aggregate_id, ports)  # one that has left for the history tells how it ended
    if not isinstance(found, SmartOrder):
        raise NotFound(f"{aggregate_id} is no smart order")
    event = CancelRequested(at_ms=ports.clock.now_ms(), reason=reason)
    decision = advance(aggregate_id, event, ports)
    after = decision.aggregate
    smart_order = after if isinstance(after, SmartOrder) else found
    return CancelOutcome(smart_order=smart_order, is_canceled=decision.ignored is None)
