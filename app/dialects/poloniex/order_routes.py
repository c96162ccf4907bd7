"""Plain orders and smart orders are taken in, replaced, canceled and read (docs/poloniex.md)."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Final, Generic, TypeVar

from marshmallow import Schema

from app.bootstrap import Wiring
from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem, problem_of_part
from app.dialects.poloniex.fields import Content, array_from, object_from
from app.dialects.poloniex.parse_orders import InstrumentOf, LastOf
from app.dialects.poloniex.queries import (
    Address,
    Filter,
    address_from,
    addresses_from,
    filter_from,
    page_of,
    query_of_request,
    reach_from,
    start_of,
)
from app.dialects.poloniex.render_orders import Json
from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect, Kind, ReasonCode
from app.domain.errors import HistoryUnavailable, NotFound, VenueUnavailable
from app.domain.identifiers import AggregateId, Symbol, id_from
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.search import LIVE_STATES, Moment, Search
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder
from app.services.intake.orders import rules_of
from app.services.intake.replace import await_place
from app.web.registry_refresh import Failed

One = TypeVar("One", Order, SmartOrder)

#: What a request names: how, and what was found; None if there is none, or why nobody knows.
Named = tuple[Address, One | HistoryUnavailable | None]

#: Of one batch.
BATCH_MAX: Final = 20

#: Aggregates that one request about the past looks at, newest first.
LOOKED_AT_MAX: Final = 20_000

#: Aggregates that are read in one go from the old end.
_UPWARD_PAGE: Final = 100

BY_REQUEST: Final = Reason(ReasonCode.REQUESTED, "canceled by request")


class OrderRoutes(ABC, Generic[One]):
    """Changes and reads plain orders, or smart orders: what another account has is not there.

    Attributes:
        not_found: the code where there is none that could be changed.
        canceled: the state of one that was canceled by itself.
        many_canceled: the message about each of many that were canceled by what they are.
        over: the states in which it is over.
        hidden: those of them that a list without what was canceled does not even look at.
    """

    model: type[One]
    not_found: Code
    canceled: str
    many_canceled: str
    over: frozenset[str]
    hidden: frozenset[str] = frozenset()
    body: Schema
    amendment: Schema
    described: Schema
    open_list: Schema
    closed_list: Schema

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._reader = wiring.reader
        self._callers = callers

    @abstractmethod
    def _accept(self, caller: Caller, content: Content, sender: Sender) -> One:
        """Take in what a body asks for."""

    @abstractmethod
    def _accept_instead(self, caller: Caller, old: One, content: Content, sender: Sender) -> One:
        """Take in what a body asks for in the place of an old one."""

    @abstractmethod
    def _end(self, one: One) -> One:
        """Ask one to end, and return it as it is then.

        Raises:
            Problem: it has ended, or cannot be ended any more.
        """

    @abstractmethod
    def _not_over(self, caller: Caller, wanted: Filter) -> Iterable[One]:
        """Return those that are not over, newest first."""

    def create(self) -> Json:
        """Take in an order; it is durable before the answer."""
        return self._callers.serve(self._created)

    def create_batch(self) -> list[Json]:
        """Take in several orders; each has an answer of its own, in their order."""
        return self._callers.serve_parts(
            lambda caller: list(enumerate(array_from(caller.body, BATCH_MAX))),
            self._one_created,
            _not_placed,
        )

    def replace(self, order_id: str) -> Json:
        """Take in an order in the place of another."""
        return self._callers.serve(lambda caller: self._replaced(caller, order_id))

    def cancel(self, order_id: str) -> Json:
        """Cancel an order."""
        return self._callers.serve_once(lambda caller: self._canceled(caller, order_id))

    def cancel_named(self) -> list[Json]:
        """Cancel the orders that the body names; each has a result of its own."""
        return self._callers.serve_parts(self._named, self._one_canceled, _not_canceled)

    def cancel_many(self) -> list[Json]:
        """Cancel all orders of this dialect, or those that the body describes."""
        results = self._callers.serve_parts(self._described, self._one_ended, _not_ended)
        return [one for one in results if one is not None]

    def open(self) -> list[Json]:
        """List the orders that are not over, newest first."""
        caller = self._callers.reader()
        query = query_of_request(self.open_list)
        wanted = filter_from(query, self.instruments(caller))
        found = ((one.id, one) for one in self._not_over(caller, wanted))
        return [render.row(one) for one in page_of(found, query)]

    def shown(self, order_id: str) -> Json | list[Json]:
        """Show an order, in any state."""
        return render.row(self.known(self._callers.reader(), order_id, Code.ORDER_NOT_FOUND))

    def closed(self) -> list[Json]:
        """List the orders of the past, newest first."""
        caller = self._callers.reader()
        query = query_of_request(self.closed_list)
        wanted = filter_from(query, self.instruments(caller), caller.received_at_ms)
        states, hides_canceled = query["states"], bool(query["hides_canceled"])
        over = self.over - self.hidden if hides_canceled else self.over
        if states is not None:
            over = render.behind(states, over)
        start = start_of(query)
        search = self._search(caller, wanted, over)
        # Next to the start are the oldest of those that are newer.
        is_upward = start is not None and query["newer"]
        search = replace(search, above=start) if is_upward else replace(search, below=start)
        found = self._oldest(search) if is_upward else self._newest_of(search)
        rows = (
            (one, placed)
            for one in self._owned(caller, islice(found, LOOKED_AT_MAX))
            if not (hides_canceled and render.state_of(one) == render.CANCELED)
            for placed in [self._placed_by(one)]
            if states is None or states & render.states_of(one, placed)
        )
        page = [render.history_row(*both) for both in islice(rows, query["limit"])]
        return page[::-1] if is_upward else page

    def _created(self, caller: Caller) -> Json:
        return render.id_pair(self._taken(caller, 0, object_from(caller.body)))

    def _one_created(self, caller: Caller, item: tuple[int, object]) -> Json:
        part, content = item
        if not isinstance(content, dict):
            raise Problem(Code.INVALID_PARAMETER)
        return render.id_pair(self._taken(caller, part, content))

    def _taken(self, caller: Caller, part: int, content: Content) -> One:
        return self._callers.taken_once(
            caller, part, self.model, lambda sender: self._accept(caller, content, sender)
        )

    def _replaced(self, caller: Caller, order_id: str) -> Json:
        def take_over(sender: Sender) -> One:
            content = object_from(caller.body, required=False)
            old = self.known(caller, order_id, self.not_found)
            return self._accept_instead(caller, old, content, sender)

        new = self._callers.taken_once(caller, 0, self.model, take_over)
        # It is told of when it is known whether it has the place of the old one.
        return render.id_pair(await_place(new, self._ports))

    def _canceled(self, caller: Caller, order_id: str) -> Json:
        found = self.known(caller, order_id, self.not_found)
        return render.canceled(self._end(found), self.canceled)

    def _named(self, caller: Caller) -> Sequence[Named[One]]:
        """Return what the body names, each thing once, or why it could not be looked for."""
        named: dict[object, Named[One]] = {}
        for address in addresses_from(object_from(caller.body)):
            found: One | HistoryUnavailable | None
            try:
                found = self._find(caller, address)
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
            raise Problem(self.not_found)
        try:
            self._end(found)
        except Problem as problem:
            return render.not_canceled(problem, self._find(caller, address) or found)
        return render.canceled(found, render.PENDING_CANCEL)

    def _described(self, caller: Caller) -> Sequence[One]:
        body = object_from(caller.body, required=False)
        wanted = reach_from(self.described, body, self.instruments(caller))
        found: Iterable[One] = self._not_over(caller, wanted)
        return [one for one in found if one.dialect is Dialect.POLONIEX]

    def _one_ended(self, caller: Caller, one: One) -> Json | None:
        """Return the result of a cancel; None where it ended by itself meanwhile."""
        del caller
        try:
            ended = self._end(one)
        except Problem:
            return None
        return render.canceled(ended, render.PENDING_CANCEL, self.many_canceled)

    def instruments(self, caller: Caller) -> InstrumentOf:
        """Return what tells the rules of a pair at the venue of the account."""
        return partial(rules_of, account=caller.account, ports=self._ports)

    def last_prices(self, caller: Caller) -> LastOf:
        """Return what tells the last price of a pair there; no exchange is asked."""
        venue = self._ports.venues.of(caller.account)

        def last_of(symbol: Symbol) -> Decimal | None:
            with suppress(VenueUnavailable):  # the venue itself looks at the limit when it is sent
                quote = venue.quote(symbol)
                return None if quote is None else quote.last
            return None

        return last_of

    def known(self, caller: Caller, order_id: str, not_found: Code) -> One:
        """Return the one that a path names.

        Raises:
            Problem: there is none, or it can be none.
        """
        found = self._find(caller, address_from(order_id))
        if found is None:
            raise Problem(not_found)
        return found

    def _find(self, caller: Caller, address: Address) -> One | None:
        """Return what is named: by id, or by client order id if there is none with the id.

        Of several with one client order id it is the newest.
        """
        found = self._by_id(id_from(address.order_id))
        if isinstance(found, self.model) and _owns(caller, found):
            return found
        if address.caller_id is None:
            return None
        return self._newest(
            caller,
            Search(
                kinds=frozenset({self.model.kind}),
                accounts=frozenset({caller.account.id}),
                dialects=frozenset({Dialect.POLONIEX}),
                caller_id=address.caller_id,
                top_level=self.model.kind is Kind.SMART_ORDER,
            ),
        )

    def _by_id(self, aggregate_id: AggregateId | None) -> Aggregate | None:
        """Return whatever has an id, in whosever account."""
        try:
            return None if aggregate_id is None else self._reader.find(aggregate_id)
        except NotFound:
            return None

    def _placed_by(self, one: Order | SmartOrder) -> Order | None:
        """Return the order that a smart order has placed, as it is now; None if it has none."""
        found = self._by_id(one.order_id) if isinstance(one, SmartOrder) else None
        return found if isinstance(found, Order) else None

    def _newest(self, caller: Caller, search: Search) -> One | None:
        """Return the newest that is searched for; while the history is away, the newest live one.

        Raises:
            HistoryUnavailable: it is away, and none is live.
        """
        try:
            return next(self._owned(caller, self._reader.newest(None, search)), None)
        except HistoryUnavailable:
            found = self._reader.newest(None, replace(search, states=LIVE_STATES))
            live = next(self._owned(caller, found), None)
            if live is None:
                raise
            return live

    def _in_states(self, caller: Caller, wanted: Filter, states: frozenset[str]) -> Iterator[One]:
        """Yield those in one of these states, newest first."""
        search = self._search(caller, wanted, states)
        return self._owned(caller, self._reader.newest(None, search))

    def _search(self, caller: Caller, wanted: Filter, states: frozenset[str]) -> Search:
        return replace(
            wanted.search,
            kinds=frozenset({self.model.kind}),
            accounts=frozenset({caller.account.id}),
            states=states,
        )

    def _owned(self, caller: Caller, found: Iterable[Aggregate]) -> Iterator[One]:
        for one in found:
            if isinstance(one, self.model) and _owns(caller, one):
                yield one

    def _newest_of(self, search: Search) -> Iterator[Aggregate]:
        """Yield what has changed within a time, newest first by creation.

        What was made within that time, too, is nearly all of it, and comes first.
        """
        since_ms = search.updated_since_ms
        yield from self._reader.newest(None, replace(search, since_ms=since_ms))
        yield from self._reader.newest(None, replace(search, until_ms=since_ms))

    def _oldest(self, search: Search) -> Iterator[Aggregate]:
        """Yield the same from the other end."""
        listed = replace(search, types=None)  # which a list from that end cannot tell of orders
        offset = 0
        while page := self._reader.oldest(
            listed, Moment.CREATED_AT, offset=offset, limit=_UPWARD_PAGE
        ):
            yield from filter(search.match, page)
            offset += _UPWARD_PAGE


def _owns(caller: Caller, one: Order | SmartOrder) -> bool:
    """Tell whether a caller may see one: of smart orders those of the dialect that stand alone."""
    if isinstance(one, Order):
        is_ours = not one.has_only_waited  # what rests for a smart order is that smart order
    else:
        is_ours = one.dialect is Dialect.POLONIEX and one.stands_alone
    return is_ours and one.account == caller.account.id


def _not_placed(item: tuple[int, object], failed: Failed) -> Json:
    _, content = item
    given = content.get("clientOrderId") if isinstance(content, dict) else None
    return render.not_placed(problem_of_part(failed), given if isinstance(given, str) else "")


def _not_canceled(named: Named[One], failed: Failed) -> Json:
    address, found = named
    if isinstance(found, Order | SmartOrder):
        return _not_ended(found, failed)
    return render.not_found(problem_of_part(failed), address.order_id, address.caller_id or "")


def _not_ended(found: Order | SmartOrder, failed: Failed) -> Json:
    return render.not_canceled(problem_of_part(failed), found)
