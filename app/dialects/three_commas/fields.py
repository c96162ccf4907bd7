"""What parameters are made of, with the messages of 3Commas."""

from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from app.dialects.three_commas import errors as findings
from app.web.fields import Flag, Number, Text, ValueField, WholeNumber

_T = TypeVar("_T")
_W = TypeVar("_W", bound=StrEnum)

_FLAGS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}

_MESSAGES: Any = {
    "required": findings.MISSING,
    "null": findings.MISSING,
    "invalid": findings.INVALID,
    "unknown": findings.NOT_LISTED,
}

ABOVE_ZERO = validate.Range(min=0, min_inclusive=False, error=findings.NOT_ABOVE_ZERO)

#: Trailing distances, in percent.
BELOW_HUNDRED = validate.Range(max=100, max_inclusive=False, error=findings.INVALID)


class _Worded(ValueField[_T]):
    """A field that says in the words of 3Commas what is wrong with its value."""

    default_error_messages: Any = _MESSAGES

    def _deserialize(self, value: object, *_: object, **__: object) -> _T:
        try:
            return self.read(value)
        except ValidationError as error:
            raise self.make_error("invalid") from error


class Figure(_Worded[Decimal], Number):
    """A JSON number or a numeric text, exact."""


class Whole(_Worded[int], WholeNumber):
    """A number without a fraction."""


class YesNo(_Worded[bool], Flag):
    """`true` or `false`; in a form also `True`, `False`, `1` and `0`."""

    def read(self, value: object) -> bool:
        """Return what was meant."""
        if isinstance(value, str) and value in _FLAGS:
            return _FLAGS[value]
        return super().read(value)


class Words(_Worded[str], Text):
    """Any text.

    Args:
        most: characters.
    """

    def __init__(self, most: int = 1000, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        error = f"is too long (maximum is {most} characters)"
        super().__init__(validate=validate.Length(max=most, error=error), **options)


#: A number above 0.
amount = partial(Figure, validate=ABOVE_ZERO)

#: A trailing distance: above 0 and below 100 percent.
distance = partial(Figure, validate=[ABOVE_ZERO, BELOW_HUNDRED])


def choice(words: type[_W], **options: Any) -> fields.Enum[_W]:  # noqa: ANN401 - marshmallow's own
    """Return a field for one word of a list."""
    return fields.Enum(
        words, by_value=Text(error_messages=_MESSAGES), error_messages=_MESSAGES, **options
    )
