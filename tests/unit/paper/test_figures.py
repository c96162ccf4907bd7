"""Figures as text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+2", "100"),
        ("100.00", "100"),
        ("0.10", "0.1"),
        ("1E-8", "0.00000001"),
        ("-0.0", "0"),
        ("0", "0"),
        ("-1.50", "-1.5"),
    ],
)
def test_figures_are_plain(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9))
def test_figures_lose_nothing(value: Decimal) -> None:
    assert Decimal(plain(value)) == value
