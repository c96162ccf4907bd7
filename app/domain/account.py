"""Accounts, and the credentials that lead to them (DESIGN section 8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.identifiers import AccountId, AccountName, Symbol, VenueName
from app.domain.words import AccountState, Dialect, Market, Mode, PositionMode

PAPER = VenueName("paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One market at one venue with its own balances.

    Attributes:
        group: joins the accounts of one owner, at most one per (venue, market).
        has_credentials: whether venue keys are stored; the keys themselves never leave the store.
        limits: the account's risk limits, name → value as text.
    """

    id: AccountId
    name: AccountName
    group: str
    venue: VenueName = PAPER
    market: Market = Market.SPOT
    mode: Mode = Mode.PAPER
    position_mode: PositionMode = PositionMode.HEDGE
    state: AccountState = AccountState.RUN
    has_credentials: bool = False
    limits: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """A Crypto Arsenal connector: its token opens one account and one symbol.

    Attributes:
        token_hash: keyed hash of the token, lower-case hexadecimal.
        settings: the settings of its spec that differ from their defaults.
    """

    name: str
    token_hash: str
    account: AccountName
    symbol: Symbol
    enabled: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiClient:
    """A key of one dialect and the accounts it covers.

    Attributes:
        secret_hash: keyed hash of the secret or password, lower-case hexadecimal.
        settings: of its dialect, by their names there.
    """

    dialect: Dialect
    key: str
    secret_hash: str
    accounts: tuple[AccountName, ...] = ()
    permissions: tuple[str, ...] = ()
    enabled: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
