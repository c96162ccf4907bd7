"""Aggregates as people and programs read them (docs/api.md)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from marshmallow import fields

from app.domain.aggregate import Aggregate
from app.domain.commands import Action, NetAction
from app.domain.decision import TimelineEntry
from app.domain.enums import OrderType, TimeInForce
from app.domain.identifiers import AggregateId, Currency
from app.domain.money import plain
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import Request, RequestStatus
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.opening import order_price
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.web.answers import Json
from app.web.fields import Flag, Strict, Text

#: The keys of every row, whatever its kind; what does not apply is null.
KEYS: Final = (
    "id",
    "parent_id",
    "kind",
    "dialect",
    "account",
    "symbol",
    "market",
    "side",
    "position_side",
    "type",
    "time_in_force",
    "reduce_only",
    "quantity",
    "price",
    "trigger_price",
    "state",
    "reason",
    "filled_quantity",
    "average_price",
    "fees",
    "caller_id",
    "client_order_id",
    "venue_order_id",
    "due_at_ms",
    "next_check_at_ms",
    "created_at_ms",
    "updated_at_ms",
)


def _field(key: str) -> fields.Field[Any]:
    if key.endswith("_ms"):
        return fields.Integer(allow_none=True)
    if key in {"reason", "fees"}:
        return fields.Dict(allow_none=True)
    return Flag(allow_none=True) if key == "reduce_only" else Text(allow_none=True)


class _EntryShape(Strict):
    event = Text()
    at_ms = fields.Integer()
    process = Text()
    reason = fields.Dict(allow_none=True)


# What functions make below, as OpenAPI tells of it.

_ROW: Final = Strict.from_dict({key: _field(key) for key in KEYS})
_DETAIL: Final = _ROW.from_dict(
    {
        "children": fields.List(Text()),
        "timeline": fields.List(fields.Nested(_EntryShape)),
        "strategy": Text(allow_none=True),
        "memo": Text(allow_none=True),
        "placement": fields.Integer(),
    }
)
ROWS: Final = Strict.from_dict(
    {"data": fields.List(fields.Nested(_ROW)), "next_cursor": Text(allow_none=True)}
)()
DETAIL: Final = _DETAIL()
CANCELED: Final = Strict.from_dict({"requested": Flag(), "order": fields.Nested(_DETAIL)})()

_CLOSES = frozenset({Action.CLOSE_LONG, Action.CLOSE_SHORT})


def row_of(aggregate: Aggregate, account: str) -> Json:
    """Return one row: ids and numbers of value are text, times whole numbers.

    Args:
        aggregate: of any kind.
        account: the name of its account.
    """
    row = {**_common(aggregate), "account": account, **_own(aggregate)}
    return {key: row.get(key) for key in KEYS}


def detail_of(
    aggregate: Aggregate,
    account: str,
    children: Sequence[AggregateId],
    timeline: Sequence[tuple[TimelineEntry, str]],
) -> Json:
    """Return a row with what the aggregate has brought forth and all that happened to it.

    Args:
        aggregate: of any kind.
        account: the name of its account.
        children: oldest first.
        timeline: entries with the process that wrote them, oldest first.
    """
    return {
        **row_of(aggregate, account),
        "children": [str(child) for child in children],
        "timeline": [entry_row(entry, process) for entry, process in timeline],
        **_more(aggregate),
    }


def spoken_row(aggregate: Aggregate, account: str) -> Json:
    """Return a row with a sentence for people, and the stage of a request that is at work.

    Args:
        aggregate: of any kind.
        account: the name of its account.
    """
    sentence = aggregate.sentence()
    stage = None
    if isinstance(aggregate, Request) and aggregate.status is RequestStatus.EXECUTING:
        stage = aggregate.stage
    return {
        **row_of(aggregate, account),
        "sentence": sentence[:1].upper() + sentence[1:],
        "stage": stage,
    }


def _more(aggregate: Aggregate) -> Json:
    """Return what only some have.

    `strategy` and `memo` are what the caller wrote beside a request about a net position;
    `placement` counts how often an order was placed.
    """
    match aggregate:
        case Reversal():
            return {"strategy": aggregate.strategy, "memo": aggregate.note}
        case Order():
            return {"placement": aggregate.token}
        case _:
            return {}


def entry_row(entry: TimelineEntry, process: str) -> Json:
    """Return one line of a timeline."""
    return {
        "event": entry.name,
        "at_ms": entry.at_ms,
        "process": process,
        "reason": _reason(entry.reason),
    }


def _common(aggregate: Aggregate) -> Json:
    return {
        "id": str(aggregate.id),
        "parent_id": None if aggregate.parent_id is None else str(aggregate.parent_id),
        "kind": aggregate.kind,
        "dialect": aggregate.dialect,
        "symbol": aggregate.symbol,
        "market": aggregate.market,
        "side": aggregate.side,
        "position_side": aggregate.position_side,
        "quantity": _figure(aggregate.quantity),
        "reason": _reason(aggregate.reason),
        "filled_quantity": _figure(aggregate.filled_quantity),
        "average_price": _figure(aggregate.average_price),
        "caller_id": aggregate.caller_id,
        "created_at_ms": aggregate.created_at_ms,
        "updated_at_ms": aggregate.updated_at_ms,
    }


def _own(aggregate: Aggregate) -> Json:
    match aggregate:
        case Order():
            return _order(aggregate)
        case Signal():
            return _signal(aggregate)
        case Reversal():
            return _reversal(aggregate)
        case SmartOrder():
            return _smart_order(aggregate)
        case SmartTrade():
            return _smart_trade(aggregate)


def _order(order: Order) -> Json:
    is_unknown = order.status is OrderStatus.UNKNOWN
    return {
        "type": order.type,
        "time_in_force": order.time_in_force,
        "reduce_only": order.reduce_only,
        "price": _figure(order.price),
        "state": order.status,
        "fees": _fees(order.fees),
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "due_at_ms": order.due_at_ms or None,
        "next_check_at_ms": order.next_action_at_ms if is_unknown else None,
    }


def _signal(signal: Signal) -> Json:
    known: Json = {"state": signal.status, "due_at_ms": signal.due_at_ms}
    if signal.action.is_cancel:
        return {**known, "filled_quantity": None}  # it has no order that could fill
    return {
        **known,
        "type": OrderType.MARKET if signal.limit_price is None else OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": signal.action in _CLOSES,
        "price": _figure(signal.limit_price),
        "fees": _fees(signal.fees),
    }


def _reversal(reversal: Reversal) -> Json:
    limit = reversal.limit_price if reversal.price is None else reversal.price
    return {
        "type": OrderType.MARKET if limit is None else OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": reversal.action is NetAction.CLOSE,
        "price": _figure(limit),
        "state": reversal.status,
        "fees": _fees(reversal.fees),
        "due_at_ms": reversal.due_at_ms,
    }


def _smart_order(smart_order: SmartOrder) -> Json:
    return {
        "type": smart_order.type,
        "time_in_force": smart_order.time_in_force,
        "reduce_only": smart_order.reduce_only,
        "price": _figure(smart_order.price),
        "trigger_price": _figure(smart_order.trigger.stop),
        "state": smart_order.status,
        # What its order paid stands in the order, which is a child of it.
        "fees": None if smart_order.filled_quantity else {},
    }


def _smart_trade(trade: SmartTrade) -> Json:
    fees: dict[Currency, Decimal] = {}
    for order in trade.orders:
        for currency, fee in order.fees.items():
            fees[currency] = fees.get(currency, Decimal(0)) + fee
    return {
        "type": trade.type,
        "price": _figure(None if trade.entry is None else order_price(trade.entry)),
        "trigger_price": _figure(_trigger_price(trade)),
        "state": trade.status,
        "fees": _fees(fees),
    }


def _trigger_price(trade: SmartTrade) -> Decimal | None:
    """Return the price that a conditional entry waits for; where its exits are, its steps tell."""
    return trade.entry.price if trade.entry is not None and trade.type.is_conditional else None


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _fees(fees: Mapping[Currency, Decimal]) -> Mapping[str, str]:
    return {str(currency): plain(fee) for currency, fee in sorted(fees.items())}


def _reason(reason: Reason | None) -> Mapping[str, str] | None:
    return None if reason is None else {"code": reason.code, "message": reason.message}
