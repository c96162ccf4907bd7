"""The words of a request, which no log may repeat where they may be tokens."""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from app.web.json_body import out_of_form, without_mark
from app.web.raw_body import body_read

#: Of these headers nothing is ever repeated, and what they say is the same in many requests.
_COMMON = frozenset({"HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_CONNECTION", "HTTP_HOST"})


def words_of(environ: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a request says: in its path, query, headers and body, as far as that was read.

    Names of fields are not among it, but for those that stand twice, which an error repeats.
    """
    yield from str(environ.get("PATH_INFO", "")).split("/")
    yield from _values_of(str(environ.get("QUERY_STRING", "")))
    for name, value in environ.items():
        if name.startswith("HTTP_") and name not in _COMMON:
            yield str(value)
    yield from _credentials_of(str(environ.get("HTTP_AUTHORIZATION", "")))
    yield from _texts_of(body_read(environ))


def _values_of(form: str) -> Iterator[str]:
    for _, value in parse_qsl(form, errors="replace"):
        yield value


def _credentials_of(authorization: str) -> Iterator[str]:
    _, _, encoded = authorization.partition(" ")
    try:
        yield from base64.b64decode(encoded).decode().split(":", 1)
    except ValueError:
        return


def _texts_of(body: bytes) -> Iterator[str]:
    """Yield the texts of a body: of JSON, else of a form; what is neither is one text."""
    text = out_of_form(without_mark(body)).decode(errors="replace")
    try:
        waiting = [json.loads(text, object_pairs_hook=_values_and_twice, strict=False)]
    except (ValueError, RecursionError):
        yield from _values_of(text)
        yield from text.split()
        return
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            yield one


def _values_and_twice(pairs: list[tuple[str, Any]]) -> list[Any]:
    counts = Counter(name for name, _ in pairs)
    return [*(value for _, value in pairs), *(name for name in counts if counts[name] > 1)]
