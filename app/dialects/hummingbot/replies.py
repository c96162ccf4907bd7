"""Answers of the Hummingbot dialect as Flask sends them."""

import structlog
from flask import Response

from app.dialects.hummingbot import render as writing
from app.domain.errors import HookfillError
from app.web.exact_json import exact_json

#: `/accounts` without the slash belongs to others, and so do these words alone.
_BELOW = ("/trading/", "/connectors/", "/portfolio/")

_log = structlog.get_logger()


def reply(answer: writing.Answer) -> Response:
    """Return an answer, its numbers exact."""
    return Response(
        exact_json(answer.body), answer.status, answer.headers, mimetype="application/json"
    )


def error_reply(error: HookfillError) -> Response:
    """Return the dialect's own shape of an error."""
    answer = writing.error_for(error)
    _log.info("request_refused", status=answer.status, kind=type(error).__name__, why=str(error))
    return reply(answer)


def internal() -> Response:
    """Return the answer to a mistake of ours."""
    return reply(writing.internal())


def http_error(status: int) -> Response:
    """Return the answer to what no route takes."""
    return reply(writing.http_error(status))


def owns(path: str) -> bool:
    """Tell whether errors below this path have the shape of this dialect."""
    return path == "/accounts/" or path.startswith(_BELOW)
