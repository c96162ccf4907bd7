"""What may happen to a smart order, and what becomes of it then."""

from dataclasses import replace
from decimal import Decimal

from app.domain.decision import Decision, EntryName, Rules, TimelineEntry, ignored
from app.domain.enums import OrderType, ReasonCode, Side
from app.domain.events import (
    CancelRequested,
    OrderUpdated,
    TimerDue,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
    TriggerRefused,
)
from app.domain.identifiers import EpochMs, OrderId
from app.domain.instrument import on_tick
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OPEN, OrderStatus

#: How often a protective order that the venue refuses is placed anew before a person is told.
PLACEMENTS_MAX = 3


def _armed(smart: SmartOrder, event: TriggerArmed) -> Decision[SmartOrder]:
    if smart.armed:
        return ignored(smart, "it is armed already")
    # Armed by a worker that did not know that it has ended. Noted all the same: only then does it
    # owe DISARM, which takes it out of the book again.
    if not smart.is_waiting:
        return Decision(replace(smart, armed=True))
    armed = replace(smart, armed=True)
    return Decision(armed, entries=(TimelineEntry(EntryName.ARMED, event.at_ms),))


def _disarmed(smart: SmartOrder, _event: TriggerDisarmed) -> Decision[SmartOrder]:
    return Decision(replace(smart, armed=False))


def _fired(smart: SmartOrder, event: TriggerFired) -> Decision[SmartOrder]:
    # A cancel or an expiry was committed first, though the book had not heard of it yet.
    if not smart.is_waiting:
        return ignored(smart, f"its price came when it was {smart.status}")
    fired = replace(
        smart, status=SmartOrderStatus.TRIGGERED, armed=False, updated_at_ms=event.at_ms
    )
    limit = _limit_at(smart, event.prices.get(smart.trigger.slot))
    if isinstance(limit, Reason):
        return _failed(fired, limit, event.at_ms)
    return _placing(fired, event, limit, EntryName.TRIGGERED)


def _limit_at(smart: SmartOrder, price: Decimal | None) -> Decimal | Reason | None:
    """Return the limit of the order it places, for the price of the firing tick, or why not.

    Source: Poloniex documentation, "Create Smart Order" (limitOffset).
    """
    if not smart.type.is_limit:
        return None
    if smart.limit_offset is None or not smart.type.is_trailing:
        return smart.price
    if price is None:
        return Reason(ReasonCode.NO_PRICE, "the price at which it was triggered is not known")
    away = smart.limit_offset.below if smart.side is Side.SELL else smart.limit_offset.above
    # Rounding a buy in favor of the caller may bring a small limit down to nothing.
    limit = on_tick(away(price), smart.trigger.price_step, smart.side)
    if limit <= 0:
        return Reason(
            ReasonCode.LIMIT_NOT_ABOVE_ZERO, f"{smart.limit_offset} from {price:f} is {limit:f}"
        )
    return limit


def _timer_due(smart: SmartOrder, event: TimerDue) -> Decision[SmartOrder]:
    if smart.expires_at_ms is None or event.at_ms < smart.expires_at_ms:
        return ignored(smart, f"its timer came early, it waits until {smart.expires_at_ms}")
    waited = event.at_ms - smart.created_at_ms
    reason = Reason(ReasonCode.TOO_OLD, f"its price did not come within {waited} ms")
    return _given_up(smart, SmartOrderStatus.EXPIRED, event.at_ms, reason)


def _refused(smart: SmartOrder, event: TriggerRefused) -> Decision[SmartOrder]:
    return _given_up(smart, SmartOrderStatus.REJECTED, event.at_ms, event.reason)


def _canceled(smart: SmartOrder, event: CancelRequested) -> Decision[SmartOrder]:
    return _given_up(smart, SmartOrderStatus.CANCELED, event.at_ms, event.reason)


def _given_up(
    smart: SmartOrder, status: SmartOrderStatus, at_ms: EpochMs, reason: Reason
) -> Decision[SmartOrder]:
    """End the waiting. Of this and the price exactly one comes first, and the other is late."""
    if not smart.is_waiting:
        return ignored(smart, f"what should make it {status} found it {smart.status}")
    ended = replace(
        smart,
        status=status,
        reason=reason,
        armed=True,  # somebody may be arming it, or may have died right after
        updated_at_ms=at_ms,
    )
    return Decision(ended, entries=_ended(EntryName(status.value.lower()), at_ms, reason))


def _failed(smart: SmartOrder, reason: Reason | None, at_ms: EpochMs) -> Decision[SmartOrder]:
    failed = replace(smart, status=SmartOrderStatus.FAILED, reason=reason, updated_at_ms=at_ms)
    name = EntryName.ALERT if smart.reduce_only else EntryName.FAILED
    return Decision(failed, entries=_ended(name, at_ms, reason))


def _order_updated(smart: SmartOrder, event: OrderUpdated) -> Decision[SmartOrder]:
    order = event.order
    if order.id != smart.order_id:
        return ignored(smart, f"order {order.id} is not its own")
    heard = replace(
        smart,
        order_status=order.status,
        filled_quantity=order.filled_quantity,
        average_price=order.average_price,
    )
    if not order.is_closed:
        return Decision(heard)
    # A part that has filled has traded: it is not placed again, and its caller id stays taken.
    if order.status is OrderStatus.FILLED or order.filled_quantity > 0:
        return Decision(heard, entries=_ended(EntryName.FILLED, event.at_ms, None))
    return _order_failed(heard, order, event, was_opened=smart.order_status in OPEN)


def _order_failed(
    smart: SmartOrder, order: Order, event: OrderUpdated, *, was_opened: bool
) -> Decision[SmartOrder]:
    """Place a refused guard again, a few times; any other order that could not be placed fails."""
    # Placed again only where that can help: the venue refused at once, and there is something left
    # to guard. One that was open at the venue before was ended by somebody who wanted that.
    nothing_left = order.reason is not None and order.reason.code is ReasonCode.NO_POSITION
    refused = order.status in {OrderStatus.REJECTED, OrderStatus.DENIED}
    if nothing_left or not refused or was_opened:
        closed = TimelineEntry(EntryName.CLOSED, event.at_ms, order.reason)
        return Decision(replace(smart, reason=order.reason), entries=(closed,))
    # A guard is tried again, at the same limit: without it the position would stand unprotected. An
    # entry that was refused is its caller's to repeat.
    if smart.reduce_only and smart.placements < PLACEMENTS_MAX:
        return _placing(smart, event, order.price, EntryName.DEFERRED)
    return _failed(smart, order.reason, event.at_ms)


def _placing(
    smart: SmartOrder, event: TriggerFired | OrderUpdated, limit: Decimal | None, name: EntryName
) -> Decision[SmartOrder]:
    """Bring forth the order, with this limit; the timeline gains this entry."""
    fresh = event.new_ids[0]
    order = Order(
        id=OrderId(fresh.id),
        client_order_id=fresh.client_order_id,
        parent_id=smart.id,
        # One that stands alone is itself what the request became.
        request_id=smart.request_id or smart.id,
        **smart.beginning(event.at_ms),
        side=smart.side,
        position_side=smart.position_side,
        type=_order_type(smart),
        time_in_force=smart.time_in_force,
        quantity=Decimal(0) if smart.budget is not None else smart.quantity or Decimal(0),
        amount=smart.budget,
        price=limit,
        reduce_only=smart.reduce_only,
        reduces=smart.reduce_only or smart.side is Side.SELL,
        caller_id=smart.caller_id,
        due_at_ms=event.at_ms,
        tick_at_ms=event.tick_at_ms if isinstance(event, TriggerFired) else None,
    )
    placing = replace(
        smart,
        order_id=order.id,
        order_status=order.status,
        placements=smart.placements + 1,
    )
    return Decision(placing, (order,), (TimelineEntry(name, event.at_ms),))


def _order_type(smart: SmartOrder) -> OrderType:
    if not smart.type.is_limit:
        return OrderType.MARKET
    return OrderType.LIMIT_MAKER if smart.post_only else OrderType.LIMIT


def _ended(name: EntryName, at_ms: EpochMs, reason: Reason | None) -> tuple[TimelineEntry, ...]:
    return (TimelineEntry(name, at_ms, reason), TimelineEntry(EntryName.CLOSED, at_ms))


RULES: Rules = {
    TriggerArmed: _armed,
    TriggerDisarmed: _disarmed,
    TriggerFired: _fired,
    TriggerRefused: _refused,
    TimerDue: _timer_due,
    CancelRequested: _canceled,
    OrderUpdated: _order_updated,
}
