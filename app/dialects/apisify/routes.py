"""The apisify order: `POST /v1/order`."""

import time
from collections.abc import Mapping, Sequence
from functools import partial

from flask import request

from app import metrics
from app.bootstrap import Wiring
from app.dialects.apisify import parse as reading
from app.dialects.apisify import render as writing
from app.dialects.apisify import signing
from app.dialects.apisify.schemas import LimitOrder
from app.domain.account import PAPER, Account, ApiClient
from app.domain.enums import Dialect
from app.domain.errors import MarketsUnknown, NotAuthenticated
from app.domain.identifiers import EpochMs, Symbol
from app.domain.sender import Mark, Sender, SingleUse
from app.services.intake.accept import Accepted
from app.services.intake.requests import accept_reversal
from app.services.learn import learn_markets
from app.services.repeats import first_of
from app.services.symbols import symbol_of
from app.web.answers import Answer
from app.web.clients import Clients
from app.web.digests import one_hash
from app.web.fields import POSITIVE, Number, Text, WholeNumber
from app.web.guesses import Guesses
from app.web.idempotency import HEADER, marks_of_key
from app.web.json_body import alert_from
from app.web.peer import address_of, is_among, url_of
from app.web.raw_body import raw_body
from app.web.routes import Access, Route

Payload = Mapping[str, object]

PATH = "/v1/order"

#: Of one key. The page names no limit; this is one against programs that have gone wild.
RATE_PER_MINUTE = 600

_DUPLICATES = metrics.DUPLICATES.labels(dialect=Dialect.APISIFY)
_ACKNOWLEDGE_SECONDS = metrics.ACKNOWLEDGE_SECONDS.labels(dialect=Dialect.APISIFY)


class Orders:
    """Takes in orders: who sends, what is meant, written durably, then the answer."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._registry = wiring.registry
        self._clients = Clients(wiring, Dialect.APISIFY)
        self._guesses = Guesses(wiring, Dialect.APISIFY)
        self._instruments = wiring.paper.traded
        self._symbol_of = partial(symbol_of, venues=wiring.ports.venues, symbols=wiring.symbols)
        self._settings = wiring.settings
        self._window = signing.Window(
            behind_ms=wiring.settings.apisify_recv_window_ms,
            ahead_ms=wiring.settings.apisify_max_ahead_ms,
        )

    def receive(self) -> Answer:
        """Answer once the order is stored, or raise with nothing queued."""
        started = time.perf_counter()
        try:
            payload = alert_from(raw_body())
            now_ms = self._ports.clock.now_ms()
            key = signing.key_from(payload)
            return self._guesses.judge(
                request.environ,
                key,
                lambda: self._signed_by(key, payload, now_ms),
                lambda: self._clients.with_current_registry(
                    lambda: self._accept(key, payload, now_ms)
                ),
            )
        finally:
            _ACKNOWLEDGE_SECONDS.observe(time.perf_counter() - started)

    def _accept(self, key: str, payload: Payload, received_at_ms: EpochMs) -> Answer:
        version = self._registry.version()
        client, settings, signature = self._signed_by(key, payload, received_at_ms)
        order = reading.order_from(payload, settings)
        accounts = self._clients.accounts_of(client)
        digest = signing.digest_of(payload)
        window_ms, single_use = settings.dedup_window_seconds * 1000, None
        if signature is not None:
            window_ms = self._window.used_ms
            resets = [one.resets for one in accounts]
            if self._settings.apisify_single_use_sign:
                single_use = SingleUse(
                    one_hash(client.key, signature, *resets), digest, is_signature=True
                )
        known_by = one_hash(Dialect.APISIFY, client.key, signature or "", digest)
        by_itself = (Mark(known_by, window_ms, single_use),)
        by_key = marks_of_key(
            request.headers.get(HEADER),
            (Dialect.APISIFY, client.key),
            signing.unsigned_digest_of(payload),
            accounts,
        )
        sender = partial(
            Sender,
            dialect=Dialect.APISIFY,
            origin=client.origin,
            received_at_ms=received_at_ms,
            entry_lateness_ms=self._settings.max_signal_lateness_seconds * 1000,
            exits=settings.exits,
            registry_version=version,
            rate_key=client.origin,
            rate_per_minute=RATE_PER_MINUTE if self._settings.rate_limits else 0,
            marks=by_itself + by_key if signature else by_key or by_itself,
        )
        try:
            account, symbol = self._account_for(order, accounts)
        except MarketsUnknown:
            # Which account it is nobody can tell; what it was told first is known all the same.
            firsts = (first_of(sender(account=one), self._ports) for one in accounts)
            first = next((one for one in firsts if one is not None), None)
            if first is not None:
                return self._answer(order, Accepted(first, is_duplicate=True))
            there = (one for one in accounts if one.venue == order.exchange)
            learn_markets(there, self._ports)
            account, symbol = self._account_for(order, accounts)
        sent_by = sender(account=account)
        return self._answer(order, accept_reversal(order.command, symbol, sent_by, self._ports))

    def _account_for(
        self, order: reading.Order, accounts: Sequence[Account]
    ) -> tuple[Account, Symbol]:
        traded = self._instruments.all()
        return reading.account_for(order, accounts, traded, self._symbol_of, self._is_known)

    def _is_known(self, account: Account) -> bool:
        listed = self._ports.venues.listed(account.hosts)
        return account.venue == PAPER or any(one.market is account.market for one in listed)

    @staticmethod
    def _answer(order: reading.Order, accepted: Accepted) -> Answer:
        if accepted.is_duplicate:
            _DUPLICATES.inc()
        return writing.accepted(order, accepted.id, is_duplicate=accepted.is_duplicate)

    def _signed_by(
        self, key: str, payload: Payload, now_ms: EpochMs
    ) -> tuple[ApiClient, reading.ClientSettings, str | None]:
        """Return whose key it is, and the signature if it is good; None where none is needed.

        Raises:
            NotAuthenticated: one of the two is wrong.
        """
        client = self._clients.find(key)
        if client is None:
            raise NotAuthenticated(signing.UNAUTHORIZED)
        settings = reading.settings_of(client)
        return client, settings, self._signature(payload, client, settings, now_ms)

    def _signature(
        self, payload: Payload, client: ApiClient, settings: reading.ClientSettings, now_ms: EpochMs
    ) -> str | None:
        """Return the signature, if it is good; None where TradingView needs none.

        Only the peer itself can be TradingView, or whom a trusted proxy names.
        """
        trusted = self._settings.trusted_proxies
        peer = address_of(request.environ, trusted)
        if settings.allow_tradingview_ip and is_among(peer, self._settings.apisify_tradingview_ips):
            return None
        urls = self._settings.apisify_public_urls or (
            url_of(request.environ, trusted, is_host_forwarded=self._settings.trust_forwarded_host),
        )
        # With a slash at its end it is the same path, and clients sign what they call.
        bare = [one.removesuffix("/") for one in urls]
        called = [*bare, *(f"{one}/" for one in bare)]
        secret = self._clients.secret_of(client)
        return signing.signature_from(payload, called, secret, now_ms, self._window)


class _Signed(LimitOrder):
    """An order with who sends it; the other two fields, TradingView need not fill in."""

    apikey = Text(required=True)
    timestamp = WholeNumber()
    sign = Text()
    price = Number(validate=POSITIVE)


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the one route of the dialect."""
    return (
        Route(
            "POST",
            PATH,
            Orders(wiring).receive,
            "Take in an apisify order; key and signature are in the body.",
            access=Access.CALLER,
            body=_Signed(),
            answers={200: "Stored durably.", 401: "Key, time or signature."},
            is_exact=False,
        ),
    )
