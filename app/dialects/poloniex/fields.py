"""What bodies and queries are made of, each with the code of its own refusal.

Of what is wrong a field says a `Problem`, which marshmallow keeps as the message about the field.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, pre_load

from app.dialects.poloniex.errors import Code, Problem, missing
from app.dialects.poloniex.notation import CALLER_ID, CALLER_ID_CHARACTERS_MAX
from app.domain.errors import MalformedPayload
from app.domain.trigger import PERCENT_PLACES, Offset
from app.web.fields import (
    Lenient,
    Text,
    ValueField,
    WholeNumber,
    loaded_in_part,
    number_from,
)
from app.web.json_body import json_from

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

#: Finds what a text means, or None if it means nothing.
Meaning = Callable[[str], object]


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
            name: _problem(field.data_key or name, wrong[field.data_key or name])
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


def _problem(wire_name: str, messages: list[str | Problem]) -> Problem:
    """Return what a field of ours says, or a code for what the fields of all dialects say."""
    message = messages[0]
    return message if isinstance(message, Problem) else Problem(Code.INVALID_PARAMETER, wire_name)


class Coded(ValueField[Any]):
    """A field whose refusals have codes.

    Args:
        code: of what is no value at all for this field.
    """

    def __init__(self, code: Code = Code.INVALID_PARAMETER, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.code = code

    def make_error(self, key: str, **_: object) -> ValidationError:
        """Return the refusal of what is absent: nothing else is found by marshmallow itself."""
        del key
        return ValidationError([missing(self.wire_name)])

    def wrong(self, detail: str | None = None, code: Code | None = None) -> ValidationError:
        """Return a refusal; its detail is the name of the field, if nothing else is said."""
        problem = Problem(code or self.code, self.wire_name if detail is None else detail)
        return ValidationError([problem])

    @property
    def wire_name(self) -> str:
        """The name in the body or query."""
        return self.data_key or self.name or ""


class Word(Coded, Text):
    """One of a few words; a blank one is absent.

    Args:
        words: what each means, in any case; or what tells that.
        code: of another word.
    """

    def __init__(self, words: Content | Meaning, code: Code, **options: Any) -> None:  # noqa: ANN401
        described = {"enum": [*words]} if isinstance(words, Mapping) else {}
        super().__init__(
            code, metadata={**self.described(described), **options.pop("metadata", {})}, **options
        )
        self.meaning = _meaning_in(words) if isinstance(words, Mapping) else words

    def described(self, word: Content) -> Content:
        """Return how the documentation describes the field, given how it describes a word."""
        return word

    def read(self, value: object) -> Any:  # noqa: ANN401 - whatever the words mean
        """Return what the word means."""
        if not isinstance(value, str):
            raise self.wrong()
        text = value.strip()
        if not text and self.required:
            raise self.make_error("required")
        return self.meant(text) if text else None

    def meant(self, text: str) -> object:
        """Return what a text means, which must be one of the words."""
        meaning = self.meaning(text)
        if meaning is None:
            raise self.wrong(text[:_QUOTED_CHARACTERS])
        return meaning


class Words(Word):
    """Several words: a list, or a text with commas; those that are blank are left out.

    Args:
        quotes: whether a refusal quotes the word that it is about.
    """

    def __init__(
        self,
        words: Content | Meaning,
        code: Code,
        *,
        quotes: bool = False,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(words, code, **options)
        self.quotes = quotes

    def described(self, word: Content) -> Content:
        """Return how the documentation describes a text or a list of them."""
        return {"type": ["string", "array"], "items": {"type": "string", **word}}

    def read(self, value: object) -> Any:  # noqa: ANN401 - whatever the words mean
        """Return what they mean; None if there are none."""
        texts = value.split(",") if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self.wrong()
        return frozenset(self.meant(text.strip()) for text in texts if text.strip()) or None

    def meant(self, text: str) -> object:
        """Return what a text means, which must be one of the words."""
        if not self.quotes and self.meaning(text) is None:
            raise self.wrong()
        return super().meant(text)


class CallerId(Coded, Text):
    """A client order id; a whole number counts as text, and an empty one is absent."""

    def __init__(self) -> None:
        described = {"pattern": f"^[A-Za-z0-9_-]{{1,{CALLER_ID_CHARACTERS_MAX}}}$"}
        super().__init__(Code.INVALID_VALUE, data_key="clientOrderId", metadata=described)

    def read(self, value: object) -> Any:  # noqa: ANN401 - a text or nothing
        """Return the text."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self.wrong()
        if len(value) > CALLER_ID_CHARACTERS_MAX:
            raise self.wrong("", Code.CLIENT_ORDER_ID_TOO_LONG)
        if value and not CALLER_ID.fullmatch(value):
            raise self.wrong()
        return value or None


class Distance(Coded, Text):
    """A distance, `N` in quote currency or `N%`; an empty one is absent.

    Args:
        data_key: its name.
        may_be_zero: else `N` is above 0.
    """

    def __init__(self, data_key: str, *, may_be_zero: bool = False) -> None:
        described = {"description": "A distance, or with % behind it a share."}
        super().__init__(Code.INVALID_VALUE, data_key=data_key, metadata=described)
        self.may_be_zero = may_be_zero

    def read(self, value: object) -> Any:  # noqa: ANN401 - an offset or nothing
        """Return the distance."""
        if value == "":
            return None
        text = value.strip() if isinstance(value, str) else ""
        is_percent = text.endswith("%")
        try:
            number = number_from(text[:-1] if is_percent else value)
        except ValidationError as error:
            raise self.wrong() from error
        is_small = number < 0 or (number == 0 and not self.may_be_zero)
        if is_small or (is_percent and not _is_percentage(number)):
            raise self.wrong()
        return Offset(number, is_percent)


class YesNo(Coded):
    """`true` or `false`, also as text in any case; what is empty is false."""

    def read(self, value: object) -> bool:
        """Return which of them."""
        text = str(value or "false").strip().lower()
        if text not in {"true", "false"}:
            raise self.wrong()
        return text == "true"


class Switch(Coded):
    """`true`, also as text in any case or as 1; anything else is false."""

    def read(self, value: object) -> bool:
        """Return whether it is on."""
        return str(value).strip().lower() in {"true", "1"}


class Ids(Coded):
    """A list of ids, each a text or a whole number; one that stands alone is a list of one."""

    def read(self, value: object) -> list[str]:
        """Return them as texts."""
        found = value if isinstance(value, list) else [value]
        if any(isinstance(one, bool) or not isinstance(one, str | int) for one in found):
            raise self.wrong()
        return [str(one) for one in found]


class Limit(Coded, WholeNumber):
    """How many at once: too many are cut, not refused.

    Args:
        default: where nothing is said.
        most: more are cut to this.
    """

    def __init__(self, default: int, most: int) -> None:
        described = {"minimum": 1, "description": f"At most {most}."}
        super().__init__(load_default=default, metadata=described)
        self.most = most

    def read(self, value: object) -> int:
        """Return how many."""
        limit = super().read(value)
        if limit < 1:
            raise self.wrong("", Code.LIMIT_NOT_POSITIVE)
        return min(limit, self.most)


class Timeout(Coded, WholeNumber):
    """A length of time, or a number that switches it off.

    Args:
        least: seconds.
        most: seconds.
        off: what switches it off.
    """

    def __init__(self, least: int, most: int, off: int) -> None:
        described = {"description": f"{least} to {most} seconds; {off} switches it off."}
        super().__init__(required=True, metadata=described)
        self.least, self.most, self.off = least, most, off

    def read(self, value: object) -> int:
        """Return the seconds, or what switches it off."""
        if value == "":
            raise self.make_error("required")
        seconds = super().read(value)
        if seconds != self.off and not self.least <= seconds <= self.most:
            bounds = f"{self.wire_name}: {self.least} to {self.most}, or {self.off}"
            raise self.wrong(bounds, Code.INVALID_VALUE)
        return seconds


def object_from(body: bytes, *, required: bool = True) -> Content:
    """Return the fields of a body that is a JSON object.

    Raises:
        Problem: there is none, and one is required; or it is something else.
    """
    if not required and not body.strip():
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
    if not body.strip():
        raise missing("body")
    try:
        return json_from(body)
    except MalformedPayload as error:
        raise Problem(Code.INVALID_PARAMETER, str(error)) from error


def _meaning_in(words: Content) -> Meaning:
    return lambda text: words.get(text.upper())


def _is_percentage(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return number < 100 and isinstance(exponent, int) and exponent >= -PERCENT_PLACES  # noqa: PLR2004 - percent
