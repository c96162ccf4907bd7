"""What contracts are worth: linear ones count base coins, inverse ones units of quote currency.

An inverse contract (COINM) is margined in its base coin, in which its profit is paid as well.
"""

from decimal import Decimal

from app.domain.enums import Market
from app.domain.identifiers import Currency, Symbol, base_of, quote_of


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
