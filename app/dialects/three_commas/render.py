"""Errors as 3Commas writes them (3Commas docs, README, 2019, and quick start, 8 "Errors").

`error` is always text: py3cw 0.1.1 takes an object there for something that is to be sent again.
"""

from collections.abc import Mapping
from http import HTTPStatus

from app.dialects.three_commas.errors import InvalidParameters, RulesBroken
from app.dialects.three_commas.signing import SignatureInvalid
from app.domain.errors import (
    CommandError,
    EncodingUnsupported,
    HistoryUnavailable,
    HookfillError,
    KeyReused,
    MalformedPayload,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    PayloadTooLarge,
    RateLimited,
    StoreFull,
    UnusableKey,
    WrongState,
    nearest,
)
from app.web.answers import Answer, retry_after

#: Of a store that does not answer; py3cw does not send a POST again by itself.
_RETRY_AFTER_SECONDS = 1


class AccountForeign(NotPermitted):
    """The account exists, but the key does not cover it."""


def _answer(status: int, error: str, description: str) -> Answer:
    return Answer(status, {"error": error, "error_description": description})


#: The class itself, else its nearest ancestor. An empty description is the error's own message.
_ANSWERS: Mapping[type[HookfillError], Answer] = {
    NotAuthenticated: _answer(
        401, "api_key_invalid_or_expired", "Unauthorized. Invalid or expired api key."
    ),
    SignatureInvalid: _answer(401, "signature_invalid", "Provided signature is invalid"),
    NotPermitted: _answer(403, "access_denied", "Api key doesn't have enough permissions"),
    AccountForeign: _answer(403, "Forbidden", "Account not owned by current user."),
    NotFound: _answer(404, "not_found", "Not Found"),
    InvalidParameters: _answer(400, "record_invalid", "Invalid parameters"),
    RulesBroken: _answer(422, "record_invalid", "Invalid parameters"),
    MalformedPayload: _answer(400, "invalid_request", "Missing or invalid parameters"),
    PayloadTooLarge: _answer(413, "invalid_request", "The body is over 64 KiB"),
    EncodingUnsupported: _answer(415, "invalid_request", ""),
    WrongState: _answer(422, "unprocessable_entity", ""),
    KeyReused: _answer(422, "unprocessable_entity", ""),
    UnusableKey: _answer(422, "unprocessable_entity", ""),
    CommandError: _answer(422, "unprocessable_entity", "This cannot be done"),
    RateLimited: _answer(429, "too_many_requests", "Too many requests; wait before the next one"),
    StoreFull: _answer(503, "store_full", "Only what sells is taken in; try again later"),
    HistoryUnavailable: _answer(
        503, "service_unavailable", "What has finished cannot be read; try again in a moment"
    ),
    HookfillError: _answer(503, "service_unavailable", "Not done; try again in a moment"),
}


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    status, known, _ = nearest(error, _ANSWERS)
    body = {**known, "error_description": known["error_description"] or str(error)}
    if isinstance(error, MalformedPayload) and error.fields:
        body["error_attributes"] = error.fields
    return Answer(status, body, retry_after(error, status, _RETRY_AFTER_SECONDS))


def http_error(status: int) -> Answer:
    """Return the answer to what no route takes."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _answer(status, "method_not_allowed", "Method Not Allowed")
    if status == HTTPStatus.NOT_FOUND:
        return _ANSWERS[NotFound]
    return _answer(status, "invalid_request", HTTPStatus(status).phrase)


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    return _answer(500, "internal_error", "Internal Server Error")
