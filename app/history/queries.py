"""Searches as SQL: each a few walks along an index, merged by whoever asks, or by the database.

A walk names one value of each column that an index begins with, so that its rows come in order
and none is sorted. What else is asked for is written so that no index is chosen for its sake.
"""

from collections.abc import Collection
from dataclasses import replace
from hashlib import blake2b
from itertools import product
from math import prod
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from app.domain.enums import Kind
from app.domain.search import Moment, Search
from app.history.tables import AGGREGATES, FILLS, UNTYPED

#: Walks that are merged; a search for more values goes along fewer columns.
WALKS_MAX = 64

Condition = ColumnElement[bool]

_A, _F = AGGREGATES.c, FILLS.c

#: Kinds that have a type; see `search.type_of`.
_TYPED = (Kind.ORDER, Kind.SMART_ORDER, Kind.SMART_TRADE)


class Query(NamedTuple):
    """What a search asks of a table.

    Attributes:
        place: columns that tell in which order its rows come; the second is an aggregate's id.
        walkable: columns that an index may begin with → the values that are wanted.
        narrow: conditions that few rows meet, each with an index of its own.
        rest: all other conditions.
        is_sorted: the rows come in another order, by what else they are searched for: few, it is
            hoped, which are sorted.
    """

    place: tuple[Column[Any], ...]
    walkable: list[tuple[Column[Any], Collection[object]]]
    narrow: list[Condition]
    rest: list[Condition]
    is_sorted: bool = False


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
    # What has changed lately and may be older than anything is found by when it has changed.
    is_by_update = search.updated_since_ms is not None and search.since_ms is None
    updated = _A.updated_at_ms if is_by_update else _hidden(_A.updated_at_ms)
    rest = _range(updated, search.updated_since_ms, search.updated_until_ms)
    created = _hidden(_A.created_at_ms) if is_by_update else _A.created_at_ms
    rest += _range(created, search.since_ms, search.until_ms)
    rest += _between(_A.id, search)
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
    if search.types is not None:
        # What an older release has written without a type may be of any: look at it.
        untold = and_(_A.type.is_(None), _among(_A.kind, _TYPED, hidden=True))
        rest.append(or_(untold, _A.type.in_(sorted(search.types))))
    if search.top_level:
        rest.append(_A.parent_id.is_(None))
    return Query((_A.created_at_ms, _A.id), walkable, narrow, rest, is_by_update)


def fills_of(search: Search) -> Query:
    """Return what a search asks of the fills."""
    rest = _range(_F.at_ms, search.since_ms, search.until_ms) + _between(_F.order_id, search)
    others = ((_F.dialect, search.dialects), (_F.symbol, search.symbols), (_F.side, search.sides))
    rest += [column.in_(values) for column, values in _given(*others)]
    place = (_F.at_ms, _F.order_id, _F.number)
    return Query(place, _given((_F.account, search.accounts)), [], rest)


def _given(
    *wanted: tuple[Column[Any], Collection[object] | None],
) -> list[tuple[Column[Any], Collection[object]]]:
    return [(column, sorted(values, key=str)) for column, values in wanted if values is not None]


def _range(
    column: ColumnElement[int], since_ms: int | None, until_ms: int | None
) -> list[Condition]:
    since = [] if since_ms is None else [column >= since_ms]
    return since if until_ms is None else [*since, column < until_ms]


def _between(column: ColumnElement[int], search: Search) -> list[Condition]:
    """Return the conditions for an id, from which no index is chosen."""
    above = [] if search.above is None else [_hidden(column) > search.above]
    return above if search.below is None else [*above, _hidden(column) < search.below]


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
    place: tuple[ColumnElement[Any], ...] = query.place
    if query.is_sorted:
        place = tuple(map(_hidden, query.place))
    bounds = [*query.rest]
    if before is not None:
        bounds += [place[0] <= before[0], _is_below(place, before)]
    if floor is not None:
        bounds += [place[0] >= floor[0], ~_is_below(place, floor)]
    walkable = [] if query.narrow else [*query.walkable]
    if query.is_sorted:  # along an index that begins with kind and account
        walkable = [one for one in walkable if one[0] in {_A.kind, _A.account}]
    while prod(len(values) for _, values in walkable) > WALKS_MAX:
        walkable.remove(max(walkable, key=lambda one: len(one[1])))
    walked = {column for column, _ in walkable}
    hidden = [_among(*one, hidden=True) for one in query.walkable if one[0] not in walked]
    statement = select(*query.place).where(*query.narrow, *hidden, *bounds)
    statement = statement.order_by(*(column.desc() for column in place))
    choices = product(*([column == value for value in values] for column, values in walkable))
    return [statement.where(*choice) for choice in choices]


def oldest(search: Search, moment: Moment, skip: int, limit: int) -> Select[Any]:
    """Return the statement that finds places, oldest first, after so many others.

    Args:
        search: names accounts and one kind; a type of smart trades only.
        moment: what the places are sorted by, then by id.
        skip: how many places are left out; they cost a step along an index each.
        limit: how many are wanted after them.
    """
    walks = (
        _placed(search, moment).where(_A.account == account)
        for account in sorted(search.accounts or ())
    )
    found = union_all(*walks).subquery()
    return select(found).order_by(*found.c).limit(limit).offset(skip)


def places(search: Search, moment: Moment, ids: Collection[int]) -> Select[Any]:
    """Return the statement that finds the places of those of some ids that `oldest` may find."""
    accounts = _among(_A.account, sorted(search.accounts or ()), hidden=True)
    return _placed(search, moment).where(accounts, _A.id.in_(ids))


def untyped(search: Search) -> Select[Any]:
    """Return the statement that finds smart trades which `oldest` cannot find yet."""
    return select(_A.id).where(UNTYPED, _A.account.in_(sorted(search.accounts or ())))


def _placed(search: Search, moment: Moment) -> Select[Any]:
    """Return the places of what a search finds, in whichever account and order."""
    query = aggregates_of(replace(search, types=None))
    (kind,) = search.kinds or frozenset(Kind)
    conditions = [_A.kind == literal_column(f"'{kind}'"), *query.narrow, *query.rest]
    named = (_A.kind, _A.account)
    conditions += [_among(*one, hidden=True) for one in query.walkable if one[0] not in named]
    if kind is Kind.SMART_TRADE:
        conditions.append(_A.type.is_not(None))
    if search.types is not None:
        conditions.append(_A.type.in_(sorted(search.types)))
    return select(_A[f"{moment}_ms"].label("at_ms"), _A.id).where(*conditions)


def _among(column: Column[Any], values: Collection[object], *, hidden: bool) -> Condition:
    """Return the condition; a hidden one cannot be what an index is chosen for."""
    return (_hidden(column) if hidden else column).in_(values)


def _hidden(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, column)


def _is_below(place: tuple[ColumnElement[Any], ...], other: tuple[int, ...]) -> Condition:
    """Return whether a place comes before another one, column by column."""
    column, value = place[0], other[0]
    if len(place) == 1:
        return column < value
    return or_(column < value, and_(column == value, _is_below(place[1:], other[1:])))
