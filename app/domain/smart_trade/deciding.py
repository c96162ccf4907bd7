"""The one function by which a smart trade changes."""

from app.domain.decision import Decision
from app.domain.events import CancelRequested, TriggerFired
from app.domain.news import OrderUpdated
from app.domain.smart_trade.actions import acted
from app.domain.smart_trade.editing import updated
from app.domain.smart_trade.events import (
    FundsAdded,
    PanicRequested,
    PricesLookedAt,
    StepCancelRequested,
    StepPanicRequested,
    StopTimeOver,
    UpdateRequested,
    WatchesBooked,
)
from app.domain.smart_trade.firing import fired, looked_at, time_over
from app.domain.smart_trade.news import order_updated
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.watching import booked

SmartTradeEvent = (
    OrderUpdated
    | TriggerFired
    | WatchesBooked
    | StopTimeOver
    | PricesLookedAt
    | CancelRequested
    | PanicRequested
    | StepPanicRequested
    | StepCancelRequested
    | FundsAdded
    | UpdateRequested
)


def decide(  # noqa: PLR0911 - a table
    trade: SmartTrade, event: SmartTradeEvent
) -> Decision[SmartTrade]:
    """Return what becomes of a smart trade when `event` happens; nonsense is ignored."""
    match event:
        case OrderUpdated():
            return order_updated(trade, event)
        case TriggerFired():
            return fired(trade, event)
        case WatchesBooked():
            return booked(trade, event)
        case StopTimeOver():
            return time_over(trade, event)
        case PricesLookedAt():
            return looked_at(trade, event)
        case UpdateRequested():
            return updated(trade, event)
        case _:
            return acted(trade, event)
