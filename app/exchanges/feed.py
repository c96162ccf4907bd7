"""The prices of one market of a real exchange, as a row of ticks."""

import threading
from collections.abc import Collection
from typing import Any

from app.domain.identifiers import EpochMs, Symbol, VenueName
from app.domain.market import Quote, Tick
from app.exchanges import parse
from app.exchanges.exchange import Exchange
from app.exchanges.ports import VenuePorts
from app.store.memory.venue_budget import Urgency
from app.store.memory.venue_memory import RedisVenueMemory


class RememberedFeed:
    """The prices of one market of a real exchange, as far as any worker has seen them lately.

    Args:
        name: of the feed.
        memory: what workers have learned.
    """

    def __init__(self, name: VenueName, memory: RedisVenueMemory) -> None:
        self._name = name
        self._memory = memory

    def newest(self, symbol: Symbol) -> Tick | None:
        """Return the prices that a worker has seen within seconds, or None."""
        return self._memory.tick(self._name, symbol)

    def next_tick(self, symbols: Collection[Symbol]) -> Tick | None:
        """Return nothing: workers look at prices."""
        del symbols
        return None

    def match(self, tick: Tick) -> None:
        """Do nothing: the exchange matches its own orders."""

    def done(self, tick: Tick) -> None:
        """Do nothing: the next look is another tick."""

    def symbols(self) -> Collection[Symbol]:
        """Return nothing: no resting order here waits for prices."""
        return ()


class CcxtFeed(RememberedFeed):
    """Looks at the prices of all wanted symbols with one question, and not too often.

    Args:
        name: of the feed, under which the trigger books are.
        exchange: a client without keys.
        ports: what it is built from.
    """

    def __init__(self, name: VenueName, exchange: Exchange, ports: VenuePorts) -> None:
        super().__init__(name, ports.memory)
        self._exchange = exchange
        self._ports = ports
        self._lock = threading.Lock()
        self._looks: dict[Symbol, tuple[EpochMs, Quote]] = {}

    def newest(self, symbol: Symbol) -> Tick | None:
        """Return the prices of a symbol as they are now, or None if none are known.

        Raises:
            VenueUnavailable: they could not be read.
        """
        tick = self._look([symbol])
        now_ms = self._ports.clock.server_ms()
        fresh = tick.seen_within(self._ports.policy.price_age_max_ms, now_ms)
        return fresh if fresh.quotes else None

    def next_tick(self, symbols: Collection[Symbol]) -> Tick | None:
        """Return the prices as they are now, or None if nobody waits or it is too early.

        Raises:
            VenueUnavailable: they could not be read.
        """
        if not symbols:
            return None
        # Whoever takes the lease looks. It is not given back: the next look must not be too near.
        poll_ms = self._ports.policy.venue_poll_ms
        if self._ports.locks.acquire(f"tick:{self._name}", poll_ms) is None:
            return None
        return self._look(sorted(symbols))

    def _look(self, symbols: list[Symbol]) -> Tick:
        """Return the prices as they are now; the numbers rise for all processes alike."""
        asked_ms = self._ports.clock.server_ms()
        with self._exchange.reading(Urgency.POLL) as api:
            known = {self._exchange.unified(one): one for one in symbols}
            wanted = [one for one in known if one in api.markets]
            tickers = self._tickers(api, wanted)
        found = {known[one]: parse.quote_of(ticker) for one, ticker in tickers.items()}
        quotes = {symbol: quote for symbol, quote in found.items() if quote is not None}
        self._memory.keep_quotes(self._name, quotes)
        seen = {}
        for unified, symbol in known.items():
            if symbol in quotes:
                told_ms = parse.moment_of(tickers[unified])
                seen[symbol] = self._seen_ms(symbol, quotes[symbol], asked_ms, told_ms)
        number = self._memory.tick_number(self._name)
        at_ms = self._ports.clock.now_ms()
        return Tick(number=number, at_ms=at_ms, quotes=quotes, seen_at_ms=seen)

    def _seen_ms(
        self, symbol: Symbol, quote: Quote, asked_ms: EpochMs, told_ms: int | None
    ) -> EpochMs:
        """Return the server time that prices are of, or a little earlier.

        That is the venue's own time where it tells one, and never later than the question. But
        some tell when the last trade was: prices that differ from those of an earlier look are
        newer than that look, whatever is told.
        """
        with self._lock:
            looked_ms, known = self._looks.get(symbol, (EpochMs(0), quote))
            if asked_ms >= looked_ms:  # else another thread has looked later
                self._looks[symbol] = (asked_ms, quote)
        told = asked_ms if told_ms is None else self._exchange.clock.server_ms(told_ms)
        return min(asked_ms, EpochMs(max(told, looked_ms) if known != quote else told))

    @staticmethod
    def _tickers(api: Any, wanted: list[str]) -> dict[str, Any]:  # noqa: ANN401 - ccxt's
        """Return ccxt's tickers, with the touch from where it is told (Binance: apart)."""
        if not wanted:
            return {}
        if len(wanted) > 1 and api.has.get("fetchTickers"):
            found = api.fetch_tickers(wanted)
            tickers = {one: found[one] for one in wanted if one in found}
        else:
            tickers = {one: api.fetch_ticker(one) for one in wanted}
        bare = [one for one, ticker in tickers.items() if ticker.get("bid") is None]
        if bare and api.has.get("fetchBidsAsks"):
            for one, touch in api.fetch_bids_asks(bare).items():
                times = [one for one in map(parse.moment_of, (tickers[one], touch)) if one]
                sides = {"bid": touch["bid"], "ask": touch["ask"]}
                tickers[one] = {**tickers[one], **sides, "timestamp": max(times, default=None)}
        return tickers
