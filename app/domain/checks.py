"""Our own checks of an order before it is taken in (Hummingbot spec 2.3, steps 5 to 10).

They keep out what no venue would take. Whether the account can pay for it, or holds what it closes,
is known only when the order is sent.
"""

from collections.abc import Collection
from decimal import Decimal

from app.domain.commands import PlaceOrder
from app.domain.enums import OrderType
from app.domain.errors import (
    NotionalTooSmall,
    PriceMissing,
    QuantityTooSmall,
    TypeUnsupported,
)
from app.domain.instrument import Instrument


def refuse_missing_price(command: PlaceOrder) -> None:
    """Refuse a limit order that names no limit.

    Raises:
        PriceMissing: it does not.
    """
    if command.type is not OrderType.MARKET and command.price is None:
        raise PriceMissing(command.symbol)


def refuse_type(command: PlaceOrder, supported: Collection[OrderType]) -> None:
    """Refuse an order of a type that the venue does not have.

    Raises:
        TypeUnsupported: it does not have it.
    """
    if command.type not in supported:
        raise TypeUnsupported(command.symbol, command.type, supported)


def limit_of(command: PlaceOrder, instrument: Instrument) -> Decimal | None:
    """Return the limit on its tick, which may be 0 or less; None for a market order."""
    if command.type is OrderType.MARKET or command.price is None:
        return None
    return instrument.price(command.price, command.side)


def quantity_of(command: PlaceOrder, instrument: Instrument) -> Decimal:
    """Return the quantity on its lot.

    Raises:
        QuantityTooSmall: it is less than the least lot.
    """
    quantity = instrument.quantity(command.quantity)
    least = max(instrument.min_quantity, instrument.quantity_step)
    if quantity < least:
        raise QuantityTooSmall(command.symbol, quantity, least)
    return quantity


def refuse_small_notional(quantity: Decimal, price: Decimal, instrument: Instrument) -> None:
    """Refuse what is worth too little, and any price that is not above 0.

    Args:
        quantity: on its lot.
        price: the limit on its tick, else the current price.
        instrument: with the least notional.

    Raises:
        NotionalTooSmall: it is.
    """
    notional = instrument.notional(quantity, price)
    if price <= 0 or notional < instrument.min_notional:
        raise NotionalTooSmall(instrument.symbol, notional, instrument.min_notional)
