"""What prices and trades were over a span of time."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from app.domain.enums import Side
from app.domain.identifiers import EpochMs

_NOTHING = Decimal(0)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTrade:
    """A trade as everybody may see it.

    Attributes:
        taker_side: which side came second and so made the trade happen.
    """

    id: str
    at_ms: EpochMs
    price: Decimal
    quantity: Decimal
    taker_side: Side

    @property
    def amount(self) -> Decimal:
        """What was paid, in quote currency."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span of time: begin inclusive, end exclusive.

    Attributes:
        prices: observed prices and those of trades, oldest first; at least one.
        trades: oldest first.
    """

    begin_ms: EpochMs
    end_ms: EpochMs
    prices: tuple[Decimal, ...]
    trades: tuple[PublicTrade, ...] = ()

    @property
    def open(self) -> Decimal:
        """The first price."""
        return self.prices[0]

    @property
    def close(self) -> Decimal:
        """The last price."""
        return self.prices[-1]

    @property
    def high(self) -> Decimal:
        """The highest price."""
        return max(self.prices)

    @property
    def low(self) -> Decimal:
        """The lowest price."""
        return min(self.prices)

    @property
    def quantity(self) -> Decimal:
        """What was traded, in base currency."""
        return sum((one.quantity for one in self.trades), _NOTHING)

    @property
    def amount(self) -> Decimal:
        """What was paid for it, in quote currency."""
        return sum((one.amount for one in self.trades), _NOTHING)

    @property
    def bought(self) -> tuple[PublicTrade, ...]:
        """The trades in which the taker bought."""
        return tuple(one for one in self.trades if one.taker_side is Side.BUY)

    @property
    def average(self) -> Decimal:
        """Average of the trades weighted by quantity; without any, the last price."""
        return self.amount / self.quantity if self.quantity else self.close


def bars_of(
    spans: Sequence[tuple[EpochMs, EpochMs]],
    observed: Sequence[tuple[EpochMs, Decimal]],
    trades: Sequence[PublicTrade],
) -> list[Bar]:
    """Return a bar for each span in which any price is known.

    Args:
        spans: begin and end of each, oldest first, not overlapping.
        observed: prices at moments, in any order.
        trades: in any order.
    """
    points = [(at_ms, 0, price) for at_ms, price in observed]
    points += [(one.at_ms, 1, one.price) for one in trades]
    points.sort()
    ordered = sorted(trades, key=lambda one: one.at_ms)
    bars = []
    for begin, end in spans:
        prices = tuple(price for *_, price in _between(points, begin, end, key=lambda one: one[0]))
        inside = tuple(_between(ordered, begin, end, key=lambda one: one.at_ms))
        if prices:
            bars.append(Bar(begin_ms=begin, end_ms=end, prices=prices, trades=inside))
    return bars


def _between(
    sequence: Sequence[Item], begin: EpochMs, end: EpochMs, key: Callable[[Item], EpochMs]
) -> Sequence[Item]:
    """Return what has its key from `begin` (inclusive) to `end` (exclusive), of what is sorted."""
    return sequence[bisect_left(sequence, begin, key=key) : bisect_left(sequence, end, key=key)]
