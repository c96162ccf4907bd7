"""The paper venue among all venues: its adapter, and what may be expected of it."""

from collections.abc import Collection
from typing import Final

from app.domain.account import PAPER, Account
from app.domain.enums import Market
from app.domain.identifiers import VenueName
from app.domain.symbols import Listed
from app.domain.venue_traits import AdapterClass, VenueTraits
from app.paper.feed import PaperFeed
from app.paper.paper_venue import PaperVenue
from app.paper.ports import PaperPorts
from app.paper.trading_rules import PaperTradingRules

TRAITS: Final = VenueTraits(name=PAPER, adapter=AdapterClass.FULL, markets=tuple(Market))


class PaperVenues:
    """The one venue at which play money trades against our own book.

    Args:
        ports: what the venue is built from.
    """

    def __init__(self, ports: PaperPorts) -> None:
        self._ports = ports

    def venue(self, account: Account) -> PaperVenue:
        """Return the venue as this account sees it."""
        return PaperVenue(account, self._ports)

    def trading_rules(self, account: Account) -> PaperTradingRules:
        """Return what an account may trade, and how."""
        return PaperTradingRules(account, self._ports)

    def feed(self, name: VenueName) -> PaperFeed:
        """Return the prices."""
        del name
        return PaperFeed(self._ports)

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded."""
        del venue
        return [Listed(one.symbol, one.market) for one in self._ports.instruments.all()]
