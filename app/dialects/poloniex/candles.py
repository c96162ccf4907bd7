"""What prices and trades were over spans of time (Poloniex documentation, "Market Data")."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from app.domain.enums import Side
from app.domain.identifiers import EpochMs
from app.domain.market_data import PublicTrade

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS

#: Monday, 1969-12-29: weeks begin on Mondays.
_FIRST_WEEK_MS = -3 * _DAY_MS

#: Longer than any month.
_MONTH_MS = 31 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Interval:
    """One of the spans.

    Attributes:
        name: as it is written on the wire.
        length_ms: of months the longest.
        origin_ms: some moment at which one begins.
    """

    name: str
    length_ms: int
    origin_ms: int = 0

    def begin(self, at_ms: int) -> EpochMs:
        """Return when the span begins that holds this moment."""
        if self.length_ms == _MONTH_MS:
            moment = datetime.fromtimestamp(at_ms / 1000, UTC)
            first = datetime(moment.year, moment.month, 1, tzinfo=UTC)
            return EpochMs(int(first.timestamp()) * 1000)
        return EpochMs(at_ms - (at_ms - self.origin_ms) % self.length_ms)

    def after(self, begin_ms: int) -> EpochMs:
        """Return when the span after this one begins."""
        if self.length_ms == _MONTH_MS:
            return self.begin(begin_ms + _MONTH_MS)
        return EpochMs(begin_ms + self.length_ms)


INTERVALS: Final[Mapping[str, Interval]] = {
    one.name: one
    for one in (
        *(Interval(f"MINUTE_{count}", count * _MINUTE_MS) for count in (1, 5, 10, 15, 30)),
        *(Interval(f"HOUR_{count}", count * _HOUR_MS) for count in (1, 2, 4, 6, 12)),
        *(Interval(f"DAY_{count}", count * _DAY_MS) for count in (1, 3)),
        Interval("WEEK_1", 7 * _DAY_MS, _FIRST_WEEK_MS),
        Interval("MONTH_1", _MONTH_MS),
    )
}


def spans(
    interval: Interval, since_ms: EpochMs | None, until_ms: EpochMs, limit: int
) -> list[tuple[EpochMs, EpochMs]]:
    """Return begin and end (exclusive) of each span, oldest first.

    Args:
        interval: how long each is.
        since_ms: where to begin; None ends at `until_ms` and goes back from there.
        until_ms: the last one holds or precedes this.
        limit: how many at most.
    """
    found: list[tuple[EpochMs, EpochMs]] = []
    begin = interval.begin(until_ms)
    if since_ms is not None:
        begin = interval.begin(since_ms)
        if begin < since_ms:
            begin = interval.after(begin)
        while begin <= until_ms and len(found) < limit:
            found.append((begin, interval.after(begin)))
            begin = interval.after(begin)
        return found
    while len(found) < limit and begin >= 0:
        found.append((begin, interval.after(begin)))
        begin = interval.begin(begin - 1)
    return found[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """What was traded in a span of time; 0 is also what nobody tells.

    Attributes:
        quantity: in base currency.
        amount: what was paid for it, in quote currency.
        bought_quantity: by those who came second and bought.
        bought_amount: likewise.
        count: of the trades.
    """

    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    bought_quantity: Decimal = Decimal(0)
    bought_amount: Decimal = Decimal(0)
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span of time: begin inclusive, end exclusive.

    Attributes:
        prices: observed prices and those of trades, oldest first; at least one.
    """

    begin_ms: EpochMs
    end_ms: EpochMs
    prices: tuple[Decimal, ...]
    turnover: Turnover = Turnover()


def turnover_of(trades: Sequence[PublicTrade]) -> Turnover:
    """Return what these trades add up to."""
    bought = [one for one in trades if one.taker_side is Side.BUY]
    return Turnover(
        quantity=sum((one.quantity for one in trades), Decimal(0)),
        amount=sum((one.amount for one in trades), Decimal(0)),
        bought_quantity=sum((one.quantity for one in bought), Decimal(0)),
        bought_amount=sum((one.amount for one in bought), Decimal(0)),
        count=len(trades),
    )


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
    points: list[tuple[EpochMs, Decimal, PublicTrade | None]] = [
        *((at_ms, price, None) for at_ms, price in observed),
        *((one.at_ms, one.price, one) for one in trades),
    ]
    points.sort(key=lambda point: (point[0], point[2] is not None, point[1]))
    times = [at_ms for at_ms, *_ in points]
    bars = []
    for begin, end in spans:
        inside = points[bisect_left(times, begin) : bisect_left(times, end)]
        if inside:
            prices = tuple(price for _, price, _ in inside)
            traded = turnover_of([trade for *_, trade in inside if trade is not None])
            bars.append(Bar(begin_ms=begin, end_ms=end, prices=prices, turnover=traded))
    return bars
