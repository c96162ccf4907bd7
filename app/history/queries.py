"""Searches as SQL: each a few walks along an index, merged by whoever asks.

A walk names one value of each column that an index begins with, so that its rows come in order
and none is sorted. What else is asked for is written so that no index is chosen for its sake.
"""

from collections.abc import Collection
from hashlib import blake2b
from itertools import product
from math import prod
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Select, and_, func, or_, select

from app.domain.enums import Kind
from app.domain.search import Search
from app.history.tables import AGGREGATES, FILLS

#: Walks that are merged; a search for more values goes along fewer columns.
WALKS_MAX = 64

Condition = ColumnElement[bool]

_A, _F = AGGREGATES.c, FILLS.c


class Query(NamedTuple):
    """What a search asks of a table.

    Attributes:
        place: columns that tell in which order its rows come; the second is an aggregate's id.
        walkable: columns that an index may begin with → the values that are wanted.
        narrow: conditions that few rows meet, each with an index of its own.
        rest: all other conditions.
    """

    place: tuple[Column[Any], ...]
    walkable: list[tuple[Column[Any], Collection[object]]]
    narrow: list[Condition]
    rest: list[Condition]


def caller_key(caller_id: str | None) -> str | None:
    """Return what the table holds of a caller id: a digest, so that any length can be indexed."""
    if caller_id is None:
        return None
    return blake2b(caller_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def aggregates_of(search: Search) -> Query:
    """Return what a search asks of the aggregates."""
    walkable = _given(
        (_A.kind, search.kinds or frozenset(Kind)),
        (_A.account, search.accounts),
        (_A.state, search.states),
        (_A.symbol, search.symbols),
    )
    rest = _range(_A.created_at_ms, search)
    dialects = _given((_A.dialect, search.dialects))
    if search.accounts is None and search.symbols is None:
        walkable += dialects
    else:
        rest += [_among(*one, hidden=True) for one in dialects]
    narrow = []
    if search.parent is not None:
        narrow.append(_A.parent_id == search.parent)
    if search.caller_id is not None:
        narrow.append(_A.caller_key == caller_key(search.caller_id))
    rest += [column.in_(values) for column, values in _given((_A.side, search.sides))]
    if search.top_level:
        rest.append(_A.parent_id.is_(None))
    return Query((_A.created_at_ms, _A.id), walkable, narrow, rest)


def fills_of(search: Search) -> Query:
    """Return what a search asks of the fills."""
    rest = _range(_F.at_ms, search)
    others = ((_F.dialect, search.dialects), (_F.symbol, search.symbols), (_F.side, search.sides))
    rest += [column.in_(values) for column, values in _given(*others)]
    place = (_F.at_ms, _F.order_id, _F.number)
    return Query(place, _given((_F.account, search.accounts)), [], rest)


def _given(
    *wanted: tuple[Column[Any], Collection[object] | None],
) -> list[tuple[Column[Any], Collection[object]]]:
    return [(column, sorted(values, key=str)) for column, values in wanted if values is not None]


def _range(column: Column[Any], search: Search) -> list[Condition]:
    since = [] if search.since_ms is None else [column >= search.since_ms]
    return since if search.until_ms is None else [*since, column < search.until_ms]


def count(query: Query) -> Select[Any]:
    """Return the statement that counts the rows, which needs no order."""
    hidden = bool(query.narrow)
    walkable = [_among(column, values, hidden=hidden) for column, values in query.walkable]
    counted = select(func.count()).select_from(query.place[0].table)
    return counted.where(*query.narrow, *walkable, *query.rest)


def walks(
    query: Query, before: tuple[int, ...] | None, floor: tuple[int, ...] | None
) -> list[Select[Any]]:
    """Return the walks that together find the places of the rows, each newest first.

    Args:
        query: what is wanted.
        before: only what is older than this place.
        floor: nothing that is older than this place.
    """
    place, bounds = query.place, [*query.rest]
    if before is not None:
        bounds += [place[0] <= before[0], _is_below(place, before)]
    if floor is not None:
        bounds += [place[0] >= floor[0], ~_is_below(place, floor)]
    walkable = [] if query.narrow else [*query.walkable]
    while prod(len(values) for _, values in walkable) > WALKS_MAX:
        walkable.remove(max(walkable, key=lambda one: len(one[1])))
    walked = {column for column, _ in walkable}
    hidden = [_among(*one, hidden=True) for one in query.walkable if one[0] not in walked]
    statement = select(*place).where(*query.narrow, *hidden, *bounds)
    statement = statement.order_by(*(column.desc() for column in place))
    choices = product(*([column == value for value in values] for column, values in walkable))
    return [statement.where(*choice) for choice in choices]


def _among(column: Column[Any], values: Collection[object], *, hidden: bool) -> Condition:
    """Return the condition; a hidden one cannot be what an index is chosen for."""
    return (func.coalesce(column, column) if hidden else column).in_(values)


def _is_below(place: tuple[Column[Any], ...], other: tuple[int, ...]) -> Condition:
    """Return whether a place comes before another one, column by column."""
    column, value = place[0], other[0]
    if len(place) == 1:
        return column < value
    return or_(column < value, and_(column == value, _is_below(place[1:], other[1:])))
