"""Fields as the reference's models read them, with its words for what is wrong (spec 2.4)."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, NoReturn

from marshmallow import ValidationError

from app.dialects.hummingbot.errors import BODY, InvalidBody, Problem
from app.web.fields import DIGITS_MAX, number_from

_NOT_FINITE = re.compile(r"[+-]?(s?nan\d*|inf(inity)?)", re.ASCII | re.IGNORECASE)

#: `.5` and `5.`, which the reference reads as well, though a digit is left out.
_BARE_BEGIN = re.compile(r"(?<!\d)\.(?=\d)", re.ASCII)
_BARE_END = re.compile(r"(?<=\d)\.(?!\d)", re.ASCII)

_WHOLE = re.compile(r"[+-]?\d{1,20}(\.0{1,20})?", re.ASCII)


class Wrong(Exception):
    """A value that a field does not take."""

    def __init__(
        self,
        kind: str,
        message: str,
        context: Mapping[str, object] | None = None,
        within: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.context = context
        self.within = within


Read = Callable[[object], Any]

#: The default of a field that has none.
REQUIRED: Final = object()


class Field(NamedTuple):
    """One field of a model: how it is read, and what it is when it is absent."""

    name: str
    read: Read
    default: object = REQUIRED


def shape_of(fields: Sequence[Field], body: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of all fields; keys that no field has are ignored.

    Raises:
        InvalidBody: with every problem, in the order of the fields.
    """
    shape: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in fields:
        if field.name not in body:
            shape[field.name] = field.default
            if field.default is REQUIRED:
                problems.append(_missing(field.name, body))
            continue
        given = body[field.name]
        try:
            shape[field.name] = field.read(given)
        except Wrong as wrong:
            problems.append(_problem(field.name, given, wrong))
    if problems:
        raise InvalidBody(problems)
    return shape


def _missing(name: str, body: object) -> Problem:
    return Problem(kind="missing", message="Field required", location=(*BODY, name), given=body)


def _problem(name: str, given: object, wrong: Wrong) -> Problem:
    location = (*BODY, name)
    if wrong.within is not None and isinstance(given, list):
        location, given = (*location, wrong.within), given[wrong.within]
    return Problem(
        kind=wrong.kind,
        message=str(wrong),
        location=location,
        given=given,
        context=wrong.context,
    )


def text(value: object) -> str:
    """Read text, strictly: a number is none."""
    if isinstance(value, str):
        return value
    raise Wrong("string_type", "Input should be a valid string")


def texts(value: object) -> list[str]:
    """Read a list of texts."""
    if not isinstance(value, list):
        raise Wrong("list_type", "Input should be a valid list")
    for number, one in enumerate(value):
        if not isinstance(one, str):
            raise Wrong("string_type", "Input should be a valid string", within=number)
    return value


def flag(value: object) -> bool:
    """Read a truth value."""
    if isinstance(value, bool):
        return value
    raise Wrong("bool_type", "Input should be a valid boolean")


def word(*words: str) -> Read:
    """Return what reads one of these words, in exactly this case."""
    quoted = [f"'{one}'" for one in words]
    expected = f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise Wrong("literal_error", f"Input should be {expected}", {"expected": expected})

    return read


def number(value: object) -> Decimal:
    """Read a finite number, given as number or text, whatever its sign."""
    if isinstance(value, str):
        value = _usual(value.strip())
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(
            "decimal_type", "Decimal input should be an integer, float, string or Decimal object"
        )
    try:
        return number_from(value)
    except ValidationError as error:
        _refuse_number(value, error)


def _usual(written: str) -> str:
    """Return a number in the one way in which the others read it."""
    if _NOT_FINITE.fullmatch(written):
        raise Wrong("finite_number", "Input should be a finite number")
    return _BARE_END.sub("", _BARE_BEGIN.sub("0.", written))


def _refuse_number(value: object, error: ValidationError) -> NoReturn:
    """Say whether it is no number, or one that is out of bounds."""
    too_long = not isinstance(value, str) or any("More than" in one for one in error.messages)
    if too_long:
        raise Wrong(
            "decimal_max_digits",
            f"Decimal input should have no more than {DIGITS_MAX} digits in total",
            {"max_digits": DIGITS_MAX},
        ) from error
    raise Wrong("decimal_parsing", "Input should be a valid decimal") from error


def amount(value: object) -> Decimal:
    """Read a number above 0."""
    found = number(value)
    if found > 0:
        return found
    raise Wrong("greater_than", "Input should be greater than 0", {"gt": 0})


def whole(value: object) -> int:
    """Read a whole number; `5`, `"5"` and `5.0` are the same."""
    if isinstance(value, str):
        if _WHOLE.fullmatch(value.strip()):
            return int(value.strip().partition(".")[0])
        raise Wrong(
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
        )
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong("int_type", "Input should be a valid integer")
    if isinstance(value, Decimal) and value.adjusted() >= DIGITS_MAX:
        raise Wrong("int_parsing_size", "Unable to parse input as an integer, it is too large")
    if value != int(value):
        raise Wrong(
            "int_from_float",
            "Input should be a valid integer, got a number with a fractional part",
        )
    return int(value)


def between(least: int, most: int) -> Read:
    """Return what reads a whole number within these bounds, both included."""

    def read(value: object) -> int:
        found = whole(value)
        if found < least:
            message = f"Input should be greater than or equal to {least}"
            raise Wrong("greater_than_equal", message, {"ge": least})
        if found > most:
            message = f"Input should be less than or equal to {most}"
            raise Wrong("less_than_equal", message, {"le": most})
        return found

    return read


def nullable(read: Read) -> Read:
    """Return what reads the same, and takes null for absent."""
    return lambda value: None if value is None else read(value)
