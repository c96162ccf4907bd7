"""What a route answers, in one shape for all dialects, and how that is sent."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Response

from app.domain.errors import HookfillError, RateLimited
from app.web.exact_json import exact_json

#: A JSON object, as a view answers it.
Json = dict[str, object]


class Answer(NamedTuple):
    """An answer to one request.

    Attributes:
        status: of HTTP.
        body: what JSON can say, every number exact; bytes are sent as they are.
        headers: beside the type of the content, which is JSON unless one of them says otherwise.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = {}

    def sent(self) -> tuple[bytes, dict[str, str]]:
        """Return body and headers as they are sent."""
        is_raw = isinstance(self.body, bytes)
        content = self.body if is_raw else exact_json(self.body).encode()
        return content, {"Content-Type": "application/json", **self.headers}


def good(body: object, status: int = HTTPStatus.OK) -> Answer:
    """Return the answer to a request that was carried out."""
    return Answer(status, body)


def respond(answer: Answer) -> Response:
    """Return an answer as Flask sends it."""
    content, headers = answer.sent()
    return Response(content, answer.status, headers)


def retry_after(error: HookfillError, status: int, away_seconds: int) -> dict[str, str]:
    """Return the header that tells when to come again, if there is sense in that.

    Args:
        error: that the request ended in.
        status: that it is answered with.
        away_seconds: after which a 503 may be tried again.
    """
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.retry_after_seconds)}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(away_seconds)}
    return {}
