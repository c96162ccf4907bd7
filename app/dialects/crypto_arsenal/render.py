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
from app.domain.identifiers import AggregateId
from app.web.answers import Answer, retry_after

#: TradingView itself sends again 5 s after a 503 (section 1).
_RETRY_AFTER_SECONDS = 5


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


def ok(signal_id: AggregateId) -> Answer:
    """Return the answer to what is accepted; clients compare the body."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Hookfill-Id": str(signal_id)}
    return Answer(200, b"ok", headers)


def http_error(status: int) -> Answer:
    """Return the answer to what no route takes: anything but POST, or a path below the one."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _answer(_Words(405, "method_not_allowed", "send a POST request"), {"Allow": "POST"})
    return _answer(_ANSWERS[NotFound], {})


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    message = "something went wrong here; the log has the details"
    return Answer(500, {"error": {"code": "internal", "message": message, "fields": {}}})


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    if isinstance(error, MalformedPayload):
        body = {"code": error.code, "message": str(error), "fields": error.fields}
        return Answer(400, {"error": body}, {})
    words = nearest(error, _ANSWERS)
    return _answer(words, retry_after(error, words.status, _RETRY_AFTER_SECONDS))


def _answer(words: _Words, headers: dict[str, str]) -> Answer:
    body = {"code": words.code, "message": words.message}
    return Answer(words.status, {"error": body}, headers)
