"""Whether TradingView can reach this installation, as far as that can be told from here.

It calls webhooks on ports 80 and 443, over IPv4, and gives up after 3 seconds:
https://www.tradingview.com/support/solutions/43000529348
"""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from app.domain.finding import Finding, Grade

#: That it calls.
PORTS: Final = (80, 443)

#: A little less than it waits.
SLOW_MS: Final = 2_000

#: A certificate that ends sooner should have been renewed.
DAYS_LEFT_MIN: Final = 14

_TIMEOUT_SECONDS: Final = 4.0

_CHECK: Final = "reach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of an address, up to where it went wrong.

    Attributes:
        addresses: IPv4 addresses of its host.
        untrusted: why its certificate is not trusted.
        failure: why there was no answer.
        days_left: of its certificate.
        is_ours: whether it answers as Hookfill does.
        took_ms: until the answer was there.
    """

    addresses: tuple[str, ...] = ()
    untrusted: str = ""
    failure: str = ""
    days_left: int | None = None
    is_ours: bool = False
    took_ms: int = 0


def findings(url: str) -> Iterator[Finding]:
    """Look at the address by which TradingView is to come, and yield what there is to say of it."""
    if not url:
        yield Finding(
            check=_CHECK,
            message="whether TradingView can reach this is not looked at",
            fix="Say in HOOKFILL_PUBLIC_URL by which address it comes.",
        )
        return
    parts = urlsplit(url)
    yield from judged(parts, look(parts))


def port_of(parts: SplitResult) -> int:
    """Return the port that an address leads to."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def look(parts: SplitResult) -> Seen:
    """Call an address as TradingView would, save that it is from here."""
    host, port = parts.hostname or "", port_of(parts)
    try:
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        return Seen(failure=str(error))
    addresses = tuple(dict.fromkeys(str(one[4][0]) for one in found))
    began = time.monotonic()
    try:
        with socket.create_connection((addresses[0], port), _TIMEOUT_SECONDS) as plain:
            days_left = None
            reached = plain
            if parts.scheme == "https":
                reached = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
                days_left = _days_left(reached)
            is_ours = _is_ours(reached, host)
    except ssl.SSLCertVerificationError as error:
        return Seen(addresses=addresses, untrusted=error.verify_message)
    except (OSError, http.client.HTTPException) as error:
        return Seen(addresses=addresses, failure=str(error) or type(error).__name__)
    took_ms = int((time.monotonic() - began) * 1000)
    return Seen(addresses=addresses, days_left=days_left, is_ours=is_ours, took_ms=took_ms)


def judged(parts: SplitResult, seen: Seen) -> Iterator[Finding]:
    """Yield what is wrong with an address by what was seen of it; one good word if nothing is."""
    host, port = parts.hostname, port_of(parts)
    count = 0
    for message, grade, fix in _wrong(parts, seen):
        count += 1
        yield Finding(check=_CHECK, message=message, grade=grade, fix=fix)
    if not count:
        days = "" if seen.days_left is None else f", its certificate ends in {seen.days_left} days"
        message = f"{host}:{port} answers over IPv4 within {seen.took_ms} ms{days}"
        yield Finding(check=_CHECK, message=message)


def _wrong(parts: SplitResult, seen: Seen) -> Iterator[tuple[str, Grade, str]]:
    host, port = parts.hostname, port_of(parts)
    if port not in PORTS:
        fix = "Put a proxy with TLS on 443 (deploy/Caddyfile)."
        yield f"TradingView calls ports 80 and 443, never {port}", Grade.ERROR, fix
    if parts.scheme != "https":
        fix = "Use https (deploy/Caddyfile gets the certificate by itself)."
        yield "what TradingView sends, and so the token in it, is not encrypted", Grade.WARNING, fix
    if not seen.addresses:
        fix = "Give the name an A record: TradingView knows no IPv6."
        yield f"{host} has no IPv4 address: {seen.failure}", Grade.ERROR, fix
        return
    inner = [one for one in seen.addresses if not IPv4Address(one).is_global]
    if inner:
        fix = "Let the name lead to an address of the internet."
        yield f"nobody outside can reach {inner[0]}, where {host} leads", Grade.ERROR, fix
    if seen.untrusted:
        fix = "Get one of a public authority (deploy/Caddyfile does so by itself)."
        yield f"the certificate of {host} is not trusted: {seen.untrusted}", Grade.ERROR, fix
    elif seen.failure:
        fix = "See whether the proxy runs. Some networks do not let one call oneself from inside."
        yield f"{host}:{port} does not answer from here: {seen.failure}", Grade.WARNING, fix
    elif not seen.is_ours:
        fix = "Let the proxy hand all paths on to Hookfill as they are."
        yield f"something else than Hookfill answers at {host}:{port}", Grade.ERROR, fix
    else:
        yield from _weak(seen)


def _weak(seen: Seen) -> Iterator[tuple[str, Grade, str]]:
    if seen.days_left is not None and seen.days_left < DAYS_LEFT_MIN:
        fix = "See why it was not renewed."
        yield f"the certificate ends in {seen.days_left} days", Grade.WARNING, fix
    if seen.took_ms > SLOW_MS:
        fix = "See what holds it up."
        message = f"the answer took {seen.took_ms} ms, and TradingView gives up after 3 s"
        yield message, Grade.WARNING, fix


def _days_left(reached: ssl.SSLSocket) -> int:
    certificate = reached.getpeercert() or {}
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return int((ends - time.time()) // 86_400)


def _is_ours(reached: socket.socket, host: str) -> bool:
    connection = http.client.HTTPConnection(host)
    connection.sock = reached
    with closing(connection):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        body = answer.read(1_000)
    try:
        return answer.status == http.client.OK and json.loads(body) == {"status": "ok"}
    except ValueError:
        return False
