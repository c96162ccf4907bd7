"""Numbers are read by a narrow grammar; other values are what they are."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields

from app.domain.errors import MalformedPayload
from app.web.fields import (
    POSITIVE,
    CallerId,
    Flag,
    Message,
    Number,
    Refused,
    Text,
    WholeNumber,
    between,
    loaded,
    number_from,
)

NUMBERS: list[tuple[object, str]] = [
    (5, "5"),
    (-5, "-5"),
    (Decimal("0.10"), "0.10"),
    (Decimal("1e-7"), "0.0000001"),
    (Decimal("1E+3"), "1000"),
    ("5", "5"),
    ("+5", "5"),
    ("-5", "-5"),
    ("007", "7"),
    (" \t5.50\r\n", "5.50"),
    ("1e3", "1000"),
    ("1.5E-3", "0.0015"),
    ("1e+3", "1000"),
    ("1e30", "1" + "0" * 30),
    ("1e-30", "0." + "0" * 29 + "1"),
    ("1e0000030", "1" + "0" * 30),
    ("1" * 40, "1" * 40),
    ("0." + "1" * 39, "0." + "1" * 39),
    ("0", "0"),
    ("0.000", "0"),
    (".5", "0.5"),
    ("5.", "5"),
    ("-.5e1", "-5"),
    ("+5.E-1", "0.5"),
]

NOT_NUMBERS: list[object] = [
    None,
    True,
    False,
    [],
    ["1"],
    {},
    b"1",
    Decimal("NaN"),
    Decimal("Infinity"),
    "",
    " ",
    "abc",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "1,000",
    "1 000",
    "1_000",
    "50%",
    "0x10",
    "\uff11\uff12",
    "\u0663",
    "1\u00a0",
    "\u20031",
    "- 1",
    "--1",
    ".",
    "-.",
    ".e1",
    "..5",
    "5..",
    "1.2.3",
    "1e",
    "e5",
    "1e1.5",
    "1/2",
    "1\x00",
    "\u22121",
]

OUT_OF_BOUNDS: list[object] = [
    "1e31",
    "1e-31",
    "0e31",
    "1e999999",
    "1e-999999",
    "1e" + "9" * 60_000,
    "1" * 41,
    "0." + "1" * 40,
    "0" * 41,
    "1" * 60_000,
    10**40,
    10**5000,
    Decimal("1e40"),
    Decimal("1e-40"),
    Decimal("1e999999999"),
    Decimal("-1e-999999999"),
    Decimal("0." + "1" * 40),
    Decimal("1" * 60_000),
]


@pytest.mark.parametrize(("value", "expected"), NUMBERS)
def test_a_number_is_exact(value: object, expected: str) -> None:
    assert number_from(value) == Decimal(expected)


def test_trailing_zeros_stay() -> None:
    assert str(number_from("2100.50")) == "2100.50"
    assert str(number_from(Decimal("2100.50"))) == "2100.50"


@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="Not a number"):
        number_from(value)


@pytest.mark.timeout(2)
@pytest.mark.parametrize(
    "text",
    [
        " " * 60_000 + "x",
        "1" * 60_000 + "x",
        "1." + "0" * 60_000 + "x",
        "1e" + "0" * 60_000 + "x",
        "1" + " " * 60_000 + "x",
    ],
    ids=["blanks", "digits", "fraction", "exponent", "blanks behind"],
)
def test_long_text_is_refused_in_time(text: str) -> None:
    with pytest.raises(ValidationError, match="Not a number"):
        number_from(text)


@pytest.mark.parametrize("value", OUT_OF_BOUNDS, ids=range(len(OUT_OF_BOUNDS)))
def test_a_number_has_bounds(value: object) -> None:
    with pytest.raises(ValidationError, match=r"More than 40 digits|An exponent beyond 30"):
        number_from(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
@example(Decimal("1e-30"))
@example(Decimal("0E-7"))
def test_a_json_number_and_its_text_mean_the_same(number: Decimal) -> None:
    def read(value: object) -> object:
        try:
            return number_from(value)
        except ValidationError as error:
            return str(error)

    assert read(number) == read(f"{number:f}")


@given(
    st.text(alphabet="0123456789+-.eE _,xN%\uff11\t\n", max_size=60)
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False).map(str)
)
def test_text_is_a_number_or_a_validation_error(text: str) -> None:
    try:
        number = number_from(text)
    except ValidationError:
        return

    assert number.is_finite()
    assert len(f"{number:f}") < 80


class Shape(Message):
    price = Number(validate=POSITIVE)
    count = WholeNumber(validate=between(1, 10))
    flag = Flag()
    text = Text()
    caller_id = CallerId(data_key="clientOrderId")
    stop = Refused("Not here.")


SHAPE = Shape()


@pytest.mark.parametrize("value", [5, "5", Decimal("5.0"), "5.00", "5e0"])
def test_a_whole_number_has_no_fraction(value: object) -> None:
    count = loaded(SHAPE, {"count": value})["count"]

    assert count == 5
    assert isinstance(count, int)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("price", "0", "Must be above 0, was 0."),
        ("price", -1, "Must be above 0, was -1."),
        ("price", True, "Not a number."),
        ("count", "1.5", "Must be a whole number, was 1.5."),
        ("count", 0, "Must be at least 1 and at most 10, was 0."),
        ("count", 11, "Must be at least 1 and at most 10, was 11."),
        ("flag", "true", "Not true or false."),
        ("flag", 1, "Not true or false."),
        ("text", 1, "Not text."),
        ("clientOrderId", 1, "Not text."),
        ("clientOrderId", "a" * 65, "Must be 1 to 64 printable ASCII characters."),
        ("clientOrderId", "é", "Must be 1 to 64 printable ASCII characters."),
        ("clientOrderId", "a\n", "Must be 1 to 64 printable ASCII characters."),
        ("clientOrderId", "\x7f", "Must be 1 to 64 printable ASCII characters."),
        ("stop", 1, "Not here."),
    ],
)
def test_a_bad_value_is_told_by_its_wire_name(name: str, value: object, message: str) -> None:
    with pytest.raises(MalformedPayload) as caught:
        loaded(SHAPE, {name: value})

    assert caught.value.code == "validation_failed"
    assert caught.value.fields == {name: [message]}


def test_all_bad_fields_are_told_at_once() -> None:
    with pytest.raises(MalformedPayload, match="invalid fields: count, price") as caught:
        loaded(SHAPE, {"price": "abc", "count": "abc", "flag": False})

    assert set(caught.value.fields) == {"price", "count"}


@pytest.mark.parametrize("value", [None, ""])
def test_null_and_empty_text_are_absent(value: object) -> None:
    names = ["price", "count", "flag", "text", "clientOrderId", "stop"]

    assert loaded(SHAPE, dict.fromkeys(names, value)) == {}


@pytest.mark.parametrize("value", [0, False, Decimal(0), [], {}])
def test_nothing_else_is_absent(value: object) -> None:
    with pytest.raises(MalformedPayload):
        loaded(SHAPE, {"stop": value})


def test_unknown_keys_are_ignored() -> None:
    assert loaded(SHAPE, {"position": "long", "flag": True}) == {"flag": True}


def test_a_caller_id_is_kept_as_given() -> None:
    given_id = " ~Long !" + "x" * 56

    assert loaded(SHAPE, {"clientOrderId": given_id}) == {"caller_id": given_id}


def test_messages_of_nested_shapes_are_told_by_their_path() -> None:
    class Steps(Schema):
        steps = fields.List(fields.Nested(Shape))

    with pytest.raises(MalformedPayload) as caught:
        loaded(Steps(), {"steps": [{"price": 1}, {"price": "x"}]})

    assert caught.value.fields == {"steps.1.price": ["Not a number."]}
