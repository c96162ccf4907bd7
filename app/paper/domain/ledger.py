"""What is read of the paper venue's ledger, its book and its prices, and what a commit writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.account import Account
from app.domain.enums import Market
from app.domain.identifiers import AccountId, ClientOrderId, EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder, Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed:
    """Which rows of an account's ledger may have left the store for the history.

    Attributes:
        newest: the greatest client order id of an order among them; empty if all are repeats.
        numbers: that they have. The history may know of others: of before a reset, or, where it is
            a newer copy than the store, of what never was.
    """

    newest: ClientOrderId
    numbers: range

    def may_include(self, client_order_id: ClientOrderId) -> bool:
        """Tell whether an order that is not in the store may be in the history."""
        return client_order_id <= self.newest


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSnapshot:
    """An account as it was loaded. `version` counts its commits; 0 was never committed.

    Attributes:
        account: None when nothing was ever set or traded.
        orders: those that were asked for and are known.
        departed: None when nothing has left since the last reset.
    """

    version: int = 0
    account: PaperAccount | None = None
    orders: Mapping[ClientOrderId, PaperOrder] = field(default_factory=dict)
    departed: Departed | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """A place in the book of one (symbol, market, queue).

    Attributes:
        number: of the arrival; two tries to place one order have two entries.
    """

    number: int
    account_id: AccountId
    client_order_id: ClientOrderId
    symbol: Symbol
    market: Market
    queue: Queue

    @classmethod
    def of(cls, account_id: AccountId, order: PaperOrder) -> "BookEntry":
        """Return the place that an order of this account has, if it has one."""
        return cls(
            number=order.number,
            account_id=account_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            market=order.market,
            queue=order.queue,
        )


#: Market → rules of one symbol, where it is traded.
Rules = Mapping[Market, Instrument]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentPrice:
    """The price that a person set, if any, the newest tick's number and the rules, of one moment.

    Attributes:
        quote: None when no price is known, or when it was not set.
        is_set: False leaves the symbol to the source (walk, live tickers).
        rules: market → rules of the symbol, where it is traded.
        set_at_ms: business time at which it was set, if it is known.
    """

    tick: int
    quote: Quote | None
    is_set: bool
    rules: Rules
    set_at_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """The moment at which an order meets the market."""

    number: int
    price: CurrentPrice


@dataclass(frozen=True, slots=True)
class Observed:
    """What was last seen of the source: symbol → quote, as of the newest tick number."""

    tick: int
    quotes: Mapping[Symbol, Quote]
