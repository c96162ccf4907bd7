"""Figures as text, without exponent and trailing zeros; and what quantities are worth."""

from decimal import Decimal

from app.domain.enums import Market
from app.domain.identifiers import Currency, Symbol, base_of, quote_of


def plain(value: Decimal) -> str:
    """Return `0.1` for `1E-1`, `100` for `1E+2` and `100.00`, `0` for `-0`."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def places_of(step: Decimal) -> int:
    """Return how many digits behind the point a step has: 2 for `0.01`, 0 for `10`."""
    return max(0, -int(step.normalize().as_tuple().exponent))


def settled_in(market: Market, symbol: Symbol) -> Currency:
    """Return the currency of margin, profit and fees."""
    return base_of(symbol) if market is Market.COINM else quote_of(symbol)


def worth(market: Market, quantity: Decimal, price: Decimal) -> Decimal:
    """Return what a quantity is worth at a price, in the currency that it settles in."""
    return quantity / price if market is Market.COINM else quantity * price


def price_of(market: Market, quantity: Decimal, value: Decimal) -> Decimal:
    """Return the price at which a quantity is worth this much; 0 where nothing is."""
    if not quantity or not value:
        return Decimal(0)
    return quantity / value if market is Market.COINM else value / quantity
