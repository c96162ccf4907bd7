"""What anybody may ask: reference data and market data of the paper venue."""

from collections.abc import Callable, Sequence
from functools import wraps

from flask import request

from app.bootstrap import Wiring
from app.dialects.poloniex import render_markets as writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.candles import Bar, bars_of, spans
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.notation import number_of, symbol_from
from app.dialects.poloniex.queries import DAY_MS, query_of_request, times_from
from app.dialects.poloniex.render_orders import Json
from app.dialects.poloniex.tape import Tape
from app.domain.enums import Market
from app.domain.identifiers import Currency, EpochMs, Symbol, base_of, quote_of
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.unhurried import unhurried
from app.web.exact_json import exact_json
from app.web.routes import View
from app.web.shared import Shared

WriteCurrency = Callable[[int, Currency], Json]
WriteDay = Callable[[Instrument, Quote, Bar, EpochMs], Json]

#: Moments at which the walk is looked at within one candle, and within the last day.
_LOOKS_PER_CANDLE = 6
_LOOKS_PER_DAY = 96


class Markets:
    """Answers about pairs, prices and trades."""

    def __init__(self, wiring: Wiring) -> None:
        self._instruments = wiring.paper.traded
        self._prices = wiring.paper
        self._clock = wiring.ports.clock
        self._tape = Tape(wiring)

    def remembered(self, view: View) -> View:
        """Return a view whose answers are good for a second, unless people change something.

        Every web process knows of a change by its next question, which is one command for the
        store.
        """
        shared = Shared()

        def answer(**arguments: str) -> bytes:
            key = self._prices.changes(), request.query_string, *arguments.items()
            return shared.get(key, lambda: exact_json(view(**arguments)).encode())

        return wraps(view)(answer)

    def timestamp(self) -> Json:
        """Return the business time."""
        return {"serverTime": self._clock.now_ms()}

    def currencies(self, write: WriteCurrency) -> list[Json]:
        """Return what is traded."""
        return [write(number_of(code), code) for code in self._codes()]

    def currency(self, write: WriteCurrency, code: str) -> Json:
        """Return one currency, as `currencies` does."""
        known = Currency(code.upper())
        if known not in self._codes():
            raise Problem(Code.INVALID_PARAMETER, "currency")
        return write(number_of(known), known)

    def contracts(self) -> Json:
        """Return the futures: none here, but ccxt asks for them."""
        return {"code": 200, "msg": "Success", "data": []}

    def markets(self) -> list[Json]:
        """Return the rules of all pairs."""
        return [writing.market(one) for one in self._spot()]

    def market(self, symbol: str) -> list[Json]:
        """Return the rules of one pair, in a list as Poloniex does."""
        return [writing.market(self._instrument(symbol))]

    def quoted(self, write: WriteDay) -> list[Json]:
        """Return the last price, or the last 24 hours, of all pairs that have a price."""
        quotes = [(one, self._prices.quote(one.symbol)) for one in self._spot()]
        return [write(one, *self._today(one, quote)) for one, quote in quotes if quote is not None]

    def quoted_one(self, write: WriteDay, symbol: str) -> Json:
        """Return the same of one pair."""
        instrument, quote = self._priced(symbol)
        return write(instrument, *self._today(instrument, quote))

    def order_book(self, symbol: str) -> Json:
        """Return the book of one pair."""
        limit = query_of_request(schemas.BOOK)["limit"]
        instrument, quote = self._priced(symbol)
        return writing.order_book(instrument, quote, limit, self._clock.now_ms())

    def trades(self, symbol: str) -> list[Json]:
        """Return what was traded last, newest first."""
        limit = query_of_request(schemas.PUBLIC_TRADES)["limit"]
        instrument = self._instrument(symbol)
        newest = self._tape.trades(instrument.symbol)[-limit:]
        return [writing.public_trade(one) for one in reversed(newest)]

    def candles(self, symbol: str) -> list[list[object]]:
        """Return the candles of one pair, oldest first."""
        query = query_of_request(schemas.CANDLES)
        instrument = self._instrument(symbol)
        interval, limit = query["interval"], query["limit"]
        since_ms, until_ms = times_from(query)
        now_ms = self._clock.now_ms()
        until_ms = now_ms if until_ms is None else min(until_ms, now_ms)
        wanted = spans(interval, since_ms, until_ms, limit)
        if not wanted:
            return []
        looks = [
            look for one in wanted for look in _looks(*one, _LOOKS_PER_CANDLE) if look <= now_ms
        ]
        # Outside of all spans the price of now belongs to none of them.
        bars = self._bars(
            instrument.symbol, wanted, looks, now_ms, self._prices.quote(instrument.symbol)
        )
        return [writing.candle(bar, interval, now_ms) for bar in bars]

    def _spot(self) -> list[Instrument]:
        return [one for one in self._instruments.all() if one.market is Market.SPOT]

    def _codes(self) -> list[Currency]:
        symbols = [one.symbol for one in self._spot()]
        return sorted({code(symbol) for symbol in symbols for code in (base_of, quote_of)})

    def _instrument(self, pair: str) -> Instrument:
        symbol = symbol_from(pair)
        instrument = None if symbol is None else self._instruments.find(symbol, Market.SPOT)
        if instrument is None:
            raise Problem(Code.INVALID_SYMBOL, pair[:64])
        return instrument

    def _priced(self, pair: str) -> tuple[Instrument, Quote]:
        instrument = self._instrument(pair)
        quote = self._prices.quote(instrument.symbol)
        if quote is None:
            raise Problem(Code.SYMBOL_FROZEN, "no price is known")
        return instrument, quote

    def _today(self, instrument: Instrument, quote: Quote) -> tuple[Quote, Bar, EpochMs]:
        """Return the prices of now, those of the last 24 hours, and the business time."""
        now_ms = self._clock.now_ms()
        day = (EpochMs(now_ms - DAY_MS), EpochMs(now_ms + 2))
        looks = _looks(day[0], now_ms, _LOOKS_PER_DAY)
        # The last price comes after everything that has led to it.
        (bar,) = self._bars(instrument.symbol, [day], looks, EpochMs(now_ms + 1), quote)
        return quote, bar, now_ms

    def _bars(
        self,
        symbol: Symbol,
        wanted: Sequence[tuple[EpochMs, EpochMs]],
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
