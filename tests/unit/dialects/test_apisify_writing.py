"""Answers (apisify spec, section 2)."""

import json
from decimal import Decimal

import pytest

from app.dialects.apisify.parse import Order
from app.dialects.apisify.render import accepted, error_for
from app.domain import errors
from app.domain.commands import NetAction, NetCommand
from app.domain.errors import (
    EncodingUnsupported,
    HookfillError,
    MalformedPayload,
    RateLimited,
    StaleTimestamp,
)
from app.domain.identifiers import AggregateId, EpochMs

STATUSES = {
    "invalid_json": 400,
    "validation_failed": 400,
    "unauthorized": 401,
    "timestamp_out_of_window": 401,
    "signature_reused": 401,
    "key_reused": 422,
    "unusable_key": 422,
    "exchange_not_allowed": 403,
    "not_found": 404,
    "venue_rejected": 409,
    "outcome_unknown": 409,
    "too_large": 413,
    "unsupported_encoding": 415,
    "rate_limited": 429,
    "queue_unavailable": 503,
    "store_full": 503,
    "venue_unavailable": 503,
    "not_ready": 503,
}
CLASSES = [
    one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, HookfillError)
]


def raised(kind: type[HookfillError]) -> HookfillError:
    if issubclass(kind, EncodingUnsupported):
        return kind("unsupported_encoding", "secret place")
    if issubclass(kind, MalformedPayload):
        return kind("invalid_json", "secret place")
    if issubclass(kind, RateLimited):
        return kind("secret place", 1)
    if kind is StaleTimestamp:
        return StaleTimestamp("2 ms behind", EpochMs(1))
    error = kind.__new__(kind)  # whatever else its constructor asks for
    Exception.__init__(error, "secret place")
    return error


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_an_answer(kind: type[HookfillError]) -> None:
    status, body, headers = error_for(raised(kind))

    assert body["result"] == "error"
    assert status == STATUSES[str(body["code"])]
    assert ("Retry-After" in headers) == (status in {429, 503})
    assert ("secret" in json.dumps(body)) == issubclass(kind, MalformedPayload)


def test_a_stale_request_is_told_the_time() -> None:
    body = error_for(StaleTimestamp("2 ms behind", EpochMs(7))).body

    assert (body["server_time"], body["message"]) == (7, "2 ms behind")


def test_fields_are_told_by_name() -> None:
    error = MalformedPayload("validation_failed", "invalid fields: qty", {"qty": ["No."]})

    assert error_for(error).body["fields"] == {"qty": ["No."]}


def test_numbers_of_an_answer_are_plain_text() -> None:
    order = Order(
        exchange="paper",
        ticker="BTCUSD",
        quantity=Decimal("1E+2"),
        memo="",
        command=NetCommand(
            action=NetAction.REVERSE_SELL,
            quantity=Decimal("1E+2"),
            limit_price=Decimal("60000.50"),
            strategy="s",
        ),
    )

    body = accepted(order, AggregateId(12), is_duplicate=True).body

    assert (body["qty"], body["price"], body["order_id"]) == ("100", "60000.5", "12")
    assert (body["side"], body["order_type"], body["duplicate"]) == ("Sarsell", "Limit", True)
