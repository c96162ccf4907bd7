"""The paper venue's prices as a row of ticks."""

from collections.abc import Collection

from app.domain.identifiers import Symbol
from app.domain.market import Quote, Tick
from app.paper.matching import match_tick
from app.paper.ports import PaperPorts


class PaperFeed:
    """Hands out ticks one by one, in order, none skipped or merged.

    Args:
        ports: what the venue is built from.
    """

    def __init__(self, ports: PaperPorts) -> None:
        self._ports = ports

    def newest(self, symbol: Symbol) -> Tick | None:
        """Return the newest prices of a symbol as a tick, evaluated or not, or None.

        A price that a person set stands until another is set; the source is asked anew.
        """
        price = self._ports.prices.current(symbol)
        now_ms = self._ports.clock.now_ms()
        quote = self._ports.quote_of(symbol, price)
        if quote is None:
            return None
        seen_ms = now_ms if price.set_at_ms is None else price.set_at_ms
        return Tick(number=price.tick, at_ms=seen_ms, quotes={symbol: quote})

    def next_tick(self, symbols: Collection[Symbol]) -> Tick | None:
        """Return the oldest tick that was not evaluated yet, or None if there is none.

        When none waits, the source is looked at; what changed there since the last look is a tick.
        """
        waiting = self._ports.prices.oldest_tick()
        if waiting is not None or not symbols:
            return waiting
        self._look_at_source(symbols)
        return self._ports.prices.oldest_tick()

    def match(self, tick: Tick) -> None:
        """Let the resting orders meet the tick."""
        match_tick(tick, self._ports)

    def done(self, tick: Tick) -> None:
        """Count the tick as evaluated."""
        self._ports.prices.tick_done(tick.number)

    def symbols(self) -> Collection[Symbol]:
        """Return the symbols that resting orders wait for."""
        return self._ports.book.symbols()

    def _look_at_source(self, symbols: Collection[Symbol]) -> None:
        # Read before the prices are: a price that is set meanwhile makes this look outdated.
        seen = self._ports.prices.observed()
        is_set = self._ports.prices.all()
        at_ms = self._ports.clock.now_ms()
        changed: dict[Symbol, Quote] = {}
        for symbol in sorted(set(symbols) - set(is_set)):
            rules = self._ports.instruments.rules(symbol)
            quote = self._ports.source.quote(symbol, rules, at_ms)
            if quote is not None and quote != seen.quotes.get(symbol):
                changed[symbol] = quote
        if changed:
            self._ports.prices.observe(changed, seen.tick, at_ms)
