"""A real venue as a web process sees it: what workers have learned, and no question of its own."""

from collections.abc import Collection, Mapping, Sequence

from app.domain.account import Account
from app.domain.errors import VenueUnavailable
from app.domain.finding import Finding
from app.domain.frozen import Placed
from app.domain.identifiers import ClientOrderId, EpochMs, Symbol, VenueName
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Quote, Tick
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.domain.symbols import Listed
from app.exchanges.clients import Clients
from app.exchanges.known_markets import KnownMarkets
from app.exchanges.profiles import profile_of
from app.exchanges.trading_rules import CcxtTradingRules
from app.ports.exchange import VenueMemory

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

    def __init__(self, account: Account, memory: VenueMemory, markets: KnownMarkets) -> None:
        self._account = account
        self._memory = memory
        self._markets = markets

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of a symbol, or None if it is not traded here, or not known yet."""
        return self._markets.instrument(self._account.hosts, self._account.market, symbol)

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

    def prepare(self, order: Order) -> None:
        """Refuse: workers place orders."""
        raise self._not_here(order)

    def place(self, order: Order) -> OrderReport:
        """Refuse: workers place orders."""
        raise self._not_here(order)

    def cancel(self, order: Order) -> OrderReport:
        """Refuse: workers cancel orders."""
        raise self._not_here(order)

    def find(self, order: Order) -> OrderReport | None:
        """Refuse: workers ask."""
        raise self._not_here(order)

    def reports(self, orders: Sequence[Order]) -> Mapping[ClientOrderId, OrderReport]:
        """Refuse: workers ask."""
        raise self._not_here(orders)

    def standing(self, symbols: Collection[Symbol]) -> Sequence[VenueOrder]:
        """Refuse: workers ask."""
        raise self._not_here(symbols)

    def placed(self, symbol: Symbol, since_ms: EpochMs) -> Placed:
        """Refuse: workers ask."""
        raise self._not_here((symbol, since_ms))

    def cancel_standing(self, order: VenueOrder) -> None:
        """Refuse: workers cancel orders."""
        raise self._not_here(order)

    def find_standing(self, order: VenueOrder) -> OrderReport | None:
        """Refuse: workers ask."""
        raise self._not_here(order)

    def inspect(self) -> Sequence[Finding]:
        """Refuse: workers look."""
        raise self._not_here(None)

    def _not_here(self, what: object) -> VenueUnavailable:
        del what
        return VenueUnavailable(f"a web process asks nothing of {self._account.venue}")


class RememberedFeed:
    """The prices of one market of a real exchange, as far as any worker has seen them lately.

    Args:
        name: of the feed.
        memory: what workers have learned.
    """

    def __init__(self, name: VenueName, memory: VenueMemory) -> None:
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
        """Do nothing: there are no ticks here."""

    def symbols(self) -> Collection[Symbol]:
        """Return nothing: no resting order here waits for prices."""
        return ()


class RememberedVenues:
    """Real venues for a web process: it reads what workers have learned, and asks nobody.

    Args:
        clients: tell conditions, which are kept already.
        memory: what workers have learned.
    """

    def __init__(self, clients: Clients, memory: VenueMemory) -> None:
        self._clients = clients
        self._memory = memory

    def venue(self, account: Account) -> RememberedVenue:
        """Return a real venue as this account sees it.

        Raises:
            NotFound: nobody knows it, or it has no play money for this market.
        """
        profile_of(account.venue).sandbox_of(account)
        return RememberedVenue(account, self._memory, self._clients.markets)

    def trading_rules(self, account: Account) -> CcxtTradingRules:
        """Return what an account may trade there; what changes them is for workers."""
        return self._clients.trading_rules(account)

    def feed(self, name: VenueName) -> RememberedFeed:
        """Return prices that nobody looks at here."""
        profile_of(VenueName(name.partition(":")[0]))
        return RememberedFeed(name, self._memory)

    def listed(self, venue: VenueName) -> list[Listed]:
        """Return what is traded at a venue, as far as any worker has learned."""
        return self._clients.listed(venue)
