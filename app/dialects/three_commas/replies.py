"""Answers of the 3Commas dialect as Flask sends them."""

import structlog
from flask import Response

from app.dialects.three_commas import render as writing
from app.dialects.three_commas.signing import BASE
from app.domain.errors import HookfillError

#: Every route stands under both: as clients call it, and as the page prints it.
PREFIXES = (f"{BASE}/ver1", "/ver1")

_log = structlog.get_logger()


def reply(answer: writing.Answer) -> Response:
    """Return an answer as it is sent."""
    return Response(answer.body, answer.status, answer.headers, mimetype="application/json")


def error_reply(error: HookfillError) -> Response:
    """Return the dialect's own shape of an error."""
    answer = writing.error_for(error)
    _log.info("request_refused", status=answer.status, kind=type(error).__name__, why=str(error))
    return reply(answer)


def routing_error(status: int) -> Response:
    """Return the answer to what no route takes."""
    return reply(writing.routing_error(status))


def internal() -> Response:
    """Return the answer to a mistake of ours."""
    return reply(writing.internal())


def owns(path: str) -> bool:
    """Tell whether errors of routing at this path have the shape of the dialect."""
    owned = (BASE, *PREFIXES)
    return any(path == one or path.startswith(f"{one}/") for one in owned)
