"""The kinds of aggregate, together, and the one function by which any of them changes."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from app.domain import order_life, smart_order_life
from app.domain.decision import Decision, Rules, ignored
from app.domain.entity import Entity
from app.domain.enums import Side
from app.domain.events import Event
from app.domain.identifiers import Currency
from app.domain.order import Order
from app.domain.request import reversal, signal
from app.domain.request.request import Request
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade import life as smart_trade_life
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import IN_FLIGHT, OrderStatus

Aggregate = Order | Signal | Reversal | SmartOrder | SmartTrade
Some = TypeVar("Some", bound=Aggregate)

RULES: Mapping[type[Entity], Rules] = {
    Order: order_life.RULES,
    Signal: signal.RULES,
    Reversal: reversal.RULES,
    SmartOrder: smart_order_life.RULES,
    SmartTrade: smart_trade_life.RULES,
}


def decide(aggregate: Some, event: Event) -> Decision[Some]:
    """Return what becomes of `aggregate` when `event` happens.

    Total and pure: an event that makes no sense is ignored with a reason, never an exception. What
    is written down never goes back in time, also when a clock was set back.
    """
    # Done once here rather than in each rule: timelines are read in the order of their times.
    if event.at_ms < aggregate.updated_at_ms:
        event = replace(event, at_ms=aggregate.updated_at_ms)
    rule = RULES[type(aggregate)].get(type(event))
    # A message may name the id of another kind of aggregate; that is nonsense, not a mistake.
    if rule is None:
        return ignored(aggregate, f"{type(event).__name__} means nothing to {aggregate.kind}")
    return rule(aggregate, event)


def is_finished(aggregate: Aggregate) -> bool:
    """Tell whether it may leave for the history: it has ended and owes nothing.

    A venue may still report a fill of it late, which makes it change once more.
    """
    return not aggregate.is_live and not aggregate.owed()


def opens(aggregate: Aggregate) -> bool:
    """Tell whether it opens or adds to something, all else being an exit or a cancel."""
    match aggregate:
        case Order():
            return not aggregate.reduces
        case Request():
            return aggregate.is_entry
        case SmartOrder():
            return not aggregate.reduce_only and aggregate.side is Side.BUY
        case SmartTrade():
            return aggregate.side is Side.BUY


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
            return isinstance(before, SmartOrder) and _progress(before) != _progress(after)
        case Request() | SmartTrade():
            return False


def _progress(smart: SmartOrder) -> tuple[bool, bool, bool, Decimal]:
    return smart.is_live, smart.rests, smart.at_venue, smart.filled_quantity


def _standing(order: Order) -> tuple[OrderStatus, Decimal, Mapping[Currency, Decimal]]:
    return order.status, order.filled_quantity, order.fees
