"""What one account can do at its exchange, and what an exchange tells."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from app.domain.account import Account
from app.domain.enums import Listing, OrderType, PositionMode, PositionSide
from app.domain.finding import Finding
from app.domain.frozen import Placed
from app.domain.identifiers import AccountId, ClientOrderId, EpochMs, Symbol, VenueName
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Position, Quote, Tick
from app.domain.market_data import Look
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.domain.symbols import Listed


class Venue(Protocol):
    """One account at one exchange. It never emulates quietly what the exchange lacks."""

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return the rules of a symbol, or None if it is not traded here."""

    def listing(self, symbol: Symbol) -> Listing:
        """Return whether a symbol is traded here.

        Raises:
            VenueUnavailable: nobody knows yet.
        """

    def doubt_rules(self) -> None:
        """Let the rules be read anew before the next order, for all workers, unless they are young.

        The venue has refused an order by them, or they themselves have.
        """

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, or None if none are known."""

    def look(self, wanted: Look) -> None:
        """See what everybody may see, and keep it for all processes; nobody is in haste for it.

        Raises:
            VenueUnavailable: it could not be asked.
            VenueRejected: it does not tell this.
        """

    def view(self) -> AccountView:
        """Return balances and positions as they are now.

        Raises:
            VenueUnavailable: they could not be read.
        """

    def positions(self) -> Mapping[tuple[Symbol, PositionSide], Position]:
        """Return the positions as they are now; a leg that is not listed is flat.

        Nobody is in haste for it: a venue that may just now be asked little is not asked.

        Raises:
            VenueUnavailable: they could not be read.
        """

    def prepare(self, order: Order) -> None:
        """Do what must be done before an order is sent, its leverage for one. Twice is once.

        Raises:
            VenueRejected: the order is not fit to be sent.
            VenueUnavailable: something could not be done.
        """

    def place(self, order: Order) -> OrderReport:
        """Send a prepared order under its client order id.

        Raises:
            VenueRejected: a definite no.
            VenueUnavailable: it certainly did not arrive.
            OutcomeUnknown: it may have arrived.
        """

    def cancel(self, order: Order) -> OrderReport:
        """Take the order off and return how it ended; one that is closed already is no error.

        Raises:
            VenueUnavailable: it certainly did not arrive.
            OutcomeUnknown: it may have arrived.
            NotFound: the venue has no such order.
        """

    def find(self, order: Order) -> OrderReport | None:
        """Return what became of the order, looked up by client order id, or None if absent.

        Raises:
            VenueUnavailable: the question could not be asked.
            CannotAsk: it never can be.
        """

    def reports(self, orders: Sequence[Order]) -> Mapping[ClientOrderId, OrderReport]:
        """Return how these open orders stand, in as few questions as the venue allows.

        One that is missing from the answer is no proof of anything.

        Raises:
            VenueUnavailable: the questions could not be asked.
        """

    def standing(self, symbols: Collection[Symbol]) -> Sequence[VenueOrder]:
        """Return all that is open at the venue, whoever placed it.

        Args:
            symbols: those that matter, where a venue must be asked symbol by symbol.

        Raises:
            VenueUnavailable: the question could not be asked.
        """

    def placed(self, symbol: Symbol, since_ms: EpochMs) -> Placed:
        """Return the orders of a symbol that were placed from a server time on, open or closed.

        Not necessarily up to now: what came later is asked for again. One that was placed earlier
        may be among them.

        Raises:
            VenueUnavailable: the question could not be asked.
            CannotAsk: it never can be.
        """

    def cancel_standing(self, order: VenueOrder) -> None:
        """Ask that an order be taken off which `standing` has told of, by the venue's own id.

        Raises:
            VenueRejected: a definite no, for instance since it is open no more.
            VenueUnavailable: it certainly did not arrive.
            OutcomeUnknown: it may have arrived.
            NotFound: the venue has no such order.
        """

    def find_standing(self, order: VenueOrder) -> OrderReport | None:
        """Return what became of such an order, looked up by the venue's own id.

        None if the venue knows it no more, and does not list it as open either.

        Raises:
            VenueUnavailable: the question could not be asked.
        """

    def inspect(self) -> Sequence[Finding]:
        """Return what there is to say about the account and its venue; nothing changes there.

        Raises:
            VenueUnavailable: nothing could be asked.
        """


class TradingRules(Protocol):
    """What an account may trade at its venue, and how: what seldom changes."""

    def instruments(self) -> Sequence[Instrument]:
        """Return everything that the account may trade, by symbol; empty while it is not known."""

    def order_types(self) -> Collection[OrderType]:
        """Return the types of orders that the venue has."""

    def leverage_of(self, symbol: Symbol) -> int:
        """Return the leverage with which a symbol is traded; 1 where nothing else was said."""

    def set_leverage(self, symbol: Symbol, leverage: int) -> None:
        """Trade a symbol with another leverage from now on. Twice is once.

        Raises:
            VenueRejected: the venue does not allow it.
            VenueUnavailable: the venue was not reached.
        """

    def set_position_mode(self, mode: PositionMode) -> None:
        """Hold long and short apart, or as one net position. Twice is once.

        Raises:
            VenueRejected: the venue does not allow it.
            VenueUnavailable: the venue was not reached.
        """


class Feed(Protocol):
    """The prices of one venue, as a row of ticks."""

    def newest(self, symbol: Symbol) -> Tick | None:
        """Return the newest prices of a symbol as a tick, evaluated or not.

        None if no prices are known, or if they are too old to act on.
        """

    def next_tick(self, symbols: Collection[Symbol]) -> Tick | None:
        """Return the oldest tick that was not evaluated yet, or None if there is none.

        Args:
            symbols: what somebody waits for; observed now if the feed is one that must look.
        """

    def match(self, tick: Tick) -> None:
        """Let the venue's own resting orders meet the tick, where it is us who simulate them."""

    def done(self, tick: Tick) -> None:
        """Count the tick as evaluated."""

    def symbols(self) -> Collection[Symbol]:
        """Return the symbols that the venue's own resting orders wait for."""


class Reports(Protocol):
    """What venues tell unasked about the orders of an account."""

    def unread(self, account: Account) -> Mapping[ClientOrderId, OrderReport]:
        """Return the newest report of each order that has news."""

    def mark_read(self, account: Account, reports: Mapping[ClientOrderId, OrderReport]) -> None:
        """Forget these, unless there is newer news of the same order."""

    def accounts_with_news(self) -> Collection[AccountId]:
        """Return the accounts that have anything unread."""


class Venues(Protocol):
    """All venues."""

    def of(self, account: Account) -> Venue:
        """Return the venue as this account sees it."""

    def trading_rules(self, account: Account) -> TradingRules:
        """Return what this account may trade there, and how."""

    def feed(self, venue: VenueName) -> Feed:
        """Return the prices of a venue."""

    def listed(self, venue: VenueName) -> Collection[Listed]:
        """Return what is traded at a venue's hosts, as far as any worker knows; nobody is asked."""
