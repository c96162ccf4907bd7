"""What the paper venue needs from its store: small Protocols over plain values.

The store implements them, and knows nothing else of the venue.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from app.domain.account import Account
from app.domain.enums import Market, Side
from app.domain.errors import Conflict
from app.domain.identifiers import AccountId, ClientOrderId, EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote, Tick
from app.paper.domain.account import PaperAccount
from app.paper.domain.fault import Fault, FaultPlan, FaultyCall
from app.paper.domain.order import PaperOrder
from app.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSnapshot:
    """An account as it was loaded. `version` counts its commits; 0 was never committed.

    Attributes:
        account: None when nothing was ever set or traded.
        orders: those that were asked for and are known.
    """

    version: int = 0
    account: PaperAccount | None = None
    orders: Mapping[ClientOrderId, PaperOrder] = field(default_factory=dict)

    def account_of(self, account: Account) -> PaperAccount:
        """Return the account; one that was never set begins as its record says."""
        if self.account is not None:
            return self.account
        return PaperAccount(market=account.market, position_mode=account.position_mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperChange:
    """What one commit writes; the empty change only raises the version.

    Attributes:
        account: None leaves it as it is.
        orders: new ones and changed ones.
        repeats: refused repeats of known client order ids.
        news: orders whose owner has not been told of the change by an answer.
    """

    account: PaperAccount | None = None
    orders: tuple[PaperOrder, ...] = ()
    repeats: tuple[PaperOrder, ...] = ()
    news: frozenset[ClientOrderId] = frozenset()


class PaperLedger(Protocol):
    """Accounts and every order that they ever sent; the venue's truth."""

    def load(self, account_id: AccountId, orders: Collection[ClientOrderId] = ()) -> PaperSnapshot:
        """Return the account and these of its orders, read at one moment."""

    def commit(self, account_id: AccountId, version: int, change: PaperChange) -> None:
        """Write all of the change or none.

        Raises:
            Conflict: the account has another version by now.
        """

    def reset(self, account_id: AccountId, version: int, account: PaperAccount) -> None:
        """Replace the account and forget its orders, repeats and news, all or nothing.

        Raises:
            Conflict: the account has another version by now.
        """

    def history(self, account_id: AccountId) -> Sequence[PaperOrder]:
        """Return every order since the last reset, repeats included, by arrival."""


#: Commits that others may win before an attempt is given up. Each loss means that somebody got on.
ATTEMPTS_MAX = 100

Done = TypeVar("Done")


def until_committed(attempt: Callable[[], Done]) -> Done:
    """Repeat an attempt, which reads anew each time, until it is the first to commit.

    Raises:
        Conflict: others were first every time; nothing has happened.
    """
    for _ in range(ATTEMPTS_MAX):
        with suppress(Conflict):
            return attempt()
    raise Conflict(f"{ATTEMPTS_MAX} times others changed the account first")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """A place in the book of one (symbol, market, side).

    Attributes:
        number: of the arrival; two tries to place one order have two entries.
    """

    number: int
    account_id: AccountId
    client_order_id: ClientOrderId
    symbol: Symbol
    market: Market
    side: Side

    @classmethod
    def of(cls, account_id: AccountId, order: PaperOrder) -> "BookEntry":
        """Return the place that an order of this account has, if it has one."""
        return cls(
            number=order.number,
            account_id=account_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            market=order.market,
            side=order.side,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPrice:
    """The price that a person set, if any, and the number of the newest tick of the venue.

    Attributes:
        quote: None when no price is known, or when it was not set.
        is_set: False leaves the symbol to the source (walk, live tickers).
        set_at_ms: business time at which it was set, if it is known.
    """

    tick: int
    quote: Quote | None
    is_set: bool
    set_at_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """The moment at which an order meets the market."""

    number: int
    price: CurrentPrice


class PaperBook(Protocol):
    """Resting orders by price, so that a tick finds what it crosses without reading the rest.

    An entry is armed *before* its order is committed, and in the same step in which the price is
    read. So every later tick finds it; an entry without an order is harmless.
    """

    def arrive(self, account_id: AccountId, order: PaperOrder) -> Arrival:
        """Number an order, enter it in the book if it may come to rest, and read the price."""

    def leave(self, entries: Collection[BookEntry]) -> None:
        """Take entries out. One that is not there is no error."""

    def crossed(self, symbol: Symbol, market: Market, quote: Quote) -> Sequence[BookEntry]:
        """Return the entries that the quote reaches, best price first, then by arrival.

        Prices are compared as doubles: one too many may come back, never one too few.
        """

    def symbols(self) -> Collection[Symbol]:
        """Return the symbols with anything resting."""


class PaperPrices(Protocol):
    """Prices that a person set."""

    def current(self, symbol: Symbol) -> CurrentPrice:
        """Return the price as it is now."""

    def set(self, quotes: Mapping[Symbol, Quote | None], at_ms: EpochMs) -> int:
        """Make these current and append them as one tick, all at once; return its number."""

    def all(self) -> Mapping[Symbol, Quote | None]:
        """Return what is set: symbol → quote, or None where no price is known."""

    def clear(self) -> None:
        """Leave every symbol to the source again."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was last seen of the source: symbol → quote, as of the newest tick number."""

    tick: int
    quotes: Mapping[Symbol, Quote]


class PaperTicks(Protocol):
    """The ticks that wait to be evaluated; durable, in order, none merged."""

    def oldest(self) -> Tick | None:
        """Return the first tick that is not done, or None."""

    def done(self, number: int) -> None:
        """Forget a tick. Twice is no error."""

    def waiting(self) -> int:
        """Return how many ticks are not done."""

    def observed(self) -> Observed:
        """Return what was last seen of the source."""

    def observe(self, quotes: Mapping[Symbol, Quote], after: int, at_ms: EpochMs) -> None:
        """Append a tick seen at the source, unless there is a newer tick than `after`."""


class PaperInstruments(Protocol):
    """The rules of what is traded."""

    def find(self, symbol: Symbol, market: Market) -> Instrument | None:
        """Return the rules, or None if the symbol is not traded there."""

    def put(self, instruments: Collection[Instrument]) -> None:
        """Add or replace by (symbol, market)."""

    def add_missing(self, instruments: Collection[Instrument]) -> None:
        """Add those that are not there yet."""

    def all(self) -> Sequence[Instrument]:
        """Return everything that is traded, by symbol, then market."""


class PaperFaults(Protocol):
    """Faults to come."""

    def next(self, account_id: AccountId, call: FaultyCall) -> Fault:
        """Take the next word of the call's list; two callers never get the same one."""

    def put(self, account_id: AccountId, plan: FaultPlan) -> None:
        """Replace what is planned for an account."""


class QuoteSource(Protocol):
    """Where prices come from that nobody set."""

    def quote(self, symbol: Symbol, at_ms: EpochMs) -> Quote | None:
        """Return the prices at a business time, or None if none are known.

        Raises:
            VenueUnavailable: the source cannot be reached.
        """

    def past(self, symbol: Symbol, moments: Iterable[EpochMs]) -> list[Quote | None]:
        """Return the prices at these moments, none of them to come; None where none are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPorts:
    """Everything that the parts of the paper venue share.

    Attributes:
        source: prices of the symbols for which nobody set one.
    """

    ledger: PaperLedger
    book: PaperBook
    prices: PaperPrices
    ticks: PaperTicks
    instruments: PaperInstruments
    faults: PaperFaults
    source: QuoteSource
    clock: Clock

    def quote(self, symbol: Symbol) -> Quote | None:
        """Return the newest prices, set or from the source, or None if none are known.

        Raises:
            VenueUnavailable: they come from an exchange that cannot be reached.
        """
        return self.quote_of(symbol, self.prices.current(symbol))

    def quote_of(self, symbol: Symbol, price: CurrentPrice) -> Quote | None:
        """Return what was set, else what the source says now."""
        return price.quote if price.is_set else self.source.quote(symbol, self.clock.now_ms())
