"""The dashboard's session: a signed cookie that lets in until its time is over, or it was ended."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from app.domain.identifiers import EpochMs
from app.ports.coordination import UsedKeys

#: Name of the cookie.
COOKIE = "hookfill_session"

#: Twelve hours: a working day, and no more.
LIFE_SECONDS = 12 * 3600

#: What a session is bound to that was ended.
_ENDED = "0"


class Sessions:
    """Begins sessions, recognizes and ends them, in any web process. The store has the ended ones.

    Args:
        key: a secret that all web processes share; another one ends every session.
        ended: each session that somebody has ended, until its time is over.
        now: epoch seconds.
    """

    def __init__(
        self, key: str, ended: UsedKeys, now: Callable[[], int] = lambda: int(time.time())
    ) -> None:
        self._key = key.encode()
        self._ended = ended
        self._now = now

    def begin(self) -> str:
        """Return the cookie of a new session: `<end>.<random>.<signature>`."""
        text = f"{self._now() + LIFE_SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{text}.{self._signature('session', text)}"

    def is_valid(self, cookie: str) -> bool:
        """Tell whether we have signed this cookie, its time is not over, and nobody has ended it.

        Raises:
            StoreUnavailable: the last cannot be told.
        """
        if self._end_of(cookie) <= self._now():
            return False
        return self._ended.content(self._name(cookie), EpochMs(self._now() * 1000)) is None

    def end(self, cookie: str) -> None:
        """Let nobody in with this cookie any more, nor with a copy. Twice is once.

        Raises:
            StoreUnavailable: it may let in still.
        """
        until, now = self._end_of(cookie), self._now()
        if until > now:
            self._ended.use(self._name(cookie), _ENDED, EpochMs(now * 1000), EpochMs(until * 1000))

    def _end_of(self, cookie: str) -> int:
        """Return when the time of a cookie is over, in epoch seconds; 0 if we did not sign it."""
        text, _, signature = cookie.rpartition(".")
        if not _is_equal(signature, self._signature("session", text)):
            return 0
        return int(text.partition(".")[0])

    def _name(self, cookie: str) -> str:
        return self._signature("ended", cookie)

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
