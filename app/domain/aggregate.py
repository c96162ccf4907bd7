"""The kinds of aggregate, together, and the one function by which any of them changes."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from app.domain import order_life, smart_order_life
from app.domain.decision import Decision, ignored
from app.domain.identifiers import Currency
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.request.reversal import Reversal, ReversalEvent
from app.domain.request.signal import Signal, SignalEvent
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade import deciding
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import IN_FLIGHT, OrderStatus

Aggregate = Order | Signal | Reversal | SmartOrder | SmartTrade
Event = (
    order_life.OrderEvent
    | SignalEvent
    | ReversalEvent
    | smart_order_life.SmartOrderEvent
    | deciding.SmartTradeEvent
)


def decide(aggregate: Aggregate, event: Event) -> Decision[Aggregate]:
    """Return what becomes of `aggregate` when `event` happens.

    Total and pure: an event that makes no sense is ignored with a reason, never an exception. What
    is written down never goes back in time, also when a clock was set back.
    """
    # Done once here rather than in each handler: timelines are read in the order of their times.
    if event.at_ms < aggregate.updated_at_ms:
        event = replace(event, at_ms=aggregate.updated_at_ms)
    match aggregate:
        case Order() if isinstance(event, order_life.OrderEvent):
            return order_life.decide(aggregate, event)
        case Signal() if isinstance(event, SignalEvent):
            return aggregate.decide(event)
        case Reversal() if isinstance(event, ReversalEvent):
            return aggregate.decide(event)
        case SmartOrder() if isinstance(event, smart_order_life.SmartOrderEvent):
            return smart_order_life.decide(aggregate, event)
        case SmartTrade() if isinstance(event, deciding.SmartTradeEvent):
            return deciding.decide(aggregate, event)
        # A message may name the id of another kind of aggregate; that is nonsense, not a mistake.
        case _:
            return ignored(aggregate, f"{type(event).__name__} means nothing to {aggregate.kind}")


def is_finished(aggregate: Aggregate) -> bool:
    """Tell whether it may leave for the history: it has ended and owes nothing.

    A venue may still report a fill of it late, which makes it change once more.
    """
    return not aggregate.is_live and not aggregate.owed()


def is_news(before: Aggregate | None, after: Aggregate) -> bool:
    """Tell whether a change concerns the parent: what was filled and paid, and its end."""
    match after:
        case Order():
            known = before if isinstance(before, Order) else None
            # Until its fate is known there is nothing that a parent could act on.
            if after.status in IN_FLIGHT:
                return False
            return known is None or _standing(known) != _standing(after)
        case SmartOrder():
            return isinstance(before, SmartOrder) and (
                (before.is_live, before.filled_quantity) != (after.is_live, after.filled_quantity)
            )
        case Request() | SmartTrade():
            return False


def _standing(order: Order) -> tuple[OrderStatus, Decimal, Mapping[Currency, Decimal]]:
    return order.status, order.filled_quantity, order.fees
