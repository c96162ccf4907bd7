"""Telegram, Discord, Slack, e-mail and some hundred more services, which apprise speaks to.

Imported when a channel is first made or told: who has none saves its memory.
"""

import re
from typing import Any, Final

import apprise

from app.domain.channel import Message
from app.ports.notices import Outcome, Sent

#: Of what is said of a message, as much as is shown.
_WORDS_MAX: Final = 200

#: A part of an address that may be a secret.
_PART = re.compile(r"[^/:@?&=#,]{6,}")

#: What apprise says of a service that has refused a message: it has not arrived.
_REFUSED = re.compile(r"\berror=4\d\d\b")

#: It keeps nothing on the disk, and does one thing after the other.
_ASSET: Final = apprise.AppriseAsset(
    app_id="Hookfill",
    app_desc="Hookfill",
    async_mode=False,
    storage_mode=apprise.PersistentStoreMode.MEMORY,
    service_timeout=0,  # each request has one of its own; with this, a thread would outlive us
)


def service_of(url: str) -> str | None:
    """Return the service of an address, as its scheme is called, or None if it is of none.

    Nor is one that leads to several places: where one of them fails, the others would get the same
    again and again.
    """
    server = _server(url)
    return None if server is None else str(min(_only(server).schemas()))


def _server(url: str) -> apprise.Apprise | None:
    server = apprise.Apprise(asset=_ASSET)
    if not server.add(url) or len(server) != 1 or len(_only(server)) != 1:
        return None
    return server


def _only(server: apprise.Apprise) -> Any:  # noqa: ANN401 - one of a hundred classes
    return server[0]


def send(url: str, message: Message) -> Sent:
    """Send a message to the service of an address. Raises what goes wrong in the service's code."""
    server = _server(url)
    if server is None:
        return Sent(Outcome.REFUSED, "the address is of no service that is known")
    result = server.notify(
        body=message.text, title=message.title, body_format=apprise.NotifyFormat.TEXT
    )
    if result:
        return Sent(Outcome.ARRIVED)
    said = "; ".join(entry.message for entry in result.logs())
    said = without_secrets(said or result.status.name.lower(), url)[:_WORDS_MAX]
    return Sent(Outcome.REFUSED if _REFUSED.search(said) else Outcome.UNKNOWN, said)


def without_secrets(words: str, url: str) -> str:
    """Return words without any part of an address that may be a secret."""
    for part in sorted(set(_PART.findall(url)), key=len, reverse=True):
        words = words.replace(part, "***")
    return words
