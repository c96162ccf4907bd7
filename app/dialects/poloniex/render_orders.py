"""Orders, smart orders and trades as Poloniex writes them (its documentation, by these names)."""

from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Final

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.notation import OPERATORS, SPOT, UNSET, pair_of, quotient, shown
from app.domain.enums import Dialect, ReasonCode
from app.domain.identifiers import AggregateId
from app.domain.money import plain
from app.domain.order import Order
from app.domain.report import Fill
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus

Json = dict[str, object]

PENDING_CANCEL: Final = "PENDING_CANCEL"
CANCELED: Final = "CANCELED"
PARTIALLY_CANCELED: Final = "PARTIALLY_CANCELED"
FAILED: Final = "FAILED"
REJECTED: Final = "REJECTED"

#: Executions of one order that have ids of their own.
EXECUTIONS: Final = 10_000

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
    OrderStatus.REJECTED: REJECTED,
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
    ReasonCode.DELISTED: Code.INVALID_SYMBOL,
    ReasonCode.MARKET_HALTED: Code.SYMBOL_FROZEN,
    ReasonCode.ACCOUNT_HALTED: Code.SYMBOL_FROZEN,
    ReasonCode.ACCOUNT_REDUCE_ONLY: Code.SYMBOL_FROZEN,
}

#: The other way round, as it is shown.
_OPERATOR_OF: Final = {way: word for word, way in OPERATORS.items()}

Shown = Order | SmartOrder


def code_of(reason: ReasonCode) -> Code:
    """Return the code for why an order could not be placed."""
    return _REASONS.get(reason, Code.ORDER_NOT_PLACED)


def state_of(one: Shown) -> str:
    """Return where an order or a smart order stands, in the wire's words."""
    if isinstance(one, SmartOrder):
        return one.status.value
    if one.is_live and one.cancel_requested:
        return PENDING_CANCEL
    if one.status is OrderStatus.CANCELED and one.filled_quantity > 0:
        return PARTIALLY_CANCELED
    return _STATES[one.status]


def states_of(one: Shown, placed: Order | None) -> frozenset[str]:
    """Return the states by which one of the past is found: its own, and that of its order."""
    own = {state_of(one)}
    if placed is not None and one.status is SmartOrderStatus.TRIGGERED:
        own.add(state_of(placed))
    return frozenset(own)


def behind(states: frozenset[str], over: frozenset[str]) -> frozenset[str]:
    """Return those of our states of the past in which something may be that is found by these."""
    words = {str(own): word for own, word in _STATES.items()}
    return frozenset(
        own
        for own in over
        if words.get(own, own) in states
        or (own == OrderStatus.CANCELED and PARTIALLY_CANCELED in states)
        or own == SmartOrderStatus.TRIGGERED  # it is found by the state of its order, too
    )


def caller_id_of(one: Shown) -> str:
    """Return the client order id; what another dialect has set is none of ours."""
    return (one.caller_id or "") if one.dialect is Dialect.POLONIEX else ""


def id_pair(one: Shown) -> Json:
    """Return the answer to what was taken in."""
    return {"id": str(one.id), "clientOrderId": caller_id_of(one)}


def row(one: Shown) -> Json:
    """Return one of a list; a market buy by what it spends has an amount and no quantity."""
    shape: Json = {
        **id_pair(one),
        "symbol": pair_of(one.symbol),
        "state": state_of(one),
        "accountType": SPOT,
        "side": one.side.value,
        "type": one.type.value,
        "timeInForce": one.time_in_force.value,
        "quantity": shown(one.quantity),
        "price": shown(one.price),
        "amount": shown(one.amount),
        "createTime": one.created_at_ms,
        "updateTime": one.updated_at_ms,
    }
    if isinstance(one, Order):
        return shape | _filled(one)
    shape |= {"stopPrice": shown(one.trigger.stop), **_failure(one)}
    if one.type.is_trailing:
        shape["trailingOffset"] = str(one.trigger.trail)
        if one.limit_offset is not None:
            shape["limitOffset"] = str(one.limit_offset)
        if one.operator is not None:
            shape["operator"] = _OPERATOR_OF[one.operator]
    return shape


def smart_detail(smart_order: SmartOrder, placed: Order | None) -> Json:
    """Return a smart order as it stands alone, with the order that it has placed.

    Args:
        smart_order: in any state.
        placed: its order as it is now, or None if it has none.
    """
    shape = row(smart_order)
    if smart_order.status is SmartOrderStatus.TRIGGERED and placed is not None:
        # The triggered order carries the client order id of its smart order.
        named = {"clientOrderId": smart_order.caller_id or ""}
        shape["triggeredOrder"] = {**row(placed), **named}
    return shape


def history_row(one: Shown, placed: Order | None = None) -> Json:
    """Return one of the past: of an order why it came to nothing, else what its order filled."""
    rest = _failure(one) if isinstance(one, Order) else _filled(placed)
    return {**row(one), **rest, "orderSource": ORDER_SOURCE}


def why_not_canceled(one: Shown) -> Problem:
    """Return why one that has come to its end, or triggered, cannot be canceled."""
    is_canceled = state_of(one) in {CANCELED, PARTIALLY_CANCELED}
    return Problem(Code.ORDER_CANCELED if is_canceled else Code.NOT_CANCELED)


def canceled(one: Shown, state: str, message: str = "") -> Json:
    """Return the result of a cancel that has gone well."""
    return _result(str(one.id), caller_id_of(one), state, HTTPStatus.OK, message)


def not_canceled(problem: Problem, one: Shown) -> Json:
    """Return the result of a cancel that has not, as one of many."""
    return _result(str(one.id), caller_id_of(one), state_of(one), problem.code, problem.text)


def not_found(problem: Problem, order_id: str, caller_id: str) -> Json:
    """Return the result of the cancel of what is not there, or could not be looked for."""
    return _result(order_id, caller_id, "", problem.code, problem.text)


def not_placed(problem: Problem, caller_id: str) -> Json:
    """Return the result of an order that was refused, as one of many."""
    return {"code": int(problem.code), "message": problem.text, "clientOrderId": caller_id}


def trade_id_of(order_id: AggregateId, number: int) -> str:
    """Return the id of an execution: digits that rise with the order, then within it."""
    return str(order_id * EXECUTIONS + number)


def trade_row(order: Order, number: int, fill: Fill) -> Json:
    """Return one execution of an order.

    Args:
        order: whose it is.
        number: counts the executions of the order from 0.
        fill: the execution.
    """
    trade_id = trade_id_of(order.id, number)
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


def _filled(order: Order | None) -> Json:
    """Return what is filled; `avgPrice` is filled amount by filled quantity.

    Where not all fills are known, the average of the order tells what they are worth.
    """
    if order is None or not order.filled_quantity:
        return dict.fromkeys(("avgPrice", "filledQuantity", "filledAmount"), UNSET)
    known = sum((fill.quantity for fill in order.fills), Decimal(0))
    amount = sum((fill.quantity * fill.price for fill in order.fills), Decimal(0))
    if known != order.filled_quantity:
        amount = order.filled_quantity * (order.average_price or Decimal(0))
    return {
        "avgPrice": quotient(amount / order.filled_quantity),
        "filledQuantity": shown(order.filled_quantity),
        "filledAmount": shown(amount),
    }


def _failure(one: Shown) -> Json:
    if state_of(one) not in {FAILED, REJECTED} or one.reason is None:
        return {}
    return {"failCode": int(code_of(one.reason.code)), "failReason": one.reason.message}


def _result(order_id: str, caller_id: str, state: str, code: int, message: str) -> Json:
    return {
        "orderId": order_id,
        "clientOrderId": caller_id,
        "state": state,
        "code": int(code),
        "message": message,
    }
