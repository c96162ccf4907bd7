"""What bodies and queries are made of, each with the code of its own refusal.

Of what is wrong a field says a `Problem`, which marshmallow keeps as the message about the field.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, pre_load
from marshmallow.fields import Field

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.notation import CALLER_ID, CALLER_ID_CHARACTERS_MAX
from app.domain.errors import MalformedPayload
from app.domain.trigger import PERCENT_PLACES, Offset
from app.web.fields import Lenient, ValueField, WholeNumber, loaded_in_part, number_from
from app.web.json_body import json_from, without_mark

#: Names that callers of the SDK mix up with the wire's.
_ALIASES = {
    "stopPrice": "stop_price",
    "timeInForce": "time_in_force",
    "clientOrderId": "client_order_id",
    "accountType": "account_type",
    "proceedOnFailure": "proceed_on_failure",
}

#: Of a word that is quoted in a message.
_QUOTED_CHARACTERS = 64

Content = Mapping[str, object]

#: What each word means, by the word in capitals; or what finds that, or None for no word.
Words = Content | Callable[[str], object]

#: Of the documentation: how numbers may come.
_NUMERIC = ["integer", "string"]

#: Reads a number without a fraction.
_whole = WholeNumber().read


class Shape(Lenient):
    """Named values, as JSON or a query gives them. Null is absent, and aliases are taken."""

    @pre_load
    def _present(self, content: Content, **_: object) -> dict[str, object]:
        spelled = {name: content.get(alias) for name, alias in _ALIASES.items()}
        named = [*spelled.items(), *content.items()]
        return {name: value for name, value in named if value is not None}


class Reading:
    """What a schema makes of a body or a query.

    Poloniex names the first thing that is wrong, by a code of its own for nearly each field, and
    which fields count depends on what others say. So what is wrong with a field is told when it is
    asked for: whoever reads asks in the order in which the fields are documented.
    """

    def __init__(self, schema: Schema, content: Content, inherited: Content | None = None) -> None:
        """Read.

        Args:
            schema: of what was sent.
            content: what was sent.
            inherited: field → the value that counts where nothing was sent.
        """
        good, wrong = loaded_in_part(schema, content)
        self._good: dict[str, Any] = {**(inherited or {}), **good}
        self._wrong = {
            name: _problem(field, field.data_key or name, wrong[field.data_key or name])
            for name, field in schema.fields.items()
            if (field.data_key or name) in wrong
        }

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - the schema says what it is
        """Return the value of a field, or None if it is absent.

        Raises:
            Problem: it is wrong, or absent although it is required.
        """
        if name in self._wrong:
            raise self._wrong[name]
        return self._good.get(name)

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there, good or wrong."""
        return name in self._wrong or self._good.get(name) is not None

    def check(self, *names: str) -> None:
        """Refuse what is wrong with fields whose values matter to nobody.

        Raises:
            Problem: one is.
        """
        for name in names:
            _ = self[name]


def _problem(field: Field[Any], wire_name: str, messages: list[str | Problem | Code]) -> Problem:
    """Return what a field of ours says, or a code for what the fields of all dialects say."""
    message = messages[0]
    if isinstance(message, Problem):
        return message
    own = getattr(field, "code", Code.INVALID_PARAMETER)
    return Problem(message if isinstance(message, Code) else own, wire_name)


class Coded(ValueField[Any]):
    """A field that a function reads.

    Args:
        meaning: value → what it means; None is what a blank one means. What means nothing it
            raises as `ValidationError`: with a `Problem`, if it has a code or a detail of its own.
        code: of what means nothing.
    """

    default_error_messages = {"required": [Code.MISSING_PARAMETER]}  # noqa: RUF012 - as marshmallow has it

    def __init__(
        self,
        meaning: Callable[[Any], object],
        code: Code = Code.INVALID_PARAMETER,
        **options: Any,  # noqa: ANN401 - marshmallow's own
    ) -> None:
        super().__init__(**options)
        self.code = code
        self._meaning = meaning

    def read(self, value: object) -> Any:  # noqa: ANN401 - whatever it means
        """Return what the value means."""
        found = self._meaning(value)
        if found is None and self.required:
            raise self.make_error("required")
        return found


def word(words: Words, code: Code, *, metadata: Content | None = None, **options: Any) -> Coded:  # noqa: ANN401
    """Return the field of one of a few words; a blank one is absent.

    Args:
        words: what each means, in any case; or what tells that.
        code: of another word, which is quoted.
        metadata: more for the documentation.
        options: of marshmallow.
    """

    def meaning(value: object) -> object:
        if not isinstance(value, str):
            raise ValidationError("Not text.")
        text = value.strip()
        return _meant(text, words, code) if text else None

    return Coded(meaning, code, metadata={**_described(words), **(metadata or {})}, **options)


def several(words: Words, code: Code, *, quotes: bool = False, **options: Any) -> Coded:  # noqa: ANN401
    """Return the field of several words: a list, or a text with commas. Blank ones are left out.

    Args:
        words: what each means, in any case; or what tells that.
        code: of another word.
        quotes: whether a refusal quotes the word that it is about.
        options: of marshmallow.
    """

    def meaning(value: object) -> object:
        texts = value.split(",") if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValidationError("Not texts.")
        named = [text.strip() for text in texts if text.strip()]
        return frozenset(_meant(one, words, code if quotes else None) for one in named) or None

    described = {"type": ["string", "array"], "items": _described(words)}
    return Coded(meaning, code, metadata=described, **options)


def _meant(text: str, words: Words, quoting: Code | None) -> object:
    """Return what a word means.

    Raises:
        ValidationError: nothing. It quotes the word if there is a code for that.
    """
    meaning = words.get(text.upper()) if isinstance(words, Mapping) else words(text)
    if meaning is None:
        raise ValidationError(
            [Problem(quoting, text[:_QUOTED_CHARACTERS])] if quoting else "No such word."
        )
    return meaning


def _described(words: Words) -> Content:
    return {"type": "string", **({"enum": [*words]} if isinstance(words, Mapping) else {})}


def limit(default: int, most: int) -> Coded:
    """Return the field of how many at once: too many are cut, not refused."""

    def meaning(value: object) -> int:
        count = _whole(value)
        if count < 1:
            raise ValidationError([Problem(Code.LIMIT_NOT_POSITIVE)])
        return min(count, most)

    described = {"type": _NUMERIC, "minimum": 1, "description": f"At most {most}."}
    return Coded(meaning, load_default=default, metadata=described)


def timeout(least: int, most: int, off: int) -> Coded:
    """Return the field of a length of time in seconds, or a number that switches it off."""

    def meaning(value: object) -> int | None:
        if value == "":
            return None
        seconds = _whole(value)
        if seconds != off and not least <= seconds <= most:
            bounds = f"timeout: {least} to {most}, or {off}"
            raise ValidationError([Problem(Code.INVALID_VALUE, bounds)])
        return seconds

    told = f"{least} to {most} seconds; {off} switches it off."
    return Coded(meaning, required=True, metadata={"type": _NUMERIC, "description": told})


def caller_id(value: object) -> str | None:
    """Return a client order id; a whole number counts as text, and an empty one is absent."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValidationError("Not text.")
    if len(value) > CALLER_ID_CHARACTERS_MAX:
        raise ValidationError([Problem(Code.CLIENT_ORDER_ID_TOO_LONG)])
    if value and not CALLER_ID.fullmatch(value):
        raise ValidationError("Not these characters.")
    return value or None


def distance(value: object, *, may_be_zero: bool = False) -> Offset | None:
    """Return a distance, `N` in quote currency or `N%`; an empty one is absent."""
    if value == "":
        return None
    text = value.strip() if isinstance(value, str) else ""
    is_percent = text.endswith("%")
    number = number_from(text[:-1] if is_percent else value)
    is_small = number < 0 or (number == 0 and not may_be_zero)
    if is_small or (is_percent and not _is_percentage(number)):
        raise ValidationError("Out of bounds.")
    return Offset(number, is_percent)


def truth(value: object) -> bool:
    """Return `true` or `false`, also given as text in any case; what is empty is false."""
    text = str(value or "false").strip().lower()
    if text not in {"true", "false"}:
        raise ValidationError("Not true or false.")
    return text == "true"


def is_on(value: object) -> bool:
    """Tell whether it is `true`, also as text in any case or as 1; anything else is false."""
    return str(value).strip().lower() in {"true", "1"}


def ids(value: object) -> list[str]:
    """Return a list of ids, each a text or a whole number; one alone is a list of one."""
    found = value if isinstance(value, list) else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int) for one in found):
        raise ValidationError("Not ids.")
    return [str(one) for one in found]


def object_from(body: bytes, *, required: bool = True) -> Content:
    """Return the fields of a body that is a JSON object.

    Raises:
        Problem: there is none, and one is required; or it is something else.
    """
    if not required and not without_mark(body).strip():
        return {}
    content = _json(body)
    if not isinstance(content, dict):
        raise Problem(Code.INVALID_PARAMETER, "the body must be a JSON object")
    return content


def array_from(body: bytes, most: int) -> list[object]:
    """Return the elements of a body that is a JSON array.

    Raises:
        Problem: it is something else, empty, or too long.
    """
    content = _json(body)
    if not isinstance(content, list):
        raise Problem(Code.INVALID_PARAMETER, "the body must be a JSON array")
    if not 0 < len(content) <= most:
        raise Problem(Code.INVALID_PARAMETER, f"1 to {most} orders")
    return content


def _json(body: bytes) -> object:
    if not without_mark(body).strip():
        raise Problem(Code.MISSING_PARAMETER, "body")
    try:
        return json_from(body)
    except MalformedPayload as error:
        raise Problem(Code.INVALID_PARAMETER, str(error)) from error


def _is_percentage(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return number < 100 and isinstance(exponent, int) and exponent >= -PERCENT_PLACES  # noqa: PLR2004 - percent
