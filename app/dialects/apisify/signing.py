"""Who signed a request, when, and for which URL (apisify spec, section 1).

The signature covers time stamp, method and URL, but not the body. So it is good for one body only
(section 4), within a short window.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.errors import NotAuthenticated, StaleTimestamp
from app.domain.identifiers import EpochMs
from app.web import digests

#: What everybody is told whose key, time stamp or signature is missing or wrong.
UNAUTHORIZED = "unknown key or bad signature"

#: How long a signature stays used after nobody could use it any more.
USED_TIDY_MS = 60_000

_KEY_CHARACTERS_MAX = 128

#: More digits are no time that anybody lives to see.
_TIMESTAMP = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How far a time stamp may be from now.

    Attributes:
        behind_ms: the oldest that is good is this old.
        ahead_ms: one this far ahead, or further, is none.
    """

    behind_ms: int = 5_000
    ahead_ms: int = 1_000

    @property
    def used_ms(self) -> int:
        """For how long a signature must be remembered."""
        return self.behind_ms + self.ahead_ms + USED_TIDY_MS


def key_from(payload: Mapping[str, object]) -> str:
    """Return the key that a request names.

    Raises:
        NotAuthenticated: it names none.
    """
    key = payload.get("apikey")
    if isinstance(key, str) and 0 < len(key) <= _KEY_CHARACTERS_MAX:
        return key
    raise NotAuthenticated(UNAUTHORIZED)


def signature_from(
    payload: Mapping[str, object], urls: Sequence[str], secret: str, now_ms: EpochMs, window: Window
) -> str:
    """Return the signature of a request, in lower case, if it is good.

    Args:
        payload: the whole body.
        urls: those that the client may have called.
        secret: of the client.
        now_ms: business time.
        window: how far the time stamp may be from it.

    Raises:
        NotAuthenticated: time stamp or signature is missing or wrong.
        StaleTimestamp: the time stamp is outside of the window; the clocks may differ.
    """
    text = _timestamp(payload.get("timestamp"))
    _refuse_stale(int(text), now_ms, window)
    signature = payload.get("sign")
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        raise NotAuthenticated(UNAUTHORIZED)
    signature = signature.lower()
    # All of them are compared, so that the time taken does not tell which one it was.
    matches = [hmac.compare_digest(signature, signed(secret, text, url)) for url in urls]
    if not any(matches):
        raise NotAuthenticated(UNAUTHORIZED)
    return signature


def signed(secret: str, timestamp: str, url: str) -> str:
    """Return what `sign` must be for a call of this URL."""
    text = f"{timestamp}POST{url}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def digest_of(payload: Mapping[str, object]) -> str:
    """Return a hash that only the same body has, save for its signature and the order of keys."""
    signed_part = {name: value for name, value in payload.items() if name != "sign"}
    return digests.digest_of(signed_part)


def unsigned_digest_of(payload: Mapping[str, object]) -> str:
    """Return a hash that the same order has as well when it was signed anew."""
    return digests.digest_of(
        {name: value for name, value in payload.items() if name not in {"sign", "timestamp"}}
    )


def _timestamp(value: object) -> str:
    """Return the time stamp as it was sent, since that text is what was signed."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        return value
    raise NotAuthenticated(UNAUTHORIZED)


def _refuse_stale(timestamp_ms: int, now_ms: EpochMs, window: Window) -> None:
    if now_ms - window.behind_ms <= timestamp_ms < now_ms + window.ahead_ms:
        return
    behind = now_ms - timestamp_ms
    raise StaleTimestamp(
        f"timestamp was {abs(behind)} ms {'behind' if behind > 0 else 'ahead of'} the server; "
        f"it counts milliseconds and may be {window.behind_ms} ms behind, {window.ahead_ms} ahead",
        now_ms,
    )
