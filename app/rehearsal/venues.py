"""Venues in a dry run: paper as it would be, an exchange as it is known, and nothing is sent."""

from collections.abc import Collection, Sequence

from app.domain.account import PAPER, Account
from app.domain.enums import OrderType, PositionMode
from app.domain.identifiers import Symbol, VenueName
from app.domain.instrument import Instrument
from app.domain.symbols import Listed
from app.ports.venue import Feed, TradingRules, Venue, Venues


class UnsetRules:
    """The rules of an account at an exchange, where nobody sets anything.

    Args:
        real: what is known of them.
    """

    def __init__(self, real: TradingRules) -> None:
        self._real = real

    def instruments(self) -> Sequence[Instrument]:
        """Return everything that the account may trade, by symbol; empty while it is not known."""
        return self._real.instruments()

    def order_types(self) -> Collection[OrderType]:
        """Return the types of orders that the venue has."""
        return self._real.order_types()

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the leverage with which a symbol is traded; 1 where nothing else was said."""
        return self._real.leverage_of(symbol)

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Do nothing: whether the exchange would allow it, only the exchange can tell."""

    def set_position_mode(self, mode: PositionMode) -> None:
        """Do nothing: whether the exchange would allow it, only the exchange can tell."""


class DryVenues:
    """All venues, in a dry run.

    Args:
        real: of a web process: it asks no exchange, and sends none anything.
        paper: the paper venue over a ledger that is not written.
    """

    def __init__(self, real: Venues, paper: Venues) -> None:
        self._real, self._paper = real, paper

    def of(self, account: Account) -> Venue:
        """Return the venue as this account sees it."""
        return self._whose(account.venue).of(account)

    def trading_rules(self, account: Account) -> TradingRules:
        """Return what this account may trade there, and how."""
        rules = self._whose(account.venue).trading_rules(account)
        return rules if account.venue == PAPER else UnsetRules(rules)

    def feed(self, venue: VenueName) -> Feed:
        """Return the prices of a venue."""
        return self._whose(venue).feed(venue)

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded at a venue's hosts, as far as any worker knows; nobody is asked."""
        return self._whose(venue).listed(venue)

    def _whose(self, venue: VenueName) -> Venues:
        return self._paper if venue == PAPER else self._real
