"""Answers (apisify spec, section 2); the page publishes none."""

from collections.abc import Mapping
from http import HTTPStatus

from app.dialects.apisify.parse import Order
from app.dialects.apisify.schemas import LIMIT, MARKET, SIDES
from app.dialects.apisify.signing import UNAUTHORIZED
from app.domain.errors import (
    CommandError,
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
    SignatureReused,
    StaleTimestamp,
    StoreFull,
    TooManyGuesses,
    UnusableKey,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.domain.identifiers import AggregateId
from app.domain.money import plain
from app.web.answers import Answer, good, retry_after

#: TradingView itself sends again 5 s after a 503 (section 1).
_RETRY_AFTER_SECONDS = 5


def _answer(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"result": "error", "code": code, "message": message})


#: The class itself, else its nearest ancestor. Nothing that may have been queued is a 5xx, since
#: TradingView sends again after one.
_ANSWERS: Mapping[type[HookfillError], Answer] = {
    CommandError: _answer(400, "validation_failed", "the order cannot be carried out"),
    NotAuthenticated: _answer(401, "unauthorized", UNAUTHORIZED),
    StaleTimestamp: _answer(401, "timestamp_out_of_window", ""),
    SignatureReused: _answer(401, "signature_reused", "this signature was used for another order"),
    KeyReused: _answer(422, "key_reused", "Idempotency-Key was used for another order"),
    UnusableKey: _answer(422, "unusable_key", "Idempotency-Key must have 1 to 64 characters"),
    NotPermitted: _answer(403, "exchange_not_allowed", "this key may not trade at this exchange"),
    NotFound: _answer(404, "not_found", "there is nothing here"),
    PayloadTooLarge: _answer(413, "too_large", "the body is over 64 KiB"),
    EncodingUnsupported: _answer(415, "", ""),
    RateLimited: _answer(429, "rate_limited", "too many orders of this key"),
    TooManyGuesses: _answer(429, "rate_limited", "too many wrong keys from this address"),
    VenueRejected: _answer(409, "venue_rejected", "the venue has refused this"),
    MarketsUnknown: _answer(503, "not_ready", "what the venue trades is not known yet; try again"),
    VenueUnavailable: _answer(503, "venue_unavailable", "the venue was not reached; send it again"),
    OutcomeUnknown: _answer(409, "outcome_unknown", "it may have been done; do not send it again"),
    StoreFull: _answer(503, "store_full", "only what closes is taken in; send it again later"),
    HookfillError: _answer(503, "queue_unavailable", "the order was not taken in; send it again"),
}


def accepted(order: Order, order_id: AggregateId, *, is_duplicate: bool) -> Answer:
    """Return the answer to an order that is stored, or was stored when it first came."""
    command = order.command
    limit = command.limit_price
    body: dict[str, object] = {
        "result": "success",
        "order_id": str(order_id),
        "status": "accepted",
        "duplicate": is_duplicate,
        "strategy": command.strategy,
        "exchange": order.exchange,
        "symbol": order.ticker,
        "side": SIDES[command.action],
        "order_type": MARKET if limit is None else LIMIT,
        "qty": plain(order.quantity),
        "price": None if limit is None else plain(limit),
        "memo": order.memo,
    }
    return good(body)


def http_error(status: int) -> Answer:
    """Return the answer to what no route takes: anything but POST, or a path below the one."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        refused = _answer(405, "method_not_allowed", "send a POST request")
        return refused._replace(headers={"Allow": "POST"})
    return _ANSWERS[NotFound]


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    return _answer(500, "internal", "something went wrong here; the log has the details")


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    status, known, _ = nearest(error, _ANSWERS)
    body = dict(known)
    if isinstance(error, MalformedPayload):
        body.update(code=error.code, message=str(error))
        if error.fields:
            body["fields"] = error.fields
    if isinstance(error, StaleTimestamp):
        body.update(message=str(error), server_time=error.server_time_ms)
    return Answer(status, body, retry_after(error, status, _RETRY_AFTER_SECONDS))
