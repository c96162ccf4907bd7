"""Accounts, and the credentials that lead to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.enums import Dialect, Market, Mode, PositionMode, Protection
from app.domain.identifiers import AccountId, AccountName, Symbol, VenueName

PAPER = VenueName("paper")


def hosts_of(venue: VenueName, mode: Mode) -> VenueName:
    """Return the name of the hosts of a venue that serve accounts of a mode."""
    is_apart = mode is Mode.TESTNET and venue != PAPER
    return VenueName(f"{venue}:{mode}") if is_apart else venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One market at one venue with its own balances.

    Attributes:
        group: joins the accounts of one owner, at most one per (venue, market).
        credentials: the venue's keys, sealed; None if there are none.
        limits: the account's risk limits, name → value as text.
        resets: how often the account was reset; dedupe keys do not outlive a reset.
        protection: who holds the stop-losses of its positions.
    """

    id: AccountId
    name: AccountName
    group: str
    venue: VenueName = PAPER
    market: Market = Market.SPOT
    mode: Mode = Mode.PAPER
    position_mode: PositionMode = PositionMode.HEDGE
    credentials: str | None = None
    limits: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    resets: int = 0
    protection: Protection = Protection.AUTO

    @property
    def hosts(self) -> VenueName:
        """Which hosts serve it: those of the venue's testnet have rules, clock and limits apart."""
        return hosts_of(self.venue, self.mode)

    @property
    def feed(self) -> VenueName:
        """Whose prices it trades at: the paper venue's, or those of one market of an exchange."""
        if self.venue == PAPER:
            return PAPER
        return VenueName(f"{self.venue}:{self.market}:{self.mode}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """A Crypto Arsenal connector: its token opens one account and one symbol.

    Attributes:
        token_hash: hash of the token, sealed.
        account: whose name it is; venue and market are the account's.
        settings: the settings of its spec that differ from their defaults.
        has_short_secret: the token is so short that it can be guessed; of one that an older release
            has stored nobody knows.
    """

    name: str
    token_hash: str
    account: AccountName
    symbol: Symbol
    enabled: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    has_short_secret: bool = False

    @property
    def origin(self) -> str:
        """Its name among the callers of all dialects."""
        return f"{Dialect.CRYPTO_ARSENAL}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiClient:
    """A key of one dialect and the accounts it covers.

    Attributes:
        secret: sealed where requests are signed with it, else a hash of the password, sealed.
        permissions: words of its dialect; None is all, an empty tuple is none. See `may`.
        settings: of its dialect, by their names there.
        has_short_secret: as that of a connector.
    """

    dialect: Dialect
    key: str
    secret: str
    accounts: tuple[AccountName, ...] = ()
    permissions: tuple[str, ...] | None = None
    enabled: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    has_short_secret: bool = False

    @property
    def origin(self) -> str:
        """Its name among the clients of all dialects."""
        return f"{self.dialect}:{self.key}"

    @property
    def may_nothing(self) -> bool:
        """Whether it was given no permission, not even one of a dialect that has no words."""
        return self.permissions is not None and not self.permissions

    def may(self, permission: str) -> bool:
        """Tell whether it may do what a word of its dialect permits."""
        return self.permissions is None or permission in self.permissions
