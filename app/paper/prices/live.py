"""Prices of a real exchange for play money: its public tickers."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from app.domain.errors import VenueRejected, VenueUnavailable
from app.domain.identifiers import EpochMs, Symbol
from app.domain.market import Quote
from app.paper.domain.ledger import Rules

#: Milliseconds of business time for which a ticker counts as now, so that one price poll and the
#: orders it leads to make one request, not many.
FRESH_MS = 500


class LiveSource:
    """A QuoteSource with the prices of a real exchange.

    Args:
        ticker: returns `bid`, `ask` and `last` of a symbol as text; raises VenueUnavailable where
            the exchange cannot be reached, and VenueRejected where it knows no such symbol.
    """

    def __init__(self, ticker: Callable[[Symbol], Mapping[str, str | None]]) -> None:
        self._ticker = ticker
        self._seen: dict[Symbol, tuple[EpochMs, Quote]] = {}

    def quote(self, symbol: Symbol, rules: Rules, at_ms: EpochMs) -> Quote | None:
        """Return the prices as they are now; they are asked for at most every `FRESH_MS`."""
        del rules  # an exchange has its own
        seen = self._seen.get(symbol)
        if seen is not None and abs(at_ms - seen[0]) < FRESH_MS:
            return seen[1]
        try:
            quote = _quote_of(self._ticker(symbol))
        except VenueRejected:
            return None  # the exchange does not trade it
        self._seen[symbol] = (at_ms, quote)
        return quote

    def past(self, symbol: Symbol, rules: Rules, moments: Iterable[EpochMs]) -> list[Quote | None]:
        """Return that nothing is known: nobody keeps what an exchange has said."""
        del symbol, rules
        return [None for _ in moments]


def _quote_of(ticker: Mapping[str, str | None]) -> Quote:
    last = ticker.get("last") or ticker.get("bid") or ticker.get("ask")
    if last is None:
        raise VenueUnavailable("the ticker has no price")
    return Quote(
        bid=Decimal(ticker.get("bid") or last),
        ask=Decimal(ticker.get("ask") or last),
        last=Decimal(last),
    )
