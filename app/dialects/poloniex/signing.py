"""Who signed a request, and when (Poloniex documentation, "Authentication").

The signature is the HMAC-SHA256 in base64 of three lines: method, path, parameters. With a body the
third line holds the body as it was sent, else the query, sorted by key. Clients percent-encode the
query differently before they sign, so each way that is known is tried. All of them say the same, so
that proves no less.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from app.dialects.poloniex.errors import Code, Problem, Unauthorized
from app.domain.identifiers import EpochMs

#: What JavaScript's `encodeURIComponent` leaves as it is; the SDK does the same.
_SDK_KEEPS = "-_.~!*'()"

#: What Python's `quote` leaves as it is, by which ccxt goes.
_CCXT_KEEPS = "-_.~/"

#: More digits are no time that anybody lives to see.
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)

_METHOD = "hmacsha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the headers of a request say about its sender.

    Attributes:
        timestamp: as it was sent, since that text is what was signed.
        window: `recvWindow` as it was sent, or None.
    """

    key: str
    timestamp: str
    signature: str
    method: str | None = None
    window: str | None = None

    @property
    def given(self) -> str:
        """The signature as it was made; some clients send it percent-encoded."""
        return unquote(self.signature) if "%" in self.signature else self.signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A request as it came in.

    Attributes:
        target: path and query, not decoded.
        prefix: the path under which the application is mounted, for instance `/polo`, or "".
        body: the very bytes.
    """

    method: str
    target: str
    body: bytes = b""
    prefix: str = ""


def credentials_from(header: Callable[[str], str | None]) -> Credentials:
    """Return what the headers say.

    Args:
        header: finds a header by its name in any case.

    Raises:
        Problem: one is missing, or the time stamp is no whole number.
    """
    key, signature, timestamp = header("key"), header("signature"), header("signTimestamp")
    if not (key and signature and timestamp):
        raise Problem(Code.UNAUTHORIZED, text="Missing authentication headers")
    if not _WHOLE.fullmatch(timestamp):
        raise Problem(Code.BAD_REQUEST, text="Invalid signTimestamp")
    return Credentials(
        key=key,
        timestamp=timestamp,
        signature=signature,
        method=header("signatureMethod"),
        window=header("recvWindow"),
    )


def check_signature(credentials: Credentials, wire: Wire, secret: str) -> None:
    """Refuse a request that its key's secret has not signed.

    Raises:
        Unauthorized: the signature is another one, or made by another method.
    """
    is_known = (credentials.method or _METHOD).lower() == _METHOD
    # All of them are compared, so that the time taken does not tell which one it was.
    matches = [
        hmac.compare_digest(credentials.given.encode(), signed(secret, text).encode())
        for text in candidates(wire, credentials.timestamp)
    ]
    if not (is_known and any(matches)):
        raise Unauthorized(Code.UNAUTHORIZED, text="Invalid signature")


def check_window(credentials: Credentials, now_ms: EpochMs, tolerance_ms: int) -> None:
    """Refuse a request that was signed too long ago, or ahead of time.

    `recvWindow` narrows the tolerance and never widens it.

    Args:
        credentials: of the request.
        now_ms: business time at its arrival.
        tolerance_ms: how far the clocks may differ, either way.

    Raises:
        Problem: 400 beyond the tolerance, 408 beyond `recvWindow`.
    """
    age_ms = now_ms - int(credentials.timestamp)
    if abs(age_ms) > tolerance_ms:
        raise Problem(Code.BAD_REQUEST, text="signTimestamp is outside the allowed window")
    if credentials.window is None:
        return
    if not _WHOLE.fullmatch(credentials.window) or int(credentials.window) <= 0:
        raise Problem(Code.INVALID_PARAMETER, "recvWindow")
    if age_ms > int(credentials.window):
        raise Problem(Code.REQUEST_TIMEOUT)


def signed(secret: str, text: bytes) -> str:
    """Return the signature of a text."""
    digest = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def candidates(wire: Wire, timestamp: str) -> list[bytes]:
    """Return the texts that the sender of this request may have signed."""
    path, _, query = _without_host(wire.target).partition("?")
    stamp = f"signTimestamp={timestamp}".encode()
    if wire.body:
        parts = [b"requestBody=" + wire.body + b"&" + stamp]
    else:
        parts = list(dict.fromkeys(text.encode() for text in _parameters(query, timestamp)))
    return [
        b"\n".join((wire.method.upper().encode(), one.encode(), part))
        for one in _paths(path, wire.prefix)
        for part in parts
    ]


def _without_host(target: str) -> str:
    """Return path and query; a client may name the host as if we were its proxy."""
    if target.startswith("/"):
        return target
    _, _, rest = target.partition("://")
    return "/" + rest.partition("/")[2]


def _paths(path: str, prefix: str) -> list[str]:
    paths = [path]
    if prefix and path.startswith(f"{prefix}/"):
        paths.append(path.removeprefix(prefix))
    # The colon of `cid:` is signed as it is, even where the wire has it encoded.
    decoded = [one.replace("%3A", ":").replace("%3a", ":") for one in paths]
    return list(dict.fromkeys([*paths, *decoded]))


def _parameters(query: str, timestamp: str) -> Iterator[str]:
    decoded = parse_qsl(query, keep_blank_values=True)
    for keeps in (_SDK_KEEPS, _CCXT_KEEPS):
        yield _sorted([(name, quote(value, safe=keeps)) for name, value in decoded], timestamp)
    raw = [pair.partition("=") for pair in query.split("&") if pair]
    yield _sorted([(name, value) for name, _, value in raw], timestamp)


def _sorted(pairs: Sequence[tuple[str, str]], timestamp: str) -> str:
    everything = sorted([*pairs, ("signTimestamp", timestamp)], key=lambda pair: pair[0].encode())
    return "&".join(f"{name}={value}" for name, value in everything)
