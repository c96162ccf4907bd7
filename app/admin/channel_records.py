"""Channels, as the admin API sets and shows them (docs/messages.md)."""

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import ValidationError, fields, validate

from app.admin.request_body import body_of_request, checked_name, refuse_body, refused
from app.bootstrap import Wiring
from app.channels import signing
from app.channels.sender import services
from app.domain.channel import WEBHOOK, Channel, QuietHours
from app.domain.identifiers import AccountName
from app.domain.notice import CHOOSABLE, NoticeKind
from app.ports.notices import Mailbox, Progress
from app.services.admin.channels import existing_channel, find_channel, put_channel, try_channel
from app.services.telling.deliver import discard
from app.web.answers import Json
from app.web.fields import (
    Flag,
    Name,
    Strict,
    Text,
    ValueField,
    WholeNumber,
    between,
    loaded,
)

#: An hour.
PAUSE_SECONDS_MAX: Final = 3_600

_ACCOUNTS_MAX: Final = 100

_ADDRESS_CHARACTERS_MAX: Final = 2_048

#: How long whoever tries a channel waits for what has become of the message.
TEST_SECONDS: Final = 25.0
_LOOK_SECONDS: Final = 0.2

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")


def _check_time(text: str) -> None:
    if not _TIME.match(text):
        raise ValidationError("Must be a time of day as 22:00.")


def _check_timezone(text: str) -> None:
    if text not in available_timezones() or (text != "UTC" and "/" not in text):
        raise ValidationError(
            "Must be a time zone as the IANA names it, Europe/Berlin for instance."
        )
    ZoneInfo(text)


class _Service(ValueField[str]):
    """The address of a service that is known."""

    def read(self, value: object) -> str:
        """Return it as it is."""
        if not isinstance(value, str) or not 0 < len(value) <= _ADDRESS_CHARACTERS_MAX:
            raise ValidationError(f"Must be text of 1 to {_ADDRESS_CHARACTERS_MAX} characters.")
        if services().service_of(value) is None:
            raise ValidationError(
                "Must be the address of one place at a service as apprise writes it, "
                "tgram://TOKEN/CHAT for instance. An address of your own is a webhook."
            )
        return value


class _Webhook(ValueField[str]):
    """An address of one's own."""

    def read(self, value: object) -> str:
        """Return it as it is."""
        if isinstance(value, str) and len(value) <= _ADDRESS_CHARACTERS_MAX and value.isascii():
            try:
                parts = urlsplit(value)
                is_url = parts.scheme in {"http", "https"} and bool(parts.hostname)
                if is_url and value.isprintable() and " " not in value and parts.port != 0:
                    return value
            except ValueError:
                pass
        raise ValidationError("Must be a URL that begins with https:// or http://.")


class _Secret(ValueField[str]):
    """What signs for a webhook."""

    def read(self, value: object) -> str:
        """Return it as it is."""
        if isinstance(value, str) and value.startswith(signing.SECRET_PREFIX):
            try:
                if len(signing.key_of(value)) >= 24:  # noqa: PLR2004 - as Standard Webhooks has it
                    return value
            except ValueError:
                pass
        raise ValidationError(
            f"Must be {signing.SECRET_PREFIX} and base64 of 24 or more bytes, or left out."
        )


def _kinds() -> fields.List[NoticeKind]:
    each = fields.Enum(NoticeKind, by_value=True, validate=validate.OneOf(CHOOSABLE))
    return fields.List(each, validate=validate.Length(max=len(CHOOSABLE)))


class _QuietHours(Strict):
    begin = Text(required=True, validate=_check_time)
    end = Text(required=True, validate=_check_time)
    timezone = Text(validate=_check_timezone)
    kinds = _kinds()


class ChannelBody(Strict):
    """What can be set of a channel."""

    service_url = _Service(metadata={"type": "string"})
    webhook_url = _Webhook(metadata={"type": "string"})
    secret = _Secret(metadata={"type": "string"})
    kinds = _kinds()
    accounts = fields.List(Text(), validate=validate.Length(max=_ACCOUNTS_MAX))
    pause_seconds = WholeNumber(validate=between(0, PAUSE_SECONDS_MAX))
    quiet_hours = fields.Nested(_QuietHours, allow_none=True)
    enabled = Flag()


class _Tested(Strict):
    arrived = Flag()
    message = Text()


CHANNEL, TESTED = ChannelBody(), _Tested()
_NAME = Name()


class ChannelRecords:
    """Creates, changes, shows, disables and tries channels."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._registry = wiring.registry
        self._notices = wiring.notices

    def all(self) -> Json:
        """Return all channels, by name, and how it goes with the messages of each."""
        self._registry.refresh()
        return {"data": self.rows()}

    def rows(self) -> list[Json]:
        """Return all that this process knows of, likewise."""
        return [self._shown(channel) for channel in self._registry.channels()]

    def show(self, name: str) -> Json:
        """Return one channel without its address.

        Raises:
            NotFound: there is none with this name.
        """
        return self._shown(existing_channel(name, self._registry))

    def put(self, name: str) -> Json:
        """Create a channel, or change what the body names. A secret that was made is shown once.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
        """
        named = _changes(loaded(CHANNEL, body_of_request()))

        def put() -> tuple[Channel, str | None]:
            if find_channel(name, self._registry) is None:
                checked_name(name, _NAME)
            return put_channel(name, named, self._wiring.records, signing.new_secret)

        channel, made = self._registry.change(put)
        return self._shown(channel) | ({} if made is None else {"secret": made})

    def disable(self, name: str) -> Json:
        """Switch a channel off: nothing is told there, and what waits is dropped.

        Raises:
            NotFound: there is none with this name.
        """

        def disable() -> Channel:
            channel = replace(existing_channel(name, self._registry), enabled=False)
            self._registry.put_channel(channel)
            return channel

        return self._shown(self._registry.change(disable))

    def test(self, name: str) -> Json:
        """Have a message sent that says that messages arrive, and answer what has become of it.

        Raises:
            NotFound: there is none with this name.
        """
        refuse_body()
        channel = existing_channel(name, self._registry)
        if not channel.enabled:
            return {"arrived": False, "message": "The channel is switched off."}
        mailbox = Mailbox(NoticeKind.TEST, name)
        notice_id = try_channel(channel, self._notices, self._wiring.ports.clock)
        until = time.monotonic() + TEST_SECONDS
        while time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            progress = self._notices.progress(mailbox)
            if progress.last_id == notice_id:
                return {"arrived": True, "message": "The message has arrived."}
            if progress.failures:
                discard(mailbox, self._notices)  # whoever wants to know asks again
                self._notices.note(mailbox, Progress(last_id=progress.last_id))
                return {"arrived": False, "message": progress.error}
        return {"arrived": False, "message": "Nothing is known of it yet: do the workers run?"}

    def _shown(self, channel: Channel) -> Json:
        delivery = self._notices.delivery(channel.name)
        quiet = channel.quiet_hours
        return {
            "name": channel.name,
            "service": channel.service,
            "kinds": list(channel.kinds or CHOOSABLE),
            "accounts": list(channel.accounts),
            "pause_seconds": 0 if channel.goes_singly else channel.pause_seconds,
            "quiet_hours": None if quiet is None else _shown_hours(quiet),
            "enabled": channel.enabled,
            "waiting": delivery.waiting,
            "sent": delivery.sent,
            "dropped": delivery.dropped,
            "last_sent_at_ms": delivery.last_sent_ms,
            "error": delivery.error or None,
            "error_at_ms": delivery.error_ms,
        }


def _changes(named: dict[str, Any]) -> dict[str, Any]:
    """Return what the body names, as `put_channel` takes it."""
    if "service_url" in named and "webhook_url" in named:
        raise refused("webhook_url", "Stands beside service_url: one of the two is enough.")
    if "service_url" in named:
        named["service"] = services().service_of(named["service_url"])
    if "webhook_url" in named:
        named["service"] = WEBHOOK
    for name, kind in (("kinds", NoticeKind), ("accounts", AccountName)):
        if name in named:
            named[name] = tuple(dict.fromkeys(map(kind, named[name])))
    if named.get("quiet_hours") is not None:
        hours = named["quiet_hours"]
        if "kinds" in hours:
            hours["kinds"] = tuple(dict.fromkeys(hours["kinds"]))
        named["quiet_hours"] = QuietHours(**hours)
    return named


def _shown_hours(quiet: QuietHours) -> Mapping[str, object]:
    return {
        "begin": quiet.begin,
        "end": quiet.end,
        "timezone": quiet.timezone,
        "kinds": list(quiet.kinds),
    }
