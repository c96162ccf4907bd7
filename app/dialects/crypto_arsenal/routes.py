"""The Crypto Arsenal webhook: `POST /trading-signal/webhook`."""

import time
from collections.abc import Mapping, Sequence

import structlog

from app import metrics
from app.bootstrap import Wiring
from app.dialects.crypto_arsenal import parse, render
from app.dialects.crypto_arsenal.delays import DelayRules
from app.dialects.crypto_arsenal.schemas import Open
from app.dialects.crypto_arsenal.settings import ConnectorSettings, settings_of
from app.domain.account import Connector
from app.domain.enums import Dialect
from app.domain.errors import ConnectorInactive, NotAuthenticated
from app.domain.identifiers import EpochMs
from app.domain.sender import Sender
from app.services.intake.accept import Accepted
from app.services.intake.requests import accept_signal
from app.web.answers import Answer
from app.web.fast_path import Environ
from app.web.fields import Text
from app.web.json_body import payload_from
from app.web.peer import address_of
from app.web.raw_body import raw_body_of
from app.web.registry_refresh import with_current_registry
from app.web.routes import Access, Route

Payload = Mapping[str, object]

PATH = "/trading-signal/webhook"

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
        self._nobody = wiring.vault.digest("nobody")
        self._checked: tuple[int, dict[str, ConnectorSettings]] = (-1, {})
        self._delays = DelayRules(
            seconds_max=wiring.settings.max_delay_seconds,
            ignores_case=wiring.settings.delay_filter_ignores_case,
        )

    def receive(self, environ: Environ) -> Answer:
        """Answer `ok` once the signal is stored, or raise with nothing queued."""
        started = time.perf_counter()
        try:
            accepted = self._accepted(environ, self._ports.clock.now_ms())
        finally:
            _ACKNOWLEDGE_SECONDS.observe(time.perf_counter() - started)
        if accepted.is_duplicate:
            _DUPLICATES.inc()
        return render.ok(accepted.id)

    def _accepted(self, environ: Environ, received_at_ms: EpochMs) -> Accepted:
        payload = payload_from(raw_body_of(environ))
        peer = address_of(environ, self._settings.trusted_proxies)
        return with_current_registry(
            self._registry,
            self._ports.ledger,
            lambda: self._accept(payload, peer, received_at_ms),
        )

    def _accept(self, payload: Payload, peer: str, received_at_ms: EpochMs) -> Accepted:
        version = self._registry.version()
        connector = self._authenticated(payload)
        settings = self._settings_of(connector, version)
        if not settings.allows(peer):
            raise NotAuthenticated(f"connector {connector.name} may not be used from this address")
        account = self._registry.account_named(connector.account)
        if not connector.enabled or not account.enabled:
            raise ConnectorInactive(f"connector {connector.name} is switched off")
        message = parse.message_from(
            payload, connector.name, account.market, settings, self._delays
        )
        if message.ignored:
            _log.warning("fields_ignored", fields=message.ignored, action=message.command.action)
        origin = f"{Dialect.CRYPTO_ARSENAL}:{connector.name}"
        sender = Sender(
            dialect=Dialect.CRYPTO_ARSENAL,
            origin=origin,
            account=account,
            received_at_ms=received_at_ms,
            registry_version=version,
            rate_key=origin,
            rate_per_minute=settings.rate_limit_per_minute if self._settings.rate_limits else 0,
            digest=message.digest,
            digest_life_ms=settings.dedup_window_seconds * 1000,
        )
        rules = settings.rules(self._settings.max_signal_lateness_seconds * 1000)
        return accept_signal(message.command, connector.symbol, rules, sender, self._ports)

    def _settings_of(self, connector: Connector, version: int) -> ConnectorSettings:
        """Return the connector's settings, checked once for each version of the registry."""
        if self._checked[0] != version:
            self._checked = (version, {})
        known = self._checked[1].get(connector.name)
        if known is None:
            known = self._checked[1][connector.name] = settings_of(connector.settings)
        return known

    def _authenticated(self, payload: Payload) -> Connector:
        """Return the connector; an unknown name costs the same comparison as a wrong token."""
        name, token = parse.credentials_from(payload)
        connector = self._registry.connector(name)
        digest = self._nobody if connector is None else connector.token_hash
        if not self._vault.matches(token, digest) or connector is None:
            raise NotAuthenticated("unknown connector or bad token")
        return connector


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
            is_fast=True,
        ),
    )
