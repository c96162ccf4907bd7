"""What a dry run answers, in one shape for all dialects (docs/dry-run.md)."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Final

from marshmallow import fields

from app.domain.account import Account
from app.domain.aggregate import Aggregate
from app.domain.money import plain
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.rehearsal.rehearsal import Rehearsal
from app.services.dry_run import Altered, Foreseen, Outcome
from app.web.answers import Answer, Json, good
from app.web.fields import Figure, Flag, Strict, Text

#: Of several parts that come to different things.
MIXED: Final = "mixed"

_Text = partial(Text, allow_none=True)
_Figure = partial(Figure, allow_none=True)


class _Reason(Strict):
    code = Text()
    message = Text()


class _Order(Strict):
    venue = Text()
    account = Text()
    symbol = Text()
    market = Text()
    side = Text()
    position_side = _Text()
    type = Text()
    time_in_force = Text()
    quantity = Figure()
    amount = _Figure()
    price = _Figure()
    trigger_price = _Figure()
    reduce_only = Flag()
    leverage = fields.Integer(allow_none=True)
    state = Text()
    filled_quantity = Figure()
    average_price = _Figure()
    reason = fields.Nested(_Reason, allow_none=True)


class _Later(Strict):
    kind = Text()
    side = _Text()
    type = _Text()
    quantity = _Figure()
    percent = _Figure()
    price = _Figure()
    trigger_price = _Figure()
    trigger = _Text()


class _Change(Strict):
    id = Text()
    kind = Text()
    account = Text()
    symbol = Text()
    state_before = Text()
    state = Text()
    cancel_requested = Flag()
    reason = fields.Nested(_Reason, allow_none=True)


class _Told(Strict):
    outcome = Text()
    reason = fields.Nested(_Reason, allow_none=True)
    account = _Text()
    symbol = _Text()
    waits_for = _Text()
    due_at_ms = fields.Integer(allow_none=True)
    orders = fields.List(fields.Nested(_Order))
    later = fields.List(fields.Nested(_Later))


class _Part(_Told):
    kind = Text()


class _Answered(Strict):
    status = fields.Integer()
    body = fields.Raw(allow_none=True)


class DryRun(_Told):
    """What a dry run answers, for the documentation."""

    dry_run = Flag()
    accepted = Flag()
    changes = fields.List(fields.Nested(_Change))
    parts = fields.List(fields.Nested(_Part))
    answer = fields.Nested(_Answered)


DRY_RUN: Final = DryRun()


def dry_answer(rehearsal: Rehearsal, given: Answer) -> Answer:
    """Return what came of a dry run.

    Args:
        rehearsal: in which the request was carried out.
        given: what its dialect has answered.

    Raises:
        StoreError: the store, or the history, could not be read.
        NotDry: what the request would do cannot be told without doing it.
    """
    new, altered = rehearsal.finish()
    ports = rehearsal.wiring.ports
    parts = [_part(one, ports) for one in new]
    status, body, _ = given
    if isinstance(body, bytes):
        body = body.decode()
    is_refused = status >= HTTPStatus.BAD_REQUEST
    return good(
        {
            "dry_run": True,
            "accepted": not is_refused and not (rehearsal.journal.repeats and not parts),
            "outcome": _outcome(rehearsal, [one["outcome"] for one in parts], altered),
            "reason": next((one["reason"] for one in parts if one["reason"]), None),
            "account": _common(parts, "account"),
            "symbol": _common(parts, "symbol"),
            "waits_for": _common(parts, "waits_for"),
            "due_at_ms": _common(parts, "due_at_ms"),
            "orders": [row for one in parts for row in _rows(one["orders"])],
            "later": [row for one in parts for row in _rows(one["later"])],
            "changes": [_change(one, ports) for one in altered],
            "parts": parts if len(parts) > 1 else [],
            "answer": {"status": int(status), "body": body},
        }
    )


def _outcome(
    rehearsal: Rehearsal, of_parts: Sequence[object], altered: Sequence[Altered]
) -> object:
    known = list(dict.fromkeys(of_parts))
    if known:
        return known[0] if len(known) == 1 else MIXED
    if altered or rehearsal.sets_something:
        return Outcome.CHANGE
    journal = rehearsal.journal
    return Outcome.DUPLICATE if journal.repeats or journal.is_answered else Outcome.NOTHING


def _common(parts: Sequence[Json], key: str) -> object:
    found = {part[key] for part in parts}
    return found.pop() if len(found) == 1 else None


def _rows(found: object) -> Sequence[object]:
    return found if isinstance(found, list) else []


def _part(one: Foreseen, ports: Ports) -> Json:
    account = ports.accounts.account(one.aggregate.account)
    return {
        "kind": one.aggregate.kind,
        "account": account.name,
        "symbol": one.aggregate.symbol,
        "outcome": one.outcome,
        "reason": _reason(one.reason),
        "waits_for": one.waits_for,
        "due_at_ms": one.until_ms,
        "orders": [order_row(order, account) for order in one.orders],
        "later": list(_later(one)),
    }


def order_row(order: Order, account: Account) -> Json:
    """Return an order as its venue would get it, and what the paper venue would make of it."""
    condition = order.condition
    return {
        "venue": account.venue,
        "account": account.name,
        "symbol": order.symbol,
        "market": order.market,
        "side": order.side,
        "position_side": order.position_side,
        "type": order.type,
        "time_in_force": order.time_in_force,
        "quantity": _figure(order.quantity),
        "amount": _figure(order.amount),
        "price": _figure(order.price),
        "trigger_price": None if condition is None else _figure(condition.level),
        "reduce_only": order.reduce_only,
        "leverage": order.leverage,
        "state": order.status,
        "filled_quantity": _figure(order.filled_quantity),
        "average_price": _figure(order.average_price),
        "reason": _reason(order.reason),
    }


def _later(one: Foreseen) -> Iterator[Json]:
    """Yield what would come later: what waits for a price, and what a signal has asked for."""
    for waiting in one.later:
        if isinstance(waiting, SmartOrder):
            yield _waiting(waiting)
        else:
            yield from (_step(one) for one in waiting.steps if not one.is_final)
    top = one.aggregate
    if isinstance(top, Signal) and not one.later and one.outcome in {Outcome.SEND, Outcome.WAIT}:
        asked = {"take_profit": top.take_profit, "stop_loss": top.stop_loss}
        for kind, level in asked.items():
            if level is not None:
                yield {**_NOTHING, "kind": kind, "trigger_price": _figure(level)}


#: What a row of `later` has, whatever it is.
_NOTHING: Final[Mapping[str, object]] = dict.fromkeys(
    ("kind", "side", "type", "quantity", "percent", "price", "trigger_price", "trigger")
)


def _waiting(smart_order: SmartOrder) -> Json:
    kind = "smart_order"
    if smart_order.is_guard:
        kind = "stop_loss" if smart_order.is_stop_loss else "take_profit"
    return {
        **_NOTHING,
        "kind": kind,
        "side": smart_order.side,
        "type": smart_order.type,
        "quantity": _figure(smart_order.quantity),
        "price": _figure(smart_order.price),
        "trigger_price": _figure(smart_order.trigger.stop),
        "trigger": smart_order.trigger.sentence(),
    }


def _step(step: Step) -> Json:
    return {
        **_NOTHING,
        "kind": step.kind,
        "type": step.order_type,
        "quantity": _figure(step.quantity),
        "percent": _figure(step.percent),
        "price": _figure(step.order_price),
        "trigger_price": _figure(step.price),
    }


def _change(one: Altered, ports: Ports) -> Json:
    after = one.after
    return {
        "id": str(after.id),
        "kind": after.kind,
        "account": ports.accounts.account(after.account).name,
        "symbol": after.symbol,
        "state_before": one.before.status,
        "state": after.status,
        "cancel_requested": _is_going(after),
        "reason": _reason(after.reason),
    }


def _is_going(one: Aggregate) -> bool:
    return not isinstance(one, SmartTrade) and one.cancel_requested


def _reason(reason: Reason | None) -> Json | None:
    return None if reason is None else {"code": reason.code, "message": reason.message}


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
