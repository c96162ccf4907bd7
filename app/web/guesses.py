"""Guesses of credentials are limited, of every kind in one way (docs/security.md, "Guesses").

What is right is never refused, whoever else has guessed: it is compared first, with what this
process knows. What is wrong is counted by peer and name, and beyond the limit refused at once.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog

from app import metrics
from app.bootstrap import Wiring
from app.domain.errors import NotAuthenticated, StaleTimestamp, TooManyGuesses
from app.web.peer import address_of, is_among, peer_of

Result = TypeVar("Result")

_log = structlog.get_logger()


class Guesses:
    """Judges the credentials of one kind.

    Args:
        wiring: of the web process, of which all kinds share one table.
        kind: a dialect, or `admin`; the same name of another kind is another name.
    """

    def __init__(self, wiring: Wiring, kind: str) -> None:
        self._attempts = wiring.attempts
        self._kind = kind
        self._trusted = wiring.settings.trusted_proxies
        self._shared = wiring.settings.apisify_tradingview_ips
        self._is_limiting = wiring.settings.rate_limits

    def judge(
        self,
        environ: Mapping[str, Any],
        name: str,
        check: Callable[[], object],
        work: Callable[[], Result],
    ) -> Result:
        """Do the work of a request, unless its credentials are one wrong guess too many.

        Args:
            environ: of the request.
            name: that its credentials are for.
            check: raises `NotAuthenticated` if they are wrong, as far as this process knows.
            work: raises it if they are wrong.

        Raises:
            TooManyGuesses: they are wrong, and so were too many of this peer before.
        """
        name = f"{self._kind}:{name}"
        left_ms = self._left_ms(environ, name)
        if left_ms and not _passes(check) and not self._attempts.may_look():
            raise self._refusal(left_ms)
        try:
            return work()
        except StaleTimestamp:
            raise  # nothing was compared
        except NotAuthenticated as error:
            if left_ms:
                raise self._refusal(left_ms) from error
            self._note(environ, name)
            raise

    def _left_ms(self, environ: Mapping[str, Any], name: str) -> int:
        """Return for how long wrong credentials are refused at once."""
        if not (self._attempts and self._is_limiting):  # as nearly always
            return 0
        address = address_of(environ, self._trusted)
        left_ms = self._attempts.left_ms(peer_of(address), name)
        return 0 if left_ms and is_among(address, self._shared) else left_ms

    def _note(self, environ: Mapping[str, Any], name: str) -> None:
        metrics.WRONG_CREDENTIALS.labels(kind=self._kind, limited="no").inc()
        address = address_of(environ, self._trusted)
        if self._attempts.fail(peer_of(address), name):
            _log.warning("guesses_too_many", kind=self._kind, peer=address)

    def _refusal(self, left_ms: int) -> TooManyGuesses:
        metrics.WRONG_CREDENTIALS.labels(kind=self._kind, limited="yes").inc()
        seconds = -(-left_ms // 1000)
        return TooManyGuesses(
            f"too many wrong credentials from this address; wait {seconds} s", left_ms
        )


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except NotAuthenticated:
        return False
    return True
