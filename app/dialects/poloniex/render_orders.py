"""Plain orders and their trades as Poloniex writes them (its documentation, "Orders", "Trades")."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.notation import SPOT, pair_of, quotient, shown
from app.domain.enums import Dialect, ReasonCode
from app.domain.money import plain
from app.domain.order import Order
from app.domain.report import Fill
from app.domain.status import OrderStatus

Json = dict[str, object]

PENDING_CANCEL: Final = "PENDING_CANCEL"
CANCELED: Final = "CANCELED"
PARTIALLY_CANCELED: Final = "PARTIALLY_CANCELED"
FAILED: Final = "FAILED"

#: Where orders come from that were not made on Poloniex's own pages.
ORDER_SOURCE: Final = "API"

_STATES: Final[Mapping[OrderStatus, str]] = {
    OrderStatus.PENDING_NEW: "PENDING_NEW",
    OrderStatus.PLACING: "PENDING_NEW",
    OrderStatus.UNKNOWN: "PENDING_NEW",
    OrderStatus.NEW: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: CANCELED,
    OrderStatus.EXPIRED: "EXPIRED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.DENIED: FAILED,
}

#: All states of an order, in the wire's words.
STATES: Final = frozenset({*_STATES.values(), PENDING_CANCEL, PARTIALLY_CANCELED})

#: Reason → what Poloniex calls it; the rest is a general refusal.
_REASONS: Final[Mapping[ReasonCode, Code]] = {
    ReasonCode.INSUFFICIENT_FUNDS: Code.INSUFFICIENT_BALANCE,
    ReasonCode.BELOW_MINIMUM: Code.AMOUNT_BELOW_MIN,
    ReasonCode.ABOVE_MAXIMUM: Code.SIZE_ABOVE_MAX,
    ReasonCode.LIMIT_NOT_ABOVE_ZERO: Code.PRICE_NOT_POSITIVE,
    ReasonCode.UNKNOWN_INSTRUMENT: Code.INVALID_SYMBOL,
    ReasonCode.ACCOUNT_HALTED: Code.SYMBOL_FROZEN,
    ReasonCode.ACCOUNT_REDUCE_ONLY: Code.SYMBOL_FROZEN,
}


def code_of(reason: ReasonCode) -> Code:
    """Return the code for why an order could not be placed."""
    return _REASONS.get(reason, Code.ORDER_NOT_PLACED)


def state_of(order: Order) -> str:
    """Return where an order stands, in the wire's words."""
    if order.is_live and order.cancel_requested:
        return PENDING_CANCEL
    if order.status is OrderStatus.CANCELED and order.filled_quantity > 0:
        return PARTIALLY_CANCELED
    return _STATES[order.status]


def caller_id_of(order: Order) -> str:
    """Return the client order id; what another dialect has set is none of ours."""
    return (order.caller_id or "") if order.dialect is Dialect.POLONIEX else ""


def id_pair(order: Order) -> Json:
    """Return the answer to an order that was taken in."""
    return {"id": str(order.id), "clientOrderId": caller_id_of(order)}


def filled_amount(order: Order) -> Decimal:
    """Return what the filled part is worth, in quote currency."""
    known = sum((fill.quantity for fill in order.fills), Decimal(0))
    if known == order.filled_quantity:
        return sum((fill.quantity * fill.price for fill in order.fills), Decimal(0))
    return order.filled_quantity * (order.average_price or Decimal(0))


def average_price(order: Order) -> str:
    """Return filled amount by filled quantity; `0.00` when nothing is filled."""
    if not order.filled_quantity:
        return shown(None)
    return quotient(filled_amount(order) / order.filled_quantity)


def order_row(order: Order) -> Json:
    """Return an order; a market buy by what it spends has an amount and no quantity."""
    return {
        "id": str(order.id),
        "clientOrderId": caller_id_of(order),
        "symbol": pair_of(order.symbol),
        "state": state_of(order),
        "accountType": SPOT,
        "side": order.side.value,
        "type": order.type.value,
        "timeInForce": order.time_in_force.value,
        "quantity": shown(order.quantity),
        "price": shown(order.price),
        "avgPrice": average_price(order),
        "amount": shown(order.amount),
        "filledQuantity": shown(order.filled_quantity),
        "filledAmount": shown(filled_amount(order)),
        "createTime": order.created_at_ms,
        "updateTime": order.updated_at_ms,
    }


def history_row(order: Order) -> Json:
    """Return an order of the past; one that came to nothing says why."""
    row = {**order_row(order), "orderSource": ORDER_SOURCE}
    if order.status in {OrderStatus.REJECTED, OrderStatus.DENIED} and order.reason is not None:
        row["failCode"] = int(code_of(order.reason.code))
        row["failReason"] = order.reason.message
    return row


def trade_row(order: Order, number: int, fill: Fill) -> Json:
    """Return one execution of an order.

    Args:
        order: whose it is.
        number: counts the executions of the order from 0.
        fill: the execution.
    """
    trade_id = trade_id_of(order, number)
    return {
        "id": trade_id,
        "symbol": pair_of(order.symbol),
        "accountType": SPOT,
        "orderId": str(order.id),
        "side": order.side.value,
        "type": order.type.value,
        "matchRole": "MAKER" if fill.is_maker else "TAKER",
        "createTime": fill.at_ms,
        "price": plain(fill.price),
        "quantity": plain(fill.quantity),
        "amount": plain(fill.price * fill.quantity),
        "feeCurrency": fill.fee_currency,
        "feeAmount": shown(fill.fee),
        "pageId": trade_id,
        "clientOrderId": caller_id_of(order),
    }


def trade_id_of(order: Order, number: int) -> str:
    """Return the id of an execution: digits that rise with the order, then within it."""
    return f"{order.id}{number:04d}"


def canceled(order: Order, state: str, message: str = "") -> Json:
    """Return the result of a cancel that was taken in."""
    return cancel_result(str(order.id), caller_id_of(order), state, message)


def cancel_result(order_id: str, caller_id: str, state: str, message: str = "") -> Json:
    """Return the result of a cancel that has gone well."""
    return {
        "orderId": order_id,
        "clientOrderId": caller_id,
        "state": state,
        "code": 200,
        "message": message,
    }


def not_canceled(problem: Problem, order_id: str, caller_id: str, state: str = "") -> Json:
    """Return the result of a cancel that has not, as one of many."""
    return {
        "orderId": order_id,
        "clientOrderId": caller_id,
        "state": state,
        "code": int(problem.code),
        "message": problem.text,
    }


def not_placed(problem: Problem, caller_id: str) -> Json:
    """Return the result of an order that was refused, as one of many."""
    return {"code": int(problem.code), "message": problem.text, "clientOrderId": caller_id}
