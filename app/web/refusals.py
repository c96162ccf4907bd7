"""Answers to refused requests, of which the newest are kept for people (`GET /api/refusals`).

Kept is what the log says, and no more: no word of the request that may be a token.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.bootstrap import Wiring
from app.domain.errors import HookfillError, MalformedPayload
from app.scrubbing import masked
from app.web.answers import Answer
from app.web.peer import address_of, is_address
from app.web.surface import Surface

#: Characters of a reason that are looked at for words of the request: many more than are kept.
_LOOKED_AT_MAX: Final = 2_000


class Refusals:
    """Refuses requests of dialects.

    Args:
        wiring: of the web process.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._kept = wiring.refusals
        self._trusted = wiring.settings.trusted_proxies

    def answer(self, surface: Surface, error: HookfillError, environ: Mapping[str, Any]) -> Answer:
        """Return the answer to a request of a dialect that ended in this error, and note it."""
        answer = surface.refusal(error)
        if self._kept.has_room():
            fields = error.fields if isinstance(error, MalformedPayload) else {}
            told = [f"{name}: {' '.join(messages)}" for name, messages in fields.items()]
            why = "; ".join(told) or str(error)
            reason, *names = masked(why[:_LOOKED_AT_MAX], *fields)
            peer = address_of(environ, self._trusted)
            self._kept.note(
                surface.dialect,
                int(answer.status),
                names,
                reason,
                peer if is_address(peer) else "",
            )
        return answer
