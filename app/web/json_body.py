"""Request bodies as JSON objects, read strictly: exact numbers, no key twice, bounded depth."""

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from app.domain.errors import MalformedPayload
from app.web.alert_texts import left_over

#: Levels of objects and lists, the outermost counted; no dialect comes near it.
DEPTH_MAX = 16

#: Longer integers become a `Decimal`: exact as well, and without the interpreter's own limit.
_INTEGER_CHARACTERS_MAX = 40

#: Of a key that is quoted in a message.
_SHOWN_CHARACTERS = 40

#: What JSON wants escaped inside of a text, save what breaks a line or moves along it.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

#: A brace, as forms write it.
_ESCAPED_BRACE = b"%7b"

_Container = dict[str, Any] | list[Any]


def payload_from(body: bytes) -> Mapping[str, object]:
    """Return the JSON object that the body holds, whatever its Content-Type said.

    Raises:
        MalformedPayload: with the code `invalid_json`, and nothing else for any input.
    """
    return _object(json_from(body))


def alert_from(body: bytes) -> Mapping[str, object]:
    """Return the JSON object of an alert, which a template has made and some tool has sent.

    A template has line breaks and tabs inside of texts, as people have typed them. A tool may send
    the object as the one key of a form: `%7B...%7D=`.

    Raises:
        MalformedPayload: with the code `invalid_json`, and nothing else for any input.
    """
    return _object(json_from(out_of_form(body), breaks_lines=True))


def out_of_form(body: bytes) -> bytes:
    """Return the object that is the one key of a form; whatever else the body is, as it is."""
    text = without_mark(body).strip()
    if text[:3].lower() != _ESCAPED_BRACE:
        return body
    try:
        pairs = parse_qsl(text.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        return body
    match pairs:
        case [(key, "")]:
            return key.encode()
        case _:
            return body


def without_mark(body: bytes) -> bytes:
    """Return a text without the byte order mark that some put before it (RFC 8259, 8.1)."""
    return body.removeprefix(BOM_UTF8)


def _object(payload: object) -> Mapping[str, object]:
    if not isinstance(payload, dict):
        raise _invalid("the body is JSON, but not an object")
    return payload


def json_from(body: bytes, *, breaks_lines: bool = False) -> object:
    """Return the JSON value that the body holds; a byte order mark before it counts as nothing.

    Numbers are exact: without fraction and exponent an `int`, else a `Decimal`. Text can always
    be written as UTF-8. A key that stands twice in one object is refused: the message says two
    things at once, and to pick one of them is to guess with somebody's money.

    Args:
        body: UTF-8.
        breaks_lines: whether line breaks and tabs may stand in texts as they are.

    Raises:
        MalformedPayload: with the code `invalid_json`, and nothing else for any input; a
            `JSONDecodeError` is its cause where the text is no JSON.
    """
    text = ""
    try:
        text = without_mark(body).decode()
        is_loose = breaks_lines and not _CONTROL.search(text)
        payload = (_LOOSE_DECODER if is_loose else _DECODER).decode(text)
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        left = left_over(text)
        hint = f"; TradingView has not filled in {left}" if left else ""
        raise _invalid(
            f"the body is not JSON at character {error.pos}: {error.msg}{hint}"
        ) from error
    except ArithmeticError as error:
        raise _invalid("the body holds a number with an immense exponent") from error
    except RecursionError as error:
        raise _too_deep() from error
    if isinstance(payload, dict | list):
        _refuse_depth(payload)
    if "\\u" in text:
        _refuse_lone_surrogates(payload)
    return payload


def canonical_text(payload: Mapping[str, object]) -> str:
    """Return the one text of a payload, whatever the order of its keys; `1.5` is not `"1.5"`."""
    return json.dumps(payload, sort_keys=True, default=_exactly)


def _exactly(number: object) -> dict[str, str]:
    # Not as bare text, or 1.5 and "1.5" would look the same.
    return {"decimal": str(number)}


def _invalid(message: str) -> MalformedPayload:
    return MalformedPayload("invalid_json", message)


def _too_deep() -> MalformedPayload:
    return _invalid(f"the body nests deeper than {DEPTH_MAX} levels")


def _refuse_depth(payload: _Container) -> None:
    level = [payload]
    for _ in range(DEPTH_MAX):
        level = [part for whole in level for part in _containers_in(whole)]
        if not level:
            return
    raise _too_deep()


def _containers_in(whole: _Container) -> list[_Container]:
    parts = whole.values() if isinstance(whole, dict) else whole
    return [part for part in parts if isinstance(part, dict | list)]


def _refuse_lone_surrogates(payload: object) -> None:
    """Refuse half of a surrogate pair: only an escape can write it, and no store takes it."""
    try:
        json.dumps(payload, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise _invalid("the body holds half of a surrogate pair") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    counts = Counter(name for name, _ in pairs)
    [(repeated, _)] = counts.most_common(1)
    raise _invalid(f"the key {repeated[:_SHOWN_CHARACTERS]!a} stands twice in one object")


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _INTEGER_CHARACTERS_MAX else Decimal(text)


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid(f"the body holds {name}, which is not JSON: a script had no value there")


def _decoder(*, strict: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_constant=_refuse_constant,
        parse_float=Decimal,
        parse_int=_integer,
        strict=strict,
    )


_DECODER = _decoder(strict=True)
#: Takes any control character in a text.
_LOOSE_DECODER = _decoder(strict=False)
