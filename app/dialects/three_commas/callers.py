"""Who calls in the 3Commas dialect, and what they may do."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import request

from app.bootstrap import Wiring
from app.dialects.three_commas.errors import INVALID, invalid_parameters
from app.dialects.three_commas.signing import in_one_spelling, refuse_bad_signature
from app.domain.account import Account, ApiClient
from app.domain.enums import Dialect, Market, Mode
from app.domain.errors import NotAuthenticated, NotPermitted
from app.domain.identifiers import AccountId
from app.domain.sender import Mark
from app.ports.coordination import Budget
from app.web.answers import Answer
from app.web.clients import Clients
from app.web.digests import one_hash
from app.web.guesses import Guesses
from app.web.idempotency import HEADER, marks_of_key
from app.web.raw_body import raw_body
from app.web.raw_target import raw_target_of

READ: Final = "SMART_TRADE_READ"
WRITE: Final = "SMART_TRADE_WRITE"
ACCOUNTS: Final = "ACCOUNTS_READ"

#: Longer than any key that there can be.
_KEY_CHARACTERS_MAX = 128

_MINUTE_MS = 60_000
_LIST_WINDOW_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whose signature is good.

    Attributes:
        accounts: those that the request may be about.
        registry_version: of what all this was read from.
        body: of the request, as it was sent.
    """

    client: ApiClient
    accounts: Mapping[AccountId, Account]
    registry_version: int
    body: bytes


class Callers:
    """Looks up who calls. The order of the checks is part of the dialect."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._clients = Clients(wiring, Dialect.THREE_COMMAS)
        self._guesses = Guesses(wiring, Dialect.THREE_COMMAS)
        self._rates = wiring.rates
        settings = wiring.settings
        self._is_limited = settings.rate_limits
        self._is_signature_used = settings.three_commas_single_use_sign
        self._per_minute = Budget(
            purpose="minute", limit=settings.three_commas_rate_per_minute, window_ms=_MINUTE_MS
        )
        self._lists = Budget(
            purpose="lists", limit=settings.three_commas_list_rate, window_ms=_LIST_WINDOW_MS
        )

    def serve(
        self, permission: str | None, work: Callable[[Caller], Answer], *, is_list: bool = False
    ) -> Answer:
        """Do the work for whoever has signed the request at hand.

        Args:
            permission: what they must be permitted to do; None asks nothing.
            work: is done anew if it turns out that it was done with an old registry.
            is_list: whether it counts as a list.

        Raises:
            NotAuthenticated: no such key, or not this signature.
            TooManyGuesses: nor were too many requests of this address before.
            RateLimited: a budget of the key is used up, by requests that it has signed.
            NotPermitted: the key may not do this.
        """
        key, body = _named_key(), raw_body()

        def check() -> None:
            self._client(key, body)

        def look() -> None:
            # What a signature permits is decided anew each time, with what is true by now.
            self._registry.refresh()
            check()

        self._guesses.judge(request.environ, key, check, look)
        self._spend(key, is_list=is_list)
        return self._clients.with_current_registry(
            lambda: work(self._caller(key, permission, body))
        )

    def _spend(self, key: str, *, is_list: bool) -> None:
        """Count a request against the key that has signed it: nobody else can use its budget up."""
        if self._is_limited:
            caller = hashlib.sha256(f"{Dialect.THREE_COMMAS}:{key}".encode()).hexdigest()
            budgets = [self._per_minute, self._lists] if is_list else [self._per_minute]
            self._rates.spend(caller, budgets)

    def _client(self, key: str, body: bytes) -> ApiClient:
        """Return who has signed the request at hand, as far as this process knows."""
        client = self._clients.find(key)
        if client is None:
            raise NotAuthenticated("there is no such key, or it was switched off")
        secret = self._clients.secret_of(client)
        signature = request.headers.get("Signature")
        refuse_bad_signature(signature, raw_target_of(request.environ), body, secret)
        return client

    def marks(self, caller: Caller) -> tuple[Mark, ...]:
        """Return by what the request at hand is known again.

        Raises:
            UnusableKey: its Idempotency-Key is empty or too long.
        """
        # One signature is good for the path with and without what stands before it.
        target = raw_target_of(request.environ).partition("/ver1")[2]
        content = one_hash(in_one_spelling(target), caller.body.hex())
        key, whose = request.headers.get(HEADER), (Dialect.THREE_COMMAS, caller.client.key)
        by_key = marks_of_key(key, whose, content, caller.accounts.values())
        # What is equal is signed alike: there is no time in a signature.
        signed = Mark(one_hash(*whose, content), _MINUTE_MS)
        return (signed, *by_key) if self._is_signature_used else by_key

    def _caller(self, key: str, permission: str | None, body: bytes) -> Caller:
        version = self._registry.version()
        client = self._client(key, body)
        if permission and not client.may(permission):
            raise NotPermitted(f"the key may not {permission}")
        paper_only = _wants_paper()
        accounts = self._clients.accounts_of(client)
        return Caller(
            client=client,
            accounts={one.id: one for one in accounts if not paper_only or one.mode is Mode.PAPER},
            registry_version=version,
            body=body,
        )


def _named_key() -> str:
    key = request.headers.get("APIKEY", "")
    if 0 < len(key) <= _KEY_CHARACTERS_MAX:
        return key
    raise NotAuthenticated("no key is named, or none that there can be")


def _wants_paper() -> bool:
    """Tell whether the request may be about play money only (3Commas docs, README, 2021).

    `real` leaves play money in, so that a program which always says so can be tried.

    Raises:
        InvalidParameters: the header says something else.
    """
    mode = request.headers.get("Forced-Mode", "real")
    if mode not in {"real", "paper"}:
        raise invalid_parameters({"Forced-Mode": [INVALID]})
    return mode == "paper"


def supports(account: Account) -> bool:
    """Tell whether smart trades can be made in an account."""
    return account.enabled and account.market is Market.SPOT


def why_not(account: Account) -> str:
    """Return why no smart trade can be made in an account, in the words of a message."""
    if account.market is not Market.SPOT:
        return f"is a {account.market} account: smart trades are made in SPOT accounts only"
    return "is switched off"
