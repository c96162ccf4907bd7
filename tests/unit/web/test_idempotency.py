"""Whose an idempotency key is, and what it may be."""

import pytest

from app.domain.enums import Dialect
from app.domain.errors import UnusableKey
from app.web.idempotency import marks_of_key, name_of_key

WHOSE = (Dialect.HUMMINGBOT, "me")


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_key_has_a_length(key: str) -> None:
    with pytest.raises(UnusableKey):
        marks_of_key(key, WHOSE, "01", ())


def test_a_key_belongs_to_its_caller() -> None:
    names = {
        name_of_key(Dialect.HUMMINGBOT, "a", "b"),
        name_of_key(Dialect.HUMMINGBOT, "a\nb", ""),
        name_of_key(Dialect.HUMMINGBOT, "b", "b"),
        name_of_key(Dialect.POLONIEX, "a", "b"),
        name_of_key(Dialect.HUMMINGBOT, "a", "b", (1,)),
        name_of_key(Dialect.HUMMINGBOT, "a", "b", (2,)),
    }

    assert len(names) == 6


def test_parts_and_contents_differ() -> None:
    marks = [
        *marks_of_key("k", WHOSE, "01", ()),
        *marks_of_key("k", WHOSE, "02", ()),
        *marks_of_key("k", WHOSE, "01", (), part=1),
    ]

    assert len({mark.digest for mark in marks}) == 3
    assert marks_of_key(None, WHOSE, "01", ()) == ()
