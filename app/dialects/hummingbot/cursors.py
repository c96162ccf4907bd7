"""Places in a list as text that means nothing to anybody else (Hummingbot spec 3)."""

import base64
import binascii
from collections.abc import Sequence

from app.domain.identifiers import AggregateId, EpochMs
from app.domain.search import FillPlace, Place

_BETWEEN = "|"

#: Digits of an id, and of a time in milliseconds: both stay below 2**53.
_DIGITS_MAX = 16


def cursor_of(place: Sequence[object]) -> str:
    """Return the parts of a place as one text."""
    joined = _BETWEEN.join(map(str, place))
    return base64.urlsafe_b64encode(joined.encode()).decode().rstrip("=")


def parts_of(cursor: str | None) -> Sequence[str] | None:
    """Return the parts again, or None for what is no cursor: its list begins anew."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, b"-_", validate=True).decode().split(_BETWEEN)
    except (binascii.Error, ValueError):
        return None


def order_place(cursor: str | None) -> Place | None:
    """Return the place after which a list of orders goes on; None at its beginning."""
    match _numbers(cursor):
        case [at_ms, order_id]:
            return EpochMs(at_ms), AggregateId(order_id)
        case _:
            return None


def fill_place(cursor: str | None) -> FillPlace | None:
    """Return the place after which a list of fills goes on; None at its beginning."""
    match _numbers(cursor):
        case [at_ms, order_id, number]:
            return EpochMs(at_ms), AggregateId(order_id), number
        case _:
            return None


def _numbers(cursor: str | None) -> list[int]:
    parts = parts_of(cursor) or []
    if any(not one.isascii() or not one.isdigit() or len(one) > _DIGITS_MAX for one in parts):
        return []
    return [int(one) for one in parts]
