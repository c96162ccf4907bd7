"""Answers (Crypto Arsenal webhook spec, section 2). The vendor publishes only the first, `ok`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from app.domain.errors import (
    CommandError,
    ConnectorInactive,
    HookfillError,
    MalformedPayload,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    VenueRejected,
    VenueUnavailable,
    nearest,
)

#: TradingView itself sends again 5 s after a 503 (section 1).
_RETRY_AFTER_SECONDS = 5


class Answer(NamedTuple):
    """An error answer: HTTP status, body to be written as JSON, further headers."""

    status: int
    body: dict[str, object]
    headers: dict[str, str]


class _Words(NamedTuple):
    status: int
    code: str
    message: str


_UNAUTHORIZED = _Words(401, "unauthorized", "unknown connector or bad token")
_NOT_QUEUED = _Words(503, "queue_unavailable", "the message was not taken in; send it again")

#: The class itself, else its nearest ancestor. Messages are fixed: what an error says about our
#: inside, or about who exists, is for the log. Nothing that may have been queued is a 5xx, since
#: TradingView sends again after one.
_ANSWERS: Mapping[type[HookfillError], _Words] = {
    CommandError: _Words(400, "validation_failed", "the message cannot be carried out"),
    NotAuthenticated: _UNAUTHORIZED,
    NotPermitted: _UNAUTHORIZED,
    NotFound: _Words(404, "not_found", "there is nothing here"),
    ConnectorInactive: _Words(409, "connector_inactive", "the connector is switched off"),
    PayloadTooLarge: _Words(413, "too_large", "the body is over 64 KiB"),
    RateLimited: _Words(429, "rate_limited", "too many messages of this connector"),
    VenueRejected: _Words(409, "venue_rejected", "the venue has refused this"),
    VenueUnavailable: _Words(503, "venue_unavailable", "the venue was not reached; send it again"),
    OutcomeUnknown: _Words(409, "outcome_unknown", "it may have been done; do not send it again"),
    HookfillError: _NOT_QUEUED,
}


def ok() -> tuple[str, str]:
    """Return body and content type of the answer to what is accepted; clients compare the body."""
    return "ok", "text/plain; charset=utf-8"


def method_not_allowed() -> Answer:
    """Return the answer to anything but POST."""
    return _answer(_Words(405, "method_not_allowed", "send a POST request"), {"Allow": "POST"})


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    if isinstance(error, MalformedPayload):
        body = {"code": error.code, "message": str(error), "fields": error.fields}
        return Answer(400, {"error": body}, {})
    words = nearest(error, _ANSWERS)
    return _answer(words, _retry_after(error, words))


def _retry_after(error: HookfillError, words: _Words) -> dict[str, str]:
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.retry_after_seconds)}
    if words.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(_RETRY_AFTER_SECONDS)}
    return {}


def _answer(words: _Words, headers: dict[str, str]) -> Answer:
    body = {"code": words.code, "message": words.message}
    return Answer(words.status, {"error": body}, headers)
