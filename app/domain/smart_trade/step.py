"""The steps of a smart trade, and the orders by which they are carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.enums import OrderType, PriceSource, Side
from app.domain.identifiers import (
    AggregateId,
    ClientOrderId,
    Currency,
    EpochMs,
    OrderId,
    VenueOrderId,
)
from app.domain.smart_trade.enums import STEP_FINAL, StepKind, StepStatus
from app.domain.smart_trade.spec import PriceCondition
from app.domain.status import CLOSED, OPEN, OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that a trade plans to do, and how far it has come.

    Attributes:
        is_trailing: a trailing take-profit or stop-loss (of several steps only the last trails).
        position: number of a step of several; None for everything else.
        percent: share of the position, of a take-profit.
        price: condition price, or trigger of a conditional entry; None until it is known. Of a
            trailing stop-loss the level as it was last stored; see `levels` for the newest one.
        price_percentage: from which the price follows once the entry is filled; None if given.
        order_price: limit of the order that is or was placed; None for a market order or before.
        quantity: share in base currency, from the entry on; of entries what is asked for.
        trailing_percent: distance that a trailing price keeps; of a stop-loss from its anchor on.
        market_from_ms: business time from which its exit, though at a limit, goes at the market;
            None if it never does, and before its first order.
        extreme: best price since it trails, as last stored; None while it does not trail.
        is_panic: it was, or is being, closed by itself at market.
        cancel_requested: its order is being taken off, and then the step is cancelled.
    """

    id: AggregateId
    kind: StepKind
    created_at_ms: EpochMs
    updated_at_ms: EpochMs
    status: StepStatus = StepStatus.IDLE
    is_trailing: bool = False
    position: int | None = None
    percent: Decimal | None = None
    price: Decimal | None = None
    price_percentage: Decimal | None = None
    source: PriceSource = PriceSource.BID
    order_type: OrderType = OrderType.MARKET
    order_price: Decimal | None = None
    quantity: Decimal | None = None
    trailing_percent: Decimal | None = None
    market_from_ms: EpochMs | None = None
    extreme: Decimal | None = None
    extreme_at_ms: EpochMs | None = None
    is_panic: bool = False
    cancel_requested: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in STEP_FINAL

    def is_at_market(self, at_ms: EpochMs) -> bool:
        """Whether its limit has not filled in time, so that what is left goes at the market."""
        return self.market_from_ms is not None and at_ms >= self.market_from_ms

    @property
    def condition(self) -> PriceCondition:
        """When it begins."""
        return PriceCondition(
            price=self.price, percentage=self.price_percentage, source=self.source
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOrder:
    """One order of a trade, as last heard of.

    Attributes:
        step_id: the step that it carries out; None for the order of a panic sell.
        price: limit; None for a market order.
        level: of a stop that rests at the venue: the price that it waits for there, in quote
            currency; None of every other order.
        fees: currency → total so far.
    """

    id: OrderId
    client_order_id: ClientOrderId
    side: Side
    type: OrderType
    quantity: Decimal
    step_id: AggregateId | None = None
    price: Decimal | None = None
    level: Decimal | None = None
    status: OrderStatus = OrderStatus.PENDING_NEW
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fees: Mapping[Currency, Decimal] = field(default_factory=dict)
    venue_order_id: VenueOrderId | None = None
    withdrawn: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it still may fill."""
        return self.status not in CLOSED

    @property
    def rests(self) -> bool:
        """Whether its venue has said that it waits for its price there, and it is to stay."""
        return self.level is not None and self.status in OPEN and not self.withdrawn

    @property
    def remaining_quantity(self) -> Decimal:
        """What it may still fill; 0 when it is closed."""
        return self.quantity - self.filled_quantity if self.is_live else Decimal(0)

    @property
    def notional(self) -> Decimal:
        """What was filled, in quote currency."""
        return self.filled_quantity * (self.average_price or Decimal(0))
