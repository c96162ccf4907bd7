"""The dashboard's session: a signed cookie that says until when somebody is let in."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

#: Name of the cookie.
COOKIE = "hookfill_session"

#: Twelve hours: a working day, and no more.
LIFE_SECONDS = 12 * 3600

#: Characters of a time in seconds; a longer one was not written here.
_TIME_CHARACTERS_MAX = 12


class Sessions:
    """Begins sessions and recognizes them, in any web process, without keeping them anywhere.

    Args:
        key: a secret that all web processes share; another one ends every session.
        now: epoch seconds.
    """

    def __init__(self, key: str, now: Callable[[], int] = lambda: int(time.time())) -> None:
        self._key = key.encode()
        self._now = now

    def begin(self) -> str:
        """Return the cookie of a new session: `<end>.<random>.<signature>`."""
        text = f"{self._now() + LIFE_SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{text}.{self._signature('session', text)}"

    def is_valid(self, cookie: str) -> bool:
        """Tell whether we have signed this cookie and its time is not over."""
        text, _, signature = cookie.rpartition(".")
        if not _is_equal(signature, self._signature("session", text)):
            return False
        end = text.partition(".")[0]
        return len(end) <= _TIME_CHARACTERS_MAX and self._now() < int(end)

    def csrf_token(self, cookie: str) -> str:
        """Return what requests of this session must bring that change anything.

        Another site can make a browser send the cookie, but cannot read this.
        """
        return self._signature("csrf", cookie)

    def is_csrf_token(self, cookie: str, token: str) -> bool:
        """Tell whether the token belongs to the session."""
        return _is_equal(token, self.csrf_token(cookie))

    def _signature(self, purpose: str, text: str) -> str:
        message = f"{purpose} {text}".encode(errors="replace")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()


def _is_equal(said: str, wanted: str) -> bool:
    """Compare in a time that does not depend on where the texts differ."""
    return hmac.compare_digest(said.encode(errors="replace"), wanted.encode())
