"""Where servers are: hosts with ports, and URLs."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")
#: Where the URL of a Unix socket may have it, too.
_PASSWORD = re.compile(r"(?<=[?&]password=)[^&\s]+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as it is set."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


class ServerUrl(str):
    """The URL of a Redis-protocol server, used like any text; its `repr` hides the password."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide user and password."""
        return repr(without_credentials(self))

    def shares_server_with(self, other: "ServerUrl") -> bool:
        """Tell whether both name one server, as far as their texts show it."""
        here, there = urlsplit(self), urlsplit(other)
        if "unix" in {here.scheme, there.scheme}:
            return (here.scheme, here.path) == (there.scheme, there.path)
        return (here.hostname, here.port or 6379) == (there.hostname, there.port or 6379)

    def next_database(self) -> Self:
        """Return the URL of the next numbered database on the same server."""
        parts = urlsplit(self)
        if parts.scheme == "unix":
            query = dict(parse_qsl(parts.query))
            query["db"] = str(int(query.get("db", "0")) + 1)
            # geturl() would drop the slashes that stand for an absent host.
            return type(self)(f"unix://{parts.netloc}{parts.path}?{urlencode(query)}")
        number = int(parts.path.strip("/") or "0") + 1
        return type(self)(parts._replace(path=f"/{number}").geturl())


class DatabaseUrl(str):
    """The URL of a database, used like any text; its `repr` hides the password."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide user and password."""
        return repr(without_credentials(self))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine, without asking a name server."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_credentials(text: str) -> str:
    """Mask the user and the password of every URL in a text."""
    return _PASSWORD.sub("***", _CREDENTIALS.sub("***@", text))
