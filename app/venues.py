"""All venues, found by the name that an account gives."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from app.domain.account import PAPER, Account
from app.domain.enums import PriceSource, Protection
from app.domain.identifiers import VenueName
from app.domain.symbols import Listed
from app.domain.venue_traits import VenueTraits
from app.exchanges import late
from app.exchanges.profiles import PROFILES
from app.paper.paper_venues import TRAITS
from app.ports.venue import Feed, TradingRules, Venue, Venues

#: The venues that this release knows well, one line each.
VENUES: Final[Mapping[VenueName, VenueTraits]] = {
    PAPER: TRAITS,
    **{VenueName(name): profile.traits(VenueName(name)) for name, profile in PROFILES.items()},
}


def traits_of(venue: VenueName) -> VenueTraits:
    """Return what may be expected of a venue, be it one of those that ccxt alone knows.

    Raises:
        NotFound: nobody knows it.
    """
    known = VENUES.get(venue)
    return late.profile_of(venue).traits(venue) if known is None else known


def protection_of(account: Account, wanted: Protection, source: PriceSource) -> Protection:
    """Return who holds the stops of an account, which is not AUTO.

    Args:
        account: whose they are.
        wanted: what was set nearer to them.
        source: the price that they wait for.
    """
    wanted = account.protection if wanted is Protection.AUTO else wanted
    if wanted is Protection.AUTO:
        wanted = Protection.HERE if account.venue == PAPER else Protection.BOTH
    return wanted if source in held_by(account) else Protection.HERE


def held_by(account: Account) -> frozenset[PriceSource]:
    """Return the prices with which the venue compares the stops of an account that rest there."""
    known = VENUES.get(account.venue)
    return frozenset() if known is None else known.holds.get(account.market, frozenset())


def credentials_of(venue: VenueName) -> Sequence[str]:
    """Return the names of the credentials that a venue asks for; the paper venue asks for none.

    Raises:
        NotFound: nobody knows it.
    """
    return () if venue == PAPER else late.credential_names(venue)


def lacks_of(account: Account) -> Sequence[str]:
    """Return what an account's market needs and its venue lacks, in words.

    Raises:
        NotFound: nobody knows the venue.
        MarketNotTraded: it does not have this market.
    """
    return () if account.venue == PAPER else late.lacks_of(account)


class KnownVenues:
    """The venues of this installation.

    Args:
        families: venue → what speaks to it.
        others: returns what speaks to all others, the exchanges that ccxt knows. It is called once,
            when the first of them is used.
    """

    def __init__(self, families: Mapping[VenueName, Venues], others: Callable[[], Venues]) -> None:
        self._families = families
        self._build_others = others
        self._others: Venues | None = None
        self._building = threading.Lock()

    def of(self, account: Account) -> Venue:
        """Return the venue as this account sees it. Nothing is asked of it yet.

        Raises:
            NotFound: there is no such venue, or it has no play money for this market.
        """
        return self._family(account.venue).of(account)

    def trading_rules(self, account: Account) -> TradingRules:
        """Return what this account may trade there, and how."""
        return self._family(account.venue).trading_rules(account)

    def feed(self, venue: VenueName) -> Feed:
        """Return the prices of a venue."""
        return self._family(venue).feed(venue)

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded there, as far as any worker knows; nobody is asked."""
        return self._family(venue).listed(venue)

    def _family(self, venue: VenueName) -> Venues:
        known = self._families.get(venue)
        return self._built_others() if known is None else known

    def _built_others(self) -> Venues:
        with self._building:
            if self._others is None:
                self._others = self._build_others()
            return self._others
