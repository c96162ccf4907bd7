"""What is wrong with parameters, gathered so that all of it is told at once.

The messages are those of 3Commas itself (docs repository: errors.mdx, smart-trade pages, issue 34),
since callers look for their exact words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema

from app.domain.errors import MalformedPayload
from app.web.fields import loaded_in_part

MISSING = "is missing"
INVALID = "is invalid"
NOT_LISTED = "is not included in the list"
NOT_ABOVE_ZERO = "must be greater than 0"
NOT_POSITIVE = "must be positive"
NOT_NEGATIVE = "must be negative"
NOT_EDITABLE = "Can't be edit"
NOT_UNIQUE = "must be unique"
NOT_WHOLE = "sum of percents must be equal to 100"
TOO_MANY_STEPS = "is too long (maximum is 4 steps)"

Shape = dict[str, Any]


class InvalidParameters(MalformedPayload):
    """Something is missing, of a wrong type, not in its list or of a wrong sign."""


class RulesBroken(InvalidParameters):
    """The market's rules do not allow a figure."""


def invalid_parameters(fields: Mapping[str, Sequence[str]]) -> InvalidParameters:
    """Return the error with these messages: parameter → messages."""
    message = f"invalid parameters: {', '.join(fields)}"
    return InvalidParameters("record_invalid", message, fields)


class Findings:
    """Messages by field, in the order in which they were found."""

    def __init__(self) -> None:
        self._fields: dict[str, list[str]] = {}
        self._path = ""

    def within(self, path: str) -> "Findings":
        """Return the same findings, for the fields of an object within the parameters."""
        inner = Findings()
        inner._fields, inner._path = self._fields, path
        return inner

    def add(self, name: str, message: str) -> None:
        """Note what is wrong with a field; only the first thing counts."""
        self._fields.setdefault(self._name(name), [message])

    def about(self, name: str) -> bool:
        """Tell whether anything is wrong with a field."""
        return self._name(name) in self._fields

    def shape(self, schema: Schema, parameters: Mapping[str, object]) -> Shape:
        """Return what is good of the parameters that a schema knows, and note the rest."""
        shape, wrong = loaded_in_part(schema, parameters)
        for name, messages in wrong.items():
            self.add(str(name), str(messages[0]))
        return shape

    def refuse(self) -> None:
        """Let pass if nothing is wrong.

        Raises:
            InvalidParameters: something is.
        """
        if self._fields:
            raise invalid_parameters(self._fields)

    def _name(self, name: str) -> str:
        return f"{self._path}[{name}]" if self._path else name
