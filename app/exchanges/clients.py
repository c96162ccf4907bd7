"""Real exchanges for a worker process."""

from app.domain.account import Account
from app.domain.enums import Market, Mode
from app.domain.identifiers import AccountId, AccountName, VenueName
from app.domain.symbols import Listed
from app.exchanges.ccxt_venue import CcxtVenue
from app.exchanges.exchange import Exchange, Shared
from app.exchanges.feed import CcxtFeed
from app.exchanges.known_markets import KnownMarkets
from app.exchanges.market_tables import MarketTables
from app.exchanges.one_asks import OneAsks
from app.exchanges.ports import VenuePorts


class Clients:
    """Builds what an account needs; any number of threads may ask at once.

    What it keeps for an account that has been asked for once is small: ccxt's exchanges are lent
    for the length of a call, and market metadata is shared.

    Args:
        ports: what they are built from.

    Attributes:
        markets: what is traded where, as far as any worker has learned.
    """

    def __init__(self, ports: VenuePorts) -> None:
        self._ports = ports
        self.markets = KnownMarkets(ports.memory)
        one_asks = OneAsks(ports.locks, ports.clock)
        tables = MarketTables(ports.memory, ports.clock, one_asks)
        self._shared = Shared(tables, self.markets, one_asks)
        self._exchanges: dict[int, Exchange] = {}
        self._feeds: dict[VenueName, CcxtFeed] = {}

    def of(self, account: Account) -> CcxtVenue:
        """Return a real venue as this account sees it.

        Raises:
            NotFound: nobody knows the venue, or it does not have this market, or no play money.
        """
        return CcxtVenue(account, self.exchange(account), self._ports)

    def feed(self, name: VenueName) -> CcxtFeed:
        """Return the prices of one market, by the name that `Account.feed` gives it.

        Raises:
            NotFound: as `of`.
        """
        known = self._feeds.get(name)
        if known is not None:
            return known
        # Of two that are made at once one stays: it knows what was seen last.
        return self._feeds.setdefault(name, CcxtFeed(name, self.public(name), self._ports))

    def public(self, name: VenueName) -> Exchange:
        """Return an exchange without anybody's keys, for one market.

        Args:
            name: as `Account.feed` gives it; of a venue alone it is its spot market.

        Raises:
            NotFound: as `of`.
        """
        venue, _, rest = name.partition(":")
        market, _, mode = rest.partition(":")
        nobody = Account(
            id=AccountId(0),
            name=AccountName(name),
            group="",
            venue=VenueName(venue),
            market=Market(market or Market.SPOT),
            mode=Mode(mode or Mode.LIVE),
        )
        return self.exchange(nobody)

    def close(self) -> None:
        """Give up all connections that are kept for later."""
        self._shared.connections.close()

    def listed(self, venue: VenueName) -> list[Listed]:
        """Return what is traded at a venue, as far as any worker has learned; nobody is asked."""
        return self.markets.listed(venue)

    def exchange(self, account: Account) -> Exchange:
        """Return an exchange as an account sees it; the same while the account stays as it is.

        Raises:
            NotFound: as `of`.
        """
        kept = self._exchanges.get(account.id)
        if kept is not None and kept.account == account:
            return kept
        fresh = Exchange(account, self._ports, self._shared)
        fresh.profile.sandbox_of(account)  # refuses what is not traded there
        if account.id:  # one that is not stored yet has no id of its own
            self._exchanges[account.id] = fresh
        return fresh

    #: An exchange says itself what may be traded there, and how.
    trading_rules = exchange
