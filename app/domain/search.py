"""What a list is to contain, and the order in which it does."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect, Kind, Side
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.order import Order
from app.domain.request.request import RequestStatus
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.smart_trade.enums import FINAL, TradeStatus
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import IN_FLIGHT, OPEN

#: A place in a list, newest first: by creation time, then id.
Place = tuple[EpochMs, AggregateId]

#: A place in a list of fills, newest first: by time, then order, then number of the fill in it.
FillPlace = tuple[EpochMs, AggregateId, int]


#: Later than every time, and in every index: when something happens that has not happened yet.
NEVER_MS: Final = EpochMs(2**62)


class Moment(StrEnum):
    """A time of an aggregate by which a list can be sorted; only smart trades are closed."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    CLOSED_AT = "closed_at"


#: States, in the words of all kinds, in which nothing is that has finished.
LIVE_STATES: Final = frozenset[str](
    {
        *IN_FLIGHT,
        *OPEN,
        RequestStatus.SCHEDULED,
        RequestStatus.EXECUTING,
        SmartOrderStatus.PENDING_NEW,
        SmartOrderStatus.PENDING_CANCEL,
        *(set(TradeStatus) - FINAL),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What an aggregate must have; None asks nothing, an empty set finds nothing.

    Attributes:
        states: in the words of the kinds.
        parent: whose children are wanted.
        top_level: only what is nobody's child.
        since_ms, until_ms: created from the one (inclusive) to the other (exclusive); for fills,
            the time of the fill.
        updated_since_ms, updated_until_ms: the same of its last change; means nothing to fills.
        types: of an order, a smart order or a smart trade, in its words; nothing else has one.
            Means nothing to fills.
        above, below: ids between which its own is, both exclusive; of fills that of the order.
    """

    kinds: frozenset[Kind] | None = None
    accounts: frozenset[AccountId] | None = None
    dialects: frozenset[Dialect] | None = None
    states: frozenset[str] | None = None
    symbols: frozenset[Symbol] | None = None
    sides: frozenset[Side] | None = None
    parent: AggregateId | None = None
    caller_id: str | None = None
    top_level: bool = False
    since_ms: EpochMs | None = None
    until_ms: EpochMs | None = None
    updated_since_ms: EpochMs | None = None
    updated_until_ms: EpochMs | None = None
    types: frozenset[str] | None = None
    above: AggregateId | None = None
    below: AggregateId | None = None

    @property
    def finds_nothing(self) -> bool:
        """Whether one of its sets is empty."""
        return any(getattr(self, one.name) == frozenset() for one in fields(self))

    @property
    def finds_live_only(self) -> bool:
        """Whether nothing of it can be in the history."""
        return self.states is not None and self.states <= LIVE_STATES

    def match(self, one: Aggregate) -> bool:
        """Tell whether an aggregate has all of it."""
        return (
            _has(self.kinds, one.kind)
            and _has(self.states, one.status)
            and self.parent in {None, one.parent_id}
            and self.caller_id in {None, one.caller_id}
            and not (self.top_level and one.parent_id is not None)
            and self.covers(one.created_at_ms)
            and _is_within(one.updated_at_ms, self.updated_since_ms, self.updated_until_ms)
            and _has(self.types, type_of(one))
            and self.is_about(one)
        )

    def covers(self, at_ms: EpochMs) -> bool:
        """Tell whether a time is within the range."""
        return _is_within(at_ms, self.since_ms, self.until_ms)

    def is_about(self, one: Aggregate) -> bool:
        """Tell whether it, or a fill of it, is wanted, whenever that was."""
        return (
            _has(self.accounts, one.account)
            and _has(self.dialects, one.dialect)
            and _has(self.symbols, one.symbol)
            and (self.sides is None or one.side in self.sides)
            and (self.above is None or one.id > self.above)
            and (self.below is None or one.id < self.below)
        )


#: Everything that there is and was.
EVERYTHING = Search()


def place_of(aggregate: Aggregate) -> Place:
    """Return the place in the list: by creation time, then id."""
    return aggregate.created_at_ms, aggregate.id


def place_by(moment: Moment, aggregate: Aggregate) -> Place:
    """Return the place in a list that is sorted by a moment, then id."""
    at_ms: EpochMs | None = getattr(aggregate, f"{moment}_ms", None)
    return NEVER_MS if at_ms is None else at_ms, aggregate.id


def type_of(aggregate: Aggregate) -> str | None:
    """Return the type of an order, a smart order or a smart trade, in its words."""
    if isinstance(aggregate, Order | SmartOrder | SmartTrade):
        return aggregate.type.value
    return None


def _is_within(at_ms: EpochMs, since_ms: EpochMs | None, until_ms: EpochMs | None) -> bool:
    return (since_ms is None or at_ms >= since_ms) and (until_ms is None or at_ms < until_ms)


def _has(wanted: frozenset[object] | None, found: object) -> bool:
    return wanted is None or found in wanted
