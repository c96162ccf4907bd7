"""A real exchange's public tickers through ccxt."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import ccxt

from app.domain.identifiers import Symbol
from app.venues.errors import translated_reading

#: Milliseconds. A price that takes longer is stale; the next poll asks again.
TIMEOUT_MS = 2_000


class CcxtTickers:
    """Tickers through ccxt, which is set up at the first question.

    Args:
        exchange_id: the exchange's name in ccxt, for instance `binance`.
    """

    def __init__(self, exchange_id: str) -> None:
        self._exchange_id = exchange_id

    def ticker(self, symbol: Symbol) -> Mapping[str, str | None]:
        """Return `bid`, `ask` and `last` as text."""
        with translated_reading():
            found: Mapping[str, str | None] = self._exchange.fetch_ticker(symbol)
            return found

    @cached_property
    def _exchange(self) -> Any:  # noqa: ANN401 - ccxt ships no types
        return public_exchange(self._exchange_id)


def public_exchange(exchange_id: str) -> Any:  # noqa: ANN401 - ccxt ships no types
    """Return ccxt's exchange without credentials, telling numbers as text."""
    exchange = getattr(ccxt, exchange_id)({"enableRateLimit": True, "timeout": TIMEOUT_MS})
    exchange.number = str
    return exchange
