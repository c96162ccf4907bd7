"""Market data of a real exchange, as workers have seen it within seconds.

A web process asks no exchange. What nobody has seen lately a worker looks at, while the caller
waits; whoever has signed nothing has that done so often only (`app.web.strangers`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from app.bootstrap import Wiring
from app.dialects.poloniex.candles import Bar, Interval, Turnover
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.market_source import Day, Spans
from app.dialects.poloniex.queries import DAY_MS
from app.domain.account import Account
from app.domain.errors import VenueUnavailable
from app.domain.identifiers import EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.market_data import Candle, Look, LookKind, PublicTrade, Shown, Ticker
from app.domain.worker_request import Question
from app.services.learn import known_rules, learn
from app.unhurried import unhurried
from app.web.shared import Shared

#: Poloniex's names of intervals → ccxt's.
_TIMEFRAMES: Final = {"MINUTE": "m", "HOUR": "h", "DAY": "d", "WEEK": "w", "MONTH": "M"}

_ALL: Final = Look(kind=LookKind.TICKERS)


class ExchangeMarkets:
    """Tells of pairs, prices and trades of one exchange.

    Args:
        account: some account there.
        wiring: of the web process.
        seen: remembers for a second what was read, however differently it is asked for.
        spend: is called before an exchange is asked.
    """

    def __init__(
        self, account: Account, wiring: Wiring, seen: Shared, spend: Callable[[], None]
    ) -> None:
        self._account = account
        self._ports = wiring.ports
        self._memory = wiring.memory
        self._seen = seen
        self._spend = spend

    def state(self) -> object:
        """Return nothing that changes: what workers have seen is asked for again in time."""
        return None

    def instruments(self) -> Sequence[Instrument]:
        """Return the rules of all pairs."""
        rules = self._ports.venues.trading_rules(self._account)
        found = rules.instruments()
        if not found:
            self._spend()
            found = known_rules(self._account, self._ports)
        return found

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of one pair, or None if it is not traded."""
        venue = self._ports.venues.of(self._account)
        found = venue.instrument(symbol)
        if found is None and self.instruments():
            found = venue.instrument(symbol)  # they may have been learned just now
        return found

    def days(self) -> Sequence[Day]:
        """Return all pairs that have a price, with their last 24 hours."""
        tickers = self._told(_ALL).tickers
        listed = unhurried(self.instruments())
        return [self._day(one, tickers[one.symbol]) for one in listed if one.symbol in tickers]

    def day(self, instrument: Instrument) -> Day | None:
        """Return the same of one pair, or None if it has no price.

        All pairs are looked at together, where that is one question: so a pair costs no other.
        """
        shown = self._look(_ALL)
        if not shown.is_told:
            shown = self._told(replace(_ALL, symbol=instrument.symbol))
        found = shown.tickers.get(instrument.symbol)
        return None if found is None else self._day(instrument, found)

    def book(self, instrument: Instrument) -> Quote | None:
        """Return prices and depth of one pair, or None if nobody offers any."""
        return self._told(Look(kind=LookKind.BOOK, symbol=instrument.symbol)).book

    def trades(self, instrument: Instrument) -> Sequence[PublicTrade]:
        """Return what was traded last, oldest first."""
        return self._told(Look(kind=LookKind.TRADES, symbol=instrument.symbol)).trades

    def bars(
        self, instrument: Instrument, interval: Interval, wanted: Spans, now_ms: EpochMs
    ) -> Sequence[Bar]:
        """Return what prices were over spans of time, and how much was traded."""
        until_ms = wanted[-1][1]
        look = Look(
            kind=LookKind.CANDLES,
            symbol=instrument.symbol,
            interval=_timeframe(interval),
            since_ms=wanted[0][0],
            # Up to now is what all exchanges tell without being told an end.
            until_ms=None if until_ms > now_ms else until_ms,
            most=len(wanted),
        )
        # Not every exchange lets all of them begin where Poloniex does.
        found = self._told(look).candles
        within = (one for one in found if wanted[0][0] <= one.begin_ms < until_ms)
        return [_bar(one, interval.after(one.begin_ms)) for one in unhurried(within)]

    def _day(self, instrument: Instrument, ticker: Ticker) -> Day:
        now_ms = self._ports.clock.now_ms()
        quote = replace(
            ticker.quote,
            bids=((ticker.quote.bid, ticker.bid_quantity or Decimal(0)),),
            asks=((ticker.quote.ask, ticker.ask_quantity or Decimal(0)),),
        )
        last = quote.last
        prices = (ticker.open or last, ticker.low or last, ticker.high or last, last)
        traded = Turnover(quantity=ticker.quantity, amount=ticker.amount, count=ticker.count)
        begin_ms, end_ms = EpochMs(now_ms - DAY_MS), EpochMs(now_ms + 1)
        bar = Bar(begin_ms=begin_ms, end_ms=end_ms, prices=prices, turnover=traded)
        return Day(instrument, quote, bar)

    def _told(self, look: Look) -> Shown:
        """Return what was seen.

        Raises:
            Problem: the exchange shows no such thing.
            VenueUnavailable: nobody has looked in time.
            RateLimited: the caller is nobody, and has had exchanges asked often enough.
        """
        shown = self._look(look)
        if not shown.is_told:
            raise Problem(Code.INVALID_PARAMETER, f"{self._account.venue} does not tell this")
        return shown

    def _look(self, look: Look) -> Shown:
        key = self._account.feed, look
        return self._seen.get(key, lambda: self._kept(look) or self._asked(look))

    def _kept(self, look: Look) -> Shown | None:
        return self._memory.shown(self._account.feed, look)

    def _asked(self, look: Look) -> Shown:
        self._spend()
        learn(self._account, Question(looks=(look,)), self._ports)
        found = self._kept(look)
        if found is None:
            raise VenueUnavailable(f"{look.kind} of {self._account.venue} are not known yet")
        return found


def _timeframe(interval: Interval) -> str:
    unit, _, count = interval.name.partition("_")
    return f"{count}{_TIMEFRAMES[unit]}"


def _bar(candle: Candle, end_ms: EpochMs) -> Bar:
    return Bar(
        begin_ms=candle.begin_ms,
        end_ms=end_ms,
        prices=(candle.open, candle.low, candle.high, candle.close),
        turnover=Turnover(quantity=candle.quantity),
    )
