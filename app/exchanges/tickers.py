"""A real exchange's public tickers, for play money."""

from collections.abc import Mapping

from app.domain.identifiers import Symbol, VenueName
from app.exchanges.clients import Clients
from app.store.memory.venue_budget import Urgency

#: A price that takes longer is stale; the next poll asks again.
SECONDS = 2.0


class CcxtTickers:
    """Tickers of an exchange's spot market, for any number of threads.

    They are asked for as all else is: within the budget that workers share, and not at all while
    the exchange wants silence.

    Args:
        venue: the exchange's name in ccxt, for instance `binance`.
        clients: speak to it.
    """

    def __init__(self, venue: VenueName, clients: Clients) -> None:
        self._venue = venue
        self._clients = clients

    def ticker(self, symbol: Symbol) -> Mapping[str, str | None]:
        """Return `bid`, `ask` and `last` as text.

        Raises:
            VenueRejected: there is no such symbol.
            VenueUnavailable: it could not be asked.
        """
        exchange = self._clients.public(self._venue)
        with exchange.call(SECONDS), exchange.asking(Urgency.POLL, is_public=True) as api:
            found: Mapping[str, str | None] = api.fetch_ticker(symbol)
            return found
