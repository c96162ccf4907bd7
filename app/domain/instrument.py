"""What may be traded in which steps, and the one place where prices and quantities are rounded."""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_UP, Decimal, localcontext

from app.domain.enums import Market, ReasonCode, Side
from app.domain.identifiers import Symbol
from app.domain.money import plain
from app.domain.reason import Reason

#: More than a number from outside (40 digits) divided by a step can need to tell it from a multiple
#: of the step. With the usual 28 digits a quotient just below a whole number would become it.
_DIGITS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """The rules of one symbol in one market.

    Attributes:
        kind: `linear`, or `inverse` where the base coin is the margin.
        price_step: prices are whole multiples of it, in quote currency.
        price_digits: how many significant digits a price may have besides, or None for any number.
        quantity_step: quantities are whole multiples of it, in base currency; of inverse contracts
            in contracts, as their venue counts them. So are the other quantities.
        quote_step: the smallest unit of the quote currency that is shown.
        min_quantity: the least quantity, in base currency.
        max_quantity: the greatest quantity in one order, or None.
        max_market_quantity: the greatest in one market order, where a venue has one of its own.
        min_notional: the least quantity times price, in quote currency.
        multiplier_up: how many times the last price the limit of a buy may be, at most; or None.
        multiplier_down: how many times the last price the limit of a sale must be, at least; or
            None. Named as in Binance's filter PERCENT_PRICE.
        contract_size: how much of the quote currency one inverse contract is; None where its venue
            does not tell, and then positions are closed and none is opened.
    """

    symbol: Symbol
    market: Market
    price_step: Decimal
    quantity_step: Decimal
    kind: str = "linear"
    quote_step: Decimal = Decimal("0.00000001")
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal | None = None
    max_market_quantity: Decimal | None = None
    min_notional: Decimal = Decimal(0)
    multiplier_up: Decimal | None = None
    multiplier_down: Decimal | None = None
    price_digits: int | None = None
    contract_size: Decimal | None = Decimal(1)

    def __post_init__(self) -> None:
        """Refuse steps that cannot be rounded to."""
        if self.price_step <= 0 or self.quantity_step <= 0 or self.quote_step <= 0:
            raise ValueError(f"the steps of {self.symbol} must be above 0")

    @property
    def least_quantity(self) -> Decimal:
        """The least quantity that is not nothing on its lot."""
        return max(self.min_quantity, self.quantity_step)

    def quantity(self, wanted: Decimal) -> Decimal:
        """Round a quantity down to the lot, so that never more is traded than asked for."""
        return _to_step(wanted, self.quantity_step, ROUND_DOWN)

    def quantity_up(self, wanted: Decimal) -> Decimal:
        """Round a quantity up to the lot, so that it is enough."""
        return _to_step(wanted, self.quantity_step, ROUND_UP)

    def one_order(self, wanted: Decimal) -> Decimal:
        """Return as much of a quantity as one order may be, on the lot."""
        most = self.max_quantity
        return self.quantity(wanted if most is None else min(wanted, most))

    def price(self, wanted: Decimal, side: Side) -> Decimal:
        """Round a limit price to the tick in the caller's favor: a buy down, a sell up."""
        return on_tick(wanted, self.step_at(wanted), side)

    def step_at(self, price: Decimal) -> Decimal:
        """Return the step of prices about a price: the greater, the fewer digits it may have."""
        if self.price_digits is None or price <= 0:
            return self.price_step
        return max(self.price_step, Decimal(1).scaleb(price.adjusted() - self.price_digits + 1))

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return what a quantity is worth, in quote currency."""
        if self.market is not Market.COINM:
            return quantity * price
        assert self.contract_size is not None, "refused before"  # noqa: S101
        return quantity * self.contract_size

    def worth(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return what a quantity is worth, in the currency of its margin."""
        notional = self.notional(quantity, price)
        return notional / price if self.market is Market.COINM else notional

    def quantity_of(self, notional: Decimal, price: Decimal) -> Decimal:
        """Return the quantity, off the lot, that is worth so much quote currency."""
        return notional / self.notional(Decimal(1), price)

    def quantity_worth(self, value: Decimal, price: Decimal) -> Decimal:
        """Return the quantity, off the lot, that is worth so much of the currency of its margin."""
        if self.market is Market.COINM:
            value *= price
        return self.quantity_of(value, price)

    def at_market(self) -> "Instrument":
        """Return the rules of market orders, of which one may be less than a limit order."""
        told = (self.max_quantity, self.max_market_quantity)
        most = [one for one in told if one is not None]
        return replace(self, max_quantity=min(most, default=None))

    def reducing(self) -> "Instrument":
        """Return the rules of what only reduces a position, which venues exempt from minimums.

        So it does not matter what a contract is worth.
        """
        size = self.contract_size or Decimal(1)
        return replace(self, min_quantity=Decimal(0), min_notional=Decimal(0), contract_size=size)

    def untold(self) -> Reason | None:
        """Return why nothing may be opened, if the venue does not tell how much a contract is."""
        if self.contract_size is not None:
            return None
        return Reason(
            ReasonCode.UNKNOWN_INSTRUMENT,
            f"how much one contract of {self.symbol} is worth, its venue does not tell",
        )

    def refusal(
        self, quantity: Decimal, price: Decimal, asked: Decimal | None = None
    ) -> Reason | None:
        """Return why an order of this size is too small or too large, or None if it is neither.

        Args:
            quantity: on its lot.
            price: what it is worth by.
            asked: what was to be rounded to the lot; less than a lot is told as that.
        """
        untold, least = self.untold(), self.least_quantity
        if untold is not None:
            return untold
        if quantity < least:
            told = plain(quantity if asked is None else asked)
            return Reason(
                ReasonCode.BELOW_MINIMUM, f"quantity was {told}, the least lot is {least:f}"
            )
        notional = self.notional(quantity, price)
        if notional < self.min_notional:
            return Reason(
                ReasonCode.BELOW_MINIMUM,
                f"notional was {notional:f}, the least notional is {self.min_notional:f}",
            )
        return self.above_maximum(quantity)

    def above_maximum(self, quantity: Decimal) -> Reason | None:
        """Return why one order of this size is too large, or None if it is not."""
        if self.max_quantity is None or quantity <= self.max_quantity:
            return None
        return Reason(
            ReasonCode.ABOVE_MAXIMUM,
            f"quantity was {quantity:f}, the greatest is {self.max_quantity:f}",
        )

    @property
    def has_band(self) -> bool:
        """Whether the market bounds the prices of limits."""
        return self.multiplier_up is not None or self.multiplier_down is not None

    def beyond_band(self, price: Decimal, side: Side, last: Decimal) -> Reason | None:
        """Return why a limit is worse than the market allows, or None if it is not.

        As on futures at Binance and Bybit: a buy may not be too high, a sale not too low.
        """
        multiplier = self.multiplier_up if side is Side.BUY else self.multiplier_down
        if multiplier is None:
            return None
        bound = last * multiplier
        if price <= bound if side is Side.BUY else price >= bound:
            return None
        word = "highest" if side is Side.BUY else "lowest"
        return Reason(
            ReasonCode.AGAINST_RULES,
            f"price was {price:f}, the {word} of a {side} at a last price of {last:f} is {bound:f}",
        )


def on_tick(price: Decimal, price_step: Decimal, side: Side) -> Decimal:
    """Round a limit price to the tick in the caller's favor: a buy down, a sell up."""
    return _to_step(price, price_step, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING)


def _to_step(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    # The context of decimals belongs to a thread, so it is set here and not once for the process.
    with localcontext(prec=_DIGITS):
        return (value / step).to_integral_value(rounding=rounding) * step
