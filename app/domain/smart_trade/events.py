"""What can happen to a smart trade, besides what can happen to other aggregates."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.events import Event
from app.domain.identifiers import AggregateId, FreshId
from app.domain.market import Quote
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchesBooked(Event):
    """The trigger book has taken in these, and has given back those with these names."""

    armed: tuple[Watch, ...]
    disarmed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicRequested(Event):
    """Close everything, or the share of one take-profit step, at market, now."""

    step_id: AggregateId | None = None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCancelRequested(Event):
    """Take one step off."""

    step_id: AggregateId
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequested(Event):
    """Enter at market now, whatever price the entry waits for."""

    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsAdded(Event):
    """Enter with this much more.

    Attributes:
        quantity: in base currency.
        price: limit; None enters at market.
    """

    quantity: Decimal
    price: Decimal | None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequested(Event):
    """Change these terms.

    Attributes:
        quote: the newest prices; None if none are known.
        stop_level: where a trailing stop stands now; None if none trails.
    """

    update: TradeUpdate
    quote: Quote | None
    stop_level: Decimal | None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOver(Event):
    """The stop-loss timeout, or the patience of a limit, may be over.

    Attributes:
        quote: None when no price is new enough.
    """

    quote: Quote | None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesLookedAt(Event):
    """A caller asks to compare the trade with the newest price now."""

    quote: Quote
    new_ids: tuple[FreshId, ...]
