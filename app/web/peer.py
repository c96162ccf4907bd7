"""Who is at the other end: the peer, or, behind a trusted proxy, whom it names."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: A hop with the port that it came from, or in brackets: `192.0.2.1:55`, `[2001:db8::1]:55`.
_WITH_PORT: Final = re.compile(r"\[([^\[\]]+)\](?::\d{1,5})?|([^:\[\]]+):\d{1,5}", re.ASCII)

#: Whoever has one IPv6 address has as many as this prefix leaves.
_IPV6_PREFIX: Final = 64


def address_of(environ: Mapping[str, Any], trusted: Sequence[Network]) -> str:
    """Return the caller's address.

    `X-Forwarded-For` is read from its end, and only as far as each hop is a trusted proxy, so
    what a stranger writes into it is never believed.
    """
    address = str(environ.get("REMOTE_ADDR", ""))
    hops = [_hop(one) for one in str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    while hops and hops[-1] and is_among(address, trusted):
        address = hops.pop()
    return address


def _hop(text: str) -> str:
    """Return a hop without blanks, brackets and port."""
    match = _WITH_PORT.fullmatch(text.strip())
    return text.strip() if match is None else (match[1] or match[2]).strip()


def peer_of(address: str) -> str:
    """Return what one peer's addresses have in common."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, ipaddress.IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed, _IPV6_PREFIX), strict=False))


def is_https(environ: Mapping[str, Any], trusted: Sequence[Network]) -> bool:
    """Tell whether the caller's own connection is encrypted: ours, or that of a trusted proxy."""
    if environ.get("wsgi.url_scheme") == "https":
        return True
    said = str(environ.get("HTTP_X_FORWARDED_PROTO", "")).strip().lower()
    return said == "https" and is_among(str(environ.get("REMOTE_ADDR", "")), trusted)


def url_of(
    environ: Mapping[str, Any], trusted: Sequence[Network], *, is_host_forwarded: bool
) -> str:
    """Return the URL that the caller called, without its query, as far as that can be told here.

    Args:
        environ: of the request.
        trusted: proxies.
        is_host_forwarded: a trusted proxy says by `X-Forwarded-Host` which host that was. Many hand
            on what the caller wrote there, so that has to be known of it.
    """
    scheme = "https" if is_https(environ, trusted) else "http"
    host = str(environ.get("HTTP_HOST", ""))
    if is_host_forwarded and is_among(str(environ.get("REMOTE_ADDR", "")), trusted):
        host = str(environ.get("HTTP_X_FORWARDED_HOST") or host).strip()
    return f"{scheme}://{host}{environ.get('PATH_INFO', '')}"


def is_address(text: str) -> bool:
    """Tell whether a text is an address of the internet protocol."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_among(address: str, networks: Sequence[Network]) -> bool:
    """Tell whether an address lies in one of the networks; what is no address lies in none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)
