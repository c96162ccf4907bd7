"""What Hummingbot requests mean (Hummingbot spec, sections 1 to 4)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from app.dialects.hummingbot import parse as reading
from app.dialects.hummingbot import schemas
from app.dialects.hummingbot.callers import DEFAULT, credentials_from
from app.dialects.hummingbot.errors import InvalidBody
from app.dialects.hummingbot.parse import object_from, shape_of
from app.domain.commands import PlaceOrder, PositionAction
from app.domain.enums import OrderType, Side
from app.domain.errors import NotAuthenticated
from app.domain.identifiers import AccountId, EpochMs, Symbol
from app.domain.status import OrderStatus
from app.web.cursors import cursor_of
from app.web.digests import digest_of
from app.web.json_body import payload_from

JSON = "application/json"

#: What an order must have, and nothing more.
LEAST: Mapping[str, object] = {
    "account_name": "master",
    "connector_name": "paper",
    "trading_pair": "BTC-USDT",
    "trade_type": "BUY",
    "amount": Decimal("0.001"),
}


def problems(fields: Any, body: Mapping[str, object]) -> list[tuple[str, tuple[object, ...]]]:  # noqa: ANN401
    """Return kind and place of everything that is wrong."""
    with pytest.raises(InvalidBody) as caught:
        shape_of(fields, body)
    return [(one.kind, one.location[1:]) for one in caught.value.problems]


def order(**odd: object) -> dict[str, Any]:
    return shape_of(schemas.ORDER, {**LEAST, **odd})


def test_an_order_becomes_a_command() -> None:
    shape = order(order_type="LIMIT_MAKER", price="60000.50", position_action="CLOSE")

    assert reading.command_from(shape) == PlaceOrder(
        symbol=Symbol("BTC/USDT"),
        side=Side.BUY,
        type=OrderType.LIMIT_MAKER,
        quantity=Decimal("0.001"),
        price=Decimal("60000.50"),
        action=PositionAction.CLOSE,
    )


def test_what_an_order_leaves_out_has_a_default() -> None:
    command = reading.command_from(order())

    assert (command.type, command.price, command.action) == (
        OrderType.LIMIT,
        None,
        PositionAction.OPEN,
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1", "1"),
        ("1.50", "1.50"),
        (" 2 ", "2"),
        ("1e-3", "0.001"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("5.e1", "50"),
        (3, "3"),
        (Decimal("1.0"), "1.0"),
        (Decimal("1E+3"), "1000"),
    ],
)
def test_an_amount_is_exact(written: object, meant: str) -> None:
    assert f"{order(amount=written)['amount']:f}" == meant


@pytest.mark.parametrize(
    ("amount", "kind"),
    [
        ("", "decimal_parsing"),
        (" ", "decimal_parsing"),
        (".", "decimal_parsing"),
        ("1_000", "decimal_parsing"),
        ("1,5", "decimal_parsing"),
        ("\u0661", "decimal_parsing"),
        ([], "decimal_type"),
        ({}, "decimal_type"),
        (False, "decimal_type"),
        ("-Infinity", "finite_number"),
        ("inf", "finite_number"),
        ("sNaN12", "finite_number"),
        ("-0", "greater_than"),
        ("0.0", "greater_than"),
        (Decimal("1E+400"), "decimal_max_digits"),
        ("9" * 41, "decimal_max_digits"),
    ],
)
def test_what_is_no_amount(amount: object, kind: str) -> None:
    assert problems(schemas.ORDER, {**LEAST, "amount": amount}) == [(kind, ("amount",))]


@pytest.mark.parametrize("price", ["-1", "0", None, 0])
def test_the_sign_of_a_price_is_not_looked_at_yet(price: object) -> None:
    order(price=price)


def test_problems_come_in_the_order_of_the_fields() -> None:
    body = {"trade_type": 5, "account_name": 1, "order_type": None, "amount": "x"}

    assert problems(schemas.ORDER, body) == [
        ("string_type", ("account_name",)),
        ("missing", ("connector_name",)),
        ("missing", ("trading_pair",)),
        ("literal_error", ("trade_type",)),
        ("decimal_parsing", ("amount",)),
        ("literal_error", ("order_type",)),
    ]


@pytest.mark.parametrize(
    ("filters", "kind", "place"),
    [
        ({"limit": None}, "int_type", ("limit",)),
        ({"limit": True}, "int_type", ("limit",)),
        ({"limit": "x"}, "int_parsing", ("limit",)),
        ({"limit": Decimal("1.5")}, "int_from_float", ("limit",)),
        ({"limit": Decimal("1E+99")}, "int_parsing_size", ("limit",)),
        ({"limit": 0}, "greater_than_equal", ("limit",)),
        ({"limit": 1001}, "less_than_equal", ("limit",)),
        ({"account_names": "a"}, "list_type", ("account_names",)),
        ({"account_names": ["a", 1]}, "string_type", ("account_names", 1)),
        ({"status": 1}, "string_type", ("status",)),
        ({"start_time": "soon"}, "int_parsing", ("start_time",)),
    ],
)
def test_what_is_no_filter(filters: dict[str, object], kind: str, place: tuple[object]) -> None:
    assert problems(schemas.SEARCH, filters) == [(kind, place)]


@pytest.mark.parametrize(
    ("odd", "kind", "message", "context"),
    [
        ({"account_name": 1}, "string_type", "Input should be a valid string", None),
        (
            {"order_type": "STOP"},
            "literal_error",
            "Input should be 'LIMIT', 'MARKET' or 'LIMIT_MAKER'",
            {"expected": "'LIMIT', 'MARKET' or 'LIMIT_MAKER'"},
        ),
        ({"amount": 0}, "greater_than", "Input should be greater than 0", {"gt": 0}),
        ({"price": "x"}, "decimal_parsing", "Input should be a valid decimal", None),
        (
            {"price": "9" * 41},
            "decimal_max_digits",
            "Decimal input should have no more than 40 digits in total",
            {"max_digits": 40},
        ),
    ],
)
def test_a_problem_is_told_as_the_reference_tells_it(
    odd: dict[str, object], kind: str, message: str, context: object
) -> None:
    ((name, given),) = odd.items()

    with pytest.raises(InvalidBody) as caught:
        order(**odd)

    told = {"type": kind, "loc": ["body", name], "msg": message, "input": given}
    assert [one.as_json() for one in caught.value.problems] == [
        told if context is None else {**told, "ctx": context}
    ]


def test_of_a_list_only_the_first_mistake_is_told() -> None:
    with pytest.raises(InvalidBody) as caught:
        shape_of(schemas.SEARCH, {"account_names": ["a", 5, None], "trading_pairs": {"a": 1}})

    assert [(one.kind, one.location, one.given) for one in caught.value.problems] == [
        ("string_type", ("body", "account_names", 1), 5),
        ("list_type", ("body", "trading_pairs"), {"a": 1}),
    ]


def search(**filters: object) -> Any:  # noqa: ANN401
    shape = shape_of(schemas.SEARCH, filters)
    return reading.search_from(shape, [AccountId(1)])


def test_no_filter_asks_nothing() -> None:
    for filters in ({}, {"trading_pairs": [], "status": ""}, {"trading_pairs": None}):
        found = search(**filters)
        assert (found.symbols, found.states, found.sides) == (None, None, None)
        assert (found.since_ms, found.until_ms) == (None, None)
        assert found.accounts == {AccountId(1)}


@pytest.mark.parametrize(
    ("word", "states"),
    [
        ("FAILED", {OrderStatus.REJECTED, OrderStatus.DENIED}),
        ("CANCELLED", {OrderStatus.CANCELED, OrderStatus.EXPIRED}),
        ("FILLED", {OrderStatus.FILLED}),
        ("canceled", set()),
        ("NEW", set()),
    ],
)
def test_a_status_is_searched_for_by_its_word(word: str, states: set[OrderStatus]) -> None:
    assert search(status=word).states == states


def test_times_are_seconds_or_milliseconds() -> None:
    in_seconds = search(start_time=1_700_000_000, end_time=1_700_000_001)
    in_ms = search(start_time=1_700_000_000_000, end_time=1_700_000_001_000)

    assert in_seconds == in_ms
    assert in_ms.covers(EpochMs(1_700_000_001_000))
    assert not in_ms.covers(EpochMs(1_700_000_001_001))


def test_an_immense_time_stays_a_number_that_a_store_takes() -> None:
    assert search(end_time=10**30).until_ms == 2**53 + 1
    assert search(start_time=-5).since_ms == 0


@pytest.mark.parametrize(
    ("body", "kind", "location", "given"),
    [
        (b"", "missing", ("body",), None),
        (b"null", "missing", ("body",), None),
        (b"[]", "model_attributes_type", ("body",), []),
        (b'"x"', "model_attributes_type", ("body",), "x"),
        (b"5", "model_attributes_type", ("body",), 5),
        (b"{", "json_invalid", ("body", 1), {}),
        (b'{"a": NaN}', "json_invalid", ("body", 0), {}),
        (b"\xff", "json_invalid", ("body", 0), {}),
    ],
)
def test_what_is_no_body(
    body: bytes, kind: str, location: tuple[object, ...], given: object
) -> None:
    with pytest.raises(InvalidBody) as caught:
        object_from(body, JSON)

    (found,) = caught.value.problems
    assert (found.kind, found.location, found.given) == (kind, location, given)


@pytest.mark.parametrize("kind", ["text/plain", "", "application/octet-stream", "json"])
def test_a_body_that_is_not_announced_as_json_is_text(kind: str) -> None:
    with pytest.raises(InvalidBody) as caught:
        object_from(b"{}", kind)

    (found,) = caught.value.problems
    assert (found.kind, found.given) == ("model_attributes_type", "{}")


@pytest.mark.parametrize(
    "kind", [JSON, "application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
def test_json_may_be_announced_in_several_ways(kind: str) -> None:
    assert object_from(b'{"a": 1}', kind) == {"a": 1}


@pytest.mark.parametrize(
    ("header", "pair"),
    [
        ("Basic YWRtaW46YWRtaW4=", ("admin", "admin")),
        ("basic YWRtaW46YWRtaW4=", ("admin", "admin")),
        ("Basic w6Q6YTpi", ("ä", "a:b")),
        ("Basic Og==", ("", "")),
    ],
)
def test_credentials_are_user_and_password(header: str, pair: tuple[str, str]) -> None:
    assert credentials_from(header) == pair


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic ?", "Digest YTpi", "Basic YQ=="])
def test_other_headers_are_no_credentials(header: str | None) -> None:
    with pytest.raises(NotAuthenticated):
        credentials_from(header)


def test_a_cursor_leads_back_to_its_place() -> None:
    assert reading.order_place(cursor_of((1_700_000_000_000, 42))) == (1_700_000_000_000, 42)
    assert reading.fill_place(cursor_of((5, 6, 0))) == (5, 6, 0)


@pytest.mark.parametrize("cursor", [None, "", "x", "%%%", "ä", cursor_of(("a", "b"))])
def test_an_unknown_cursor_begins_anew(cursor: str | None) -> None:
    assert reading.order_place(cursor) is None
    assert reading.fill_place(cursor) is None


def test_a_digest_forgets_the_order_of_keys_only() -> None:
    one = payload_from(b'{"a": 1, "b": 1.50}')
    same = payload_from(b'{"b": 1.50, "a": 1}')
    other = payload_from(b'{"a": 1, "b": "1.50"}')

    assert digest_of(one) == digest_of(same)
    assert digest_of(one) != digest_of(other)


def test_default_credentials_are_known() -> None:
    assert credentials_from("Basic YWRtaW46YWRtaW4=") == DEFAULT
    assert credentials_from("Basic w6Q6YTpi") != DEFAULT
