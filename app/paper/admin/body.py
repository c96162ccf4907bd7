"""Reads parsed JSON bodies field by field, and gathers everything that is wrong with them."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from app.domain.errors import MalformedPayload
from app.domain.money import plain

Word = TypeVar("Word", bound=StrEnum)

#: ASCII only, since `Decimal` also reads other scripts' digits and underscores.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_DIGITS_MAX = 40
_EXPONENT_MAX = 30

_SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)

_NOTHING = Decimal(0)


class Body:
    """One JSON object of a request, and the complaints about the whole request.

    Every method returns something usable; `check` raises when any of them has complained.

    Args:
        content: the parsed object; floats must have been parsed to Decimal.
        known: the keys that it may have; None allows any.
        path: where it is in the request, for instance `positions.ETH/USDT`.
        parent: the object that holds it.
    """

    def __init__(
        self,
        content: object,
        known: frozenset[str] | None = None,
        path: str = "",
        parent: "Body | None" = None,
    ) -> None:
        self._path = path
        self.complaints: dict[str, list[str]] = {} if parent is None else parent.complaints
        self._content: Mapping[str, object] = {}
        if isinstance(content, Mapping):
            self._content = content
        else:
            self.complain("", "must be an object")
        for key in self._content:
            if known is not None and key not in known:
                self.complain(key, "unknown field")

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there, be it null."""
        return name in self._content

    def check(self) -> None:
        """Raise what was wrong, if anything was.

        Raises:
            MalformedPayload: with the messages by field.
        """
        if self.complaints:
            fields = ", ".join(sorted(self.complaints))
            raise MalformedPayload("validation_failed", f"wrong: {fields}", self.complaints)

    def complain(self, name: str, message: str) -> None:
        """Note what is wrong with a field."""
        where = ".".join(part for part in (self._path, name) if part) or "body"
        self.complaints.setdefault(where, []).append(message)

    def names(self) -> Sequence[str]:
        """Return the keys that are there."""
        return list(self._content)

    def value(self, name: str) -> object:
        """Return a field as it was parsed; None when it is absent."""
        return self._content.get(name)

    def child(self, name: str, known: frozenset[str] | None = None) -> "Body":
        """Return an object inside this one; an empty one when it is absent."""
        path = f"{self._path}.{name}" if self._path else name
        return Body(self._content.get(name, {}), known, path, self)

    def sequence(self, name: str) -> Sequence[object]:
        """Return a list; an empty one when it is absent."""
        value = self._content.get(name, [])
        if isinstance(value, list):
            return value
        self.complain(name, "must be a list")
        return []

    def children(self, name: str, known: frozenset[str]) -> Sequence["Body"]:
        """Return a list of objects."""
        path = f"{self._path}.{name}" if self._path else name
        return [
            Body(value, known, f"{path}.{index}", self)
            for index, value in enumerate(self.sequence(name))
        ]

    def number(self, name: str, default: Decimal = _NOTHING) -> Decimal:
        """Return a number of at least 0, given as number or text."""
        if name not in self._content:
            return default
        value = number_from(self._content[name])
        if value is None or value < 0:
            self.complain(name, "must be a number of at least 0")
            return default
        return value

    def positive(self, name: str, default: Decimal | None = None) -> Decimal:
        """Return a number above 0, given as number or text; 1 after a complaint."""
        if name not in self._content and default is not None:
            return default
        value = number_from(self._content.get(name))
        if value is None or value <= 0:
            self.complain(name, "must be a number above 0")
            return Decimal(1)
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        """Return a whole number within bounds; the least one when it is absent."""
        value = number_from(self._content.get(name, least))
        if value is None or value != value.to_integral_value() or not least <= value <= most:
            self.complain(name, f"must be a whole number from {least} to {most}")
            return least
        return int(value)

    def flag(self, name: str) -> bool:
        """Return a truth value; False when it is absent."""
        value = self._content.get(name, False)
        if not isinstance(value, bool):
            self.complain(name, "must be true or false")
        return value is True

    def word(self, name: str, words: type[Word], default: Word) -> Word:
        """Return one of a closed set of words."""
        value = self._content.get(name, default)
        if isinstance(value, str) and value in set(words):
            return words(value)
        self.complain(name, f"must be one of {', '.join(words)}")
        return default

    def is_symbol(self, name: str) -> bool:
        """Tell whether a key is a symbol; complain if it is not."""
        if is_symbol_text(name):
            return True
        self.complain(name, "must be a symbol like BTC/USDT")
        return False

    def is_currency(self, name: str) -> bool:
        """Tell whether a key is a currency; complain if it is not."""
        if _CURRENCY.fullmatch(name):
            return True
        self.complain(name, "must be a currency like USDT")
        return False


def is_symbol_text(text: str) -> bool:
    """Tell whether a text has the form `BTC/USDT`."""
    return _SYMBOL.fullmatch(text) is not None


def number_from(value: object) -> Decimal | None:
    """Return the number that a JSON number or text stands for, or None if it stands for none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    text = str(value).strip(" ")
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    _, digits, exponent = number.as_tuple()
    too_long = len(digits) > _DIGITS_MAX or abs(int(exponent)) > _EXPONENT_MAX
    return None if too_long or len(plain(number)) > 2 * _DIGITS_MAX else number
