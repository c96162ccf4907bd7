"""The fields of a body or a query, each read when its turn comes.

Poloniex names the first thing that is wrong, by a code of its own for nearly each field. So fields
are read one after the other, in the order in which they are documented.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from marshmallow import ValidationError

from app.dialects.poloniex.errors import Code, Problem, missing
from app.dialects.poloniex.symbols import symbol_from
from app.domain.errors import MalformedPayload
from app.domain.identifiers import Symbol
from app.web.fields import number_from
from app.web.json_body import json_from

#: Names that callers of the SDK mix up with the wire's.
_ALIASES = {
    "stopPrice": "stop_price",
    "timeInForce": "time_in_force",
    "clientOrderId": "client_order_id",
    "accountType": "account_type",
    "proceedOnFailure": "proceed_on_failure",
}

#: The only account type that there is here.
SPOT = "SPOT"

Word = TypeVar("Word")


class Payload:
    """Named values, as JSON or a query gives them. Unknown names are ignored, null is absent."""

    def __init__(self, content: Mapping[str, object]) -> None:
        self._content = content

    def value(self, name: str) -> object:
        """Return what stands under a name or its alias; None if nothing does."""
        found = self._content.get(name)
        if found is None and name in _ALIASES:
            found = self._content.get(_ALIASES[name])
        return found

    def text(self, name: str, code: Code = Code.INVALID_PARAMETER) -> str | None:
        """Return a text without the blanks around it; None if it is absent or empty.

        Raises:
            Problem: with the code; it is no text.
        """
        found = self.value(name)
        if found is None:
            return None
        if not isinstance(found, str):
            raise Problem(code, name)
        return found.strip() or None

    def number(self, name: str) -> Decimal | None:
        """Return an exact number, written as number or text; None if it is absent.

        Raises:
            Problem: it is none.
        """
        found = self.value(name)
        if found is None:
            return None
        try:
            return number_from(found)
        except ValidationError as error:
            raise Problem(Code.INVALID_PARAMETER, name) from error

    def whole(self, name: str) -> int | None:
        """Return a whole number; None if it is absent or empty.

        Raises:
            Problem: it is none.
        """
        if self.value(name) == "":
            return None
        number = self.number(name)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise Problem(Code.INVALID_PARAMETER, name)
        return int(number)

    def flag(self, name: str) -> bool:
        """Return `true`, also as text in any case or as 1; else false."""
        return str(self.value(name)).strip().lower() in {"true", "1"}

    def word(self, name: str, words: Mapping[str, Word], code: Code) -> Word | None:
        """Return the meaning of one of a few words, in any case; None if it is absent.

        Raises:
            Problem: with the code; it is another word.
        """
        text = self.text(name, code)
        if text is None:
            return None
        meaning = words.get(text.upper())
        if meaning is None:
            raise Problem(code, text[:64])
        return meaning

    def words(self, name: str, words: Mapping[str, Word], code: Code) -> list[Word] | None:
        """Return the meanings of several words: a list, or a text with commas; None if absent.

        Raises:
            Problem: with the code; there is another word among them.
        """
        texts = self.texts(name, code)
        if not texts:
            return None
        if any(one.upper() not in words for one in texts):
            raise Problem(code, name)
        return [words[one.upper()] for one in texts]

    def texts(self, name: str, code: Code = Code.INVALID_PARAMETER) -> list[str]:
        """Return several texts: a list of them, or one with commas; empty if absent.

        Raises:
            Problem: with the code; it is something else.
        """
        found = self.value(name)
        if found is None:
            return []
        if isinstance(found, str):
            found = found.split(",")
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise Problem(code, name)
        return [one.strip() for one in found if one.strip()]

    def symbol(self) -> Symbol:
        """Return the symbol, which must be there.

        Raises:
            Problem: it is absent, or no pair.
        """
        text = self.text("symbol", Code.INVALID_SYMBOL)
        if text is None:
            raise missing("symbol")
        return _symbol(text)

    def symbols(self, *names: str) -> frozenset[Symbol] | None:
        """Return all symbols that stand under these names; None if there are none.

        Raises:
            Problem: one is no pair.
        """
        found = [text for name in names for text in self.texts(name, Code.INVALID_SYMBOL)]
        return frozenset(map(_symbol, found)) or None

    def check_account_type(self, *names: str) -> None:
        """Refuse any account type but SPOT.

        Raises:
            Problem: there is another one.
        """
        for name in names or ("accountType",):
            for text in self.texts(name, Code.INVALID_ACCOUNT_TYPE):
                if text.upper() != SPOT:
                    raise Problem(Code.INVALID_ACCOUNT_TYPE, text[:64])


def object_from(body: bytes, *, required: bool = True) -> Payload:
    """Return the fields of a body that is a JSON object.

    Raises:
        Problem: there is none, and one is required; or it is something else.
    """
    if not body.strip():
        if required:
            raise Problem(Code.MISSING_PARAMETER, "body")
        return Payload({})
    content = _json(body)
    if not isinstance(content, dict):
        raise Problem(Code.INVALID_PARAMETER, "the body must be a JSON object")
    return Payload(content)


def array_from(body: bytes, most: int) -> list[object]:
    """Return the elements of a body that is a JSON array.

    Raises:
        Problem: it is something else, empty, or too long.
    """
    if not body.strip():
        raise Problem(Code.MISSING_PARAMETER, "body")
    content = _json(body)
    if not isinstance(content, list):
        raise Problem(Code.INVALID_PARAMETER, "the body must be a JSON array")
    if not 0 < len(content) <= most:
        raise Problem(Code.INVALID_PARAMETER, f"1 to {most} orders")
    return content


def _json(body: bytes) -> object:
    try:
        return json_from(body)
    except MalformedPayload as error:
        raise Problem(Code.INVALID_PARAMETER, str(error)) from error


def _symbol(text: str) -> Symbol:
    symbol = symbol_from(text)
    if symbol is None:
        raise Problem(Code.INVALID_SYMBOL, text[:64])
    return symbol
