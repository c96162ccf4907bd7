"""Smart orders as Poloniex writes them (its documentation, "Smart Orders")."""

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.notation import OPERATORS, SPOT, pair_of, shown
from app.dialects.poloniex.render_orders import (
    ORDER_SOURCE,
    average_price,
    code_of,
    filled_amount,
    order_row,
    state_of,
)
from app.domain.order import Order
from app.domain.smart_order import SmartOrder, SmartOrderState

Json = dict[str, object]

#: The other way round, as it is shown.
_OPERATOR_OF = {way: word for word, way in OPERATORS.items()}

_FAILED = frozenset({SmartOrderState.FAILED, SmartOrderState.REJECTED})


def id_pair(smart_order: SmartOrder) -> Json:
    """Return the answer to a smart order that was taken in."""
    return {"id": str(smart_order.id), "clientOrderId": smart_order.caller_id or ""}


def row(smart_order: SmartOrder) -> Json:
    """Return a smart order as it stands in lists."""
    shape: Json = {
        "id": str(smart_order.id),
        "clientOrderId": smart_order.caller_id or "",
        "symbol": pair_of(smart_order.symbol),
        "state": smart_order.state.value,
        "accountType": SPOT,
        "side": smart_order.side.value,
        "type": smart_order.type.value,
        "timeInForce": smart_order.time_in_force.value,
        "quantity": shown(smart_order.quantity),
        "price": shown(smart_order.price),
        "amount": shown(smart_order.amount),
        "stopPrice": shown(smart_order.trigger.stop),
        "createTime": smart_order.created_at_ms,
        "updateTime": smart_order.updated_at_ms,
    }
    return {**shape, **_trailing(smart_order), **_failure(smart_order)}


def detail(smart_order: SmartOrder, placed: Order | None) -> Json:
    """Return a smart order as it stands alone, with the order that it has placed.

    Args:
        smart_order: in any state.
        placed: its order as it is now, or None if it has none.
    """
    shape = row(smart_order)
    if smart_order.state is SmartOrderState.TRIGGERED and placed is not None:
        # The triggered order carries the client order id of its smart order.
        named = {"clientOrderId": smart_order.caller_id or ""}
        shape["triggeredOrder"] = {**order_row(placed), **named}
    return shape


def history_row(smart_order: SmartOrder, placed: Order | None) -> Json:
    """Return a smart order of the past, with what its order has filled."""
    return {
        **row(smart_order),
        "orderSource": ORDER_SOURCE,
        "avgPrice": shown(None) if placed is None else average_price(placed),
        "filledQuantity": shown(None if placed is None else placed.filled_quantity),
        "filledAmount": shown(None if placed is None else filled_amount(placed)),
    }


def states_of(smart_order: SmartOrder, placed: Order | None) -> frozenset[str]:
    """Return the states by which a smart order of the past is found: its own, and its order's."""
    own = {smart_order.state.value}
    if smart_order.state is SmartOrderState.TRIGGERED and placed is not None:
        own.add(state_of(placed))
    return frozenset(own)


def not_canceled(smart_order: SmartOrder) -> Problem:
    """Return why a smart order that no longer waits cannot be canceled."""
    if smart_order.state is SmartOrderState.CANCELED:
        return Problem(Code.ORDER_CANCELED)
    return Problem(Code.NOT_CANCELED)


def _trailing(smart_order: SmartOrder) -> Json:
    if not smart_order.type.is_trailing:
        return {}
    shape: Json = {"trailingOffset": str(smart_order.trigger.trail)}
    if smart_order.limit_offset is not None:
        shape["limitOffset"] = str(smart_order.limit_offset)
    if smart_order.operator is not None:
        shape["operator"] = _OPERATOR_OF[smart_order.operator]
    return shape


def _failure(smart_order: SmartOrder) -> Json:
    if smart_order.state not in _FAILED or smart_order.reason is None:
        return {}
    reason = smart_order.reason
    return {"failCode": int(code_of(reason.code)), "failReason": reason.message}
