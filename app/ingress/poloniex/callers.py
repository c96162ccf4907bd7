"""Who signed the request at hand, and which account the key opens (docs/poloniex.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from flask import request

from app.bootstrap import Wiring
from app.dialects.poloniex import signing
from app.dialects.poloniex.problems import Code, Problem
from app.dialects.poloniex.settings import ClientSettings, settings_of
from app.domain.account import Account, ApiClient
from app.domain.errors import NotFound
from app.domain.identifiers import EpochMs
from app.domain.words import Dialect
from app.ingress.admitting import GIVE_UP_MS, with_current_registry
from app.ingress.raw_body import raw_body
from app.ingress.raw_target import raw_target_of
from app.ports import Admission

Result = TypeVar("Result")

#: Of one key. Poloniex allows 50 a second; this is against programs that have gone wild.
RATE_PER_MINUTE = 3_000

TRADE = "TRADE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The sender of a signed request.

    Attributes:
        account: the one that the key opens.
        body: the very bytes that were signed.
        received_at_ms: business time of arrival.
        version: of the registry that all this was read from.
    """

    client: ApiClient
    account: Account
    body: bytes
    received_at_ms: EpochMs
    version: int

    @property
    def origin(self) -> str:
        """Within what client order ids differ, and what a "cancel many" reaches."""
        return f"{Dialect.POLONIEX}:{self.account.id}"

    @property
    def settings(self) -> ClientSettings:
        """What was set of the client."""
        return settings_of(self.client.settings)


class _Arrival(NamedTuple):
    """A request as it came in, before anybody is asked who sent it."""

    credentials: signing.Credentials
    body: bytes
    at_ms: EpochMs


class Callers:
    """Finds out who sent the request at hand."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._vault = wiring.vault
        self._clock = wiring.ports.clock
        self._tolerance_ms = wiring.settings.poloniex_clock_tolerance_ms
        self._is_limited = wiring.settings.rate_limits

    def reader(self) -> Caller:
        """Return the sender of a request that changes nothing.

        Raises:
            Problem: nobody we know, or a request of another time.
        """
        return self._caller(self._arrival(), is_change=False)

    def serve(self, work: Callable[[Caller], Result]) -> Result:
        """Carry out a request that changes something.

        What an old copy of the registry refuses is looked at once more with a new one; what it
        would permit is checked by the commit.

        Raises:
            Problem: nobody we know, a request of another time, or a key that may only read.
        """
        arrival = self._arrival()
        return with_current_registry(
            self._registry, lambda: work(self._caller(arrival, is_change=True))
        )

    def admission(self, caller: Caller) -> Admission:
        """Return the conditions under which a request of this caller is taken in."""
        return Admission(
            rate_key=f"{Dialect.POLONIEX}:{caller.client.key}",
            rate_per_minute=RATE_PER_MINUTE if self._is_limited else 0,
            give_up_at_ms=EpochMs(self._clock.server_ms() + GIVE_UP_MS),
            registry_version=caller.version,
        )

    def _arrival(self) -> _Arrival:
        body = raw_body()
        credentials = signing.credentials_from(request.headers.get)
        return _Arrival(credentials, body, self._clock.now_ms())

    def _caller(self, arrival: _Arrival, *, is_change: bool) -> Caller:
        credentials, body, now_ms = arrival
        self._registry.refresh()
        version = self._registry.version()
        client = self._registry.client(Dialect.POLONIEX, credentials.key)
        if client is None or not client.enabled:
            raise Problem(Code.UNAUTHORIZED, text=signing.INVALID_KEY)
        sealed = self._vault.decrypt(f"{Dialect.POLONIEX}:{client.key}", client.secret)
        signing.check_signature(credentials, _wire(body), sealed["secret"])
        signing.check_window(credentials, now_ms, self._tolerance_ms)
        if is_change and client.permissions and TRADE not in client.permissions:
            raise Problem(Code.FORBIDDEN)
        return Caller(
            client=client,
            account=self._account(client),
            body=body,
            received_at_ms=now_ms,
            version=version,
        )

    def _account(self, client: ApiClient) -> Account:
        for name in client.accounts:
            try:
                account = self._registry.account_named(name)
            except NotFound:
                break
            if account.enabled:
                return account
        raise Problem(Code.FORBIDDEN, "this key has no account")


def _wire(body: bytes) -> signing.Wire:
    """Return the request as it came in: what was signed is the target before any decoding."""
    environ = request.environ
    return signing.Wire(
        method=request.method,
        target=raw_target_of(environ),
        body=body,
        prefix=str(environ.get("SCRIPT_NAME", "")),
    )
