"""What the rest of the house needs to know of a dialect, in one value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Protocol

import structlog
from marshmallow import fields, validate

from app.bootstrap import Wiring
from app.domain.account import Account, ApiClient, Connector
from app.domain.enums import Dialect, Market, Protection
from app.domain.errors import HookfillError
from app.domain.exits import ExitRules
from app.web.answers import Answer
from app.web.fields import Flag, Number, Strict, Text, WholeNumber, between, printable
from app.web.routes import Route

_log = structlog.get_logger()

#: Of one client.
ACCOUNTS_MAX = 100

#: One day, as for connectors.
DEDUP_WINDOW_SECONDS_MAX = 86_400

_SECRET_CHARACTERS_MAX = 256

#: A close at the market keeps its place in the lane for so long.
_EXIT_PATIENCE_SECONDS_MAX = 3_600

#: Of two stop-losses of one position, in percent: nearer than this the wrong one might fire first,
#: further away it protects little.
_DISTANCE = validate.Range(Decimal("0.1"), 50, error="Must be from {min} to {max}, was {input}.")

#: One week.
_LIMIT_EXIT_SECONDS_MAX = 604_800

#: Stands where the token belongs: only its hash is known here.
TOKEN_PLACEHOLDER: Final = "YOUR_CONNECTOR_TOKEN"  # noqa: S105 - it is none


def permissions_of(*words: str) -> fields.List[str]:
    """Return the field of what clients may be permitted to do: null is all, an empty list none."""
    return fields.List(Text(validate=validate.OneOf(words)), allow_none=True)


def secret_field() -> Text:
    """Return the field of what a client signs or signs in with."""
    return Text(validate=printable(_SECRET_CHARACTERS_MAX))


def exit_patience_field() -> WholeNumber:
    """Return the field of how long closes that were asked for go on, in seconds."""
    return WholeNumber(validate=between(1, _EXIT_PATIENCE_SECONDS_MAX))


def limit_exit_field() -> WholeNumber:
    """Return the field of how long limit exits may take to fill, in seconds; 0 is for ever."""
    return WholeNumber(validate=between(0, _LIMIT_EXIT_SECONDS_MAX))


def protection_field() -> fields.Enum[Protection]:
    """Return the field of who holds stop-losses."""
    return fields.Enum(Protection, by_value=True)


def distance_field() -> Number:
    """Return the field of how far beyond a stop-loss another one lies, in percent of its price."""
    return Number(validate=_DISTANCE)


#: What it is unless it is set.
DISTANCE_PERCENT: Final = Decimal(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitSettings:
    """How exits go on, as a connector or client sets it.

    Attributes:
        exit_patience_seconds: how long one that was asked for goes on when it does not get through.
        limit_exit_seconds: how long one at a limit may take to fill; then the rest goes at the
            market. 0 is for ever.
    """

    exit_patience_seconds: int = 60
    limit_exit_seconds: int = 0

    @property
    def exits(self) -> ExitRules:
        """The same as each request carries it with it."""
        return ExitRules(
            patience_ms=self.exit_patience_seconds * 1000, limit_ms=self.limit_exit_seconds * 1000
        )


class ClientBody(Strict):
    """What can be set of a client of any dialect; each adds its secret and its settings."""

    accounts = fields.List(Text(), validate=validate.Length(max=ACCOUNTS_MAX))
    enabled = Flag()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKind:
    """What API clients of a dialect are.

    Attributes:
        body: what can be set of them.
        word: what the dialect calls their secret: a field of the body.
        is_compared: the secret is only compared, so no more than a hash of it is kept; else
            it signs, and is kept sealed.
        complaint: what is wrong with the accounts that a client is to cover, in a sentence.
        is_key_secret: the key alone may be enough, so one that is made here cannot be guessed.
        weakness: what is weak about a client as it is set, in a sentence.
        public: key and secret that everybody knows, if there are such: they open play money only.
    """

    body: ClientBody
    word: str = "secret"
    is_compared: bool = False
    complaint: Callable[[Sequence[Account]], str | None] = lambda _: None
    is_key_secret: bool = False
    weakness: Callable[[ApiClient], str | None] = lambda _: None
    public: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorKind:
    """What the connectors of a dialect are.

    Attributes:
        path: where their messages go.
        settings: what can be set of them, besides what every connector has.
        record: checks settings, and returns what of them is stored.
        shown: returns all settings of a record, the defaults included.
        alert: returns what the form shows next that makes a message, of what was filled in.
        small_alert: a message to begin with.
    """

    path: str
    settings: dict[str, fields.Field[Any]]
    record: Callable[[Mapping[str, object]], dict[str, object]]
    shown: Callable[[Mapping[str, object]], dict[str, object]]
    alert: Callable[[Connector, Market, Mapping[str, str]], Mapping[str, object]]
    small_alert: Mapping[str, str]


class DemoAccount(StrEnum):
    """The accounts of a fresh install, with play money."""

    SPOT = "demo-spot"
    USDM = "demo-usdm"
    NET = "demo-net"
    COINM = "demo-coinm"


class DemoMaker(Protocol):
    """Makes the callers of a fresh install, unless they are there already."""

    def client(self, dialect: Dialect, *accounts: DemoAccount) -> tuple[str, str]:
        """Return key and secret of an API client that covers these accounts."""
        ...

    def connector(self, account: DemoAccount, symbol: str) -> Mapping[str, str]:
        """Return what a message of the connector for this account and symbol must carry."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A dialect as it is seen from outside.

    Attributes:
        routes: its routes, bound to what they need.
        demo: makes its callers of a fresh install, and returns what such a caller must know.
        error: the answer to a request that ended in this error.
        internal: the answer to a mistake of ours.
        owns: tells whether what no route takes at this path is answered in its shape; paths at
            the root of the host are nobody's.
        http_error: that answer, by its status.
        clients: what its API clients are, if it has any.
        connectors: what its connectors are; they are named without their dialect, so there is one
            that has any.
    """

    dialect: Dialect
    title: str
    routes: Callable[[Wiring], Sequence[Route]]
    demo: Callable[[DemoMaker], Mapping[str, object]]
    error: Callable[[HookfillError], Answer]
    internal: Callable[[], Answer]
    owns: Callable[[str], bool] = lambda _: False
    http_error: Callable[[int], Answer] | None = None
    clients: ClientKind | None = None
    connectors: ConnectorKind | None = None

    def refusal(self, error: HookfillError) -> Answer:
        """Return the answer to a request that ended in this error, and log why."""
        answer = self.error(error)
        _log.info(
            "request_refused",
            dialect=self.dialect,
            status=answer.status,
            kind=type(error).__name__,
            why=str(error),
        )
        return answer


def is_below(path: str, *owned: str) -> bool:
    """Tell whether a path is one of these, or below one of them."""
    return any(path == one or path.startswith(f"{one}/") for one in owned)
