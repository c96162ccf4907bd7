"""A real venue as a web process sees it: what workers have learned, and no question of its own."""

from typing import NoReturn

from app.domain.account import Account
from app.domain.enums import Listing
from app.domain.errors import VenueUnavailable
from app.domain.identifiers import Symbol, VenueName
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Quote
from app.exchanges.catalog import profile_of
from app.exchanges.clients import Clients
from app.exchanges.feed import RememberedFeed
from app.exchanges.known_markets import KnownMarkets
from app.exchanges.ports import VenuePorts
from app.store.memory.venue_memory import RedisVenueMemory

#: A picture of an account that is older than this is asked for anew; workers see to it soon.
FRESH_MS = 5_000

#: One that is older than this is not shown: workers compare accounts with venues once a minute.
STALE_MS = 90_000


class RememberedVenue:
    """One account at a real exchange, as far as any worker knows.

    Args:
        account: whose it is.
        memory: what workers have learned.
        markets: what is traded.
    """

    def __init__(self, account: Account, memory: RedisVenueMemory, markets: KnownMarkets) -> None:
        self._account = account
        self._memory = memory
        self._markets = markets

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of a symbol, or None if it is not traded here, or not known yet."""
        return self._markets.instrument(self._account.hosts, self._account.market, symbol)

    def listing(self, symbol: Symbol) -> Listing:
        """Return whether a symbol is traded, as far as that is known; no list proves an end."""
        if self.instrument(symbol) is not None:
            return Listing.TRADED
        whose = self._account.hosts, self._account.market
        return Listing.HALTED if self._markets.is_halted(*whose, symbol) else Listing.ABSENT

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return prices that a worker has seen within seconds, or None."""
        tick = self._memory.tick(self._account.feed, symbol)
        return None if tick is None else tick.quotes.get(symbol)

    def view(self) -> AccountView:
        """Return balances and positions as a worker has seen them last.

        Raises:
            VenueUnavailable: that is too long ago; a worker looks soon.
        """
        kept = self._memory.view(self._account.id)
        if kept is None or kept.age_ms > FRESH_MS:
            self._memory.want_view(self._account.id)
        if kept is None or kept.age_ms > STALE_MS:
            raise VenueUnavailable(f"what {self._account.name} has is not known just now")
        return kept.view

    def _refuse(self, *_: object, **_named: object) -> NoReturn:
        """Refuse: workers ask venues, place orders and cancel them."""
        raise VenueUnavailable(f"a web process asks nothing of {self._account.venue}")

    doubt_rules = look = positions = prepare = place = cancel = find = reports = _refuse
    standing = placed = cancel_standing = find_standing = inspect = _refuse


class RememberedVenues:
    """Real venues for a web process: it reads what workers have learned, and asks nobody.

    Args:
        ports: what they are built from.
    """

    def __init__(self, ports: VenuePorts) -> None:
        self._clients = Clients(ports)
        self._memory = ports.memory
        # What is told of these is kept already; what changes them is for workers.
        self.trading_rules = self._clients.trading_rules
        self.listed = self._clients.listed

    def of(self, account: Account) -> RememberedVenue:
        """Return a real venue as this account sees it.

        Raises:
            NotFound: nobody knows it, or it has no play money for this market.
        """
        profile_of(account.venue).sandbox_of(account)
        return RememberedVenue(account, self._memory, self._clients.markets)

    def feed(self, name: VenueName) -> RememberedFeed:
        """Return prices that nobody looks at here."""
        profile_of(VenueName(name.partition(":")[0]))
        return RememberedFeed(name, self._memory)
