"""Who signed the request at hand, and which account the key opens (docs/poloniex.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flask import request

from app.bootstrap import Wiring
from app.dialects.poloniex import signing
from app.dialects.poloniex.errors import Code, Problem, Unauthorized
from app.domain.account import Account, ApiClient
from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect
from app.domain.errors import CommandError, VenueError
from app.domain.identifiers import EpochMs
from app.domain.sender import Mark, Sender
from app.services.find_anywhere import find_anywhere
from app.services.intake.first_answer import first_answer
from app.services.repeats import first_of
from app.web.clients import Clients
from app.web.digests import one_hash
from app.web.guesses import Guesses
from app.web.idempotency import HEADER, marks_of_key
from app.web.raw_body import raw_body
from app.web.raw_target import raw_target_of
from app.web.registry_refresh import Failed, part_by_part

Part = TypeVar("Part")
Result = TypeVar("Result")
Taken = TypeVar("Taken", bound=Aggregate)

#: Of one key. Poloniex allows 50 a second; this is against programs that have gone wild.
RATE_PER_MINUTE = 3_000

TRADE = "TRADE"

#: The key of a request counts this much longer than anybody could send that again, so that it
#: outlives whoever is still working on it.
KEY_GRACE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The sender of a signed request.

    Attributes:
        account: the one that the key opens.
        body: the very bytes that were signed.
        received_at_ms: business time of arrival.
        version: of the registry that all this was read from.
        request_key: what the request has in common with the same one sent again, and with no other.
    """

    client: ApiClient
    account: Account
    body: bytes
    received_at_ms: EpochMs
    version: int
    request_key: str

    @property
    def origin(self) -> str:
        """Within what client order ids differ, and what a "cancel many" reaches."""
        return f"{Dialect.POLONIEX}:{self.account.id}"


class Callers:
    """Finds out who sent the request at hand."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._clients = Clients(wiring, Dialect.POLONIEX)
        self._guesses = Guesses(wiring, Dialect.POLONIEX)
        self._ports = wiring.ports
        self._clock = wiring.ports.clock
        self._tolerance_ms = wiring.settings.poloniex_clock_tolerance_ms
        self._key_life_ms = 2 * self._tolerance_ms + KEY_GRACE_MS
        self._is_limited = wiring.settings.rate_limits
        self._lateness_ms = wiring.settings.max_signal_lateness_seconds * 1000

    @staticmethod
    def is_signed() -> bool:
        """Tell whether the request at hand is signed, rightly or not."""
        return "signature" in request.headers

    def reader(self) -> Caller:
        """Return the sender of a request that changes nothing.

        Raises:
            Problem: nobody we know, or a request of another time.
        """
        return self._sender(is_change=False)()

    def serve(self, work: Callable[[Caller], Result]) -> Result:
        """Carry out a request that changes something.

        What an old copy of the registry refuses is looked at once more with a new one; what it
        would permit is checked by the commit.

        Raises:
            Problem: nobody we know, a request of another time, or a key that may only read.
        """
        return self._served(self._sender(is_change=True), work)

    def serve_once(self, work: Callable[[Caller], Result]) -> Result:
        """Carry out a request that makes nothing; sent again, it is told what it was told first.

        Args:
            work: returns the answer, JSON.

        Raises:
            Problem: as in `serve`.
        """
        sender = self._sender(is_change=True)
        return self._once(sender, lambda: self._served(sender, work))

    def serve_parts(
        self,
        parts_of: Callable[[Caller], Sequence[Part]],
        work: Callable[[Caller, Part], Result],
        failed: Callable[[Part, Failed], Result],
    ) -> list[Result]:
        """Carry out a request of several parts, each for itself, and return what each came to.

        What the registry says is looked at anew for each part for which it matters.

        Args:
            parts_of: finds out what the parts are; changes nothing.
            work: carries out one of them; asked to do so twice, it does it once.
            failed: says that a part came to nothing, or is in doubt; asks nobody.

        Raises:
            Problem: as in `serve`, or the parts cannot be told.
            StoreError: it failed at every part, and nothing was written.
        """
        sender = self._sender(is_change=True)

        def carried_out() -> list[Result]:
            parts = self._served(sender, parts_of)
            outcomes = part_by_part(
                parts,
                self._ports.ledger,
                lambda part: self._served(sender, lambda caller: work(caller, part)),
            )
            return [
                failed(part, outcome) if isinstance(outcome, Failed) else outcome
                for part, outcome in zip(parts, outcomes, strict=True)
            ]

        return self._once(sender, carried_out)

    def taken_once(
        self, caller: Caller, part: int, kind: type[Taken], take_in: Callable[[Sender], Taken]
    ) -> Taken:
        """Take in one part of a request, or return what it became when it was sent before.

        Args:
            caller: who sent it.
            part: counts the parts of the request from 0.
            kind: of what it becomes.
            take_in: takes in what the sender that it gets wants, or refuses.
        """
        signed = Mark(one_hash(caller.request_key, part), self._key_life_ms)
        # Signed anew, it is the same by its Idempotency-Key; without that, by its signature still.
        content = one_hash(request.method, raw_target_of(request.environ), caller.body.hex())
        key, whose = request.headers.get(HEADER), (Dialect.POLONIEX, caller.client.key)
        by_key = marks_of_key(key, whose, content, [caller.account], part)
        sender = replace(self.sender(caller), marks=(signed, *by_key))
        try:
            return take_in(sender)
        except (CommandError, VenueError):
            # What it has changed itself may be why it is refused now.
            first = first_of(sender, self._ports)
            found = None if first is None else find_anywhere(first, self._ports)
            if not isinstance(found, kind):
                raise
            return found

    def sender(self, caller: Caller) -> Sender:
        """Return who sends a command, and within which bounds it is taken in."""
        return Sender(
            dialect=Dialect.POLONIEX,
            origin=caller.origin,
            account=caller.account,
            received_at_ms=caller.received_at_ms,
            entry_lateness_ms=self._lateness_ms,
            registry_version=caller.version,
            rate_key=caller.client.origin,
            rate_per_minute=RATE_PER_MINUTE if self._is_limited else 0,
        )

    def _once(self, sender: Callable[[], Caller], carry_out: Callable[[], Result]) -> Result:
        """Carry out the request at hand, or return what it was answered the first time."""
        caller = self._served(sender, lambda caller: caller)
        name = one_hash(caller.request_key, caller.account.id, caller.account.resets)
        return first_answer(name, self._key_life_ms, carry_out, _is_final, self._ports)

    def _served(self, sender: Callable[[], Caller], work: Callable[[Caller], Result]) -> Result:
        return self._clients.with_current_registry(lambda: work(sender()))

    def _sender(self, *, is_change: bool) -> Callable[[], Caller]:
        """Return what tells who sent the request at hand: looked up once for each registry.

        Raises:
            Problem: nobody we know, a request of another time, or a key that may only read.
            TooManyGuesses: nobody we know, and so were too many before.
        """
        body = raw_body()
        credentials = signing.credentials_from(request.headers.get)
        now_ms = self._clock.now_ms()
        known: list[Caller] = []

        def sender() -> Caller:
            if not known or known[-1].version != self._registry.version():
                known.append(self._caller(credentials, body, now_ms, is_change=is_change))
            return known[-1]

        self._guesses.judge(
            request.environ, credentials.key, lambda: self._client(credentials, body), sender
        )
        return sender

    def _client(self, credentials: signing.Credentials, body: bytes) -> ApiClient:
        """Return who has signed the request at hand, as far as this process knows.

        Raises:
            Unauthorized: nobody we know.
        """
        client = self._clients.find(credentials.key)
        if client is None:
            raise Unauthorized(Code.UNAUTHORIZED, text="Invalid API key")
        # What was signed is the target before any decoding.
        wire = signing.Wire(
            method=request.method,
            target=raw_target_of(request.environ),
            body=body,
            prefix=str(request.environ.get("SCRIPT_NAME", "")),
        )
        signing.check_signature(credentials, wire, self._clients.secret_of(client))
        return client

    def _caller(
        self, credentials: signing.Credentials, body: bytes, now_ms: EpochMs, *, is_change: bool
    ) -> Caller:
        self._registry.refresh()
        version = self._registry.version()
        client = self._client(credentials, body)
        signing.check_window(credentials, now_ms, self._tolerance_ms)
        if client.may_nothing or (is_change and not client.may(TRADE)):
            raise Problem(Code.FORBIDDEN)
        accounts = [one for one in self._clients.accounts_of(client) if one.enabled]
        if not accounts:
            raise Problem(Code.FORBIDDEN, "this key has no account")
        return Caller(
            client=client,
            account=accounts[0],
            body=body,
            received_at_ms=now_ms,
            version=version,
            request_key=one_hash(Dialect.POLONIEX, client.key, credentials.given),
        )


def _is_final(answer: object) -> bool:
    """Tell whether sending the request again would do no more than it has done."""
    parts = answer if isinstance(answer, list) else [answer]
    return not any(isinstance(one, dict) and one.get("code") == Code.UNAVAILABLE for one in parts)
