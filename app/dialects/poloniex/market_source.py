"""Where market data comes from: the venue that the caller's account is at, or the public one."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.dialects.poloniex.candles import Bar, Interval
from app.domain.identifiers import EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.market_data import PublicTrade

#: Begin and end (exclusive) of each span of time, oldest first.
Spans = Sequence[tuple[EpochMs, EpochMs]]


class Day(NamedTuple):
    """The rules of a pair, its prices now, and those of the last 24 hours."""

    instrument: Instrument
    quote: Quote
    bar: Bar


class MarketSource(Protocol):
    """What a venue shows of its SPOT market. What is not known in time is `VenueUnavailable`."""

    def state(self) -> object:
        """Return what differs when answers that are remembered count no more."""

    def instruments(self) -> Sequence[Instrument]:
        """Return the rules of all pairs."""

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of one pair, or None if it is not traded."""

    def days(self) -> Sequence[Day]:
        """Return all pairs that have a price, with their last 24 hours."""

    def day(self, instrument: Instrument) -> Day | None:
        """Return the same of one pair, or None if it has no price."""

    def book(self, instrument: Instrument) -> Quote | None:
        """Return prices and depth of one pair, or None if it has no price."""

    def trades(self, instrument: Instrument) -> Sequence[PublicTrade]:
        """Return what was traded last, oldest first."""

    def bars(
        self, instrument: Instrument, interval: Interval, wanted: Spans, now_ms: EpochMs
    ) -> Sequence[Bar]:
        """Return what prices and trades were over spans of time, where any price is known."""
