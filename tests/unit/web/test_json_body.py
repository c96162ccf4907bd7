"""Bodies are read exactly, or refused as `invalid_json`."""

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import MalformedPayload
from app.web.json_body import DEPTH_MAX, alert_from, payload_from


def nested(levels: int) -> bytes:
    lists = levels - 1
    return b'{"a":' + b"[" * lists + b"1" + b"]" * lists + b"}"


def test_fractions_and_exponents_are_exact() -> None:
    payload = payload_from(b'{"a":0.1000000000000000000000000000000001,"b":1e-7,"c":-2.50}')

    assert payload["a"] == Decimal("0.1000000000000000000000000000000001")
    assert payload["b"] == Decimal("1e-7")
    assert str(payload["c"]) == "-2.50"


def test_integers_are_exact_whatever_their_length() -> None:
    payload = payload_from(b'{"a":9007199254740993,"b":' + b"1" * 5000 + b"}")

    assert payload["a"] == 9007199254740993
    assert isinstance(payload["a"], int)
    assert payload["b"] == Decimal("1" * 5000)


def test_text_may_be_written_as_pairs_of_escapes() -> None:
    assert payload_from(rb'{"log":"\ud83d\ude80 \u9577"}') == {"log": "🚀 長"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"Buy now", id="words"),
        pytest.param(b'{"a":1', id="half"),
        pytest.param(b'{"a":1}{"a":1}', id="two objects"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b'{"a":01}', id="leading zero"),
        pytest.param(b'{"a":1_0}', id="underscore"),
        pytest.param('{"a":\uff11}'.encode(), id="full-width digit"),
        pytest.param(b'{"a":"\n"}', id="raw line break in text"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'"{}"', id="text"),
        pytest.param(b"null", id="null"),
        pytest.param(b"1", id="number"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":[Infinity]}', id="Infinity"),
        pytest.param(b'{"a":-Infinity}', id="-Infinity"),
        pytest.param(b'{"a":1,"a":1}', id="key twice"),
        pytest.param(b'{"a":[{"b":1,"c":2,"b":3}]}', id="key twice, inside"),
        pytest.param(rb'{"\ud800":1,"\ud800":2}', id="half pair as key, twice"),
        pytest.param(rb'{"a":["\ud800"]}', id="half pair"),
        pytest.param(rb'{"\uDC00":1}', id="half pair as key"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', id="half pair in bytes"),
        pytest.param(b'{"a":"\xff"}', id="no UTF-8"),
        pytest.param('{"a":1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}', id="two byte order marks"),
        pytest.param(b"\xef\xbb\xbf", id="byte order mark alone"),
        pytest.param(b'{"a":1e' + b"9" * 30 + b"}", id="immense exponent"),
        pytest.param(b'{"a":' + b"[" * 60_000, id="deep, open"),
        pytest.param(nested(30_000), id="deep, closed"),
    ],
)
def test_anything_else_is_invalid_json(body: bytes) -> None:
    with pytest.raises(MalformedPayload) as caught:
        payload_from(body)

    assert caught.value.code == "invalid_json"
    assert not caught.value.fields
    str(caught.value).encode()


def test_nesting_has_a_limit() -> None:
    assert payload_from(nested(DEPTH_MAX))

    with pytest.raises(MalformedPayload, match="deeper than 16 levels"):
        payload_from(nested(DEPTH_MAX + 1))


def test_a_key_that_stands_twice_is_told_by_its_name() -> None:
    with pytest.raises(MalformedPayload, match="the key 'action' stands twice"):
        payload_from(b'{"log":1,"action":"buy","percent":1,"action":"sell"}')


def test_a_refusal_says_where_the_text_stops_being_json() -> None:
    with pytest.raises(MalformedPayload, match="not JSON at character 10: Expecting value"):
        payload_from(b'{"action":}')


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with suppress(MalformedPayload):
        assert isinstance(payload_from(body), dict)


scalars = st.none() | st.booleans() | st.integers() | st.text()


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            scalars,
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_what_was_written_is_read(payload: dict[str, object]) -> None:
    assert payload_from(json.dumps(payload).encode()) == payload


@pytest.mark.parametrize(
    "body",
    [b'\xef\xbb\xbf{"a":1}', b'\xef\xbb\xbf \r\n{"a":1}\n\n', b'\t {"a" : 1 }'],
)
def test_a_byte_order_mark_and_blanks_around_count_as_nothing(body: bytes) -> None:
    assert payload_from(body) == alert_from(body) == {"a": 1}


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\ta\t", "\u957f\n"])
def test_an_alert_may_break_its_lines(text: str) -> None:
    body = f'{{"log":"{text}"}}'.encode()

    assert alert_from(body) == {"log": text}
    with pytest.raises(MalformedPayload, match="Invalid control character"):
        payload_from(body)


@pytest.mark.parametrize("code", [0, 8, 0x0B, 0x0C, 0x1B, 0x1F])
def test_what_nobody_types_is_refused_in_an_alert_too(code: int) -> None:
    with pytest.raises(MalformedPayload, match="Invalid control character"):
        alert_from(f'{{"log":"a{chr(code)}b\n"}}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        "%7B%22a%22%3A%22b+%2B%C3%A9%22%7D=",
        "%7b%22a%22:%22b%20%2b%c3%a9%22%7d",
        "\ufeff\n%7B%22a%22%3A%22b+%2B%C3%A9%22%7D=\r\n",
        '{"a":"b +\u00e9"}',
    ],
)
def test_an_alert_may_be_the_one_key_of_a_form(body: str) -> None:
    assert alert_from(body.encode()) == {"a": "b +\u00e9"}


@pytest.mark.parametrize(
    "body",
    [
        "%7B%22a%22%3A1%7D=1",
        "%7B%22a%22%3A1%7D=&b=2",
        "%7B%22a%22%3A1%7D=&%7B%22a%22%3A2%7D=",
        "b=2&%7B%22a%22%3A1%7D=",
        "alert=%7B%22a%22%3A1%7D",
        "%7B%22a%22%3A%22%FF%22%7D=",
        "%7B%22a%22%3A1%2C%22a%22%3A2%7D=",
        "%5B%5D=",
        "%7B",
        "&" * 60_000,
        "%7B" + "&" * 60_000,
    ],
)
def test_any_other_form_is_no_alert(body: str) -> None:
    with pytest.raises(MalformedPayload) as caught:
        alert_from(body.encode())

    assert caught.value.code == "invalid_json"
