"""What plain orders and smart orders have in common, for the routes that they share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeVar

from marshmallow import Schema

from app.bootstrap import Wiring
from app.dialects.poloniex.addresses import Address
from app.dialects.poloniex.callers import Caller
from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.fields import Content
from app.dialects.poloniex.parse_orders import InstrumentOf
from app.dialects.poloniex.queries import Filter, Span
from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect, Kind, ReasonCode
from app.domain.errors import HistoryUnavailable, NotFound
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.search import LIVE_STATES, Search
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder

Json = dict[str, object]

One = TypeVar("One", Order, SmartOrder)

BY_REQUEST: Final = Reason(ReasonCode.REQUESTED, "canceled by request")

#: Aggregates that one request about the past looks at, newest first.
LOOKED_AT_MAX: Final = 20_000


class Closed(NamedTuple):
    """One of those that are over, as lists of the past have it.

    Attributes:
        states: by which it is found, in the wire's words.
        row: writes it.
    """

    id: AggregateId
    states: frozenset[str]
    row: Callable[[], Json]


class OrderKind(ABC, Generic[One]):
    """Plain orders, or smart orders: what belongs to another account is not there.

    Attributes:
        not_found: the code where there is none that could be changed.
        canceled: the state of one that was canceled by itself.
        many_canceled: the message about each of many that were canceled by what they are.
    """

    model: type[One]
    kind: Kind
    not_found: Code
    canceled: str
    many_canceled: str
    body: Schema
    amendment: Schema
    described: Schema
    open_list: Schema
    closed_list: Schema

    def __init__(self, wiring: Wiring) -> None:
        self.ports = wiring.ports
        self.reader = wiring.reader

    @abstractmethod
    def accept(self, caller: Caller, content: Content, sender: Sender) -> One:
        """Take in what a body asks for."""

    @abstractmethod
    def replace(self, caller: Caller, old: One, content: Content, sender: Sender) -> One:
        """Take in what a body asks for in the place of an old one."""

    def settled(self, new: One) -> One:
        """Return one that has taken the place of another, when it is known that it has."""
        return new

    @abstractmethod
    def end(self, one: One) -> One:
        """Ask one to end, and return it as it is then.

        Raises:
            Problem: it has ended, or cannot be ended any more.
        """

    @abstractmethod
    def owns(self, one: One, caller: Caller) -> bool:
        """Tell whether a caller may see one."""

    @abstractmethod
    def open(self, caller: Caller, wanted: Filter) -> Iterable[One]:
        """Return those that are not over, newest first."""

    @abstractmethod
    def closed(
        self, caller: Caller, wanted: Filter, span: Span, *, hides_canceled: bool
    ) -> Iterator[Closed]:
        """Yield those that came to their end within a span of time, newest first."""

    @abstractmethod
    def row(self, one: One) -> Json:
        """Write one of a list."""

    @abstractmethod
    def alone(self, caller: Caller, one: One) -> Json | list[Json]:
        """Write one that was asked for by itself."""

    def instruments(self, caller: Caller) -> InstrumentOf:
        """Return what tells the rules of a pair at the venue of the account."""
        return self.ports.venues.of(caller.account).instrument

    def find(self, caller: Caller, address: Address) -> One | None:
        """Return what is named: by id, or by client order id if there is none with the id.

        Of several with one client order id it is the newest.
        """
        found = self.by_id(address.id)
        if isinstance(found, self.model) and self.owns(found, caller):
            return found
        if address.caller_id is None:
            return None
        named = self._newest(
            Search(
                kinds=frozenset({self.kind}),
                accounts=frozenset({caller.account.id}),
                dialects=frozenset({Dialect.POLONIEX}),
                caller_id=address.caller_id,
                top_level=self.kind is Kind.SMART_ORDER,
            )
        )
        return named if isinstance(named, self.model) else None

    def by_id(self, aggregate_id: AggregateId | None) -> Aggregate | None:
        """Return whatever has an id, in whosever account."""
        try:
            return None if aggregate_id is None else self.reader.find(aggregate_id)
        except NotFound:
            return None

    def in_states(
        self, caller: Caller, wanted: Filter, states: frozenset[str], span: Span | None = None
    ) -> Iterator[One]:
        """Yield those in one of these states, newest first.

        Args:
            caller: whose they are.
            wanted: what else they must have.
            states: in the words of the kind.
            span: when they came to that state; then no more than `LOOKED_AT_MAX` are looked at.
        """
        search = Search(
            kinds=frozenset({self.kind}),
            accounts=frozenset({caller.account.id}),
            states=states,
            symbols=wanted.symbols,
            sides=None if wanted.side is None else frozenset({wanted.side}),
            # Nothing changes before it was created.
            until_ms=None if span is None else EpochMs(span.until_ms + 1),
        )
        found = islice(self.reader.newest(None, search), None if span is None else LOOKED_AT_MAX)
        for one in found:
            if not isinstance(one, self.model) or not self.owns(one, caller):
                continue
            if wanted.holds(one) and (span is None or span.holds(one.updated_at_ms)):
                yield one

    def _newest(self, search: Search) -> Aggregate | None:
        """Return the newest that is searched for; while the history is away, the newest live one.

        Raises:
            HistoryUnavailable: it is away, and none is live.
        """
        try:
            return next(self.reader.newest(None, search), None)
        except HistoryUnavailable:
            live = next(self.reader.newest(None, replace(search, states=LIVE_STATES)), None)
            if live is None:
                raise
            return live
