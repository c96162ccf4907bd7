"""A channel is made, changed, or tried."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from app.domain.channel import Channel
from app.domain.errors import NotFound, invalid_fields
from app.domain.notice import Notice, NoticeKind
from app.ports.clock import Clock
from app.ports.notices import Notices
from app.ports.registry import Registry
from app.services.admin.connectors import existing_account
from app.services.admin.records import Records
from app.services.telling.alarms import NOBODY

#: Which of them says where a channel leads; one of them is needed.
ADDRESSES: Final = ("service_url", "webhook_url")


def put_channel(
    name: str, changes: Mapping[str, Any], records: Records, make_secret: Callable[[], str]
) -> tuple[Channel, str | None]:
    """Store a new channel, or change what is named of a known one; within a `change`.

    Args:
        name: of the channel.
        changes: fields of the record, their values checked; besides them its address, which is
            `service_url` or `webhook_url`, with `service`, which it is, and `secret`, which signs
            for a webhook.
        records: what it is kept by.
        make_secret: for a webhook that comes without.

    Returns:
        The channel, and the secret that was made: it is told this once.

    Raises:
        MalformedPayload: with the messages by field; nothing has changed.
    """
    known = find_channel(name, records.registry)
    named = dict(changes)
    address: dict[str, str] = {
        field: named.pop(field) for field in (*ADDRESSES, "secret") if field in named
    }
    for account in named.get("accounts", ()):
        existing_account("accounts", account, records)
    if known is None and not address.keys() & set(ADDRESSES):
        raise invalid_fields({"service_url": ["Is needed for a new channel, or else webhook_url."]})
    channel = known or Channel(name=name, sealed="", service="")
    made = None
    if address:
        kept = records.vault.decrypt(channel.origin, channel.sealed) if channel.sealed else {}
        secret, made = _address(kept, address, make_secret)
        named["sealed"] = records.vault.encrypt(channel.origin, secret)
    channel = replace(channel, **named)
    if channel.goes_singly and "pause_seconds" in named:
        message = "Is for services: a webhook gets each event by itself, at once."
        raise invalid_fields({"pause_seconds": [message]})
    if channel.quiet_hours is not None and channel.quiet_hours.begin == channel.quiet_hours.end:
        raise invalid_fields({"quiet_hours": ["Must not end when they begin."]})
    if channel != known:
        records.registry.put_channel(channel)
    return channel, made


def _address(
    kept: Mapping[str, str], given: Mapping[str, str], make_secret: Callable[[], str]
) -> tuple[Mapping[str, str], str | None]:
    """Return what is sealed of an address, and a secret that was made for it."""
    if "service_url" in given:
        if "secret" in given:
            raise invalid_fields({"secret": ["Is for a webhook; a service has its own."]})
        return {"service_url": given["service_url"]}, None
    webhook = given.get("webhook_url") or kept.get("webhook_url")
    if webhook is None:
        raise invalid_fields({"secret": ["Is for a webhook, which this channel is not."]})
    secret = given.get("secret") or kept.get("secret")
    made = None if secret else make_secret()
    return {"webhook_url": webhook, "secret": secret or made or ""}, made


def find_channel(name: str, registry: Registry) -> Channel | None:
    """Return a channel by its name, as far as this process knows, or None if there is none."""
    return next((one for one in registry.channels() if one.name == name), None)


def existing_channel(name: str, registry: Registry) -> Channel:
    """Return a channel by its name.

    Raises:
        NotFound: there is none.
    """
    registry.refresh()
    channel = find_channel(name, registry)
    if channel is None:
        raise NotFound(f"there is no channel named {name[:64]!a}")
    return channel


def try_channel(channel: Channel, notices: Notices, clock: Clock) -> str:
    """Have a message sent that says that messages arrive; return the id of its notice."""
    at_ms = clock.now_ms()
    notice = Notice(
        id=f"test-{channel.name}-{at_ms}",
        kind=NoticeKind.TEST,
        at_ms=at_ms,
        message="this channel works: what you have asked to hear of comes here",
    )
    notices.put(NOBODY, [(channel.name, notice)])
    return notice.id
