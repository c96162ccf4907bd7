"""Which orders a request is about (Poloniex documentation, "Orders", "Smart Orders", "Trades")."""

from collections import deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from flask import request
from marshmallow import Schema

from app.dialects.poloniex import schemas
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Content, Reading
from app.dialects.poloniex.notation import CALLER_ID
from app.dialects.poloniex.parse_orders import InstrumentOf, instrument_for
from app.domain.enums import Side
from app.domain.errors import MarketHalted
from app.domain.identifiers import AggregateId, EpochMs, Symbol
from app.domain.order import Order
from app.domain.search import Search
from app.domain.smart_order import SmartOrder

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
#: Longer than this no answer about the past may span.
SPAN_MAX_MS: Final = 30 * DAY_MS

#: Of one request that names its orders.
IDS_MAX = 200

_CALLER_ID_MARK = "cid:"

#: Ids of orders stay below 2**53; those of trades are longer.
_ID_MAX: Final = 2**63

Value = TypeVar("Value")
Item = TypeVar("Item")


class Address(NamedTuple):
    """One order, as it was named: by id, or by client order id if there is none with the id."""

    order_id: str = ""
    caller_id: str | None = None


def address_from(text: str) -> Address:
    """Return what the last part of a path names: digits, `cid:<x>`, or a bare client order id.

    Raises:
        Problem: it can be neither.
    """
    is_marked = text.lower().startswith(_CALLER_ID_MARK)
    caller_id = text[len(_CALLER_ID_MARK) :] if is_marked else text
    if not CALLER_ID.fullmatch(caller_id):
        raise Problem(Code.INVALID_ORDER_ID)
    return Address("" if is_marked else text, caller_id)


def addresses_from(content: Content) -> list[Address]:
    """Return what `orderIds` and `clientOrderIds` name, in this order; one text is a list of one.

    Raises:
        Problem: none is named, too many are, or one can be no id.
    """
    body = Reading(schemas.NAMED, content)
    ids, caller_ids = body["order_ids"] or [], body["caller_ids"] or []
    if not ids and not caller_ids:
        raise Problem(Code.ORDER_ID_REQUIRED)
    if len(ids) + len(caller_ids) > IDS_MAX:
        raise Problem(Code.INVALID_VALUE, f"more than {IDS_MAX} ids")
    unmarked = [one.removeprefix(_CALLER_ID_MARK) for one in caller_ids]
    return [*map(Address, ids), *(Address(caller_id=one) for one in unmarked)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an order must have to be listed; None asks nothing.

    Attributes:
        types: in the wire's words.
        since_ms, until_ms: when it changed for the last time, both inclusive.
    """

    symbols: frozenset[Symbol] | None = None
    side: Side | None = None
    types: frozenset[str] | None = None
    since_ms: EpochMs | None = None
    until_ms: EpochMs | None = None

    def holds(self, one: Order | SmartOrder) -> bool:
        """Tell whether an order is one of them."""
        return (
            (self.symbols is None or one.symbol in self.symbols)
            and self.side in {None, one.side}
            and (self.types is None or one.type.value in self.types)
            and (self.since_ms is None or one.updated_at_ms >= self.since_ms)
            and (self.until_ms is None or one.updated_at_ms <= self.until_ms)
        )

    @property
    def search(self) -> Search:
        """What all of them have, and nothing else; nothing changes before it was created."""
        until_ms = None if self.until_ms is None else EpochMs(self.until_ms + 1)
        return Search(
            symbols=self.symbols,
            sides=None if self.side is None else frozenset({self.side}),
            types=self.types,
            until_ms=until_ms,
            updated_since_ms=self.since_ms,
            updated_until_ms=until_ms,
        )


def reach_from(schema: Schema, content: Content, instrument_of: InstrumentOf) -> Filter:
    """Return what a `DELETE` without ids is to cancel; nothing named is everything.

    Raises:
        Problem: a symbol is not traded, an account is not SPOT, or a type is none.
    """
    body = Reading(schema, content)
    symbols = _either(body["symbol"], body["symbols"])
    _refuse_unknown(symbols, instrument_of)
    body.check("account_type", "account_types")
    return Filter(symbols=symbols, types=body["order_types"])


def _refuse_unknown(symbols: Collection[Symbol] | None, instrument_of: InstrumentOf) -> None:
    """Refuse pairs that there are none of; of one that is halted there may be orders."""
    for symbol in sorted(symbols or ()):
        with suppress(MarketHalted):
            instrument_for(symbol, instrument_of)


def query_of_request(schema: Schema) -> Reading:
    """Return the query; what is empty is absent, of repeats the first counts."""
    return Reading(schema, {name: value for name, value in request.args.items() if value})


def filter_from(
    query: Reading, instrument_of: InstrumentOf, now_ms: EpochMs | None = None
) -> Filter:
    """Return what the orders of a list must have.

    Args:
        query: of the list; its page is checked as well.
        instrument_of: tells whether a pair is traded.
        now_ms: business time, of lists of the past; None is for those that have no times.

    Raises:
        Problem: with the code of the first field that is wrong.
    """
    query.check("account_type", "limit", "start", "newer")
    types = _either(query["types"], query["type"])
    symbols = _either(query["symbol"], query["symbols"])
    wanted = Filter(symbols=symbols, side=query["side"], types=types)
    _refuse_unknown(symbols, instrument_of)
    if now_ms is None:
        return wanted
    since_ms, until_ms = span_from(query, now_ms)
    return replace(wanted, since_ms=since_ms, until_ms=until_ms)


def start_of(query: Reading) -> AggregateId | None:
    """Return the id next to which a page lies; None if it begins with the newest."""
    # The SDK's examples begin at 0, which is before everything and so bounds nothing.
    start = query["start"]
    return AggregateId(start) if start is not None and 0 < start < _ID_MAX else None


def page_of(newest_first: Iterable[tuple[AggregateId, Item]], query: Reading) -> list[Item]:
    """Return a page, newest first: beyond a start and next to it, else the newest there are.

    Args:
        newest_first: the whole list, each with the id that pages go by.
        query: says which part is wanted.
    """
    limit, start = query["limit"], start_of(query)
    if start is None:
        return [item for _, item in islice(newest_first, limit)]
    if query["newer"]:
        return list(deque((item for place, item in newest_first if place > start), maxlen=limit))
    return list(islice((item for place, item in newest_first if place < start), limit))


def span_from(query: Reading, now_ms: EpochMs) -> tuple[EpochMs, EpochMs]:
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
    return since, until


def times_from(query: Reading) -> tuple[EpochMs | None, EpochMs | None]:
    """Return `startTime` and `endTime`, each None if it is absent.

    Raises:
        Problem: one is no time, or they are in the wrong order.
    """
    since, until = query["since_ms"], query["until_ms"]
    if since is not None and until is not None and since > until:
        raise Problem(Code.INVALID_PARAMETER, "startTime is after endTime")
    return since, until


def _either(
    one: frozenset[Value] | None, other: frozenset[Value] | None
) -> frozenset[Value] | None:
    """Return what stands under either of two names; None if neither is there."""
    return (one or frozenset()) | (other or frozenset()) or None
