"""Who is calling the Hummingbot routes, and which accounts that user may use."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog
from flask import request

from app.bootstrap import Wiring
from app.dialects.hummingbot.credentials import Credentials, credentials_from, is_only_play
from app.dialects.hummingbot.names import Directory
from app.domain.account import ApiClient
from app.domain.enums import Dialect
from app.domain.errors import NotAuthenticated, StoreError
from app.ports.registry import Registry
from app.web.client_accounts import accounts_of
from app.web.registry_refresh import with_current_registry

#: How often strangers may let a process look whether they have become known meanwhile. Whoever was
#: made known in another process is let in at once, and no crowd of strangers can keep the store
#: busy.
LOOKS_PER_SECOND = 10

Result = TypeVar("Result")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A user who knew the password.

    Attributes:
        directory: the accounts that the user may use, by their names in this dialect.
        version: of the registry that all this was read from.
    """

    client: ApiClient
    directory: Directory
    version: int

    @property
    def origin(self) -> str:
        """Whose orders these are, in records."""
        return f"{Dialect.HUMMINGBOT}:{self.client.key}"


class Callers:
    """Finds out who sent the request at hand (Hummingbot spec, section 1)."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._ledger = wiring.ports.ledger
        self._vault = wiring.vault
        self._nobody = wiring.vault.digest("nobody")
        self._looks = _Looks(wiring.registry)

    def serve(self, work: Callable[[Caller], Result]) -> Result:
        """Do the work for the caller, as the registry is now.

        Raises:
            NotAuthenticated: nobody we know.
        """
        credentials = self.known()
        self._registry.refresh()
        return work(self._caller(credentials))

    def serve_soon(self, credentials: Credentials, work: Callable[[Caller], Result]) -> Result:
        """Do work whose commit checks the registry's version, without asking for that first.

        Args:
            credentials: as `known` has returned them.
            work: is done anew if it turns out that it was done with an old registry.

        Raises:
            NotAuthenticated: nobody we know any more.
            StaleRegistry: the registry changes all the time.
        """
        return with_current_registry(
            self._registry, self._ledger, lambda: work(self._caller(credentials))
        )

    def known(self) -> Credentials:
        """Return the credentials of somebody who is known: strangers get no further.

        Raises:
            NotAuthenticated: nobody we know.
        """
        credentials = credentials_from(request.headers.get("Authorization"))
        if self._client(credentials) is None:
            self._looks.look()
            if self._client(credentials) is None:
                raise _wrong()
        return credentials

    def _client(self, credentials: Credentials) -> ApiClient | None:
        """Return the client as far as this process knows; the store is not asked."""
        client = self._registry.known_client(Dialect.HUMMINGBOT, credentials.user)
        # An unknown user costs the same comparison as a wrong password.
        digest = self._nobody if client is None else client.secret
        knows = self._vault.matches(credentials.password, digest)
        return client if client is not None and knows and client.enabled else None

    def _caller(self, credentials: Credentials) -> Caller:
        version = self._registry.version()
        client = self._client(credentials)
        if client is None:
            raise _wrong()
        accounts = accounts_of(client, self._registry)
        if credentials.are_default and not is_only_play(accounts):
            _log.warning("default_credentials_refused", client=client.key)
            raise _wrong()
        return Caller(client=client, directory=Directory(accounts), version=version)


def _wrong() -> NotAuthenticated:
    return NotAuthenticated("Incorrect username or password")


class _Looks:
    """Looks at the registry on behalf of strangers, but not often."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._second = 0
        self._count = 0

    def look(self) -> None:
        """Read the registry anew, unless it was looked at too often or the store is away.

        Raises:
            StoreUnavailable: it was never read, so nobody can be told from a stranger.
        """
        if self._registry.is_unread:
            self._registry.refresh()
        elif self._may_look():
            with suppress(StoreError):
                self._registry.refresh()

    def _may_look(self) -> bool:
        second = int(time.monotonic())
        with self._lock:
            if second != self._second:
                self._second, self._count = second, 0
            self._count += 1
            return self._count <= LOOKS_PER_SECOND
