"""The Crypto Arsenal webhook: `POST /trading-signal/webhook`."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import structlog

from app import metrics
from app.bootstrap import Wiring
from app.dialects.crypto_arsenal import render
from app.dialects.crypto_arsenal.parse import DelayRules, command_from
from app.dialects.crypto_arsenal.schemas import Open
from app.dialects.crypto_arsenal.settings import ConnectorSettings, settings_of
from app.domain.account import Connector
from app.domain.commands import Action, SignalRules
from app.domain.enums import Dialect
from app.domain.errors import ConnectorInactive, NotAuthenticated
from app.domain.identifiers import EpochMs
from app.domain.sender import Mark, Sender
from app.services.intake.accept import Accepted
from app.services.intake.requests import accept_signal
from app.web.answers import Answer
from app.web.fast_path import Environ
from app.web.fields import Text
from app.web.guesses import Guesses
from app.web.idempotency import marks_of_key
from app.web.json_body import alert_from, canonical_text
from app.web.peer import address_of, is_among
from app.web.raw_body import raw_body_of
from app.web.registry_refresh import with_current_registry
from app.web.routes import Access, Route

Payload = Mapping[str, object]

#: Name and token of a connector.
Credentials = tuple[str, str]

PATH = "/trading-signal/webhook"

#: Lengths of section 2.
_NAME_CHARACTERS_MAX = 128
_TOKEN_CHARACTERS_MAX = 256

_log = structlog.get_logger()

_DUPLICATES = metrics.DUPLICATES.labels(dialect=Dialect.CRYPTO_ARSENAL)
_ACKNOWLEDGE_SECONDS = metrics.ACKNOWLEDGE_SECONDS.labels(dialect=Dialect.CRYPTO_ARSENAL)


class Webhook:
    """Takes in signals: who sends, what is meant, written durably, then `ok`."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._registry = wiring.registry
        self._vault = wiring.vault
        self._settings = wiring.settings
        self._guesses = Guesses(wiring, Dialect.CRYPTO_ARSENAL)
        self._checked: tuple[int, dict[str, tuple[ConnectorSettings, SignalRules]]] = (-1, {})
        self._delays = DelayRules(
            seconds_max=wiring.settings.max_delay_seconds,
            ignores_case=wiring.settings.delay_filter_ignores_case,
        )

    def receive(self, environ: Environ) -> Answer:
        """Answer `ok` once the signal is stored, or raise with nothing queued."""
        started = time.perf_counter()
        try:
            received_at_ms = self._ports.clock.now_ms()
            payload = alert_from(raw_body_of(environ))
            peer = address_of(environ, self._settings.trusted_proxies)
            key = environ.get("HTTP_IDEMPOTENCY_KEY")
            credentials = credentials_from(payload)
            accepted = self._guesses.judge(
                environ,
                credentials[0],
                lambda: self._authenticated(credentials, peer),
                lambda: with_current_registry(
                    self._registry,
                    self._ports.ledger,
                    lambda: self._accept(payload, credentials, peer, key, received_at_ms),
                ),
            )
        finally:
            _ACKNOWLEDGE_SECONDS.observe(time.perf_counter() - started)
        if accepted.is_duplicate:
            _DUPLICATES.inc()
        return render.ok(accepted.id)

    def _accept(
        self,
        payload: Payload,
        credentials: Credentials,
        peer: str,
        key: str | None,
        received_at_ms: EpochMs,
    ) -> Accepted:
        version = self._registry.version()
        connector, settings, rules = self._authenticated(credentials, peer)
        account = self._registry.account_named(connector.account)
        if not connector.enabled or not account.enabled:
            raise ConnectorInactive(f"connector {connector.name} is switched off")
        command = command_from(payload, account.market, settings, self._delays)
        ignored = ignored_in(payload, command.action)
        if ignored:
            _log.warning("fields_ignored", fields=ignored, action=command.action)
        digest = digest_of(connector.name, payload)
        whose = (Dialect.CRYPTO_ARSENAL, connector.name)
        by_key = marks_of_key(key, whose, digest, [account])
        sender = Sender(
            dialect=Dialect.CRYPTO_ARSENAL,
            origin=connector.origin,
            account=account,
            received_at_ms=received_at_ms,
            exits=settings.exits_in(account),
            registry_version=version,
            rate_key=connector.origin,
            rate_per_minute=settings.rate_limit_per_minute if self._settings.rate_limits else 0,
            marks=by_key or (Mark(digest, settings.dedup_window_seconds * 1000),),
        )
        return accept_signal(command, connector.symbol, rules, sender, self._ports)

    def _settings_of(
        self, connector: Connector, version: int
    ) -> tuple[ConnectorSettings, SignalRules]:
        """Return the connector's settings, checked once for each version of the registry."""
        if self._checked[0] != version:
            self._checked = (version, {})
        known = self._checked[1].get(connector.name)
        if known is None:
            settings = settings_of(connector.settings)
            known = settings, settings.rules(self._settings.max_signal_lateness_seconds * 1000)
            self._checked[1][connector.name] = known
        return known

    def _authenticated(
        self, credentials: Credentials, peer: str
    ) -> tuple[Connector, ConnectorSettings, SignalRules]:
        """Return the connector; an unknown name costs the same comparison as a wrong token.

        Raises:
            NotAuthenticated: one of the two is wrong, or the peer may not send to it. Whether the
                token is right, such a peer is not told.
        """
        version = self._registry.version()
        name, token = credentials
        connector = self._registry.connector(name)
        owner, kept = (
            (name, None) if connector is None else (connector.origin, connector.token_hash)
        )
        if not self._vault.matches(owner, token, kept) or connector is None:
            raise NotAuthenticated("unknown connector or bad token")
        settings, rules = self._settings_of(connector, version)
        if settings.allowed_ips and not is_among(peer, settings.allowed_ips):
            raise NotAuthenticated(f"connector {connector.name} may not be used from this address")
        return connector, settings, rules


def credentials_from(payload: Payload) -> Credentials:
    """Return the connector's name and token as the message gives them (section 1).

    Raises:
        NotAuthenticated: one of them is missing, empty, too long or no text. A stranger is told
            neither which, nor what else a message needs.
    """
    name = payload.get("connectorName")
    token = payload.get("connectorToken")
    if _is_text(name, _NAME_CHARACTERS_MAX) and _is_text(token, _TOKEN_CHARACTERS_MAX):
        return name, token
    raise NotAuthenticated("unknown connector or bad token")


def _is_text(value: object, characters_max: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= characters_max


def ignored_in(payload: Payload, action: Action) -> tuple[str, ...]:
    """Return the fields that a trader may believe in though they do nothing (section 3.3)."""
    if action not in {Action.CLOSE_LONG, Action.CLOSE_SHORT}:
        return ()
    return tuple(name for name in ("profit", "loss") if payload.get(name) not in (None, ""))


def digest_of(connector_name: str, payload: Payload) -> str:
    """Return a hash, in hexadecimal, that only the same message again has (section 4).

    The order of keys, blanks between them and the token do not count. `100` and `"100"` differ.
    """
    # In any case: a token under a misspelled name is a token still.
    shown = {name: value for name, value in payload.items() if name.lower() != "connectortoken"}
    return hashlib.sha256(f"{connector_name}\n{canonical_text(shown)}".encode()).hexdigest()


class _Sender(Open):
    """A message with who sends it; which fields else there may be depends on the action."""

    connector = Text(data_key="connectorName", required=True)
    token = Text(data_key="connectorToken", required=True)
    action = Text(required=True)


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the one route of the dialect."""
    return (
        Route(
            "POST",
            PATH,
            Webhook(wiring).receive,
            "Take in a Crypto Arsenal signal; its token is in the body.",
            access=Access.CALLER,
            body=_Sender(),
            answers={200: "`ok`: stored durably.", 409: "The connector is switched off."},
            is_exact=False,
            is_fast=True,
        ),
    )
