"""Answers (Crypto Arsenal webhook spec, section 2). The vendor publishes only the first, `ok`."""

from collections.abc import Mapping
from http import HTTPStatus

from app.domain.errors import (
    CommandError,
    ConnectorInactive,
    EncodingUnsupported,
    HookfillError,
    KeyReused,
    MalformedPayload,
    MarketsUnknown,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    StoreFull,
    TooManyGuesses,
    UnusableKey,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.domain.identifiers import AggregateId
from app.web.answers import Answer, retry_after

#: TradingView itself sends again 5 s after a 503 (section 1).
_RETRY_AFTER_SECONDS = 5


def _answer(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


_UNAUTHORIZED = _answer(401, "unauthorized", "unknown connector or bad token")

#: The class itself, else its nearest ancestor. Messages are fixed: what an error says about our
#: inside, or about who exists, is for the log. Nothing that may have been queued is a 5xx, since
#: TradingView sends again after one.
_ANSWERS: Mapping[type[HookfillError], Answer] = {
    CommandError: _answer(400, "validation_failed", "the message cannot be carried out"),
    NotAuthenticated: _UNAUTHORIZED,
    NotPermitted: _UNAUTHORIZED,
    NotFound: _answer(404, "not_found", "there is nothing here"),
    ConnectorInactive: _answer(409, "connector_inactive", "the connector is switched off"),
    PayloadTooLarge: _answer(413, "too_large", "the body is over 64 KiB"),
    KeyReused: _answer(422, "key_reused", "Idempotency-Key was used for another message"),
    UnusableKey: _answer(422, "unusable_key", "Idempotency-Key must have 1 to 64 characters"),
    RateLimited: _answer(429, "rate_limited", "too many messages of this connector"),
    TooManyGuesses: _answer(429, "rate_limited", "too many wrong tokens from this address"),
    VenueRejected: _answer(409, "venue_rejected", "the venue has refused this"),
    MarketsUnknown: _answer(503, "not_ready", "what the venue trades is not known yet; try again"),
    VenueUnavailable: _answer(503, "venue_unavailable", "the venue was not reached; send it again"),
    OutcomeUnknown: _answer(409, "outcome_unknown", "it may have been done; do not send it again"),
    StoreFull: _answer(
        503, "store_full", "only exits and cancels are taken in; send it again later"
    ),
    HookfillError: _answer(503, "queue_unavailable", "the message was not taken in; send it again"),
}


def ok(signal_id: AggregateId) -> Answer:
    """Return the answer to what is accepted; clients compare the body."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Hookfill-Id": str(signal_id)}
    return Answer(200, b"ok", headers)


def http_error(status: int) -> Answer:
    """Return the answer to what no route takes: anything but POST, or a path below the one."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        refused = _answer(405, "method_not_allowed", "send a POST request")
        return refused._replace(headers={"Allow": "POST"})
    return _ANSWERS[NotFound]


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    message = "something went wrong here; the log has the details"
    return Answer(500, {"error": {"code": "internal", "message": message, "fields": {}}})


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    if isinstance(error, MalformedPayload):
        body = {"code": error.code, "message": str(error), "fields": error.fields}
        return Answer(415 if isinstance(error, EncodingUnsupported) else 400, {"error": body})
    answer = nearest(error, _ANSWERS)
    return answer._replace(headers=retry_after(error, answer.status, _RETRY_AFTER_SECONDS))
