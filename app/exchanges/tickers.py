"""A real exchange's public tickers through ccxt."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ccxt

from app.domain.identifiers import Symbol
from app.exchanges.errors import translated_reading

#: Milliseconds. A price that takes longer is stale; the next poll asks again.
TIMEOUT_MS = 2_000


class CcxtTickers:
    """Tickers through ccxt, for any number of threads; set up at the first question.

    Args:
        exchange_id: the exchange's name in ccxt, for instance `binance`.
    """

    def __init__(self, exchange_id: str) -> None:
        self._exchange_id = exchange_id
        self._waiting: list[Any] = []

    def ticker(self, symbol: Symbol) -> Mapping[str, str | None]:
        """Return `bid`, `ask` and `last` as text."""
        with self._lent() as exchange, translated_reading():
            found: Mapping[str, str | None] = exchange.fetch_ticker(symbol)
            return found

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        """Lend ccxt's exchange to one thread; there are as many as ask at once."""
        try:
            exchange = self._waiting.pop()
        except IndexError:
            exchange = public_exchange(self._exchange_id)
        try:
            yield exchange
        finally:
            self._waiting.append(exchange)


def public_exchange(exchange_id: str) -> Any:  # noqa: ANN401 - ccxt ships no types
    """Return ccxt's exchange without credentials, telling numbers as text."""
    exchange = getattr(ccxt, exchange_id)({"enableRateLimit": True, "timeout": TIMEOUT_MS})
    exchange.number = str
    return exchange
