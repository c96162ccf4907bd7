"""Market data of the paper venue: its rules, its prices, and what its accounts have traded."""

from collections.abc import Sequence

from app.bootstrap import Wiring
from app.dialects.poloniex.candles import Bar, Interval, bars_of
from app.dialects.poloniex.market_source import Day, Spans
from app.dialects.poloniex.queries import DAY_MS
from app.dialects.poloniex.tape import Tape
from app.domain.enums import Market
from app.domain.identifiers import EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.market_data import PublicTrade
from app.unhurried import unhurried

#: Moments at which the walk is looked at within one candle, and within the last day.
_LOOKS_PER_CANDLE = 6
_LOOKS_PER_DAY = 96


class PaperMarkets:
    """Tells of pairs, prices and trades of play money."""

    def __init__(self, wiring: Wiring) -> None:
        self._instruments = wiring.paper.traded
        self._prices = wiring.paper
        self._clock = wiring.ports.clock
        self._tape = Tape(wiring)

    def state(self) -> object:
        """Return what differs when people have changed anything: one command for the store.

        So every web process knows of a change by its next question.
        """
        return self._prices.changes()

    def instruments(self) -> Sequence[Instrument]:
        """Return the rules of all pairs."""
        return [one for one in self._instruments.all() if one.market is Market.SPOT]

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of one pair, or None if it is not traded."""
        return self._instruments.find(symbol, Market.SPOT)

    def days(self) -> Sequence[Day]:
        """Return all pairs that have a price, with their last 24 hours."""
        found = (self.day(one) for one in self.instruments())
        return [one for one in found if one is not None]

    def day(self, instrument: Instrument) -> Day | None:
        """Return the same of one pair, or None if it has no price."""
        quote = self.book(instrument)
        return None if quote is None else Day(instrument, quote, self._today(instrument, quote))

    def book(self, instrument: Instrument) -> Quote | None:
        """Return prices and depth of one pair, or None if it has no price."""
        return self._prices.quote(instrument.symbol)

    def trades(self, instrument: Instrument) -> Sequence[PublicTrade]:
        """Return what was traded last, oldest first."""
        return self._tape.trades(instrument.symbol)

    def bars(
        self, instrument: Instrument, _: Interval, wanted: Spans, now_ms: EpochMs
    ) -> list[Bar]:
        """Return what prices and trades were over spans of time."""
        looks = [
            look for one in wanted for look in _looks(*one, _LOOKS_PER_CANDLE) if look <= now_ms
        ]
        # Outside of all spans the price of now belongs to none of them.
        return self._bars(instrument.symbol, wanted, looks, now_ms, self.book(instrument))

    def _today(self, instrument: Instrument, quote: Quote) -> Bar:
        now_ms = self._clock.now_ms()
        day = (EpochMs(now_ms - DAY_MS), EpochMs(now_ms + 2))
        looks = _looks(day[0], now_ms, _LOOKS_PER_DAY)
        # The last price comes after everything that has led to it.
        (bar,) = self._bars(instrument.symbol, [day], looks, EpochMs(now_ms + 1), quote)
        return bar

    def _bars(
        self,
        symbol: Symbol,
        wanted: Spans,
        looks: Sequence[EpochMs],
        now_ms: EpochMs,
        now: Quote | None,
    ) -> list[Bar]:
        """Return what prices and trades were over spans of time, with the price of now."""
        quotes = [
            *zip(looks, self._prices.past(symbol, unhurried(looks)), strict=True),
            (now_ms, now),
        ]
        points = [(at_ms, quote.last) for at_ms, quote in quotes if quote is not None]
        return bars_of(wanted, points, self._tape.trades(symbol))


def _looks(begin: int, end: int, count: int) -> list[EpochMs]:
    """Return moments at which a span of time is looked at, evenly from its begin."""
    return [EpochMs(begin + (end - begin) * number // count) for number in range(count)]
