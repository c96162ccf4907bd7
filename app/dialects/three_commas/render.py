"""Errors as 3Commas writes them (3Commas docs, README, 2019, and quick start, 8 "Errors").

`error` is always text: py3cw 0.1.1 takes an object there for something that is to be sent again.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from app.dialects.three_commas.errors import InvalidParameters, RulesBroken
from app.dialects.three_commas.signing import SignatureInvalid
from app.domain.errors import (
    CommandError,
    HookfillError,
    MalformedPayload,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    PayloadTooLarge,
    RateLimited,
    WrongState,
    nearest,
)
from app.web.answers import Answer, retry_after

#: Of a store that does not answer; py3cw does not send a POST again by itself.
_RETRY_AFTER_SECONDS = 1


class AccountForeign(NotPermitted):
    """The account exists, but the key does not cover it."""


class _Words(NamedTuple):
    status: int
    error: str
    description: str


#: The class itself, else its nearest ancestor. An empty description is the error's own message.
_ANSWERS: Mapping[type[HookfillError], _Words] = {
    NotAuthenticated: _Words(
        401, "api_key_invalid_or_expired", "Unauthorized. Invalid or expired api key."
    ),
    SignatureInvalid: _Words(401, "signature_invalid", "Provided signature is invalid"),
    NotPermitted: _Words(403, "access_denied", "Api key doesn't have enough permissions"),
    AccountForeign: _Words(403, "Forbidden", "Account not owned by current user."),
    NotFound: _Words(404, "not_found", "Not Found"),
    InvalidParameters: _Words(400, "record_invalid", "Invalid parameters"),
    RulesBroken: _Words(422, "record_invalid", "Invalid parameters"),
    MalformedPayload: _Words(400, "invalid_request", "Missing or invalid parameters"),
    PayloadTooLarge: _Words(413, "invalid_request", "The body is over 64 KiB"),
    WrongState: _Words(422, "unprocessable_entity", ""),
    CommandError: _Words(422, "unprocessable_entity", "This cannot be done"),
    RateLimited: _Words(429, "too_many_requests", "Too many requests; wait before the next one"),
    HookfillError: _Words(503, "service_unavailable", "Not done; try again in a moment"),
}


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    words = nearest(error, _ANSWERS)
    body: dict[str, object] = {
        "error": words.error,
        "error_description": words.description or str(error),
    }
    if isinstance(error, MalformedPayload) and error.fields:
        body["error_attributes"] = error.fields
    return Answer(words.status, body, retry_after(error, words.status, _RETRY_AFTER_SECONDS))


def http_error(status: int) -> Answer:
    """Return the answer to what no route takes."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        words = _Words(status, "method_not_allowed", "Method Not Allowed")
    elif status == HTTPStatus.NOT_FOUND:
        words = _ANSWERS[NotFound]
    else:
        words = _Words(status, "invalid_request", HTTPStatus(status).phrase)
    return _plain(words)


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    return _plain(_Words(500, "internal_error", "Internal Server Error"))


def _plain(words: _Words) -> Answer:
    return Answer(words.status, {"error": words.error, "error_description": words.description})
