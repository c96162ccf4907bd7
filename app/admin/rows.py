"""Aggregates as people and programs read them (docs/api.md)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from marshmallow import fields

from app.domain.aggregate import Aggregate
from app.domain.commands import Action, NetAction
from app.domain.decision import TimelineEntry
from app.domain.enums import OrderType, TimeInForce
from app.domain.identifiers import AggregateId, Currency
from app.domain.money import plain
from app.domain.order import Order
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.opening import order_price
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.web.answers import Json
from app.web.fields import Figure, Flag, Strict, Text

_Text = partial(Text, allow_none=True)
_Figure = partial(Figure, allow_none=True)
_Moment = partial(fields.Integer, allow_none=True)


class _Reason(Strict):
    code = Text()
    message = Text()


def _fees(values: Mapping[str, Mapping[Currency, Decimal] | None]) -> Mapping[str, str] | None:
    fees = values["fees"]
    return None if fees is None else {str(one): plain(fee) for one, fee in sorted(fees.items())}


class Row(Strict):
    """What every row has, whatever its kind; what does not apply is null."""

    id = fields.String()
    parent_id = fields.String(allow_none=True)
    kind = Text()
    dialect = Text()
    account = Text()
    symbol = _Text()
    market = _Text()
    side = _Text()
    position_side = _Text()
    type = _Text()
    time_in_force = _Text()
    reduce_only = Flag(allow_none=True)
    quantity = _Figure()
    price = _Figure()
    trigger_price = _Figure()
    held_by = _Text()
    state = Text()
    reason = fields.Nested(_Reason, allow_none=True)
    filled_quantity = _Figure()
    average_price = _Figure()
    fees = fields.Function(_fees, metadata={"type": ["object", "null"]})
    caller_id = _Text()
    client_order_id = _Text()
    venue_order_id = _Text()
    due_at_ms = _Moment()
    next_check_at_ms = _Moment()
    created_at_ms = fields.Integer()
    updated_at_ms = fields.Integer()


class _Entry(Strict):
    event = Text()
    at_ms = fields.Integer()
    process = Text()
    reason = fields.Nested(_Reason, allow_none=True)


class _Detail(Row):
    children = fields.List(Text())
    timeline = fields.List(fields.Nested(_Entry))
    strategy = _Text()
    memo = _Text()
    log = _Text()
    placement = fields.Integer()


class _Rows(Strict):
    data = fields.List(fields.Nested(Row))
    next_cursor = _Text()


class _Canceled(Strict):
    requested = Flag()
    order = fields.Nested(_Detail)


class _Replayed(Strict):
    replay_of = Text()
    repeated = Flag()
    order = fields.Nested(_Detail)


ROWS, DETAIL, CANCELED, REPLAYED = _Rows(), _Detail(), _Canceled(), _Replayed()
_ROW, _ENTRY = Row(), _Entry()

KEYS: Final = tuple(_ROW.fields)

_CLOSES = frozenset({Action.CLOSE_LONG, Action.CLOSE_SHORT})


def row_of(aggregate: Aggregate, account: str) -> Json:
    """Return one row, with the name of its account.

    Ids and numbers of value are text, times whole numbers.
    """
    common = {key: getattr(aggregate, key, None) for key in KEYS}
    row: Json = _ROW.dump({**common, "account": account, **_own(aggregate)})
    return row


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


def _more(aggregate: Aggregate) -> Json:
    """Return what only some have.

    `log` is what the caller wrote beside a signal, `strategy` and `memo` beside a request about a
    net position; `placement` counts how often an order was placed.
    """
    match aggregate:
        case Signal():
            return {"log": aggregate.note}
        case Reversal():
            return {"strategy": aggregate.strategy, "memo": aggregate.note}
        case Order():
            return {"placement": aggregate.token}
        case _:
            return {}


def entry_row(entry: TimelineEntry, process: str) -> Json:
    """Return one line of a timeline."""
    row: Json = _ENTRY.dump(
        {"event": entry.name, "at_ms": entry.at_ms, "process": process, "reason": entry.reason}
    )
    return row


def _own(aggregate: Aggregate) -> Json:
    """Return what a kind calls otherwise, or what a row tells of it in another way."""
    match aggregate:
        case Order():
            is_unknown = aggregate.status is OrderStatus.UNKNOWN
            return {
                "state": aggregate.status,
                "due_at_ms": aggregate.due_at_ms or None,
                "next_check_at_ms": aggregate.next_action_at_ms if is_unknown else None,
                "trigger_price": aggregate.condition and aggregate.condition.level,
                "held_by": "venue" if aggregate.condition else None,
            }
        case Signal():
            return {"state": aggregate.status, **_of_signal(aggregate)}
        case Reversal():
            return {"state": aggregate.status, **_of_reversal(aggregate)}
        case SmartOrder():
            return {
                "trigger_price": aggregate.trigger.stop,
                "held_by": "venue" if aggregate.at_venue else "here",
                "state": aggregate.status,
                # What its order paid stands in the order, which is a child of it.
                "fees": None if aggregate.filled_quantity else {},
            }
        case SmartTrade():
            return {"state": aggregate.status, **_of_smart_trade(aggregate)}


def _of_signal(signal: Signal) -> Json:
    if signal.action.is_cancel:
        return {"filled_quantity": None, "fees": None}  # it has no order that could fill
    return {
        "type": OrderType.MARKET if signal.limit_price is None else OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": signal.action in _CLOSES,
        "price": signal.limit_price,
    }


def _of_reversal(reversal: Reversal) -> Json:
    limit = reversal.limit_price if reversal.price is None else reversal.price
    return {
        "type": OrderType.MARKET if limit is None else OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "reduce_only": reversal.action is NetAction.CLOSE,
        "price": limit,
    }


def _of_smart_trade(trade: SmartTrade) -> Json:
    fees: dict[Currency, Decimal] = {}
    for order in trade.orders:
        for currency, fee in order.fees.items():
            fees[currency] = fees.get(currency, Decimal(0)) + fee
    entry = trade.entry
    # What a conditional entry waits for; where its exits are, its steps tell.
    waits_for = entry.price if entry is not None and trade.type.is_conditional else None
    price = None if entry is None else order_price(entry)
    return {"price": price, "trigger_price": waits_for, "held_by": _holder(trade), "fees": fees}


def _holder(trade: SmartTrade) -> str | None:
    """Return who holds the stop of a trade; None while it has none to hold."""
    if trade.is_final or trade.stop_loss is None:
        return None
    return "venue" if any(one.rests for one in trade.orders) else "here"
