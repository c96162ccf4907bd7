"""Which error gets which answer under our own paths; dialects give theirs their own shape."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from marshmallow import fields

from app.domain.errors import (
    CommandError,
    ConnectorInactive,
    EncodingUnsupported,
    HistoryUnavailable,
    HookfillError,
    MalformedPayload,
    MarketsUnknown,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    RegistryChanged,
    StoreError,
    StoreFull,
    TooBusy,
    VenueError,
    VenueUnavailable,
    WrongState,
    nearest,
)
from app.web.answers import Answer, retry_after
from app.web.fields import Strict, Text

#: Error class → HTTP status and code; the class itself, else its nearest ancestor.
STATUS_OF: Mapping[type[HookfillError], tuple[HTTPStatus, str]] = {
    CommandError: (HTTPStatus.BAD_REQUEST, "refused"),
    MalformedPayload: (HTTPStatus.BAD_REQUEST, "validation_failed"),
    NotAuthenticated: (HTTPStatus.UNAUTHORIZED, "unauthorized"),
    NotPermitted: (HTTPStatus.FORBIDDEN, "forbidden"),
    NotFound: (HTTPStatus.NOT_FOUND, "not_found"),
    WrongState: (HTTPStatus.CONFLICT, "wrong_state"),
    RegistryChanged: (HTTPStatus.CONFLICT, "registry_changed"),
    ConnectorInactive: (HTTPStatus.CONFLICT, "connector_inactive"),
    PayloadTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    EncodingUnsupported: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"),
    RateLimited: (HTTPStatus.TOO_MANY_REQUESTS, "rate_limited"),
    TooBusy: (HTTPStatus.SERVICE_UNAVAILABLE, "too_busy"),
    StoreError: (HTTPStatus.SERVICE_UNAVAILABLE, "store_unavailable"),
    StoreFull: (HTTPStatus.SERVICE_UNAVAILABLE, "store_full"),
    HistoryUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "history_unavailable"),
    VenueError: (HTTPStatus.CONFLICT, "venue_refused"),
    MarketsUnknown: (HTTPStatus.SERVICE_UNAVAILABLE, "not_ready"),
    VenueUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "venue_unavailable"),
    OutcomeUnknown: (HTTPStatus.CONFLICT, "outcome_unknown"),
    HookfillError: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
}

#: Of what is away or busy for a moment.
_RETRY_AFTER_SECONDS: Final = 1

_BY_FIELD: Final = {"description": "By field."}

#: The shape of all of them, as OpenAPI says it.
ERROR: Final = Strict.from_dict(
    {
        "error": fields.Nested(
            Strict.from_dict(
                {
                    "code": Text(),
                    "message": Text(),
                    "fields": fields.Dict(Text(), fields.List(Text()), metadata=_BY_FIELD),
                }
            )
        )
    }
)()


def error_answer(error: HookfillError) -> Answer:
    """Return `{"error": {"code", "message", "fields"}}` with the status of the error's class."""
    status, code = nearest(error, STATUS_OF)
    fields: Mapping[str, object] = {}
    headers = retry_after(error, status, _RETRY_AFTER_SECONDS)
    if isinstance(error, MalformedPayload):
        code, fields = error.code, error.fields
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return refusal(status, code, str(error), fields)._replace(headers=headers)


def refusal(
    status: int, code: str, message: str, fields: Mapping[str, object] | None = None
) -> Answer:
    """Return an error in the shape of our own paths."""
    return Answer(
        status, {"error": {"code": code, "message": message, "fields": dict(fields or {})}}
    )


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    return refusal(500, "internal", "something went wrong here; the log has the details")
