"""Signatures of orders (apisify spec, sections 1 and 6)."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.apisify.signing import Window, digest_of, key_from, signature_from, signed
from app.domain.errors import NotAuthenticated, StaleTimestamp
from app.domain.identifiers import EpochMs
from app.web.digests import one_hash

SECRET = "test-secret"  # noqa: S105 - of the vectors
URL = "https://orders.example.com/v1/order"
HTTP_URL = "http://orders.example.com/v1/order"
AT = 1_649_027_013_445
NOW = EpochMs(1_649_027_014_000)
S = "d5bc0943e1d3be79d6a656bac6e05d232b7e3d8f96716069d3c7d2ab96e992f6"
S_HTTP = "eeb2102000305f9c9164e46ffebdd984b15ccea138e0b9dd9976238d33b214e4"
GOOD: Mapping[str, object] = {"apikey": "ak_test", "timestamp": AT, "sign": S}


def read(odd: Mapping[str, object], now: int = NOW, urls: tuple[str, ...] = (URL,)) -> str:
    return signature_from({**GOOD, **odd}, urls, SECRET, EpochMs(now), Window())


def test_the_fixed_digests() -> None:
    assert signed(SECRET, str(AT), URL) == S
    assert signed(SECRET, str(AT), HTTP_URL) == S_HTTP


@pytest.mark.parametrize("odd", [{}, {"sign": S.upper()}, {"timestamp": str(AT)}])
def test_a_good_signature_is_returned_in_lower_case(odd: Mapping[str, object]) -> None:
    assert read(odd) == S


def test_any_of_several_urls_will_do() -> None:
    assert read({"sign": S_HTTP}, urls=(URL, HTTP_URL)) == S_HTTP


@pytest.mark.parametrize(
    "odd",
    [
        {"sign": S_HTTP},
        {"sign": None},
        {"sign": ""},
        {"sign": S[:-1]},
        {"sign": S + "0"},
        {"sign": 5},
        {"timestamp": None},
        {"timestamp": True},
        {"timestamp": float(AT)},
        {"timestamp": f" {AT}"},
        {"timestamp": "1e12"},
        {"timestamp": "9" * 40},
        {"timestamp": chr(0xFF11) * 13},  # full-width ones
    ],
)
def test_anything_else_is_refused(odd: Mapping[str, object]) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        read(odd)

    assert type(refused.value) is NotAuthenticated


@pytest.mark.parametrize(
    ("now", "is_good"),
    [(AT + 5_001, False), (AT + 5_000, True), (AT - 1_000, False), (AT - 999, True)],
)
def test_the_window_is_open_behind_and_nearly_closed_ahead(now: int, *, is_good: bool) -> None:
    if is_good:
        assert read({}, now) == S
        return
    with pytest.raises(StaleTimestamp) as refused:
        read({}, now)

    assert refused.value.server_time_ms == now


def test_seconds_are_out_of_the_window_and_told_so() -> None:
    with pytest.raises(StaleTimestamp, match="milliseconds"):
        read({"timestamp": AT // 1000})


@pytest.mark.parametrize("key", [None, "", 5, "x" * 129])
def test_a_key_is_text(key: object) -> None:
    with pytest.raises(NotAuthenticated):
        key_from({"apikey": key})


def test_the_digest_is_of_the_whole_body_but_its_signature() -> None:
    same = {"sign": "other", "timestamp": AT, "apikey": "ak_test"}

    assert digest_of(GOOD) == digest_of(same)
    assert digest_of(GOOD) != digest_of({**GOOD, "qty": 1})


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_different_parts_have_different_hashes(one: list[str], other: list[str]) -> None:
    assert (one_hash(*one) == one_hash(*other)) is (one == other)
