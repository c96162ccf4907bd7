"""What needs no credential is limited (docs/security.md, "Strangers")."""

from collections.abc import Mapping
from typing import Any, Final

from app.bootstrap import Wiring
from app.domain.errors import RateLimited
from app.ports.coordination import Budget
from app.web.peer import address_of, peer_of

#: What exchanges are asked for people who have signed nothing: all of these together.
_QUESTIONS: Final = Budget(purpose="strangers", limit=60, window_ms=60_000)

#: Who asks; nobody knows.
_ANYBODY: Final = "anybody"


class Strangers:
    """Lets in whoever does not come too often.

    Args:
        wiring: of the web process.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._visits = wiring.visits
        self._rates = wiring.rates
        self._trusted = wiring.settings.trusted_proxies
        self._is_limiting = wiring.settings.rate_limits

    def admit(self, environ: Mapping[str, Any]) -> None:
        """Count a request.

        Raises:
            RateLimited: there were too many from its address.
        """
        if not self._is_limiting:
            return
        left_ms = self._visits.come(peer_of(address_of(environ, self._trusted)))
        if left_ms:
            raise RateLimited("too many requests of this address without credentials", left_ms)

    def spend_question(self) -> None:
        """Count what has an exchange asked by somebody whom nobody knows.

        Raises:
            RateLimited: such people have had exchanges asked often enough, in all dialects.
        """
        if self._is_limiting:
            self._rates.spend(_ANYBODY, [_QUESTIONS])
