"""The orders of a smart order: those that it places, and the one that its venue holds for it."""

from dataclasses import replace
from decimal import Decimal

from app.domain.enums import OrderType, Side
from app.domain.identifiers import EpochMs, FreshId, OrderId
from app.domain.order import Condition, Order
from app.domain.smart_order import SmartOrder


def resting(smart: SmartOrder, fresh: FreshId, at_ms: EpochMs) -> tuple[SmartOrder, Order]:
    """Return one that has no order yet as one that its venue holds, and the order that rests there.

    Args:
        smart: a guard, or what a caller has asked for.
        fresh: the ids of the order.
        at_ms: business time.
    """
    held = replace(smart, at_venue=True)
    order = order_of(held, fresh, at_ms)
    return replace(held, order_id=order.id, order_status=order.status), order


def order_of(
    smart: SmartOrder,
    fresh: FreshId,
    at_ms: EpochMs,
    limit: Decimal | None = None,
    tick_at_ms: EpochMs | None = None,
) -> Order:
    """Return its next order.

    Args:
        smart: whose it is.
        fresh: the ids of the order.
        at_ms: business time.
        limit: its price; None is a market order.
        tick_at_ms: business time of the tick that has fired it, if one just has.
    """
    return Order(
        id=OrderId(fresh.id),
        client_order_id=fresh.client_order_id,
        parent_id=smart.id,
        # One that stands alone is itself what the request became.
        request_id=smart.request_id or smart.id,
        **smart.beginning(at_ms),
        side=smart.side,
        position_side=smart.position_side,
        type=_order_type(smart),
        time_in_force=smart.time_in_force,
        quantity=Decimal(0) if smart.budget is not None else left_of(smart),
        amount=smart.budget,
        price=limit,
        condition=_condition(smart),
        reduce_only=smart.reduce_only,
        reduces=smart.reduce_only or smart.side is Side.SELL,
        fits_held=smart.is_guard,
        caller_id=smart.caller_id,
        due_at_ms=at_ms,
        tick_at_ms=tick_at_ms,
    )


def _condition(smart: SmartOrder) -> Condition | None:
    """Return what its order waits for at the venue; nothing, once its price has come."""
    trigger = smart.trigger
    if not smart.is_resting or trigger.level is None:
        return None
    return Condition(level=trigger.level, direction=trigger.direction, source=trigger.source)


def _order_type(smart: SmartOrder) -> OrderType:
    if not smart.type.is_limit:
        return OrderType.MARKET
    return OrderType.LIMIT_MAKER if smart.post_only else OrderType.LIMIT


def left_of(smart: SmartOrder) -> Decimal:
    """Return what its orders have not filled yet."""
    return (smart.quantity or Decimal(0)) - smart.filled_quantity


def own_limit(smart: SmartOrder) -> Decimal | None:
    """Return the limit of its orders, where that does not depend on the price that fires it."""
    return smart.price if smart.type.is_limit else None
