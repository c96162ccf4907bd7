"""The kill switch: cancel everything unless its caller says otherwise in time.

Source: Poloniex documentation, "Kill Switch".
"""

from typing import Final

from app.dialects.poloniex.errors import Code, Problem, missing
from app.dialects.poloniex.payload import Payload
from app.domain.identifiers import EpochMs

_LEAST_SECONDS: Final = 10
_MOST_SECONDS: Final = 600
_OFF: Final = -1


def timeout_from(body: Payload) -> int | None:
    """Return in how many seconds to cancel everything; None switches it off.

    Raises:
        Problem: it is absent, or out of bounds.
    """
    seconds = body.whole("timeout")
    if seconds is None:
        raise missing("timeout")
    if seconds == _OFF:
        return None
    if not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        raise Problem(Code.INVALID_VALUE, f"timeout: {_LEAST_SECONDS} to {_MOST_SECONDS}, or -1")
    return seconds


def status(start_ms: EpochMs, cancel_ms: EpochMs) -> dict[str, object]:
    """Return when a kill switch was set, and when it cancels."""
    return {"startTime": start_ms, "cancellationTime": cancel_ms}
