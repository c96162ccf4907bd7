"""Plain orders and smart orders are taken in, replaced, canceled and read (docs/poloniex.md)."""

from collections.abc import Iterable, Sequence
from typing import Generic

from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex.addresses import Address, address_from, addresses_from, reach_from
from app.dialects.poloniex.answers import problem_of_part
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import array_from, object_from
from app.dialects.poloniex.order_kind import Json, One, OrderKind
from app.dialects.poloniex.parse_orders import InstrumentOf
from app.dialects.poloniex.queries import (
    Filter,
    filter_from,
    page_from,
    page_of,
    query_of_request,
    span_from,
)
from app.domain.enums import Dialect
from app.domain.errors import HistoryUnavailable
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder
from app.web.registry_refresh import Failed

#: Of one batch.
BATCH_MAX = 20

#: What a request names: how, and what was found; None if there is none, or why nobody knows.
Named = tuple[Address, One | HistoryUnavailable | None]


class OrderRoutes(Generic[One]):
    """Changes and reads the orders of one kind."""

    def __init__(self, callers: Callers, kind: OrderKind[One]) -> None:
        self._callers = callers
        self.kind: OrderKind[One] = kind

    def create(self) -> Json:
        """Take in one; it is durable before the answer."""
        return self._callers.serve(self._created)

    def create_batch(self) -> list[Json]:
        """Take in several; each has an answer of its own, in their order."""
        return self._callers.serve_parts(
            lambda caller: list(enumerate(array_from(caller.body, BATCH_MAX))),
            self._one_created,
            _not_placed,
        )

    def replace(self, order_id: str) -> Json:
        """Take in one in the place of another."""
        return self._callers.serve(lambda caller: self._replaced(caller, order_id))

    def cancel(self, order_id: str) -> Json:
        """Ask one to end."""
        return self._callers.serve(lambda caller: self._canceled(caller, order_id))

    def cancel_named(self) -> list[Json]:
        """Ask those to end that the body names; each has a result of its own."""
        return self._callers.serve_parts(self._named, self._one_canceled, _not_canceled)

    def cancel_many(self) -> list[Json]:
        """Ask all to end that the body describes and that came in through this dialect."""
        results = self._callers.serve_parts(self._described, self._one_ended, _not_ended)
        return [one for one in results if one is not None]

    def open(self) -> list[Json]:
        """Return those that are not over, newest first."""
        caller = self._callers.reader()
        query = query_of_request(self.kind.open_list)
        page = page_from(query)
        wanted = check_symbols(filter_from(query), self.kind.instruments(caller))
        return [self.kind.row(one) for one in page_of(self.kind.open(caller, wanted), page)]

    def shown(self, order_id: str) -> Json | list[Json]:
        """Return one, in any state."""
        caller = self._callers.reader()
        found = self._known(caller, order_id, Code.ORDER_NOT_FOUND)
        return self.kind.alone(caller, found)

    def closed(self) -> list[Json]:
        """Return those of the past, newest first."""
        caller = self._callers.reader()
        query = query_of_request(self.kind.closed_list)
        query.check("account_type")
        page = page_from(query)
        wanted = check_symbols(filter_from(query), self.kind.instruments(caller))
        span = span_from(query, caller.received_at_ms)
        states, hides_canceled = query["states"], bool(query["hides_canceled"])
        found = self.kind.closed(caller, wanted, span, hides_canceled=hides_canceled)
        chosen = (one for one in found if states is None or states & one.states)
        return [one.row() for one in page_of(chosen, page)]

    def _created(self, caller: Caller) -> Json:
        sender = self._callers.sender(caller)
        return render.id_pair(self.kind.accept(caller, object_from(caller.body), sender))

    def _one_created(self, caller: Caller, item: tuple[int, object]) -> Json:
        part, content = item
        if not isinstance(content, dict):
            raise Problem(Code.INVALID_PARAMETER)
        new = self._callers.taken_once(
            caller,
            part,
            self.kind.model,
            lambda sender: self.kind.accept(caller, content, sender),
        )
        return render.id_pair(new)

    def _replaced(self, caller: Caller, order_id: str) -> Json:
        new = self._callers.taken_once(
            caller,
            0,
            self.kind.model,
            lambda sender: self._taken_over(caller, order_id, sender),
        )
        return render.id_pair(self.kind.settled(new))

    def _taken_over(self, caller: Caller, order_id: str, sender: Sender) -> One:
        content = object_from(caller.body, required=False)
        old = self._known(caller, order_id, self.kind.not_found)
        return self.kind.replace(caller, old, content, sender)

    def _canceled(self, caller: Caller, order_id: str) -> Json:
        found = self._known(caller, order_id, self.kind.not_found)
        return render.canceled(self.kind.end(found), self.kind.canceled)

    def _named(self, caller: Caller) -> Sequence[Named[One]]:
        """Return what the body names, each thing once, or why it could not be looked for."""
        named: dict[object, Named[One]] = {}
        for address in addresses_from(object_from(caller.body)):
            found: One | HistoryUnavailable | None
            try:
                found = self.kind.find(caller, address)
            except HistoryUnavailable as error:  # which keeps none of the others
                found = error
            key = found.id if isinstance(found, Order | SmartOrder) else address
            named.setdefault(key, (address, found))
        return list(named.values())

    def _one_canceled(self, caller: Caller, named: Named[One]) -> Json:
        """Return the result of a cancel, or of one that came too late."""
        address, found = named
        if isinstance(found, HistoryUnavailable):
            raise found
        if found is None:
            raise Problem(self.kind.not_found)
        try:
            self.kind.end(found)
        except Problem as problem:
            return render.not_canceled(problem, self.kind.find(caller, address) or found)
        return render.canceled(found, render.PENDING_CANCEL)

    def _described(self, caller: Caller) -> Sequence[One]:
        body = object_from(caller.body, required=False)
        wanted = reach_from(self.kind.described, body, self.kind.instruments(caller))
        found: Iterable[One] = self.kind.open(caller, wanted)
        return [one for one in found if one.dialect is Dialect.POLONIEX]

    def _one_ended(self, caller: Caller, one: One) -> Json | None:
        """Return the result of a cancel; None where it ended by itself meanwhile."""
        del caller
        try:
            ended = self.kind.end(one)
        except Problem:
            return None
        return render.canceled(ended, render.PENDING_CANCEL, self.kind.many_canceled)

    def _known(self, caller: Caller, order_id: str, not_found: Code) -> One:
        found = self.kind.find(caller, address_from(order_id))
        if found is None:
            raise Problem(not_found)
        return found


def check_symbols(wanted: Filter, instrument_of: InstrumentOf) -> Filter:
    """Return a filter whose symbols are all traded.

    Raises:
        Problem: one is not.
    """
    for symbol in sorted(wanted.symbols or ()):
        if instrument_of(symbol) is None:
            raise Problem(Code.INVALID_SYMBOL)
    return wanted


def _not_placed(item: tuple[int, object], failed: Failed) -> Json:
    _, content = item
    given = content.get("clientOrderId") if isinstance(content, dict) else None
    return render.not_placed(problem_of_part(failed), given if isinstance(given, str) else "")


def _not_canceled(named: Named[One], failed: Failed) -> Json:
    address, found = named
    if isinstance(found, Order | SmartOrder):
        return _not_ended(found, failed)
    return render.not_found(problem_of_part(failed), *address.names)


def _not_ended(found: Order | SmartOrder, failed: Failed) -> Json:
    return render.not_canceled(problem_of_part(failed), found)
