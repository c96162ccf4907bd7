"""Answers (apisify spec, section 2); the page publishes none."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from app.dialects.apisify.parse import Order
from app.dialects.apisify.schemas import LIMIT, MARKET, SIDES
from app.dialects.apisify.signing import UNAUTHORIZED
from app.domain.errors import (
    CommandError,
    HookfillError,
    KeyReused,
    MalformedPayload,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    StaleTimestamp,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.domain.identifiers import AggregateId
from app.domain.money import plain
from app.web.answers import Answer, good, retry_after

#: TradingView itself sends again 5 s after a 503 (section 1).
_RETRY_AFTER_SECONDS = 5


class _Words(NamedTuple):
    status: int
    code: str
    message: str


#: The class itself, else its nearest ancestor. Nothing that may have been queued is a 5xx, since
#: TradingView sends again after one.
_ANSWERS: Mapping[type[HookfillError], _Words] = {
    CommandError: _Words(400, "validation_failed", "the order cannot be carried out"),
    NotAuthenticated: _Words(401, "unauthorized", UNAUTHORIZED),
    StaleTimestamp: _Words(401, "timestamp_out_of_window", ""),
    KeyReused: _Words(401, "signature_reused", "this signature was used for another order"),
    NotPermitted: _Words(403, "exchange_not_allowed", "this key may not trade at this exchange"),
    NotFound: _Words(404, "not_found", "there is nothing here"),
    PayloadTooLarge: _Words(413, "too_large", "the body is over 64 KiB"),
    RateLimited: _Words(429, "rate_limited", "too many orders of this key"),
    VenueRejected: _Words(409, "venue_rejected", "the venue has refused this"),
    VenueUnavailable: _Words(503, "venue_unavailable", "the venue was not reached; send it again"),
    OutcomeUnknown: _Words(409, "outcome_unknown", "it may have been done; do not send it again"),
    HookfillError: _Words(503, "queue_unavailable", "the order was not taken in; send it again"),
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
        words = _Words(405, "method_not_allowed", "send a POST request")
        return _answer(words, words.message, {"Allow": "POST"})
    words = _ANSWERS[NotFound]
    return _answer(words, words.message, {})


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    words = _Words(500, "internal", "something went wrong here; the log has the details")
    return _answer(words, words.message, {})


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    words = nearest(error, _ANSWERS)
    headers = retry_after(error, words.status, _RETRY_AFTER_SECONDS)
    answer = _answer(words, words.message or str(error), headers)
    if isinstance(error, MalformedPayload):
        answer.body.update(code=error.code, message=str(error))
        if error.fields:
            answer.body["fields"] = error.fields
    if isinstance(error, StaleTimestamp):
        answer.body["server_time"] = error.server_time_ms
    return answer


def _answer(words: _Words, message: str, headers: dict[str, str]) -> Answer:
    body: dict[str, object] = {"result": "error", "code": words.code, "message": message}
    return Answer(words.status, body, headers)
