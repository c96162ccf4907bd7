"""What the market offers to one order."""

from collections.abc import Iterator
from decimal import Decimal

from app.domain.enums import Direction, Side
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.order import Condition


def reaches(quote: Quote, side: Side, limit: Decimal) -> bool:
    """Tell whether the opposite touch is at the limit or better."""
    touch = quote.touch(side)
    return touch <= limit if side is Side.BUY else touch >= limit


def fires(quote: Quote, condition: Condition) -> bool:
    """Tell whether the price that a stop waits for is at its level or beyond."""
    price = quote.of(condition.source)
    if condition.direction is Direction.RISING:
        return price >= condition.level
    return price <= condition.level


def takes(
    quote: Quote, side: Side, limit: Decimal | None, quantity: Decimal
) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return what a taker gets at once: (price, quantity), best first, within its limit.

    Without depth the touch offers all that is wanted.
    """
    taken = []
    left = quantity
    for price, offered in _levels(quote, side, limit, quantity):
        if left <= 0:
            break
        taken.append((price, min(left, offered)))
        left -= taken[-1][1]
    return tuple(taken)


def takes_for(
    quote: Quote, amount: Decimal, instrument: Instrument
) -> tuple[tuple[tuple[Decimal, Decimal], ...], Decimal]:
    """Return what a buy gets at once for an amount of quote currency, and what it cannot spend.

    What is left below one lot is not counted as left. Without depth the touch offers all.

    Returns:
        (price, quantity), best first; then the rest of the amount.
    """
    taken: list[tuple[Decimal, Decimal]] = []
    left = amount
    for price, offered in quote.asks or ((quote.ask, instrument.quantity(amount / quote.ask)),):
        wanted = instrument.quantity(left / price)
        if wanted <= 0:
            return tuple(taken), Decimal(0)
        part = min(wanted, offered)
        taken.append((price, part))
        left -= part * price
        if part == wanted:
            return tuple(taken), Decimal(0)
    return tuple(taken), left


def offered_to(quote: Quote, side: Side, limit: Decimal, quantity: Decimal) -> Decimal:
    """Return how much of a resting order the market reaches, at its own price."""
    return sum((part for _, part in takes(quote, side, limit, quantity)), Decimal(0))


def _levels(
    quote: Quote, side: Side, limit: Decimal | None, quantity: Decimal
) -> Iterator[tuple[Decimal, Decimal]]:
    depth = quote.asks if side is Side.BUY else quote.bids
    for price, offered in depth or ((quote.touch(side), quantity),):
        if limit is None or (price <= limit if side is Side.BUY else price >= limit):
            yield price, offered
