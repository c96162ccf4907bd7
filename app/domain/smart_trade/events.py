"""What can happen to a smart trade, besides what can happen to other aggregates."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.identifiers import AggregateId, EpochMs, FreshId
from app.domain.market import Quote
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchesBooked:
    """The trigger book has taken in these, and has given back those with these names."""

    at_ms: EpochMs
    armed: tuple[Watch, ...]
    disarmed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicRequested:
    """Close everything at market, now."""

    at_ms: EpochMs
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPanicRequested:
    """Close the share of one take-profit step at market, now."""

    at_ms: EpochMs
    step_id: AggregateId
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCancelRequested:
    """Take one step off."""

    at_ms: EpochMs
    step_id: AggregateId


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsAdded:
    """Enter with this much more.

    Attributes:
        quantity: in base currency.
        price: limit; None enters at market.
    """

    at_ms: EpochMs
    quantity: Decimal
    price: Decimal | None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequested:
    """Change these terms.

    Attributes:
        quote: the newest prices; None if none are known.
        stop_level: where a trailing stop stands now; None if none trails.
    """

    at_ms: EpochMs
    update: TradeUpdate
    quote: Quote | None
    stop_level: Decimal | None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTimeOver:
    """The stop-loss timeout may be over. `quote` is None when no price is new enough."""

    at_ms: EpochMs
    quote: Quote | None
    new_ids: tuple[FreshId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesLookedAt:
    """A caller asks to compare the trade with the newest price now."""

    at_ms: EpochMs
    quote: Quote
    new_ids: tuple[FreshId, ...]
