"""An order whose figures are good as they are, and what it needs to be paid with."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.enums import OrderType, Side, TimeInForce
from app.domain.identifiers import Currency, Symbol, base_of, quote_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactOrder:
    """Place one spot order at once. Its figures fit the symbol: the dialect has checked them.

    Attributes:
        quantity: in base currency; 0 where `amount` tells the size.
        amount: what a market buy may spend, in quote currency; else None.
        price: the limit; None for a market order.
    """

    symbol: Symbol
    side: Side
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.GTC
    quantity: Decimal = Decimal(0)
    amount: Decimal | None = None
    price: Decimal | None = None
    caller_id: str | None = None

    def cost(self, ask: Decimal) -> tuple[Currency, Decimal]:
        """Return what it is paid with, and how much of that it takes at most.

        Args:
            ask: the price of a market buy that names a quantity.
        """
        if self.side is Side.SELL:
            return base_of(self.symbol), self.quantity
        quote = quote_of(self.symbol)
        if self.amount is not None:
            return quote, self.amount
        return quote, self.quantity * (ask if self.price is None else self.price)
