"""What the paper venue knows of an order that it received, and what it tells about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.domain.enums import (
    Direction,
    Market,
    OrderType,
    PositionSide,
    PriceSource,
    Side,
    TimeInForce,
)
from app.domain.identifiers import ClientOrderId, Currency, EpochMs, Symbol, VenueOrderId, base_of
from app.domain.money import price_of, settled_in, worth
from app.domain.order import Condition
from app.domain.reason import Reason
from app.domain.report import Fill, OrderReport, fees_of
from app.domain.status import OPEN, OrderStatus

#: The outcome of a refused repeat of a client order id (docs/api.md).
DUPLICATE = "DUPLICATE"

#: Market → the prices that a stop may rest for. What is traded on spot has no mark price.
HOLDS: Final[Mapping[Market, frozenset[PriceSource]]] = {
    Market.SPOT: frozenset({PriceSource.LAST}),
    Market.USDM: frozenset({PriceSource.LAST, PriceSource.MARK}),
    Market.COINM: frozenset({PriceSource.LAST, PriceSource.MARK}),
}

#: What resting orders of a symbol wait for together: limits for the other side of the market, stops
#: for a price that goes one way.
Queue = Side | tuple[PriceSource, Direction]

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """One row of the venue's ledger.

    Attributes:
        quantity: in base currency; of an order with an `amount`, what that has bought.
        amount: what a market buy may spend, in quote currency.
        condition: what a stop waits for; then it goes to the market. None is nothing.
        number: the venue's own; rises with each arrival at the venue, whatever the account.
        tick: number of the newest tick that the order has met; it fills at later ones only.
        reduces: the leg that it may only reduce, or None where it may open.
        hold: what it holds back of `pays_in` while it rests.
        reserve: what it is going to take of the leg that it reduces, while it rests; a stop takes
            what is there, and so nothing is kept for it.
        position_after: size of the leg that it worked on after its newest fill; None for spot.
        is_repeat: refused, since its client order id was known already.
    """

    client_order_id: ClientOrderId
    number: int
    symbol: Symbol
    market: Market
    side: Side
    type: OrderType
    quantity: Decimal
    received_at_ms: EpochMs
    updated_at_ms: EpochMs
    position_side: PositionSide | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    amount: Decimal | None = None
    price: Decimal | None = None
    condition: Condition | None = None
    status: OrderStatus = OrderStatus.NEW
    reason: Reason | None = None
    tick: int = 0
    reduces: PositionSide | None = None
    hold: Decimal = _NOTHING
    reserve: Decimal = _NOTHING
    fills: tuple[Fill, ...] = ()
    position_after: Decimal | None = None
    is_repeat: bool = False

    @property
    def venue_order_id(self) -> VenueOrderId:
        """The number as text."""
        return VenueOrderId(str(self.number))

    @property
    def outcome(self) -> str:
        """How it stands, or DUPLICATE."""
        return DUPLICATE if self.is_repeat else self.status.value

    @property
    def is_open(self) -> bool:
        """Whether it rests at the venue."""
        return self.status in OPEN

    @property
    def queue(self) -> Queue:
        """With which orders it rests, if it does."""
        if self.condition is None:
            return self.side
        return self.condition.source, self.condition.direction

    @property
    def waits_at(self) -> Decimal | None:
        """The price at which it may come to wait in its queue; None where it never rests."""
        if self.condition is not None:
            return self.condition.level
        return self.price if self.may_rest else None

    @property
    def may_rest(self) -> bool:
        """Whether a part that the market does not fill at once stays at the venue."""
        if self.type is OrderType.LIMIT:
            return self.time_in_force is TimeInForce.GTC
        return self.type is OrderType.LIMIT_MAKER

    @property
    def filled_quantity(self) -> Decimal:
        """What is done, in base currency."""
        return sum((fill.quantity for fill in self.fills), _NOTHING)

    @property
    def remaining_quantity(self) -> Decimal:
        """What is left, in base currency."""
        return self.quantity - self.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Average of the fills, weighted by quantity; None when nothing is filled."""
        if not self.fills:
            return None
        values = (worth(self.market, fill.quantity, fill.price) for fill in self.fills)
        return price_of(self.market, self.filled_quantity, sum(values, _NOTHING))

    @property
    def fees(self) -> Mapping[Currency, Decimal]:
        """Currency → total so far; fees of 0 are not listed."""
        return fees_of(self.fills)

    @property
    def pays_in(self) -> Currency:
        """The currency that it takes: base for a spot sale, else the one it settles in."""
        if self.market is Market.SPOT and self.side is Side.SELL:
            return base_of(self.symbol)
        return settled_in(self.market, self.symbol)

    def report(self) -> OrderReport:
        """Return what the venue says about it, every fill included."""
        return OrderReport(
            status=self.status,
            venue_order_id=self.venue_order_id,
            filled_quantity=self.filled_quantity,
            average_price=self.average_price,
            fees=self.fees,
            fills=self.fills,
            position_after=self.position_after,
            reason=self.reason,
        )
