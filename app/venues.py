"""All venues, found by the name that an account gives."""

from collections.abc import Collection
from typing import Protocol

from app.domain.account import PAPER, Account
from app.domain.errors import NotFound
from app.domain.identifiers import VenueName
from app.domain.symbols import Listed
from app.paper.feed import PaperFeed
from app.paper.paper_ports import PaperPorts
from app.paper.paper_venue import PaperVenue
from app.paper.trading_rules import PaperTradingRules
from app.ports.venue import Feed, TradingRules, Venue


class RealVenues(Protocol):
    """Exchanges: asked by workers, remembered by web processes."""

    def venue(self, account: Account) -> Venue:
        """Return an exchange as this account sees it."""

    def trading_rules(self, account: Account) -> TradingRules:
        """Return what an account may trade there, and how."""

    def feed(self, name: VenueName) -> Feed:
        """Return the prices of one market."""

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded there."""


class NoExchanges:
    """The real venues of a process that has none."""

    def venue(self, account: Account) -> Venue:
        """Refuse."""
        raise NotFound(f"there is no adapter for {account.venue}")

    def trading_rules(self, account: Account) -> TradingRules:
        """Refuse."""
        raise NotFound(f"there is no adapter for {account.venue}")

    def feed(self, name: VenueName) -> Feed:
        """Refuse."""
        raise NotFound(f"there is no adapter for {name}")

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return nothing."""
        del venue
        return ()


class KnownVenues:
    """The venues of this installation: the paper venue, and the exchanges that ccxt knows.

    Args:
        paper: what the paper venue is built from.
        real: the exchanges; none unless given.
    """

    def __init__(self, paper: PaperPorts, real: RealVenues | None = None) -> None:
        self._paper = paper
        self._real = real or NoExchanges()

    def of(self, account: Account) -> Venue:
        """Return the venue as this account sees it. Nothing is asked of it yet.

        Raises:
            NotFound: there is no such venue, or it has no play money for this market.
        """
        if account.venue == PAPER:
            return PaperVenue(account, self._paper)
        return self._real.venue(account)

    def trading_rules(self, account: Account) -> TradingRules:
        """Return what this account may trade there, and how.

        Raises:
            NotFound: there is no adapter for the account's venue.
        """
        if account.venue == PAPER:
            return PaperTradingRules(account, self._paper)
        return self._real.trading_rules(account)

    def feed(self, venue: VenueName) -> Feed:
        """Return the prices of a venue.

        Raises:
            NotFound: there is no such venue.
        """
        if venue == PAPER:
            return PaperFeed(self._paper)
        return self._real.feed(venue)

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded there, as far as any worker knows; nobody is asked."""
        if venue == PAPER:
            return [Listed(one.symbol, one.market) for one in self._paper.instruments.all()]
        return self._real.listed(venue)
