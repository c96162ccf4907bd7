"""Places in a list as text that means nothing to whoever is to hand it back."""

import base64
import binascii
from collections.abc import Sequence

from app.domain.identifiers import id_from


def cursor_of(place: Sequence[object], between: str = "|") -> str:
    """Return the parts of a place as one text.

    Args:
        place: what a list is sorted by, of the last row that was shown.
        between: stands in none of the parts.
    """
    joined = between.join(map(str, place))
    return base64.urlsafe_b64encode(joined.encode()).decode().rstrip("=")


def parts_of(cursor: str, between: str = "|") -> list[str]:
    """Return the parts again; none of what is no cursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, b"-_", validate=True).decode().split(between)
    except (binascii.Error, ValueError):
        return []


def numbers_of(cursor: str, between: str = "|") -> list[int]:
    """Return the parts of a place that is told by ids and times; none of anything else."""
    numbers = [id_from(part) for part in parts_of(cursor, between)]
    return [one for one in numbers if one is not None] if None not in numbers else []
