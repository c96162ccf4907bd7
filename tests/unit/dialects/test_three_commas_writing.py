"""Errors as 3Commas writes them, each with its exact words."""

from decimal import Decimal

import pytest

from app.dialects.three_commas import render as writing
from app.dialects.three_commas.errors import (
    FUNDS_NAMES,
    InvalidParameters,
    RulesBroken,
    in_wire_words,
    invalid_parameters,
    words_for,
)
from app.dialects.three_commas.parameters import Unreadable
from app.dialects.three_commas.render import AccountForeign
from app.dialects.three_commas.signing import SignatureInvalid
from app.domain.enums import Flaw
from app.domain.errors import (
    Complaint,
    Conflict,
    HookfillError,
    MalformedPayload,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    PayloadTooLarge,
    RateLimited,
    RuleBroken,
    StoreUnavailable,
    TermsRefused,
    VenueUnavailable,
    WrongState,
)

FIELDS = {"pair": ["is missing"]}


@pytest.mark.parametrize(
    ("error", "status", "word", "description"),
    [
        (
            NotAuthenticated("no such key"),
            401,
            "api_key_invalid_or_expired",
            "Unauthorized. Invalid or expired api key.",
        ),
        (SignatureInvalid("wrong"), 401, "signature_invalid", "Provided signature is invalid"),
        (NotPermitted("no"), 403, "access_denied", "Api key doesn't have enough permissions"),
        (AccountForeign("no"), 403, "Forbidden", "Account not owned by current user."),
        (NotFound("no"), 404, "not_found", "Not Found"),
        (invalid_parameters(FIELDS), 400, "record_invalid", "Invalid parameters"),
        (RulesBroken("x", "no", FIELDS), 422, "record_invalid", "Invalid parameters"),
        (
            WrongState("Trade cannot be cancelled"),
            422,
            "unprocessable_entity",
            "Trade cannot be cancelled",
        ),
        (Unreadable("x", "no"), 400, "invalid_request", "Missing or invalid parameters"),
        (PayloadTooLarge("no"), 413, "invalid_request", "The body is over 64 KiB"),
        (
            RateLimited("no", 1_500),
            429,
            "too_many_requests",
            "Too many requests; wait before the next one",
        ),
        (
            StoreUnavailable("10.0.0.1 is away"),
            503,
            "service_unavailable",
            "Not done; try again in a moment",
        ),
        (Conflict("no"), 503, "service_unavailable", "Not done; try again in a moment"),
        (VenueUnavailable("no"), 503, "service_unavailable", "Not done; try again in a moment"),
    ],
)
def test_the_table_of_errors(
    error: HookfillError, status: int, word: str, description: str
) -> None:
    answer = writing.error_for(error)

    body = answer.body
    assert (answer.status, body["error"], body["error_description"]) == (status, word, description)
    fields = error.fields if isinstance(error, MalformedPayload) else {}
    assert body.get("error_attributes", {}) == fields


@pytest.mark.parametrize(("left_ms", "seconds"), [(1, "1"), (0, "1"), (1_500, "2"), (60_000, "60")])
def test_whoever_asks_too_often_is_told_when_to_come_back(left_ms: int, seconds: str) -> None:
    assert writing.error_for(RateLimited("no", left_ms)).headers == {"Retry-After": seconds}


@pytest.mark.parametrize(
    ("status", "word"), [(404, "not_found"), (405, "method_not_allowed"), (400, "invalid_request")]
)
def test_what_no_route_takes(status: int, word: str) -> None:
    answer = writing.http_error(status)

    assert (answer.status, answer.body["error"]) == (status, word)


def test_a_mistake_of_ours_says_nothing_more() -> None:
    answer = writing.internal()

    assert answer.status == 500
    assert answer.body == {"error": "internal_error", "error_description": "Internal Server Error"}


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("quantity", "units_to_buy"),
        ("symbol", "pair"),
        ("entry.price", "buy_price"),
        ("entry.limit_price", "conditional_limit_price"),
        ("take_profit.order_price", "take_profit_sell_order_price"),
        ("stop_loss.order_price", "stop_loss_sell_order_price"),
        ("basis_price", "average_buy_price"),
        ("take_profit_type", "take_profit_type"),
        ("take_profit_is_trailing", "trailing_take_profit"),
        ("take_profit_steps", "take_profit_step_orders"),
        ("take_profit_steps[1]", "take_profit_step_orders[1]"),
        ("take_profit_steps[0].percent", "take_profit_step_orders[0][percent]"),
        ("take_profit_steps[2].condition.price", "take_profit_step_orders[2][price]"),
        ("take_profit_steps[2].percentage", "take_profit_step_orders[2][price_percentage]"),
    ],
)
def test_what_is_wrong_with_a_command_is_told_in_wire_words(field: str, name: str) -> None:
    error = in_wire_words(TermsRefused({field: [Complaint(Flaw.FIXED)]}))

    assert isinstance(error, InvalidParameters)
    assert error.fields == {name: ["Can't be edit"]}


def test_a_broken_rule_stays_one() -> None:
    step, least = Decimal("0.01"), Decimal(10)
    broken = RuleBroken(
        {
            "quantity": [Complaint(Flaw.OFF_STEP, step)],
            "price": [Complaint(Flaw.BELOW_LEAST, least)],
        }
    )

    error = in_wire_words(broken, FUNDS_NAMES)

    assert isinstance(error, RulesBroken)
    assert error.fields == {
        "quantity": ["Should change with step 0.01"],
        "rate": ["must be greater than or equal to 10"],
    }


def test_every_flaw_has_words() -> None:
    assert all(words_for(Complaint(flaw, Decimal(1))) for flaw in Flaw)
