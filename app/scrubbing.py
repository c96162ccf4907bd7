"""What must not be seen in a log: found by its name, or by its looks."""

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
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
#: `name=value`, `name: value` and `"name": "value"` inside a text.
_PAIR = re.compile(
    r"(?P<name>[\w-]*(?:token|secret|passw(?:or)?d|passphrase|signature|api_?key)[\w-]*"
    r"[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s\"'&,;{}()\[\]]+)",
    re.IGNORECASE,
)
#: What Fernet has encrypted.
_FERNET = re.compile(r"\bgAAAA[\w-]{20,}={0,2}")

_FERNET_BEGIN = "gAAAA"
#: Short and plain: no pair and no URL. Most values are.
_WORD = re.compile(r"[\w., -]{0,60}")

#: Nothing that we log is nested more deeply.
_DEPTH_MAX = 6


def scrub(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Mask what is secret in a log line; a structlog processor."""
    for name, value in event.items():
        event[name] = _clean(name, value, 0)
    return event


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


def _clean(name: str, value: object, depth: int) -> object:
    # Numbers are no secrets: a fencing token may be seen.
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > _DEPTH_MAX or _is_secret(name):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", each, depth + 1) for each in value]
    return scrubbed(str(value))
