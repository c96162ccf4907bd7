"""A webhook of ours: one event in each request.

The receiver computes the same signature, and knows an event again by its id however often it comes.
Imported when one is first told: `requests` takes some memory of each process.
"""

import json
from collections.abc import Mapping
from typing import Final

import requests

from app.channels.signing import key_of, signature_of
from app.domain.channel import Message
from app.domain.notice import Notice
from app.ports.notices import Outcome, Sent

#: Seconds to connect, and between two parts of an answer.
TIMEOUT: Final = (4.0, 8.0)

#: The receiver may take the same later: it was not taken in.
_PASSING: Final = frozenset({408, 425, 429})


def send(url: str, secret: str, message: Message, seconds: int) -> Sent:
    """Send the first notice of a message.

    Args:
        url: where it goes.
        secret: signs for it.
        message: of one notice.
        seconds: UTC epoch; a receiver refuses what is old.
    """
    notice = message.notices[0]
    body = json.dumps(_event(notice, is_repeated=message.is_repeated)).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Hookfill",
        "webhook-id": notice.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature_of(key_of(secret), notice.id, seconds, body),
    }
    try:
        with requests.post(
            url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as response:
            return _sent(response)
    except requests.exceptions.ConnectTimeout:
        return Sent(Outcome.REFUSED, "no connection within seconds")
    except requests.exceptions.RequestException as error:
        is_unsent = isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.SSLError)
        # Words of the library may repeat the address, which may be all that one needs.
        outcome = Outcome.REFUSED if is_unsent or _was_refused(error) else Outcome.UNKNOWN
        return Sent(outcome, f"no answer: {type(error).__name__}")


def _event(notice: Notice, *, is_repeated: bool) -> Mapping[str, object]:
    """Return what a receiver reads: ids are text, times are in milliseconds."""
    return {
        "id": notice.id,
        "type": notice.kind,
        "at_ms": notice.at_ms,
        "account": notice.account,
        "order_id": None if notice.about is None else str(notice.about),
        "message": notice.message,
        "repeated": is_repeated,
    }


def _sent(response: requests.Response) -> Sent:
    status = response.status_code
    if requests.codes.ok <= status < requests.codes.multiple_choices:
        return Sent(Outcome.ARRIVED)
    is_unknown = status >= requests.codes.server_error or status in _PASSING
    return Sent(Outcome.UNKNOWN if is_unknown else Outcome.REFUSED, f"status {status}")


def _was_refused(error: Exception) -> bool:
    """Tell whether nobody took the connection, so that nothing has left."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ConnectionRefusedError):
            return True
        reason = getattr(inner.args[0], "reason", None) if inner.args else None
        inner = (
            reason if isinstance(reason, BaseException) else inner.__cause__ or inner.__context__
        )
    return False
