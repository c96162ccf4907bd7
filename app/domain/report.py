"""What a venue says about an order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.identifiers import Currency, EpochMs, TradeId, VenueOrderId
from app.domain.reason import Reason
from app.domain.status import OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution.

    Attributes:
        trade_id: the venue's; an order counts each trade id once.
        is_maker: the order rested and was met, as far as the venue tells.
    """

    trade_id: TradeId
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: Currency
    at_ms: EpochMs
    is_maker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """The venue's word about one order.

    Attributes:
        status: NEW, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED or REJECTED.
        filled_quantity: in total so far, base currency.
        average_price: of all fills, or None when nothing is filled.
        fees: currency → total so far.
        fills: those the venue tells of, which may be none, some or all.
        position_after: size of the leg that the order worked on, after its newest fill, or None
            where the venue does not tell (spot, for instance).
    """

    status: OrderStatus
    venue_order_id: VenueOrderId | None = None
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fees: Mapping[Currency, Decimal] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    position_after: Decimal | None = None
    reason: Reason | None = None
