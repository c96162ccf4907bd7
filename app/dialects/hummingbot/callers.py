"""Who is calling, by HTTP Basic authentication (Hummingbot spec, section 1)."""

import base64
import binascii
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Final, TypeVar

import structlog
from flask import request

from app.bootstrap import Wiring
from app.dialects.hummingbot.names import Directory
from app.domain.account import ApiClient
from app.domain.enums import Dialect, Mode
from app.domain.errors import NotAuthenticated, StoreError
from app.web.answers import Answer
from app.web.clients import Clients
from app.web.guesses import Guesses

#: How often strangers may let a process look whether they have become known meanwhile. Whoever was
#: made known in another process is let in at once, and no crowd of strangers can keep the store
#: busy.
LOOKS_PER_SECOND = 10

#: A user, and what it says is its password.
Credentials = tuple[str, str]

#: Those with which the reference, and the official client, come to people: everybody knows them.
DEFAULT: Final[Credentials] = ("admin", "admin")

Result = TypeVar("Result")
View = Callable[..., Answer]

_log = structlog.get_logger()


def credentials_from(header: str | None) -> Credentials:
    """Return user and password of an `Authorization` header.

    Raises:
        NotAuthenticated: there is no such header, or it cannot be understood.
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            decoded = ""
        user, colon, password = decoded.partition(":")
        if colon:
            return user, password
    raise NotAuthenticated("Not authenticated")


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


class Callers:
    """Finds out who sent the request at hand (Hummingbot spec, section 1)."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._clients = Clients(wiring, Dialect.HUMMINGBOT)
        self._guesses = Guesses(wiring, Dialect.HUMMINGBOT)
        self._vault = wiring.vault
        self._lock = threading.Lock()
        self._second = self._looks = 0

    def served(self, view: View) -> View:
        """Return a view that asks first who is calling, and serves that caller.

        Args:
            view: takes the caller, as the registry is now, and what its path names.
        """

        @wraps(view)
        def serving(**names: str) -> Answer:
            credentials = self.known()
            self._registry.refresh()
            return view(self._caller(credentials), **names)

        return serving

    def serve_soon(self, credentials: Credentials, work: Callable[[Caller], Result]) -> Result:
        """Do work whose commit checks the registry's version, without asking for that first.

        Args:
            credentials: as `known` has returned them.
            work: is done anew if it turns out that it was done with an old registry.

        Raises:
            NotAuthenticated: nobody we know any more.
            StaleRegistry: the registry changes all the time.
        """
        return self._clients.with_current_registry(lambda: work(self._caller(credentials)))

    def known(self) -> Credentials:
        """Return the credentials of somebody who is known: strangers get no further.

        Raises:
            NotAuthenticated: nobody we know.
            TooManyGuesses: neither were too many before.
        """
        credentials = credentials_from(request.headers.get("Authorization"))

        def check() -> None:
            if self._client(credentials) is None:
                raise _wrong()

        def look() -> None:
            if self._client(credentials) is None:
                self._look_anew()
                check()

        self._guesses.judge(request.environ, credentials[0], check, look)
        return credentials

    def _look_anew(self) -> None:
        """Read the registry on behalf of a stranger, but not often, nor if the store is away.

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
                self._second, self._looks = second, 0
            self._looks += 1
            return self._looks <= LOOKS_PER_SECOND

    def _client(self, credentials: Credentials) -> ApiClient | None:
        """Return the client as far as this process knows; the store is not asked."""
        user, password = credentials
        client = self._registry.known_client(Dialect.HUMMINGBOT, user)
        # An unknown user costs the same comparison as a wrong password.
        owner, kept = (user, None) if client is None else (client.origin, client.secret)
        knows = self._vault.matches(owner, password, kept)
        return client if client is not None and knows and client.enabled else None

    def _caller(self, credentials: Credentials) -> Caller:
        version = self._registry.version()
        client = self._client(credentials)
        if client is None:
            raise _wrong()
        accounts = self._clients.accounts_of(client)
        if credentials == DEFAULT and any(one.mode is not Mode.PAPER for one in accounts):
            _log.warning("default_credentials_refused", dialect=Dialect.HUMMINGBOT)
            raise _wrong()
        return Caller(client=client, directory=Directory(accounts), version=version)


def _wrong() -> NotAuthenticated:
    return NotAuthenticated("Incorrect username or password")
