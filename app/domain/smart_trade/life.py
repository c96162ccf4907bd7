"""What becomes of a smart trade when something happens."""

from app.domain.decision import Rules
from app.domain.events import CancelRequested, OrderUpdated, PairGone, PauseOver, TriggerFired
from app.domain.smart_trade.actions import acted, pair_gone
from app.domain.smart_trade.editing import updated
from app.domain.smart_trade.events import (
    FundsAdded,
    PanicRequested,
    PricesLookedAt,
    StartRequested,
    StepCancelRequested,
    TimeOver,
    UpdateRequested,
    WatchesBooked,
)
from app.domain.smart_trade.firing import fired, looked_at, time_over
from app.domain.smart_trade.going_on import gone_on
from app.domain.smart_trade.orders import order_updated
from app.domain.smart_trade.watching import booked

RULES: Rules = {
    OrderUpdated: order_updated,
    TriggerFired: fired,
    WatchesBooked: booked,
    TimeOver: time_over,
    PauseOver: gone_on,
    PricesLookedAt: looked_at,
    UpdateRequested: updated,
    PairGone: pair_gone,
    CancelRequested: acted,
    PanicRequested: acted,
    StepCancelRequested: acted,
    FundsAdded: acted,
    StartRequested: acted,
}
