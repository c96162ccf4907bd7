"""JSON whose numbers have the digits that they were computed with."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.exact_json import exact_json

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(10**30), 10**30) | NUMBERS,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(), one, max_size=3),
)


@given(VALUES)
def test_what_is_written_is_read_again(value: object) -> None:
    assert json.loads(exact_json(value), parse_float=Decimal) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+999999"), "1E+999999"),
        ({"a": [1, True, None]}, '{"a":[1,true,null]}'),
        ("ä", '"\\u00e4"'),
        ('"', '"\\""'),
    ],
)
def test_numbers_are_written_out(value: object, written: str) -> None:
    assert exact_json(value) == written


def test_what_json_cannot_say_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        exact_json(object())
