"""Records as rows, and how a row makes way for a newer one of the same aggregate."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Insert, Table, and_, or_

from app.domain.aggregate import Aggregate
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.search import Moment, place_by, type_of
from app.domain.smart_trade.trade import SmartTrade
from app.history.database import INSERT
from app.history.queries import caller_key
from app.history.tables import AGGREGATES, FILLS, RECORDS
from app.ports.history import Record

Row = dict[str, Any]


def writes_of(records: Sequence[Record], dialect: str) -> Iterable[tuple[Insert, list[Row]]]:
    """Yield the statements that keep records, each with its rows.

    Done twice, or by two at once, they leave the newest form of each aggregate, whole.
    """
    # In one order for all writers, so that two at once wait for each other in no circle.
    ordered = sorted(records, key=lambda one: one.aggregate.id)
    yield _newest_wins(AGGREGATES, dialect), [_aggregate(one) for one in ordered]
    yield _newest_wins(RECORDS, dialect), [_record(one) for one in ordered]
    fills = [row for one in ordered for row in _fills(one)]
    if fills:
        # Fills are only ever added to an order, and none of them changes.
        yield INSERT[dialect](FILLS).on_conflict_do_nothing(), fills


def texts_of(timeline: str) -> tuple[str, ...]:
    """Return the entries of a timeline that was kept, each as the store writes it."""
    return tuple(json.dumps(entry, separators=(",", ":")) for entry in json.loads(timeline))


def children_of(children: str) -> tuple[AggregateId, ...]:
    """Return the children that were kept."""
    return tuple(AggregateId(one) for one in json.loads(children))


def _newest_wins(table: Table, dialect: str) -> Insert:
    """Return the statement that writes a row unless there is one as new."""
    insert = INSERT[dialect](table)
    new, old = insert.excluded, table.c
    is_newer = or_(
        new.version > old.version, and_(new.version == old.version, new.entries > old.entries)
    )
    values = {name: new[name] for name in table.c.keys() if name != "id"}  # noqa: SIM118 - not a dict
    upsert: Insert = insert.on_conflict_do_update(
        index_elements=[table.c.id], set_=values, where=is_newer
    )
    return upsert


def _aggregate(record: Record) -> Row:
    one = record.aggregate
    return {
        "id": one.id,
        "version": record.version,
        "entries": len(record.timeline),
        "kind": one.kind.value,
        "account": one.account,
        "dialect": one.dialect.value,
        "state": str(one.status),
        "symbol": one.symbol,
        "side": one.side and one.side.value,
        "parent_id": one.parent_id,
        "caller_key": caller_key(one.caller_id),
        "created_at_ms": one.created_at_ms,
        "updated_at_ms": one.updated_at_ms,
        **later_columns(one),
    }


def later_columns(one: Aggregate) -> Row:
    """Return what an older release does not write of an aggregate."""
    is_trade = isinstance(one, SmartTrade)
    closed_at_ms = place_by(Moment.CLOSED_AT, one)[0] if is_trade else None
    return {"type": type_of(one), "closed_at_ms": closed_at_ms}


def _record(record: Record) -> Row:
    return {
        "id": record.aggregate.id,
        "version": record.version,
        "entries": len(record.timeline),
        "body": record.body,
        "timeline": f"[{','.join(record.timeline)}]",
        "children": json.dumps(record.children, separators=(",", ":")),
    }


def _fills(record: Record) -> Iterable[Row]:
    order = record.aggregate
    if not isinstance(order, Order):
        return
    for number, fill in enumerate(order.fills):
        yield {
            "order_id": order.id,
            "number": number,
            "account": order.account,
            "dialect": order.dialect.value,
            "symbol": order.symbol,
            "side": order.side.value,
            "at_ms": fill.at_ms,
        }
