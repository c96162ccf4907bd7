"""Smart orders that stand alone are taken off, one or many."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.domain.enums import SmartOrderType
from app.domain.errors import NotFound
from app.domain.events import CancelRequested
from app.domain.identifiers import AccountId, AggregateId, Symbol
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrderFilter:
    """Which smart orders of an account; None does not ask.

    Attributes:
        origin: through which client they came.
    """

    origin: str | None = None
    symbols: Collection[Symbol] | None = None
    types: Collection[SmartOrderType] | None = None

    def holds(self, smart_order: SmartOrder) -> bool:
        """Tell whether a smart order is one of them."""
        return (
            (self.origin is None or smart_order.origin == self.origin)
            and (self.symbols is None or smart_order.symbol in self.symbols)
            and (self.types is None or smart_order.type in self.types)
        )


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


def waiting_smart_orders(
    account: AccountId, wanted: SmartOrderFilter, ports: Ports
) -> Sequence[SmartOrder]:
    """Return the smart orders of an account that stand alone and wait, newest first."""
    found = ports.live.waiting(account)
    return [one for one in found if wanted.holds(one)]
