"""What the shapes of the dialects are made of: exact numbers, bounded text, absent values."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, pre_load, validate

from app.domain.errors import invalid_fields
from app.domain.money import plain
from app.web.alert_texts import no_number

#: No price or quantity needs more; both bound what arithmetic on a number can cost.
DIGITS_MAX = 40
EXPONENT_MAX = 30

#: `Decimal` itself reads more: `1_000`, full-width digits, NaN.
_NUMBER = re.compile(
    r"[ \t\r\n]*[+-]?(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE][+-]?(\d+))?[ \t\r\n]*", re.ASCII
)

#: Of prices, quantities and shares.
POSITIVE = validate.Range(min=0, min_inclusive=False, error="Must be above 0, was {input}.")

_T = TypeVar("_T")


def between(least: int, most: int) -> validate.Range:
    """Return the check that a number lies within these bounds, both included."""
    return validate.Range(
        least, most, error="Must be at least {min} and at most {max}, was {input}."
    )


class TooManyDigits(ValidationError):
    """A number that no price or quantity needs."""

    def __init__(self) -> None:
        super().__init__(f"More than {DIGITS_MAX} digits.")


def number_from(value: object) -> Decimal:
    """Return the exact number that a JSON number or a numeric text says.

    Text is: blanks, sign, ASCII digits, fraction, exponent, blanks; all but one digit optional.
    The digits of a JSON number are counted as if it was written without an exponent.

    Raises:
        ValidationError: it is no number, or one out of bounds.
    """
    if isinstance(value, str):
        return _number_from_text(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValidationError("Not a number.")
    number = Decimal(value)
    if abs(number.adjusted()) >= DIGITS_MAX:
        raise TooManyDigits  # perhaps billions: it must not be written out
    return _number_from_text(f"{number:f}")


def _number_from_text(text: str) -> Decimal:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValidationError(no_number(text))
    whole, fraction, exponent = match.groups("")
    if len(whole) + len(fraction) > DIGITS_MAX:
        raise TooManyDigits
    # Its length first: to turn endless digits into an `int` is slow, or an error.
    exponent = exponent.lstrip("0")
    if len(exponent) > len(str(EXPONENT_MAX)) or int(exponent or 0) > EXPONENT_MAX:
        raise ValidationError(f"An exponent beyond {EXPONENT_MAX}.")
    return Decimal(text.strip())


class ValueField(fields.Field[_T]):
    """A field that depends on nothing but its own value."""

    @abstractmethod
    def read(self, value: object) -> _T:
        """Return what the value means.

        Raises:
            ValidationError: it means nothing here.
        """

    def _deserialize(
        self,
        value: object,
        attr: str | None,  # noqa: ARG002
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **_: object,
    ) -> _T:
        return self.read(value)


class Number(ValueField[Decimal]):
    """A JSON number or a numeric text, exact. Booleans are none."""

    def read(self, value: object) -> Decimal:
        """Return the number."""
        return number_from(value)


class WholeNumber(ValueField[int]):
    """A number without a fraction: `5`, `"5"` and `5.0` are the same."""

    def read(self, value: object) -> int:
        """Return the number."""
        number = number_from(value)
        if number != number.to_integral_value():
            raise ValidationError(f"Must be a whole number, was {number}.")
        return int(number)


class Flag(ValueField[bool]):
    """`true` or `false`, and nothing that merely looks like it."""

    default_error_messages = {"invalid": "Not true or false."}  # noqa: RUF012 - as marshmallow has it

    def read(self, value: object) -> bool:
        """Return the value itself."""
        if isinstance(value, bool):
            return value
        raise self.make_error("invalid")


class Text(ValueField[str]):
    """Text, kept as given."""

    default_error_messages = {"invalid": "Not text."}  # noqa: RUF012 - as marshmallow has it

    def read(self, value: object) -> str:
        """Return the value itself."""
        if isinstance(value, str):
            return value
        raise self.make_error("invalid")


class Figure(Text):
    """A number of value that is written as text."""

    def _serialize(self, value: object, *_: object, **__: object) -> object:
        return plain(value) if isinstance(value, Decimal) else value


def printable(characters_max: int, signs: str = "[ -~]") -> validate.Regexp:
    """Return the check that a text has so many printable ASCII characters, and is not empty."""
    return validate.Regexp(
        rf"{signs}{{1,{characters_max}}}\Z",
        error=f"Must be 1 to {characters_max} printable ASCII characters.",
    )


#: The caller's own id for a request.
CallerId = partial(Text, validate=printable(64))

#: A name of ours: a letter or digit, then letters, digits and any of `._-`, 64 in all.
Name = partial(
    Text,
    validate=validate.Regexp(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
        error="Must be 1 to 64 letters, digits or any of ._- beginning with a letter or digit.",
    ),
)


class Refused(ValueField[Any]):
    """A key that may not be there, although other shapes have it.

    Args:
        why: told to the caller.
    """

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why

    def read(self, value: object) -> Any:  # noqa: ANN401, ARG002
        """Refuse any value."""
        raise ValidationError(self.why)


class Strict(Schema):
    """A shape of our own API, which refuses what it does not know."""

    class Meta:
        """Unknown keys are mistakes of whoever wrote them."""

        unknown = RAISE


class Lenient(Schema):
    """A shape in which unknown keys are ignored, as in every dialect."""

    class Meta:
        """What is meant for another receiver may arrive as well."""

        unknown = EXCLUDE


class Message(Lenient):
    """A shape in which `null` and `""` mean absent.

    Senders fill templates: what they have no value for arrives empty.
    """

    @pre_load
    def _without_empty(self, data: Mapping[str, object], **_: object) -> dict[str, object]:
        return {name: value for name, value in data.items() if value is not None and value != ""}


def loaded(schema: Schema, payload: Mapping[str, object]) -> dict[str, Any]:
    """Return what the schema makes of the payload, by attribute names.

    Raises:
        MalformedPayload: with the code `validation_failed` and messages by wire field name.
    """
    try:
        shape: dict[str, Any] = schema.load(payload)
    except ValidationError as error:
        raise invalid_fields(messages_by_name(error.messages_dict)) from error
    return shape


def loaded_in_part(
    schema: Schema, payload: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is good of a payload, by attribute, and what is wrong with it, by wire name."""
    try:
        return schema.load(payload), {}
    except ValidationError as error:
        valid = error.valid_data
        return dict(valid) if isinstance(valid, dict) else {}, error.messages_dict


def messages_by_name(messages: Any, path: str = "") -> dict[str, list[str]]:  # noqa: ANN401
    """Flatten what marshmallow nests: `{"steps": {0: {"price": [..]}}}` → `steps.0.price`."""
    if not isinstance(messages, dict):
        return {path: [str(message) for message in messages]}
    flat: dict[str, list[str]] = {}
    for name, inner in messages.items():
        flat |= messages_by_name(inner, f"{path}.{name}" if path else str(name))
    return flat
