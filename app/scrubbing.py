"""What must not be seen in a log: found by its name, by its looks, or because a caller said it.

Errors repeat what was wrong, and people put tokens where they do not belong. So while a request is
served, no line repeats a word of it that may be a token.
"""

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from functools import cache, lru_cache
from itertools import groupby
from typing import Final

from app.settings import without_credentials

MASK: Final = "***"

#: Names of fields whose text is never written.
_SECRET_NAME = re.compile(
    r"token|secret|passw|passphrase|authorization|cookie|credential|signature"
    r"|(api|private|encryption|access)[_-]?key",
    re.IGNORECASE,
)
#: `Bearer ...` and `Basic ...`, wherever they stand.
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
#: `name=value`, `name: value` and `"name": "value"` inside a text. Each word is looked at once, and
#: nothing is given back of it, however long it is: a caller may have written it.
_PAIR = re.compile(
    r"(?P<name>(?<![\w-])(?=[\w-]*?(?:token|secret|passw(?:or)?d|passphrase|signature|api_?key))"
    r"[\w-]++[\"']?\s*+[=:]\s*+[\"']?)(?P<value>[^\s\"'&,;{}()\[\]]+)",
    re.IGNORECASE,
)
#: What Fernet has encrypted.
_FERNET = re.compile(r"\bgAAAA[\w-]{20,}={0,2}")

_FERNET_BEGIN = "gAAAA"
#: Short and plain: no pair and no URL. Most values are.
_WORD = re.compile(r"[\w., -]{0,60}")

#: Nothing that we log is nested more deeply.
_DEPTH_MAX = 6

#: Letters and digits in a row that a line may not have in common with a caller's word. Tokens are
#: longer, and what is shorter is mostly a word of the dialect.
RUN = 8
_LETTERS = re.compile(r"[0-9A-Za-z]")
_NO_LETTERS = re.compile(r"[^0-9A-Za-z]+")
#: Prices, quantities and ids of ours are no tokens.
_NUMBER = re.compile(r"[0-9.,+:eE-]*")
#: Fields that hold words of ours alone. So does an event that is written as we write ours.
_OURS = frozenset(
    {"aggregate", "at", "dialect", "events", "kind", "level", "process", "request", "route"}
)
_EVENT = re.compile(r"[a-z_]+")
#: What the web server says of a request before it is one, and of one that has failed.
_OF_THE_SERVER = re.compile(
    r"(?P<ours>Invalid request from ip=\S+: [^:'\"]*|Error handling request)(?P<said>.*)", re.DOTALL
)

_said: ContextVar[Callable[[], Iterable[str]]] = ContextVar("said", default=tuple)


def hide(said: Callable[[], Iterable[str]]) -> None:
    """Mask what a caller says in every line that is logged from now on in this context.

    Args:
        said: returns the words of the request at hand; it is called only if a line is logged.
    """
    _said.set(said)


def hide_nothing() -> None:
    """Go on without: the request is over."""
    _said.set(tuple)


def scrub(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Mask what is secret in a log line; a structlog processor."""
    said = cache(lambda: _bare_words(_said.get()()))  # most lines do not ask for it
    for name, value in event.items():
        is_ours = name in _OURS or (name == "event" and _EVENT.fullmatch(str(value)))
        if not (is_ours and isinstance(value, str)):
            event[name] = _clean(name, value, said, 0)
    return event


def masked(*texts: str) -> list[str]:
    """Return texts as a log line would have them, while a request is served that they may quote."""
    said = _bare_words(_said.get()())
    return [_without(said, scrubbed(one)) for one in texts]


def scrubbed(text: str) -> str:
    """Mask what looks like a secret inside a text."""
    if _WORD.fullmatch(text) and not _SCHEME.search(text) and _FERNET_BEGIN not in text:
        return text
    text = without_credentials(text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    text = _PAIR.sub(rf"\g<name>{MASK}", text)
    return _FERNET.sub(MASK, text)


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _clean(name: str, value: object, said: Callable[[], str], depth: int) -> object:
    # Numbers are no secrets: a fencing token may be seen.
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > _DEPTH_MAX or _is_secret(name):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), each, said, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", each, said, depth + 1) for each in value]
    return _without(said(), scrubbed(_OF_THE_SERVER.sub(rf"\g<ours> {MASK}", str(value))))


def _bare_words(said: Iterable[str]) -> str:
    """Return what may be tokens of these words, one a line, in letters and digits alone.

    So a word is found again that was quoted, cut, divided otherwise or written in capitals.
    """
    words = (_NO_LETTERS.sub("", one).lower() for one in said if not _NUMBER.fullmatch(one))
    return "\n".join(one for one in words if len(one) >= RUN)


def _without(said: str, text: str) -> str:
    """Return a text without what it has in common with the words that a caller said."""
    if not said:
        return text
    places = [found.start() for found in _LETTERS.finditer(text)]
    bare = "".join(text[place] for place in places).lower()
    common = [False] * len(bare)
    for start in range(len(bare) - RUN + 1):
        if bare[start : start + RUN] in said:
            common[start : start + RUN] = [True] * RUN
    kept: list[str] = []
    end = 0
    for is_common, run in groupby(range(len(bare)), common.__getitem__):
        if is_common:
            first, *_, last = run
            kept += text[end : places[first]], MASK
            end = places[last] + 1
    return "".join([*kept, text[end:]])
