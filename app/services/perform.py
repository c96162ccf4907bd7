"""Do what an aggregate owes: read its news, take its turn, arm, disarm, withdraw."""

from app.domain.aggregate import Aggregate
from app.domain.effects import EffectKind
from app.domain.enums import ReasonCode
from app.domain.events import (
    TriggerArmed,
    TriggerDisarmed,
    TriggerRefused,
)
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import Request
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.services.advance import advance
from app.services.following.news import read_news
from app.services.placing.cancel import cancel_targets, request_cancel, withdraw_children
from app.services.placing.lane import work_lane
from app.services.smart_trades.watches import book_watches, withdraw_orders
from app.services.watching.watch import hand_on


def perform(aggregate_id: AggregateId, ports: Ports) -> None:
    """Bring the aggregate forward as far as it goes now.

    Safe to call at any time, twice and at once: each step is a commit that finds out whether it is
    still wanted.

    Raises:
        NotFound: there is no such aggregate.
    """
    read_news(aggregate_id, ports)
    aggregate = ports.ledger.load(aggregate_id).aggregate
    for effect in aggregate.owed():
        _carry_out(effect.kind, aggregate, ports)


def _arm(smart_order: SmartOrder, ports: Ports) -> None:
    """Hold the trigger, unless the position that it was to guard is gone already.

    That it was flat stays true of the position that was meant, however late the venue's answer
    comes: one that was opened since has a guard of its own.
    """
    if smart_order.reduce_only and _is_flat(smart_order, ports):
        reason = Reason(ReasonCode.POSITION_CLOSED, "the position was closed before it was armed")
        request_cancel(smart_order.id, reason, ports)
        return
    account = ports.accounts.account(smart_order.account)
    if ports.venues.of(account).instrument(smart_order.symbol) is None:
        reason = Reason(ReasonCode.UNKNOWN_INSTRUMENT, f"{smart_order.symbol} is not traded here")
        refused = TriggerRefused(at_ms=ports.clock.now_ms(), reason=reason)
        advance(smart_order.id, refused, ports)
        return
    trigger = smart_order.trigger
    seen = None
    if trigger.looks_now:
        seen = ports.venues.feed(trigger.venue).newest(trigger.symbol)
    has_fired = ports.book.arm(trigger, seen)
    advance(smart_order.id, TriggerArmed(at_ms=ports.clock.now_ms()), ports)
    if has_fired:
        own = [one for one in ports.book.fired(trigger.venue) if one.owner == smart_order.id]
        hand_on(trigger.venue, own, ports)


def _is_flat(smart_order: SmartOrder, ports: Ports) -> bool:
    leg = smart_order.position_side
    if leg is None:
        return False
    venue = ports.venues.of(ports.accounts.account(smart_order.account))
    return venue.view().position(smart_order.symbol, leg).size == 0


def _carry_out(kind: EffectKind, aggregate: Aggregate, ports: Ports) -> None:
    match aggregate:
        case Signal() if kind is EffectKind.ADVANCE and aggregate.action.is_cancel:
            cancel_targets(aggregate, ports)
        case Request() | Order() if kind is EffectKind.ADVANCE:
            work_lane(aggregate.account, aggregate.symbol, ports)
        case Request() if kind is EffectKind.WITHDRAW:
            withdraw_children(aggregate, ports)
        case SmartOrder() if kind is EffectKind.ARM:
            _arm(aggregate, ports)
        case SmartOrder() if kind is EffectKind.DISARM:
            ports.book.disarm(aggregate.trigger)
            advance(aggregate.id, TriggerDisarmed(at_ms=ports.clock.now_ms()), ports)
        case SmartTrade() if kind in {EffectKind.ARM, EffectKind.DISARM}:
            book_watches(aggregate, ports)
        case SmartTrade() if kind is EffectKind.WITHDRAW:
            withdraw_orders(aggregate, ports)
        case _:
            return  # a timer or an order's own work, which has a task of its own
