"""Every error has its answer, and no answer tells more than it should."""

import inspect
import json

import pytest

from app.dialects.crypto_arsenal.render import error_for, http_error, ok
from app.domain import errors
from app.domain.errors import HookfillError, MalformedPayload, RateLimited
from app.domain.identifiers import AggregateId
from tests.support.builders import an_error

CLASSES = [
    one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, HookfillError)
]

#: Name of the class → status and code.
EXPECTED = {
    "CallerIdInUse": (400, "validation_failed"),
    "CannotAsk": (503, "queue_unavailable"),
    "NotDry": (400, "validation_failed"),
    "NotWaiting": (400, "validation_failed"),
    "TooManyOpen": (400, "validation_failed"),
    "CommandError": (400, "validation_failed"),
    "Conflict": (503, "queue_unavailable"),
    "ConnectorInactive": (409, "connector_inactive"),
    "HistoryUnavailable": (503, "queue_unavailable"),
    "HookfillError": (503, "queue_unavailable"),
    "InsufficientFunds": (409, "venue_rejected"),
    "ClaimsChanged": (503, "queue_unavailable"),
    "LaneChanged": (503, "queue_unavailable"),
    "LimitExceeded": (400, "validation_failed"),
    "Repeated": (503, "queue_unavailable"),
    "NewsChanged": (503, "queue_unavailable"),
    "EncodingUnsupported": (415, "validation_failed"),
    "MalformedPayload": (400, "validation_failed"),
    "MarketNotTraded": (404, "not_found"),
    "UnreadableRecord": (503, "queue_unavailable"),
    "NotAuthenticated": (401, "unauthorized"),
    "NotFound": (404, "not_found"),
    "NotionalTooSmall": (400, "validation_failed"),
    "NotPermitted": (401, "unauthorized"),
    "NotVouched": (503, "queue_unavailable"),
    "OrderDenied": (400, "validation_failed"),
    "OutcomeUnknown": (409, "outcome_unknown"),
    "PayloadTooLarge": (413, "too_large"),
    "KeyRefused": (409, "venue_rejected"),
    "RightMissing": (409, "venue_rejected"),
    "KeyReused": (422, "key_reused"),
    "SignatureReused": (422, "key_reused"),
    "UnusableKey": (422, "unusable_key"),
    "PriceMissing": (400, "validation_failed"),
    "QuantityTooSmall": (400, "validation_failed"),
    "RateLimited": (429, "rate_limited"),
    "RegistryChanged": (400, "validation_failed"),
    "TooBusy": (503, "queue_unavailable"),
    "TooManyGuesses": (429, "rate_limited"),
    "RuleBroken": (400, "validation_failed"),
    "StaleTimestamp": (401, "unauthorized"),
    "StaleRegistry": (503, "queue_unavailable"),
    "StoreError": (503, "queue_unavailable"),
    "StoreFull": (503, "store_full"),
    "StoreUnavailable": (503, "queue_unavailable"),
    "SymbolUnknown": (400, "validation_failed"),
    "TermsRefused": (400, "validation_failed"),
    "TypeUnsupported": (400, "validation_failed"),
    "UnsafeStore": (503, "queue_unavailable"),
    "VenueBusy": (503, "venue_unavailable"),
    "VenueError": (503, "queue_unavailable"),
    "VenueRejected": (409, "venue_rejected"),
    "VenueUnavailable": (503, "venue_unavailable"),
    "MarketHalted": (400, "validation_failed"),
    "MarketsUnknown": (503, "not_ready"),
    "WrongState": (400, "validation_failed"),
}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_an_answer(kind: type[HookfillError]) -> None:
    status, body, headers = error_for(an_error(kind, "secret place"))

    error = body["error"]
    assert isinstance(error, dict)
    assert (status, error["code"]) == EXPECTED[kind.__name__]
    assert ("Retry-After" in headers) == (status in {429, 503})
    assert ("secret" in json.dumps(body)) == (issubclass(kind, MalformedPayload))


def test_all_strangers_get_the_same_answer() -> None:
    expected = {"error": {"code": "unauthorized", "message": "unknown connector or bad token"}}

    assert error_for(errors.NotAuthenticated("no such name")) == (401, expected, {})
    assert error_for(errors.NotPermitted("not from here")) == (401, expected, {})


def test_a_bad_field_is_told_by_its_name() -> None:
    error = MalformedPayload("validation_failed", "invalid fields: percent", {"percent": ["No."]})

    assert error_for(error).body == {
        "error": {
            "code": "validation_failed",
            "message": "invalid fields: percent",
            "fields": {"percent": ["No."]},
        }
    }


@pytest.mark.parametrize(("wait_ms", "seconds"), [(0, "1"), (1000, "1"), (1001, "2")])
def test_who_is_too_fast_is_told_when_to_come_back(wait_ms: int, seconds: str) -> None:
    assert error_for(RateLimited("too fast", wait_ms)).headers == {"Retry-After": seconds}


def test_what_was_not_taken_in_may_come_again_in_five_seconds() -> None:
    assert error_for(errors.StoreUnavailable("down")).headers == {"Retry-After": "5"}


def test_only_post_is_allowed() -> None:
    status, body, headers = http_error(405)

    assert (status, headers) == (405, {"Allow": "POST"})
    assert body == {"error": {"code": "method_not_allowed", "message": "send a POST request"}}


def test_success_is_two_bytes_of_text() -> None:
    status, body, headers = ok(AggregateId(7))

    assert (status, body) == (200, b"ok")
    assert headers == {"Content-Type": "text/plain; charset=utf-8", "X-Hookfill-Id": "7"}
