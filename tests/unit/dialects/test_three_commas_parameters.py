"""Query, form and JSON say the same; lists of steps come in many shapes."""

import json
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.three_commas.parameters import FORM, STEPS, UNCLEAR, Unreadable, parameters_from

JSON = "application/json"
TEXTS = [{"percent": "50", "price": "105"}, {"percent": "50", "price": "110"}]


def form(body: str, query: str = "") -> Mapping[str, object]:
    return parameters_from(query, FORM, body.encode())


def test_the_three_ways_are_one() -> None:
    named = {"pair": "USDT_ETH", "units_to_buy": "2"}
    text = "pair=USDT_ETH&units_to_buy=2"

    assert parameters_from(text, "", b"") == named
    assert form(text) == named
    assert parameters_from("", JSON, json.dumps(named).encode()) == named


def test_the_query_beats_the_body_unless_it_is_empty() -> None:
    assert form("a=body&b=body&c=body", query="a=query&b=&d=") == {
        "a": "query",
        "b": "body",
        "c": "body",
    }


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_no_body_is_fine(body: bytes) -> None:
    assert parameters_from("", JSON, body) == {}


def test_what_is_empty_or_null_is_not_there() -> None:
    assert parameters_from("", JSON, b'{"a": null, "b": "", "c": 0, "d": false}') == {
        "c": 0,
        "d": False,
    }


@pytest.mark.parametrize("mimetype", [FORM, "text/plain", ""])
def test_json_is_json_whatever_it_is_called(mimetype: str) -> None:
    assert parameters_from("", mimetype, b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff"])
def test_malformed_json_cannot_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parameters_from("", JSON, body)


@pytest.mark.parametrize(("query", "body"), [("a=%FF", b""), ("", b"a=%FF"), ("", b"a=\xff")])
def test_what_is_not_utf8_cannot_be_read(query: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        parameters_from(query, FORM, body)


def test_a_name_that_says_two_things_is_unclear() -> None:
    assert form("a=1&a=2&b=1&b=1") == {"a": UNCLEAR, "b": "1"}


@pytest.mark.parametrize(
    "text",
    [
        f"{STEPS}[][percent]=50&{STEPS}[][price]=105&{STEPS}[][percent]=50&{STEPS}[][price]=110",
        f"{STEPS}[0][percent]=50&{STEPS}[0][price]=105&{STEPS}[1][percent]=50&{STEPS}[1][price]=110",
        f"{STEPS}[7][percent]=50&{STEPS}[7][price]=110&{STEPS}[2][price]=105&{STEPS}[2][percent]=50",
        f"{STEPS}[percent]=50&{STEPS}[percent]=50&{STEPS}[price]=105&{STEPS}[price]=110",
        f"{STEPS}={json.dumps(TEXTS)}",
    ],
)
def test_steps_in_a_form(text: str) -> None:
    assert form(text) == {STEPS: TEXTS}
    assert form("", query=text) == {STEPS: TEXTS}


@pytest.mark.parametrize("value", [TEXTS, json.dumps(TEXTS), {"0": TEXTS[0], "1": TEXTS[1]}])
def test_steps_in_json(value: object) -> None:
    body = json.dumps({STEPS: value}).encode()

    assert parameters_from("", JSON, body) == {STEPS: TEXTS}


@pytest.mark.parametrize(
    "text",
    [
        f"{STEPS}=nonsense",
        f"{STEPS}=[{{]",
        f'{STEPS}="text"',
        f"{STEPS}=5",
        f"{STEPS}[][percent]=50&{STEPS}[0][price]=105",
        f"{STEPS}[percent]=50&{STEPS}[percent]=50&{STEPS}[price]=105",
        f"{STEPS}[0][percent]=50&{STEPS}[0][percent]=60",
        f"{STEPS}=[]&{STEPS}[][percent]=50",
    ],
)
def test_steps_that_say_two_things_are_unclear(text: str) -> None:
    assert form(text) == {STEPS: UNCLEAR}


def test_steps_that_are_null_are_not_there() -> None:
    assert form(f"{STEPS}=null") == {}


def test_a_plain_list_is_a_list() -> None:
    assert form("pairs[]=USDT_BTC&pairs[]=USDT_ETH") == {"pairs": ["USDT_BTC", "USDT_ETH"]}


@given(st.text(), st.sampled_from([FORM, JSON, ""]), st.binary() | st.text().map(str.encode))
def test_nothing_else_is_ever_raised(query: str, mimetype: str, body: bytes) -> None:
    with suppress(Unreadable):
        assert None not in parameters_from(query, mimetype, body).values()


@given(
    st.dictionaries(
        st.sampled_from([STEPS, f"{STEPS}[]", f"{STEPS}[0][price]", "a"]), st.text(max_size=9)
    )
)
def test_steps_are_a_list_or_refused(pairs: dict[str, str]) -> None:
    body = json.dumps(pairs).encode()

    steps = parameters_from("", JSON, body).get(STEPS)

    assert not isinstance(steps, str)
