"""What bodies are made of, with the reference's words for what is wrong (Hummingbot spec 2.4)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

from app.dialects.hummingbot.errors import MISSING, Problem
from app.web.fields import DIGITS_MAX, Flag, Number, Text, TooManyDigits, WholeNumber, number_from

_NOT_FINITE = re.compile(r"[+-]?(s?nan\d*|inf(inity)?)", re.ASCII | re.IGNORECASE)

_WHOLE = re.compile(r"[+-]?\d{1,20}(\.0{0,20})?", re.ASCII)


def _messages(invalid: Problem, **others: Problem) -> Any:  # noqa: ANN401 - marshmallow says `str`
    """Return the error messages of a field: to it, null is a value of a wrong type."""
    named = {"required": MISSING, "null": invalid, "invalid": invalid}
    return {name: [problem] for name, problem in (named | others).items()}


class Words(Text):
    """Text, strictly: a number is none."""

    default_error_messages = _messages(Problem("string_type", "Input should be a valid string"))


class Texts(fields.List[str]):
    """A list of texts."""

    default_error_messages = _messages(Problem("list_type", "Input should be a valid list"))

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        super().__init__(Words(), **options)

    def _deserialize(self, value: Any, *context: Any, **options: Any) -> Any:  # noqa: ANN401
        # To marshmallow, an object is a list of its keys.
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return super()._deserialize(value, *context, **options)


class Truth(Flag):
    """A truth value."""

    default_error_messages = _messages(Problem("bool_type", "Input should be a valid boolean"))


class Word(Text):
    """One of some words, in exactly this case.

    Args:
        words: in the order in which a message lists them.
    """

    def __init__(self, *words: str, **options: Any) -> None:  # noqa: ANN401 - marshmallow's own
        quoted = [f"'{one}'" for one in words]
        expected = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
        wrong = Problem("literal_error", f"Input should be {expected}", {"expected": expected})
        super().__init__(
            error_messages=_messages(wrong), metadata={"enum": [*map(str, words)]}, **options
        )
        self._words = {str(one): one for one in words}

    def read(self, value: object) -> str:
        """Return the word."""
        if isinstance(value, str) and value in self._words:
            return self._words[value]
        raise self.make_error("invalid")


class Figure(Number):
    """A finite number, given as number or text, whatever its sign."""

    default_error_messages = _messages(
        Problem(
            "decimal_type", "Decimal input should be an integer, float, string or Decimal object"
        ),
        infinite=Problem("finite_number", "Input should be a finite number"),
        parsing=Problem("decimal_parsing", "Input should be a valid decimal"),
        digits=Problem(
            "decimal_max_digits",
            f"Decimal input should have no more than {DIGITS_MAX} digits in total",
            {"max_digits": DIGITS_MAX},
        ),
    )

    def read(self, value: object) -> Decimal:
        """Return the number."""
        if isinstance(value, str):
            value = value.strip()
            if _NOT_FINITE.fullmatch(value):
                raise self.make_error("infinite")
        elif isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.make_error("invalid")
        try:
            return number_from(value)
        except TooManyDigits as error:
            raise self.make_error("digits") from error
        except ValidationError as error:
            raise self.make_error("parsing") from error


class Whole(WholeNumber):
    """A whole number; `5`, `"5"` and `5.0` are the same."""

    default_error_messages = _messages(
        Problem("int_type", "Input should be a valid integer"),
        parsing=Problem(
            "int_parsing", "Input should be a valid integer, unable to parse string as an integer"
        ),
        size=Problem("int_parsing_size", "Unable to parse input as an integer, it is too large"),
        fraction=Problem(
            "int_from_float",
            "Input should be a valid integer, got a number with a fractional part",
        ),
    )

    def read(self, value: object) -> int:
        """Return the number."""
        if isinstance(value, str):
            if _WHOLE.fullmatch(value.strip()):
                return int(value.strip().partition(".")[0])
            raise self.make_error("parsing")
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.make_error("invalid")
        if isinstance(value, Decimal) and value.adjusted() >= DIGITS_MAX:
            raise self.make_error("size")
        if value != int(value):
            raise self.make_error("fraction")
        return int(value)


class _Bound(validate.Range):
    """A bound of a number; `Range` names both of two, wherever a number lies."""

    def __init__(self, kind: str, said: str, context: Mapping[str, int], **bound: Any) -> None:  # noqa: ANN401 - of any type
        super().__init__(**bound)
        self._problem = Problem(kind, f"Input should be {said}", context)

    def __call__(self, value: Any) -> Any:  # noqa: ANN401 - of the type of the bound
        """Return the value if it lies within."""
        try:
            return super().__call__(value)
        except ValidationError as error:
            raise ValidationError([self._problem]) from error


ABOVE_ZERO: Final = _Bound("greater_than", "greater than 0", {"gt": 0}, min=0, min_inclusive=False)


def between(least: int, most: int) -> list[_Bound]:
    """Return the checks that a number lies within these bounds, both included."""
    return [
        _Bound("greater_than_equal", f"greater than or equal to {least}", {"ge": least}, min=least),
        _Bound("less_than_equal", f"less than or equal to {most}", {"le": most}, max=most),
    ]
