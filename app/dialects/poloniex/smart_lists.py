"""Smart orders are read: those that wait, one of them, those of the past."""

from collections.abc import Iterable, Iterator

from flask import request

from app.bootstrap import Wiring
from app.dialects.poloniex import render_smart_orders as writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.addresses import address_from
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Reading
from app.dialects.poloniex.finding import Finder
from app.dialects.poloniex.queries import (
    Filter,
    filter_from,
    page_from,
    page_of,
    query_of_request,
    span_from,
)
from app.domain.order import Order
from app.domain.smart_order import SmartOrder, SmartOrderState
from app.services.placing.cancel_smart_orders import SmartOrderFilter, waiting_smart_orders

Json = dict[str, object]

_ENDED = frozenset(SmartOrderState) - {SmartOrderState.PENDING_NEW, SmartOrderState.PENDING_CANCEL}


class SmartLists:
    """Reads the smart orders of an account."""

    def __init__(self, wiring: Wiring, callers: Callers, finder: Finder) -> None:
        self._ports = wiring.ports
        self._callers = callers
        self._finder = finder

    def waiting(self) -> list[Json]:
        """Return those that wait, newest first."""
        caller = self._callers.reader()
        query = query_of_request(schemas.OPEN_SMART_LIST)
        page = page_from(query)
        wanted = self._finder.check_symbols(caller, filter_from(query))
        own = SmartOrderFilter(origin=caller.origin, symbols=wanted.symbols)
        found = waiting_smart_orders(caller.account.id, own, self._ports)
        return [writing.row(one) for one in page_of(_matching(found, wanted), page)]

    def shown(self, order_id: str) -> Json | list[Json]:
        """Return one, in any state, with the order that it has placed."""
        caller = self._callers.reader()
        found = self._finder.smart_order(caller, address_from(order_id))
        if found is None:
            raise Problem(Code.ORDER_NOT_FOUND)
        shape = writing.detail(found, self._finder.placed_by(found))
        return [shape] if caller.settings.wants_array(request.content_type or "") else shape

    def ended(self) -> list[Json]:
        """Return those that do not wait any more, newest first."""
        caller = self._callers.reader()
        query = query_of_request(schemas.CLOSED_SMART_LIST)
        query.check("account_type")
        page = page_from(query)
        placed: dict[int, Order | None] = {}
        found = page_of(self._ended(caller, query, placed), page)
        return [writing.history_row(one, placed[one.id]) for one in found]

    def _ended(
        self, caller: Caller, query: Reading, placed: dict[int, Order | None]
    ) -> Iterator[SmartOrder]:
        """Yield what a query asks for, newest first, noting the order that each has placed."""
        wanted = self._finder.check_symbols(caller, filter_from(query))
        span = span_from(query, caller.received_at_ms)
        words = query["states"]
        states = _ENDED - {SmartOrderState.CANCELED} if query["hides_canceled"] else _ENDED
        for one in self._finder.ended_smart_orders(caller, wanted, frozenset(states), span):
            placed[one.id] = self._finder.placed_by(one)
            if words is None or writing.states_of(one, placed[one.id]) & words:
                yield one


def _matching(found: Iterable[SmartOrder], wanted: Filter) -> Iterator[SmartOrder]:
    return (
        one
        for one in found
        if wanted.side in {None, one.side}
        and (wanted.types is None or one.type.value in wanted.types)
    )
