"""The way to whatever needs ccxt, which is imported when an exchange is first used.

It takes half a second of a start and 40 MB of each process, and who trades on paper alone needs
none of it. So what a process imports at its start is this module, and of its package only what
does without: `account_key`, `ports` and `profiles`.

Any number of threads may be the first: Python imports a module once, and the others wait.
"""

from collections.abc import Callable, Mapping, Sequence

from app.domain.account import Account
from app.domain.identifiers import Symbol, VenueName
from app.exchanges.ports import VenuePorts
from app.exchanges.profiles import Profile
from app.ports.venue import Venues


def asked_venues(ports: VenuePorts) -> Venues:
    """Return the exchanges as a worker process sees them."""
    from app.exchanges.clients import Clients

    return Clients(ports)


def remembered_venues(ports: VenuePorts) -> Venues:
    """Return the exchanges as a web process sees them, which asks none."""
    from app.exchanges.remembered import RememberedVenues

    return RememberedVenues(ports)


def ticker_at(venue: VenueName, ports: VenuePorts) -> Callable[[Symbol], Mapping[str, str | None]]:
    """Return what tells a public ticker of an exchange; see `CcxtTickers.ticker`."""
    from app.exchanges.clients import Clients
    from app.exchanges.tickers import CcxtTickers

    return CcxtTickers(venue, Clients(ports)).ticker


def profile_of(venue: VenueName) -> Profile:
    """Return what is known of an exchange, be it to ccxt alone.

    Raises:
        NotFound: nobody knows it.
    """
    from app.exchanges import catalog

    return catalog.profile_of(venue)


def lacks_of(account: Account) -> Sequence[str]:
    """Return what an account's market needs and its exchange lacks, in words.

    Raises:
        NotFound: nobody knows the exchange.
        MarketNotTraded: it does not have this market.
    """
    from app.exchanges import catalog

    return catalog.lacks_of(account)


def credential_names(venue: VenueName) -> Sequence[str]:
    """Return the names of the credentials that an exchange asks for.

    Raises:
        NotFound: nobody knows it.
    """
    from app.exchanges import catalog, credentials

    return credentials.credential_names(catalog.profile_of(venue).exchange_id)
