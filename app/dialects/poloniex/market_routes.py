"""What anybody may ask: reference data and market data.

Who signs is shown the venue of the account that the key opens; everybody else the one that the
installation names.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from flask import request

from app.bootstrap import Wiring
from app.dialects.poloniex import render_markets as writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Callers
from app.dialects.poloniex.candles import Bar, spans
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.exchange_markets import ExchangeMarkets
from app.dialects.poloniex.market_source import MarketSource
from app.dialects.poloniex.notation import number_of, symbol_from
from app.dialects.poloniex.paper_markets import PaperMarkets
from app.dialects.poloniex.queries import query_of_request, times_from
from app.dialects.poloniex.render_orders import Json
from app.domain.account import PAPER, Account
from app.domain.enums import Market
from app.domain.errors import VenueUnavailable
from app.domain.identifiers import Currency, EpochMs, VenueName, base_of, quote_of
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.unhurried import unhurried
from app.web.exact_json import exact_json
from app.web.routes import View
from app.web.shared import Shared
from app.web.strangers import Strangers

WriteCurrency = Callable[[int, Currency], Json]
WriteDay = Callable[[Instrument, Quote, Bar, EpochMs], Json]

#: What answers from a source, given what the path names.
Arguments = ParamSpec("Arguments")
MarketView = Callable[Concatenate[MarketSource, Arguments], object]

#: Whose market data is shown where nothing is set and an account is there.
_OWN = VenueName("poloniex")


class Markets:
    """Answers about pairs, prices and trades."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._wiring = wiring
        self._callers = callers
        self._clock = wiring.ports.clock
        self._public = VenueName(wiring.settings.poloniex_public_venue)
        self._strangers = Strangers(wiring)
        self._paper = PaperMarkets(wiring)
        self._seen = {is_signed: Shared() for is_signed in (False, True)}

    def remembered(self, view: MarketView[...]) -> View:
        """Return a view whose answers are good for a second, for all who see the same venue.

        What people change about play money is seen at once.
        """
        shared = Shared()

        def answer(**arguments: str) -> bytes:
            account, is_signed = self._whose()
            source = self._source(account, is_signed=is_signed)
            feed = PAPER if account is None else account.feed
            key = feed, is_signed, source.state(), request.query_string, *arguments.items()
            return shared.get(key, lambda: exact_json(view(source, **arguments)).encode())

        return wraps(view)(answer)

    def _whose(self) -> tuple[Account | None, bool]:
        """Return an account at the venue that is shown, None for play money; and who signed.

        Raises:
            Problem: it is signed, and not as it should be.
            VenueUnavailable: no account is at the venue that is set.
        """
        if self._callers.is_signed():
            account = self._callers.reader().account
            return (None if account.venue == PAPER else account), True
        return self._public_account(), False

    def _public_account(self) -> Account | None:
        wanted = self._public or _OWN
        there = [
            one
            for one in self._wiring.registry.accounts()
            if one.enabled and one.market is Market.SPOT and wanted in {one.venue, one.hosts}
        ]
        if wanted == PAPER or (not there and not self._public):
            return None
        if not there:
            raise VenueUnavailable(f"no SPOT account is at {wanted}")
        # Real prices before those of play money, if there are both.
        return min(there, key=lambda one: (one.hosts != wanted, one.id))

    def _source(self, account: Account | None, *, is_signed: bool) -> MarketSource:
        if account is None:
            return self._paper
        spend = (lambda: None) if is_signed else self._strangers.spend_question
        return ExchangeMarkets(account, self._wiring, self._seen[is_signed], spend)

    def timestamp(self) -> Json:
        """Return the business time, by which requests are signed."""
        return {"serverTime": self._clock.now_ms()}

    def contracts(self) -> Json:
        """Return the futures: none here, but ccxt asks for them."""
        return {"code": 200, "msg": "Success", "data": []}

    def currencies(self, write: WriteCurrency, source: MarketSource) -> list[Json]:
        """Return what is traded."""
        return [write(number_of(code), code) for code in unhurried(_codes(source))]

    def currency(self, write: WriteCurrency, source: MarketSource, code: str) -> Json:
        """Return one currency, as `currencies` does."""
        known = Currency(code.upper())
        if known not in _codes(source):
            raise Problem(Code.INVALID_PARAMETER, "currency")
        return write(number_of(known), known)

    def markets(self, source: MarketSource) -> list[Json]:
        """Return the rules of all pairs."""
        return [writing.market(one) for one in unhurried(source.instruments())]

    def market(self, source: MarketSource, symbol: str) -> list[Json]:
        """Return the rules of one pair, in a list as Poloniex does."""
        return [writing.market(_instrument(source, symbol))]

    def quoted(self, write: WriteDay, source: MarketSource) -> list[Json]:
        """Return the last price, or the last 24 hours, of all pairs that have a price."""
        now_ms = self._clock.now_ms()
        return [write(*day, now_ms) for day in unhurried(source.days())]

    def quoted_one(self, write: WriteDay, source: MarketSource, symbol: str) -> Json:
        """Return the same of one pair."""
        day = source.day(_instrument(source, symbol))
        if day is None:
            raise _no_price()
        return write(*day, self._clock.now_ms())

    def order_book(self, source: MarketSource, symbol: str) -> Json:
        """Return the book of one pair."""
        limit = query_of_request(schemas.BOOK)["limit"]
        instrument = _instrument(source, symbol)
        quote = source.book(instrument)
        if quote is None:
            raise _no_price()
        return writing.order_book(instrument, quote, limit, self._clock.now_ms())

    def trades(self, source: MarketSource, symbol: str) -> list[Json]:
        """Return what was traded last, newest first."""
        limit = query_of_request(schemas.PUBLIC_TRADES)["limit"]
        newest = source.trades(_instrument(source, symbol))[-limit:]
        return [writing.public_trade(one) for one in reversed(newest)]

    def candles(self, source: MarketSource, symbol: str) -> list[list[object]]:
        """Return the candles of one pair, oldest first."""
        query = query_of_request(schemas.CANDLES)
        instrument = _instrument(source, symbol)
        interval, limit = query["interval"], query["limit"]
        since_ms, until_ms = times_from(query)
        now_ms = self._clock.now_ms()
        until_ms = now_ms if until_ms is None else min(until_ms, now_ms)
        wanted = spans(interval, since_ms, until_ms, limit)
        if not wanted:
            return []
        bars = source.bars(instrument, interval, wanted, now_ms)
        return [writing.candle(bar, interval, now_ms) for bar in bars]


def _codes(source: MarketSource) -> list[Currency]:
    symbols = [one.symbol for one in source.instruments()]
    return sorted({code(symbol) for symbol in symbols for code in (base_of, quote_of)})


def _instrument(source: MarketSource, pair: str) -> Instrument:
    symbol = symbol_from(pair)
    instrument = None if symbol is None else source.instrument(symbol)
    if instrument is None:
        raise Problem(Code.INVALID_SYMBOL, pair[:64])
    return instrument


def _no_price() -> Problem:
    return Problem(Code.SYMBOL_FROZEN, "no price is known")
