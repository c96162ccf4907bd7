"""Prices and sizes against the rules of a pair, each with the code of its own refusal."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from app.dialects.poloniex.errors import Code, Problem, missing
from app.dialects.poloniex.payload import Payload
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument

#: Tells the rules of a pair, or None if it is not traded.
InstrumentOf = Callable[[Symbol], Instrument | None]

#: More than a number from outside (40 digits) divided by a step can need.
_DIGITS = 120


@dataclass(frozen=True, slots=True)
class Figures:
    """Reads the numbers of one order."""

    payload: Payload
    instrument: Instrument

    def price(self, name: str, not_positive: Code, *, required: bool) -> Decimal | None:
        """Return a price in steps of the pair; None if it is absent.

        Raises:
            Problem: it is absent and required, not above 0, or between two steps.
        """
        found = self._found(name, not_positive, required=required)
        if found is not None and not _fits(found, self.instrument.price_step):
            raise Problem(Code.PRICE_SCALE, name)
        return found

    def quantity(self, *, required: bool) -> Decimal | None:
        """Return `quantity`, in base currency; None if it is absent.

        Raises:
            Problem: it is absent and required, not above 0, between two lots, or out of bounds.
        """
        found = self._found("quantity", Code.QUANTITY_NOT_POSITIVE, required=required)
        if found is None:
            return None
        if not _fits(found, self.instrument.quantity_step):
            raise Problem(Code.QUANTITY_SCALE, "quantity")
        if found < self.instrument.min_quantity:
            raise Problem(Code.QUANTITY_BELOW_MIN)
        most = self.instrument.max_quantity
        if most and found > most:
            raise Problem(Code.SIZE_ABOVE_MAX)
        return found

    def amount(self, *, required: bool = False) -> Decimal | None:
        """Return `amount`, in quote currency; None if it is absent.

        Raises:
            Problem: it is absent and required, not above 0, too fine, or too little.
        """
        found = self._found("amount", Code.AMOUNT_NOT_POSITIVE, required=required)
        if found is None:
            return None
        if not _fits(found, self.instrument.quote_step):
            raise Problem(Code.AMOUNT_SCALE, "amount")
        if found < self.instrument.min_notional:
            raise Problem(Code.AMOUNT_BELOW_MIN)
        return found

    def check_notional(self, price: Decimal, quantity: Decimal) -> None:
        """Refuse a limit order that is worth too little.

        Raises:
            Problem: it is.
        """
        if price * quantity < self.instrument.min_notional:
            raise Problem(Code.AMOUNT_BELOW_MIN)

    def _found(self, name: str, not_positive: Code, *, required: bool) -> Decimal | None:
        found = self.payload.number(name)
        if found is None:
            if required:
                raise missing(name)
            return None
        if found <= 0:
            raise Problem(not_positive)
        return found


def instrument_for(symbol: Symbol, instrument_of: InstrumentOf) -> Instrument:
    """Return the rules of a pair.

    Raises:
        Problem: it is not traded.
    """
    found = instrument_of(symbol)
    if found is None:
        raise Problem(Code.INVALID_SYMBOL, symbol.replace("/", "_"))
    return found


def _fits(value: Decimal, step: Decimal) -> bool:
    with localcontext(prec=_DIGITS):
        return value % step == 0
