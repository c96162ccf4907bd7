"""All venues, found by the name that an account gives."""

from app.domain.account import PAPER, Account
from app.domain.errors import NotFound
from app.domain.identifiers import VenueName
from app.ports import Conditions, Feed, Venue
from app.venues.paper.conditions import PaperConditions
from app.venues.paper.feed import PaperFeed
from app.venues.paper.paper_venue import PaperVenue
from app.venues.paper.ports import PaperPorts


class KnownVenues:
    """The venues of this installation; the paper venue is the one that is built in.

    Args:
        paper: what the paper venue is built from.
    """

    def __init__(self, paper: PaperPorts) -> None:
        self._paper = paper

    def of(self, account: Account) -> Venue:
        """Return the venue as this account sees it.

        Raises:
            NotFound: there is no adapter for the account's venue.
        """
        if account.venue == PAPER:
            return PaperVenue(account, self._paper)
        raise NotFound(f"there is no adapter for {account.venue}")

    def conditions(self, account: Account) -> Conditions:
        """Return what this account may trade there, and how.

        Raises:
            NotFound: there is no adapter for the account's venue.
        """
        if account.venue == PAPER:
            return PaperConditions(account, self._paper)
        raise NotFound(f"there is no adapter for {account.venue}")

    def feed(self, venue: VenueName) -> Feed:
        """Return the prices of a venue.

        Raises:
            NotFound: there is no adapter for it.
        """
        if venue == PAPER:
            return PaperFeed(self._paper)
        raise NotFound(f"there is no adapter for {venue}")
