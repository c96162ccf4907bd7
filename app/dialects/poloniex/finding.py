"""Orders and smart orders of a caller's account, as they are or as they were."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, TypeVar

from app.bootstrap import Wiring
from app.dialects.poloniex.addresses import Address
from app.dialects.poloniex.callers import Caller
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.parse_orders import InstrumentOf
from app.dialects.poloniex.queries import Filter, Span
from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect, Kind
from app.domain.errors import HistoryUnavailable, NotFound
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.search import LIVE_STATES, Search
from app.domain.smart_order import SmartOrder
from app.domain.status import CLOSED, OrderStatus

#: Aggregates that one request about the past looks at, newest first.
LOOKED_AT_MAX: Final = 20_000

_OPEN: Final = frozenset(OrderStatus) - CLOSED


Found = TypeVar("Found", Order, SmartOrder)

#: What a request names: how, and what was found; None if there is none, or why nobody knows.
Named = tuple[Address, Found | HistoryUnavailable | None]


class Finder:
    """Finds what belongs to an account; what belongs to another is not there."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._reader = wiring.reader

    def instruments(self, caller: Caller) -> InstrumentOf:
        """Return what tells the rules of a pair at the venue of the account."""
        return self._ports.venues.of(caller.account).instrument

    def check_symbols(self, caller: Caller, wanted: Filter) -> Filter:
        """Return a filter whose symbols are all traded.

        Raises:
            Problem: one is not.
        """
        instrument_of = self.instruments(caller)
        for symbol in sorted(wanted.symbols or ()):
            if instrument_of(symbol) is None:
                raise Problem(Code.INVALID_SYMBOL)
        return wanted

    def smart_order(self, caller: Caller, address: Address) -> SmartOrder | None:
        """Return a smart order that stands alone and came in through this dialect, or None.

        Of several with one client order id it is the newest.
        """
        found = self._by_id(address.id)
        if isinstance(found, SmartOrder) and _is_own(found, caller):
            return found
        if address.caller_id is None:
            return None
        search = Search(
            kinds=frozenset({Kind.SMART_ORDER}),
            accounts=frozenset({caller.account.id}),
            dialects=frozenset({Dialect.POLONIEX}),
            caller_id=address.caller_id,
            top_level=True,
        )
        named = self._newest(search)
        return named if isinstance(named, SmartOrder) else None

    def placed_by(self, smart_order: SmartOrder) -> Order | None:
        """Return the order that a smart order has placed, as it is now; None if it has none."""
        found = self._by_id(smart_order.order_id)
        return found if isinstance(found, Order) else None

    def order(self, caller: Caller, address: Address) -> Order | None:
        """Return an order of the account, whichever dialect made it, or None."""
        found = self._by_id(address.id)
        if isinstance(found, Order) and found.account == caller.account.id:
            return found
        if address.caller_id is None:
            return None
        search = Search(
            kinds=frozenset({Kind.ORDER}),
            accounts=frozenset({caller.account.id}),
            dialects=frozenset({Dialect.POLONIEX}),
            caller_id=address.caller_id,
        )
        named = self._newest(search)
        return named if isinstance(named, Order) else None

    def open_orders(self, caller: Caller, wanted: Filter) -> Iterator[Order]:
        """Yield the orders of the account that are not closed, newest first."""
        search = _search(caller, wanted, Kind.ORDER, frozenset(_OPEN))
        return _orders(self._reader.newest(None, search), wanted)

    def closed_orders(self, caller: Caller, wanted: Filter, span: Span) -> Iterator[Order]:
        """Yield the orders of the account that closed within a span of time, newest first."""
        search = _search(caller, wanted, Kind.ORDER, frozenset(CLOSED), span)
        looked_at = islice(self._reader.newest(None, search), LOOKED_AT_MAX)
        return (one for one in _orders(looked_at, wanted) if _is_within(one, span))

    def ended_smart_orders(
        self, caller: Caller, wanted: Filter, states: frozenset[str], span: Span
    ) -> Iterator[SmartOrder]:
        """Return the smart orders that came to one of these states within a span, newest first."""
        search = _search(caller, wanted, Kind.SMART_ORDER, states, span)
        looked_at = islice(self._reader.newest(None, search), LOOKED_AT_MAX)
        found = (one for one in looked_at if isinstance(one, SmartOrder) and _is_own(one, caller))
        return (one for one in found if _is_within(one, span) and _has_type(one, wanted))

    def _newest(self, search: Search) -> Aggregate | None:
        """Return the newest that is searched for; while the history is away, the newest live one.

        Raises:
            HistoryUnavailable: it is away, and none is live.
        """
        try:
            return next(self._reader.newest(None, search), None)
        except HistoryUnavailable:
            live = next(self._reader.newest(None, replace(search, states=LIVE_STATES)), None)
            if live is None:
                raise
            return live

    def _by_id(self, aggregate_id: AggregateId | None) -> Aggregate | None:
        if aggregate_id is None:
            return None
        try:
            return self._reader.find(aggregate_id)
        except NotFound:
            return None


def each_once(
    addresses: Sequence[Address], find: Callable[[Address], Found | None]
) -> list[Named[Found]]:
    """Return what each address names, each thing once, or why it could not be looked for."""
    named: dict[object, Named[Found]] = {}
    for address in addresses:
        found: Found | HistoryUnavailable | None
        try:
            found = find(address)
        except HistoryUnavailable as error:  # which keeps none of the others
            found = error
        key = found.id if isinstance(found, Order | SmartOrder) else address
        named.setdefault(key, (address, found))
    return list(named.values())


def _search(
    caller: Caller, wanted: Filter, kind: Kind, states: frozenset[str], span: Span | None = None
) -> Search:
    """Return a search for what may be wanted; nothing changes before it was created."""
    return Search(
        kinds=frozenset({kind}),
        accounts=frozenset({caller.account.id}),
        states=states,
        symbols=wanted.symbols,
        sides=None if wanted.side is None else frozenset({wanted.side}),
        until_ms=None if span is None else EpochMs(span.until_ms + 1),
    )


def _orders(found: Iterator[Aggregate], wanted: Filter) -> Iterator[Order]:
    for one in found:
        if isinstance(one, Order) and _has_type(one, wanted):
            yield one


def _is_own(one: SmartOrder, caller: Caller) -> bool:
    is_ours = one.dialect is Dialect.POLONIEX and one.stands_alone
    return is_ours and one.account == caller.account.id


def _is_within(one: Order | SmartOrder, span: Span) -> bool:
    return span.since_ms <= one.updated_at_ms <= span.until_ms


def _has_type(one: Order | SmartOrder, wanted: Filter) -> bool:
    return wanted.types is None or one.type.value in wanted.types
