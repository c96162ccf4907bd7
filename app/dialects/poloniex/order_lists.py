"""Plain orders and their trades are read: open ones, one of them, those of the past."""

from itertools import islice
from typing import NamedTuple

from app.bootstrap import Wiring
from app.dialects.poloniex import render_orders as writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.addresses import address_from
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.finding import LOOKED_AT_MAX, Finder
from app.dialects.poloniex.queries import (
    filter_from,
    page_from,
    page_of,
    query_of_request,
    span_from,
)
from app.domain.enums import Kind
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.report import Fill
from app.domain.search import Search

Json = dict[str, object]


class OrderLists:
    """Reads the orders of an account, whichever dialect made them."""

    def __init__(self, wiring: Wiring, callers: Callers, finder: Finder) -> None:
        self._reader = wiring.reader
        self._callers = callers
        self._finder = finder

    def open(self) -> list[Json]:
        """Return the orders that are not closed, newest first."""
        caller = self._callers.reader()
        query = query_of_request(schemas.OPEN_LIST)
        page = page_from(query)
        wanted = self._finder.check_symbols(caller, filter_from(query))
        found = self._finder.open_orders(caller, wanted)
        return [writing.order_row(one) for one in page_of(found, page)]

    def shown(self, order_id: str) -> Json:
        """Return one order."""
        caller = self._callers.reader()
        return writing.order_row(self._known(caller, order_id))

    def closed(self) -> list[Json]:
        """Return the orders of the past, newest first."""
        caller = self._callers.reader()
        query = query_of_request(schemas.CLOSED_LIST)
        query.check("account_type")
        page = page_from(query)
        wanted = self._finder.check_symbols(caller, filter_from(query))
        span = span_from(query, caller.received_at_ms)
        words = query["states"]
        hides_canceled = query["hides_canceled"]
        found = (
            one
            for one in self._finder.closed_orders(caller, wanted, span)
            if (words is None or writing.state_of(one) in words)
            and not (hides_canceled and writing.state_of(one) == writing.CANCELED)
        )
        return [writing.history_row(one) for one in page_of(found, page)]

    def trades(self) -> list[Json]:
        """Return what the account has traded, newest first."""
        caller = self._callers.reader()
        query = query_of_request(schemas.TRADE_LIST)
        query.check("account_type")
        page = page_from(query)
        wanted = self._finder.check_symbols(caller, filter_from(query))
        span = span_from(query, caller.received_at_ms)
        search = Search(
            kinds=frozenset({Kind.ORDER}),
            accounts=frozenset({caller.account.id}),
            symbols=wanted.symbols,
            sides=None if wanted.side is None else frozenset({wanted.side}),
            since_ms=span.since_ms,
            until_ms=EpochMs(span.until_ms + 1),
        )
        found = islice(self._reader.fills(None, search), LOOKED_AT_MAX)
        traded = (
            _Trade(AggregateId(int(writing.trade_id_of(order, number))), order, number, fill)
            for (_, _, number), order, fill in found
        )
        rows = page_of(traded, page)
        return [writing.trade_row(one.order, one.number, one.fill) for one in rows]

    def trades_of(self, order_id: str) -> list[Json]:
        """Return the executions of one order, newest first."""
        order = self._known(self._callers.reader(), order_id)
        rows = [writing.trade_row(order, *numbered) for numbered in enumerate(order.fills)]
        return rows[::-1]

    def _known(self, caller: Caller, order_id: str) -> Order:
        found = self._finder.order(caller, address_from(order_id))
        if found is None:
            raise Problem(Code.ORDER_NOT_FOUND)
        return found


class _Trade(NamedTuple):
    """One execution, with the number that pages go by."""

    id: AggregateId
    order: Order
    number: int
    fill: Fill
