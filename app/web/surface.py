"""What the rest of the house needs to know of a dialect, in one value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.domain.errors import HookfillError
from app.web.answers import Answer
from app.web.client_kind import ClientKind
from app.web.connector_kind import ConnectorKind
from app.web.routes import Route

_log = structlog.get_logger()


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
