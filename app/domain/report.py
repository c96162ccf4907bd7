"""What a venue says about an order."""

from collections.abc import Iterable, Mapping
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
        fee_currency: empty where the venue has not told the fee.
        is_maker: the order rested and was met, as far as the venue tells.
    """

    trade_id: TradeId
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: Currency
    at_ms: EpochMs
    is_maker: bool = False


def fees_of(fills: Iterable[Fill]) -> dict[Currency, Decimal]:
    """Return currency → the sum of the fees; fees of 0 are not listed."""
    fees: dict[Currency, Decimal] = {}
    for fill in fills:
        if fill.fee:
            fees[fill.fee_currency] = fees.get(fill.fee_currency, Decimal(0)) + fill.fee
    return fees


def merged(known: tuple[Fill, ...], told: Iterable[Fill]) -> tuple[Fill, ...]:
    """Add the fills that are new, and fees that were not told before.

    A trade id counts once, however often it is told, and keeps its place.
    """
    fills = {fill.trade_id: fill for fill in known}
    for fill in told:
        before = fills.get(fill.trade_id)
        # A dictionary keeps the place of a key that is set again, so fills stay in the order in
        # which they were first told.
        if before is None or (fill.fee_currency and not before.fee_currency):
            fills[fill.trade_id] = fill
    return tuple(fills.values())


def is_all_told(fills: Iterable[Fill], filled_quantity: Decimal) -> bool:
    """Tell whether these fills, each with its fee, are all that is behind a filled quantity."""
    fills = tuple(fills)
    told = sum((fill.quantity for fill in fills), Decimal(0))
    return told >= filled_quantity and all(fill.fee_currency for fill in fills)


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
        lists_fills: the venue lists the fills of an order, perhaps later than what they add up to;
            so it is worth asking for those that are missing.
    """

    status: OrderStatus
    venue_order_id: VenueOrderId | None = None
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fees: Mapping[Currency, Decimal] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    position_after: Decimal | None = None
    reason: Reason | None = None
    lists_fills: bool = False
