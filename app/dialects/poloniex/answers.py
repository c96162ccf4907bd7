"""Answers of the Poloniex routes as responses."""

import json
from collections.abc import Callable
from functools import wraps

import structlog
from flask import Response

from app.dialects.poloniex import replies
from app.dialects.poloniex.errors import Code, Problem
from app.domain.errors import HookfillError
from app.web.registry_refresh import Failed

_log = structlog.get_logger()


def respond(answer: replies.Answer) -> Response:
    """Return an answer as a response."""
    headers = {"Content-Type": "application/json", **answer.headers}
    return Response(json.dumps(answer.body, separators=(",", ":")), answer.status, headers)


def answered(view: Callable[..., object]) -> Callable[..., Response]:
    """Return a view that answers 200 with what `view` returns, as JSON."""

    @wraps(view)
    def answering(**arguments: str) -> Response:
        return respond(replies.good(view(**arguments)))

    return answering


def error_answer(error: HookfillError) -> Response:
    """Return the dialect's own shape of an error."""
    answer = replies.error_for(error)
    _log.info("request_refused", status=answer.status, kind=type(error).__name__, why=str(error))
    return respond(answer)


def problem_of(failed: Failed) -> Problem:
    """Return why one part of a request came to nothing, or that nobody knows whether it did."""
    if failed.in_doubt:
        return Problem(Code.UNAVAILABLE, "it is not known whether this was done")
    return replies.problem_of(failed.error)


def internal() -> Response:
    """Return the answer to a mistake of ours."""
    return respond(replies.internal())
