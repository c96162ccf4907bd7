"""What the lists can be asked for (Poloniex documentation, "Orders", "Smart Orders", "Trades")."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol, TypeVar

from flask import request
from marshmallow import Schema

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Reading
from app.domain.enums import Side
from app.domain.identifiers import AggregateId, EpochMs, Symbol
from app.domain.order import Order
from app.domain.smart_order import SmartOrder

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
#: Longer than this no answer about the past may span.
SPAN_MAX_MS: Final = 30 * DAY_MS


#: Ids of orders stay below 2**53; those of trades are longer.
_ID_MAX: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list is wanted.

    Attributes:
        start: only what is beyond this id; None begins at the newest.
        newer: beyond means newer than `start`, else older.
    """

    limit: int
    start: AggregateId | None = None
    newer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time of the past, both ends inclusive."""

    since_ms: EpochMs
    until_ms: EpochMs

    def holds(self, at_ms: EpochMs) -> bool:
        """Tell whether a moment lies within it."""
        return self.since_ms <= at_ms <= self.until_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an order must have to be listed; None asks nothing.

    Attributes:
        types: on the wire's words.
    """

    symbols: frozenset[Symbol] | None = None
    side: Side | None = None
    types: frozenset[str] | None = None

    def holds(self, one: Order | SmartOrder) -> bool:
        """Tell whether an order is one of them."""
        return (
            (self.symbols is None or one.symbol in self.symbols)
            and self.side in {None, one.side}
            and (self.types is None or one.type.value in self.types)
        )


class _Identified(Protocol):
    @property
    def id(self) -> AggregateId:
        """What pages go by."""


Value = TypeVar("Value")
Item = TypeVar("Item", bound=_Identified)


def query_of_request(schema: Schema) -> Reading:
    """Return the query; what is empty is absent, of repeats the first counts."""
    return Reading(schema, {name: value for name, value in request.args.items() if value})


def page_from(query: Reading) -> Page:
    """Return the part of the list that a query asks for. Too many at once are cut, not refused.

    Raises:
        Problem: a limit below 1, or one of them is no whole number.
    """
    limit, start, newer = query["limit"], query["start"], bool(query["newer"])
    # The SDK's examples begin at 0, which is before everything and so bounds nothing.
    is_bound = start is not None and 0 < start < _ID_MAX
    return Page(limit=limit, start=AggregateId(start) if is_bound else None, newer=newer)


def page_of(newest_first: Iterable[Item], page: Page) -> list[Item]:
    """Return a page, newest first: beyond a start and next to it, else the newest there are."""
    start = page.start
    if start is None:
        return list(islice(newest_first, page.limit))
    if page.newer:
        return list(deque((one for one in newest_first if one.id > start), maxlen=page.limit))
    return list(islice((one for one in newest_first if one.id < start), page.limit))


def filter_from(query: Reading) -> Filter:
    """Return what the orders of a list must have.

    Raises:
        Problem: there is no such side or type, or a symbol is no pair.
    """
    types = either(query["types"], query["type"])
    symbols = either(query["symbol"], query["symbols"])
    return Filter(symbols=symbols, side=query["side"], types=types)


def span_from(query: Reading, now_ms: EpochMs) -> Span:
    """Return the time that a query about the past names: seven days where an end is open.

    Raises:
        Problem: it ends before it begins, or spans too much.
    """
    since, until = times_from(query)
    if since is None:
        until = now_ms if until is None else until
        since = EpochMs(max(0, until - WEEK_MS))
    elif until is None:
        until = EpochMs(since + WEEK_MS)
    if until - since > SPAN_MAX_MS:
        raise Problem(Code.INTERVAL_TOO_LONG)
    return Span(since_ms=since, until_ms=until)


def times_from(query: Reading) -> tuple[EpochMs | None, EpochMs | None]:
    """Return `startTime` and `endTime`, each None if it is absent.

    Raises:
        Problem: one is no time, or they are in the wrong order.
    """
    since, until = query["since_ms"], query["until_ms"]
    if since is not None and until is not None and since > until:
        raise Problem(Code.INVALID_PARAMETER, "startTime is after endTime")
    return since, until


def either(one: frozenset[Value] | None, other: frozenset[Value] | None) -> frozenset[Value] | None:
    """Return what stands under either of two names; None if neither is there."""
    return (one or frozenset()) | (other or frozenset()) or None
