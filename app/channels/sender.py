"""Brings each message to its channel, by what its address says."""

import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import structlog

from app.domain.channel import WEBHOOK, Channel, Message
from app.domain.errors import StoreError
from app.ports.notices import Outcome, Sent
from app.ports.registry import Vault

_log = structlog.get_logger()


def services() -> Any:  # noqa: ANN401 - a module
    """Return `app.channels.services`, imported at the first use."""
    return import_module("app.channels.services")


def _webhook() -> Any:  # noqa: ANN401 - a module
    return import_module("app.channels.webhook")


class ChannelSender:
    """Sends messages; see `Sender`.

    Args:
        vault: opens the addresses.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def send(self, channel: Channel, message: Message) -> Sent:
        """Send it, within seconds. Never raises on account of the service."""
        try:
            secrets = self._vault.decrypt(channel.origin, channel.sealed)
        except StoreError as error:
            return Sent(Outcome.REFUSED, str(error))
        try:
            sent = _sent(channel, secrets, message)
        except Exception as error:  # noqa: BLE001 - a hundred services: whatever goes wrong in one
            # Its words may repeat the address, which may be all that one needs.
            sent = Sent(Outcome.UNKNOWN, type(error).__name__)
        if sent.outcome is not Outcome.ARRIVED:
            _log.warning(
                "message_not_sent",
                channel=channel.name,
                service=channel.service,
                outcome=sent.outcome,
                words=sent.words,
            )
        return sent


def _sent(channel: Channel, secrets: Mapping[str, str], message: Message) -> Sent:
    if channel.service == WEBHOOK:
        url, secret = secrets["webhook_url"], secrets["secret"]
        sent: Sent = _webhook().send(url, secret, message, int(time.time()))
    else:
        sent = services().send(secrets["service_url"], message)
    return sent
