"""What parameters are made of, with the messages of 3Commas."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from app.dialects.three_commas import errors as findings
from app.web.fields import Flag, Number, Text, WholeNumber

_W = TypeVar("_W", bound=StrEnum)

_FLAGS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}

ABOVE_ZERO = validate.Range(min=0, min_inclusive=False, error=findings.NOT_ABOVE_ZERO)

#: Trailing distances, in percent.
BELOW_HUNDRED = validate.Range(max=100, max_inclusive=False, error=findings.INVALID)

_WORDS: Any = {"required": findings.MISSING, "null": findings.MISSING, "invalid": findings.INVALID}


class Figure(Number):
    """A JSON number or a numeric text, exact."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(error_messages=_WORDS, **options)

    def read(self, value: object) -> Decimal:
        """Return the number."""
        try:
            return super().read(value)
        except ValidationError as error:
            raise ValidationError(findings.INVALID) from error


class Amount(Figure):
    """A number above 0."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(validate=ABOVE_ZERO, **options)


class Distance(Figure):
    """A trailing distance: above 0 and below 100 percent."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(validate=[ABOVE_ZERO, BELOW_HUNDRED], **options)


class Whole(WholeNumber):
    """A number without a fraction."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(error_messages=_WORDS, **options)

    def read(self, value: object) -> int:
        """Return the number."""
        try:
            return super().read(value)
        except ValidationError as error:
            raise ValidationError(findings.INVALID) from error


class YesNo(Flag):
    """`true` or `false`; in a form also `True`, `False`, `1` and `0`."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(error_messages=_WORDS, **options)

    def read(self, value: object) -> bool:
        """Return what was meant."""
        if isinstance(value, str) and value in _FLAGS:
            return _FLAGS[value]
        return super().read(value)


class Words(Text):
    """Any text.

    Args:
        most: characters.
    """

    def __init__(self, most: int = 1000, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        error = f"is too long (maximum is {most} characters)"
        length = validate.Length(max=most, error=error)
        super().__init__(validate=length, error_messages=_WORDS, **options)


class Choice(fields.Enum[_W]):
    """One word of a list.

    Args:
        words: the list.
    """

    def __init__(self, words: type[_W], **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(words, by_value=True, error_messages=_WORDS, **options)

    def _deserialize(self, value: Any, *_: object, **__: object) -> _W:  # noqa: ANN401
        if not isinstance(value, str):
            raise ValidationError(findings.INVALID)
        try:
            return self.enum(value)
        except ValueError as error:
            raise ValidationError(findings.NOT_LISTED) from error
