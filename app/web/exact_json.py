"""JSON text in which every number has exactly the digits that it was computed with."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.unhurried import unhurried

#: Digits that a number is written out with. Beyond that it came from outside, as an exponent that
#: would become a text of billions.
_DIGITS_MAX = 100

#: The quick one, for what holds no `Decimal`.
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def exact_json(value: object) -> str:
    """Return a value as JSON; a `Decimal` of sensible size becomes a number in plain digits.

    Raises:
        TypeError: JSON has no word for it.
    """
    if isinstance(value, list):
        return f"[{','.join(map(exact_json, unhurried(value)))}]"
    try:
        return _ENCODER.encode(value)
    except TypeError:
        return _exactly(value)


def _exactly(value: object) -> str:
    match value:
        case Decimal():
            return f"{value:f}" if abs(value.adjusted()) < _DIGITS_MAX else str(value)
        case None | bool() | int() | str():
            return json.dumps(value)
        case Mapping():
            members = (f"{json.dumps(str(key))}:{_exactly(one)}" for key, one in value.items())
            return f"{{{','.join(members)}}}"
        case Sequence():
            return f"[{','.join(map(_exactly, unhurried(value)))}]"
        case _:
            raise TypeError(f"{type(value).__name__} is nothing that JSON can say")
