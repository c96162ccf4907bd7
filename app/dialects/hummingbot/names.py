"""Accounts, pairs and statuses by their names in this dialect (docs/hummingbot.md)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from app.domain.account import Account
from app.domain.enums import Market, OrderType
from app.domain.errors import NotFound
from app.domain.identifiers import Symbol
from app.domain.order import Order
from app.domain.status import CLOSED, OrderStatus

#: Account name and connector name, as the caller knows them.
Names = tuple[str, str]

#: In the reference's order, in which its messages list them.
ORDER_TYPES: Final = (OrderType.LIMIT, OrderType.MARKET, OrderType.LIMIT_MAKER)

#: In the name of every connector for derivatives (spec, table at the top).
PERPETUAL = "_perpetual"

#: Of accounts in paths; others do not exist (spec, A15).
_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

_SWAPPED = str.maketrans("-/", "/-")

#: Of a name that is repeated in an answer.
_SHOWN_CHARACTERS = 128


def pair_of(symbol: Symbol) -> str:
    """Return `BTC-USDT` for `BTC/USDT`."""
    return symbol.translate(_SWAPPED)


def symbol_of(pair: str) -> Symbol:
    """Return `BTC/USDT` for `BTC-USDT`. What is no pair becomes a symbol that nobody trades."""
    return Symbol(pair.translate(_SWAPPED))


def connector_of(account: Account) -> str | None:
    """Return the connector by which an account is traded; None if this dialect has none for it."""
    match account.market:
        case Market.SPOT:
            return str(account.venue)
        case Market.USDM:
            return f"{account.venue}{PERPETUAL}"
        case Market.COINM:
            return None


def is_perpetual(connector: str) -> bool:
    """Tell whether a connector trades derivatives."""
    return PERPETUAL in connector


class Directory:
    """The accounts that one user may use, by account name and connector name.

    Args:
        accounts: those that its credential covers.
    """

    def __init__(self, accounts: Iterable[Account]) -> None:
        named = ((one.group, connector_of(one), one) for one in accounts if one.enabled)
        self._accounts = {
            (group, connector): one for group, connector, one in named if connector is not None
        }

    def accounts(self) -> Sequence[Account]:
        """Return all of them, by id."""
        return sorted(self._accounts.values(), key=lambda one: one.id)

    def account_names(self) -> Sequence[str]:
        """Return the names of all accounts, sorted."""
        return sorted({group for group, _ in self._accounts})

    def connector_names(self) -> Sequence[str]:
        """Return the names of all connectors, sorted."""
        return sorted({connector for _, connector in self._accounts})

    def account(self, account_name: str, connector_name: str) -> Account:
        """Return the account behind two names.

        Raises:
            NotFound: with the sentence of the spec, section 2.3, rows 3 and 4.
        """
        known = self.account_names()
        if not _ACCOUNT_NAME.fullmatch(account_name) or account_name not in known:
            raise NotFound(f"Account '{account_name[:_SHOWN_CHARACTERS]}' not found")
        found = self._accounts.get((account_name, connector_name))
        if found is None:
            raise _no_connector(connector_name)
        return found

    def any_of(self, connector_name: str) -> Account:
        """Return one of the accounts of a connector: its rules are the same for all.

        Raises:
            NotFound: there is none.
        """
        for _, _, account in self.among(None, [connector_name]):
            return account
        raise _no_connector(connector_name)

    def among(
        self, account_names: Sequence[str] | None, connector_names: Sequence[str] | None
    ) -> Iterator[tuple[str, str, Account]]:
        """Yield (account name, connector name, account) of those that are named, sorted.

        None, or an empty list, names all; a name that does not exist is no error (spec, 3).
        """
        for (group, connector), account in sorted(self._accounts.items(), key=lambda one: one[0]):
            if (not account_names or group in account_names) and (
                not connector_names or connector in connector_names
            ):
                yield group, connector, account


def _no_connector(name: str) -> NotFound:
    return NotFound(f"Connector '{name[:_SHOWN_CHARACTERS]}' not found")


class Word(StrEnum):
    """The statuses that the lists show and can be searched for."""

    SUBMITTED = "SUBMITTED"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


#: Not closed: what is queued here, on its way, or at the venue.
LIVE: Final = frozenset(OrderStatus) - CLOSED

_WORDS: Final[Mapping[OrderStatus, Word]] = {
    OrderStatus.PENDING_NEW: Word.SUBMITTED,
    OrderStatus.PLACING: Word.SUBMITTED,
    OrderStatus.UNKNOWN: Word.SUBMITTED,
    OrderStatus.NEW: Word.OPEN,
    OrderStatus.PARTIALLY_FILLED: Word.PARTIALLY_FILLED,
    OrderStatus.FILLED: Word.FILLED,
    OrderStatus.CANCELED: Word.CANCELLED,
    OrderStatus.EXPIRED: Word.CANCELLED,
    OrderStatus.REJECTED: Word.FAILED,
    OrderStatus.DENIED: Word.FAILED,
}


def word_of(order: Order) -> Word:
    """Return where an order stands; a cancel that was asked for shows while it is on its way."""
    if order.cancel_requested and not order.is_closed:
        return Word.PENDING_CANCEL
    return _WORDS[order.status]


def statuses_behind(word: str) -> frozenset[OrderStatus]:
    """Return the statuses that an order with this word may have; none for a word that is none."""
    if word == Word.PENDING_CANCEL:
        return LIVE
    return frozenset(status for status, shown in _WORDS.items() if shown == word)
