"""What a list is to contain, and the order in which it does."""

from dataclasses import dataclass, fields
from typing import Final

from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect, Kind, Side
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.request.request import RequestStatus
from app.domain.smart_order import SmartOrderStatus
from app.domain.smart_trade.enums import FINAL, TradeStatus
from app.domain.status import IN_FLIGHT, OPEN

#: A place in a list, newest first: by creation time, then id.
Place = tuple[EpochMs, AggregateId]

#: A place in a list of fills, newest first: by time, then order, then number of the fill in it.
FillPlace = tuple[EpochMs, AggregateId, int]


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
            and self.is_about(one)
        )

    def covers(self, at_ms: EpochMs) -> bool:
        """Tell whether a time is within the range."""
        is_late_enough = self.since_ms is None or at_ms >= self.since_ms
        return is_late_enough and (self.until_ms is None or at_ms < self.until_ms)

    def is_about(self, one: Aggregate) -> bool:
        """Tell whether it, or a fill of it, is wanted, whenever that was."""
        return (
            _has(self.accounts, one.account)
            and _has(self.dialects, one.dialect)
            and _has(self.symbols, one.symbol)
            and (self.sides is None or one.side in self.sides)
        )


#: Everything that there is and was.
EVERYTHING = Search()


def place_of(aggregate: Aggregate) -> Place:
    """Return the place in the list: by creation time, then id."""
    return aggregate.created_at_ms, aggregate.id


def _has(wanted: frozenset[object] | None, found: object) -> bool:
    return wanted is None or found in wanted
