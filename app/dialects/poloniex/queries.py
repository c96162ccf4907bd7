"""What the lists can be asked for (Poloniex documentation, "Orders", "Smart Orders", "Trades")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.dialects.poloniex.enums import SIDES
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.payload import Payload
from app.domain.enums import Side
from app.domain.identifiers import AggregateId, EpochMs, Symbol

LIMIT_DEFAULT: Final = 100
OPEN_LIMIT_MAX: Final = 2000
HISTORY_LIMIT_MAX: Final = 1000

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
#: Longer than this no answer about the past may span.
SPAN_MAX_MS: Final = 30 * DAY_MS

#: Later than any business time, and within what a date can say.
_TIME_MAX_MS: Final = 10**14

#: Ids of orders stay below 2**53; those of trades are longer.
_ID_MAX: Final = 2**63


_DIRECTIONS: Final[Mapping[str, bool]] = {"NEXT": False, "PRE": True}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an order must have to be listed; None asks nothing.

    Attributes:
        types: on the wire's words.
    """

    symbols: frozenset[Symbol] | None = None
    side: Side | None = None
    types: frozenset[str] | None = None


def page_from(query: Payload, most: int) -> Page:
    """Return the part of the list that a query asks for. Too many at once are cut, not refused.

    Raises:
        Problem: a limit below 1, or one of them is no whole number.
    """
    limit = query.whole("limit")
    if limit is not None and limit < 1:
        raise Problem(Code.LIMIT_NOT_POSITIVE)
    start = query.whole("from")
    newer = query.word("direction", _DIRECTIONS, Code.INVALID_PARAMETER)
    return Page(
        limit=min(LIMIT_DEFAULT if limit is None else limit, most),
        # The SDK's examples begin at 0, which is before everything and so bounds nothing.
        start=AggregateId(start) if start is not None and 0 < start < _ID_MAX else None,
        newer=bool(newer),
    )


def filter_from(query: Payload, types: Mapping[str, str]) -> Filter:
    """Return what the orders of a list must have.

    Args:
        query: as it came.
        types: the types that there are, by all their names.

    Raises:
        Problem: there is no such side or type, or a symbol is no pair.
    """
    words = [
        word
        for name in ("types", "type")
        for word in query.words(name, types, Code.INVALID_TYPE) or ()
    ]
    return Filter(
        symbols=query.symbols("symbol", "symbols"),
        side=query.word("side", SIDES, Code.INVALID_SIDE),
        types=frozenset(words) or None,
    )


def span_from(query: Payload, now_ms: EpochMs) -> Span:
    """Return the time that a query about the past names: seven days where an end is open.

    Raises:
        Problem: it ends before it begins, or spans too much.
    """
    since, until = _time(query, "startTime"), _time(query, "endTime")
    if since is None:
        until = now_ms if until is None else until
        since = EpochMs(max(0, until - WEEK_MS))
    elif until is None:
        until = EpochMs(since + WEEK_MS)
    if since > until:
        raise Problem(Code.INVALID_PARAMETER, "startTime is after endTime")
    if until - since > SPAN_MAX_MS:
        raise Problem(Code.INTERVAL_TOO_LONG)
    return Span(since_ms=since, until_ms=until)


def times_from(query: Payload) -> tuple[EpochMs | None, EpochMs | None]:
    """Return `startTime` and `endTime`, each None if it is absent.

    Raises:
        Problem: one is no time, or they are in the wrong order.
    """
    since, until = _time(query, "startTime"), _time(query, "endTime")
    if since is not None and until is not None and since > until:
        raise Problem(Code.INVALID_PARAMETER, "startTime is after endTime")
    return since, until


def count_from(query: Payload, default: int, most: int) -> int:
    """Return the limit of a list of market data, cut to the most that there is.

    Raises:
        Problem: it is below 1, or no whole number.
    """
    limit = query.whole("limit")
    if limit is None:
        return default
    if limit < 1:
        raise Problem(Code.LIMIT_NOT_POSITIVE)
    return min(limit, most)


def _time(query: Payload, name: str) -> EpochMs | None:
    time = query.whole(name)
    if time is None:
        return None
    if not 0 <= time <= _TIME_MAX_MS:
        raise Problem(Code.INVALID_PARAMETER, name)
    return EpochMs(time)
