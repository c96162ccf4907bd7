"""Who signed a request (3Commas docs, README "Signed endpoint security", 2019 and 2024).

Signed is the path with query and body, by HMAC-SHA256. There is no time stamp: a request that
somebody has read may come again, so the way here must be encrypted.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from functools import partial
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode

from app.domain.errors import NotAuthenticated

#: What paths begin with in what clients sign.
BASE = "/public/api"

#: What JavaScript's `encodeURIComponent` leaves as it is, besides what `quote` does.
_SCRIPT_KEEPS = "!*'()"

#: Names of parameters, brackets included.
_NAME = re.compile(r"[\w\[\].-]+", re.ASCII)

_DIGEST = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


class SignatureInvalid(NotAuthenticated):
    """The key is known, the signature is missing or wrong."""


def refuse_bad_signature(signature: str | None, target: str, body: bytes, secret: str) -> None:
    """Let pass what was signed with the secret.

    Args:
        signature: hexadecimal in any case.
        target: path and query exactly as they were received; what stands before them (scheme,
            host, the prefix of a proxy) is not signed and not looked at. The query may have been
            signed before it was escaped, or after.
        body: exactly as it was received.
        secret: of the key.

    Raises:
        SignatureInvalid: the signature is missing or wrong.
    """
    if signature is None or not _DIGEST.fullmatch(signature):
        raise SignatureInvalid("the signature is missing, or no 64 hexadecimal digits")
    given = signature.lower()
    # All of them are compared, so that the time taken does not tell which one it was.
    found = [hmac.compare_digest(given, signed(one, secret)) for one in _messages(target, body)]
    if not any(found):
        raise SignatureInvalid("the signature is that of another request or another secret")


def in_one_spelling(target: str) -> str:
    """Return path and query as one text, however the query was escaped: one signature is for all.

    Without a query there is no question mark.
    """
    path, _, query = target.partition("?")
    try:
        pairs = _pairs(query.encode("latin-1", "replace").decode())
    except ValueError:
        return target
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="strict")


def signed(message: bytes, secret: str) -> str:
    """Return the signature of a message."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _messages(target: str, body: bytes) -> Iterator[bytes]:
    """Yield what may have been signed.

    Clients differ in the question mark: py3cw leaves it out where there is no query,
    3commas-api-node and 3Commas.Net put it before the body all the same. A body is part of both.
    """
    path, _, query = target.partition("?")
    # A target may hold any byte; as text it is one character each.
    queries = _queries(query.encode("latin-1", "replace"))
    for one in (path.encode("latin-1", "replace") for path in _paths(path)):
        if not query:
            yield one + body
        for text in queries:
            yield one + b"?" + text + body


def _queries(query: bytes) -> dict[bytes, None]:
    """Return the query as it was sent, and as its sender may have had it before or after escaping.

    Many sign what they have written, and leave it to a library to escape it, or the other way
    round. All of these texts say the same: what another query can be read from is none of them.
    """
    texts = {query: None}
    try:
        pairs = _pairs(query.decode())
        plain = unquote(query.decode(), errors="strict")
        means_same = _pairs(plain) == pairs
    except ValueError:
        return texts
    if means_same:
        texts[plain.encode()] = None
    for keeps in ("", _SCRIPT_KEEPS):
        for escaped in (quote, quote_plus):
            values = [(name, escaped(value, safe=keeps)) for name, value in pairs]
            for name_of in (partial(escaped, safe=keeps), _as_it_is):
                text = "&".join(f"{name_of(name)}={value}" for name, value in values)
                texts[text.encode()] = None
    return texts


def _as_it_is(name: str) -> str:
    """Return the name of a parameter unless it could be read as something else."""
    return name if _NAME.fullmatch(name) else quote(name, safe="")


def _paths(path: str) -> tuple[str, ...]:
    at = path.find(f"{BASE}/")
    if at >= 0:
        return (path[at:],)
    at = path.find("/ver1/")
    bare = path[max(at, 0) :]
    return bare, f"{BASE}{bare}"
