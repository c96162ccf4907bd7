"""Who signed a request (3Commas docs, README "Signed endpoint security", 2019 and 2024).

Signed is the path with query and body, by HMAC-SHA256. There is no time stamp: a request that
somebody has read may come again, so the way here must be encrypted.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator

from app.domain.errors import NotAuthenticated

#: What paths begin with in what clients sign.
BASE = "/public/api"

_DIGEST = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


class SignatureInvalid(NotAuthenticated):
    """The key is known, the signature is missing or wrong."""


def refuse_bad_signature(signature: str | None, target: str, body: bytes, secret: str) -> None:
    """Let pass what was signed with the secret.

    Args:
        signature: hexadecimal in any case.
        target: path and query exactly as they were received; what stands before them (scheme,
            host, the prefix of a proxy) is not signed and not looked at.
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


def signed(message: bytes, secret: str) -> str:
    """Return the signature of a message."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _messages(target: str, body: bytes) -> Iterator[bytes]:
    """Yield what may have been signed.

    Clients differ in the question mark: py3cw leaves it out where there is no query,
    3commas-api-node and 3Commas.Net put it before the body all the same. A body is part of both.
    """
    path, _, query = target.partition("?")
    for one in _paths(path):
        for text in dict.fromkeys((f"{one}?{query}" if query else one, f"{one}?{query}")):
            # A target may hold any byte; as text it is one character each.
            yield text.encode("latin-1", "replace") + body


def _paths(path: str) -> tuple[str, ...]:
    at = path.find(f"{BASE}/")
    if at >= 0:
        return (path[at:],)
    at = path.find("/ver1/")
    bare = path[max(at, 0) :]
    return bare, f"{BASE}{bare}"
