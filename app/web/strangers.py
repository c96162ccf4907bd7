"""What needs no credential is limited by address (docs/security.md, "Strangers")."""

from collections.abc import Mapping
from typing import Any

from app.bootstrap import Wiring
from app.domain.errors import RateLimited
from app.web.peer import address_of, peer_of


class Strangers:
    """Lets in whoever does not come too often.

    Args:
        wiring: of the web process.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._visits = wiring.visits
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
