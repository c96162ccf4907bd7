"""The kinds of values that a variable of the environment may have, and how each is read."""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from app.settings.addresses import Address, DatabaseUrl, ServerUrl, is_loopback
from app.settings.secret import Secret

#: Stands for each venue that is not named.
EVERY_VENUE = "*"

T_co = TypeVar("T_co", covariant=True)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Length of a Fernet key in bytes, after base64.
_KEY_BYTES = 32
#: Shorter ones can be guessed.
_TOKEN_LENGTH_MIN = 16
_PORT_MAX = 65_535
#: Schemes as people write them → as SQLAlchemy reads them, with the driver.
_DATABASES = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """A kind of value.

    Attributes:
        name: what the table of settings calls it.
        must_be: the end of the sentence "... but must be".
        read: text → value; raises ValueError.
        is_shown: whether an error may repeat the text.
    """

    name: str
    must_be: str
    read: Callable[[str], T_co]
    is_shown: bool = True


def whole(least: int, most: int) -> Kind[int]:
    """Whole numbers within limits, in plain digits."""

    def read(text: str) -> int:
        # int() would take `1_000` and full-width digits as well.
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return Kind("whole number", f"a whole number from {least} to {most}", read)


def one_of(*words: str) -> Kind[str]:
    """One of a few words, in any case."""

    def read(text: str) -> str:
        return words[words.index(text.lower())]

    choice = ", ".join(words[:-1]) + " or " + words[-1]
    return Kind("word", choice, read)


def matching(name: str, must_be: str, pattern: str) -> Kind[str]:
    """Texts that match a pattern as a whole."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Kind(name, must_be, read)


def _read_flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError
    return _FLAGS[text.lower()]


def _read_address(text: str) -> Address:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None or parts.netloc != text or "@" in text:
        raise ValueError
    return Address(parts.hostname, parts.port)


def _read_server_url(text: str) -> ServerUrl:
    parts = urlsplit(text)
    if parts.scheme == "unix":
        query = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        has_database = re.fullmatch(r"[0-9]{1,6}", query.get("db", ["0"])[-1]) is not None
        is_good = bool(parts.path) and not parts.hostname and query.keys() <= {"db", "password"}
        is_good = is_good and has_database
    else:
        has_database = re.fullmatch(r"/?[0-9]{0,6}", parts.path) is not None
        is_good = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and has_database
    if not is_good:
        raise ValueError
    return ServerUrl(text)


def _read_database_url(text: str) -> DatabaseUrl:
    scheme, mark, rest = text.partition("://")
    if not mark or not rest or scheme not in _DATABASES:
        raise ValueError
    return DatabaseUrl(f"{_DATABASES[scheme]}://{rest}")


def _read_prefix(text: str) -> str:
    prefix = text.strip("/")
    if not re.fullmatch(r"([0-9A-Za-z_-]+(/[0-9A-Za-z_-]+)*)?", prefix):
        raise ValueError
    return prefix


def _read_networks(text: str) -> tuple[Network, ...]:
    words = (word.strip() for word in text.split(","))
    return tuple(ipaddress.ip_network(word, strict=False) for word in words if word)


def _read_venue_urls(text: str) -> Mapping[str, str]:
    urls = json.loads(text or "{}")
    if not isinstance(urls, dict) or not all(_is_venue_url(url) for url in urls.values()):
        raise ValueError
    return MappingProxyType({name: url.rstrip("/") for name, url in urls.items()})


def _read_venue_proxies(text: str) -> Mapping[str, Secret]:
    urls = json.loads(text) if text.startswith("{") else {EVERY_VENUE: text}
    if not all(url == "" or _is_proxy_url(url) for url in urls.values()):
        raise ValueError
    return MappingProxyType({name: Secret(url) for name, url in urls.items()})


def _is_proxy_url(url: object) -> bool:
    if not isinstance(url, str) or not re.fullmatch(r"\S+", url):
        return False
    parts = urlsplit(url)
    is_bare = parts.path in {"", "/"} and not parts.query and not parts.fragment
    # A port out of range raises.
    return (
        parts.scheme in {"http", "https"} and bool(parts.hostname) and is_bare and parts.port != 0
    )


def _read_urls(text: str) -> tuple[str, ...]:
    urls = json.loads(text) if text.startswith("[") else text.split(",")
    if not all(isinstance(url, str) for url in urls):
        raise ValueError
    urls = [url.strip() for url in urls if url.strip()]
    if not all(re.fullmatch(r"https?://[^\s/]+(/\S*)?", url) for url in urls):
        raise ValueError
    return tuple(urls)


def _is_venue_url(url: object) -> bool:
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    # In the clear, keys and orders may travel within this machine only.
    is_private = parts.scheme == "https" or is_loopback(parts.hostname or "")
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_private


def _read_token(text: str) -> Secret:
    if len(text) < _TOKEN_LENGTH_MIN or not text.isascii() or not text.isprintable():
        raise ValueError
    return Secret(text)


def _read_keys(text: str) -> tuple[Secret, ...]:
    keys = [key.strip() for key in text.split(",")]
    if any(len(base64.urlsafe_b64decode(key)) != _KEY_BYTES for key in keys):
        raise ValueError
    return tuple(Secret(key) for key in keys)


FLAG = Kind("0 or 1", "0 or 1", _read_flag)
ADDRESS = Kind("host:port", "a host and a port, for instance 127.0.0.1:8000", _read_address)
PORT = whole(0, _PORT_MAX)
PATH = Kind("path", "a path", lambda text: Path(text).expanduser().absolute())
TOKEN = Kind(
    "secret",
    f"at least {_TOKEN_LENGTH_MIN} printable ASCII characters",
    _read_token,
    is_shown=False,
)
KEYS = Kind(
    "secrets, by commas",
    "one or several Fernet keys (32 bytes in URL-safe base64), separated by commas",
    _read_keys,
    is_shown=False,
)
SERVER_URL = Kind(
    "URL",
    "a redis://, rediss:// or unix:///path?db=0 URL, for instance redis://127.0.0.1:6379/0",
    _read_server_url,
    is_shown=False,
)
DATABASE_URL = Kind(
    "URL",
    "a postgresql:// or sqlite:/// URL, for instance postgresql://hookfill@127.0.0.1/hookfill",
    _read_database_url,
    is_shown=False,
)
URL_PREFIX = Kind(
    "path", "letters, digits and any of _-/, for instance flower or admin/flower", _read_prefix
)
NETWORKS = Kind(
    "addresses, by commas", "IP addresses or networks, separated by commas", _read_networks
)
URLS = Kind(
    "URLs",
    'a JSON list of http:// or https:// URLs, for instance ["https://orders.example.com/v1/order"]',
    _read_urls,
)
VENUE_URLS = Kind(
    "JSON",
    "a JSON object of venue names and URLs, https:// unless the host is this machine",
    _read_venue_urls,
    is_shown=False,
)
VENUE_PROXIES = Kind(
    "URL or JSON",
    "an http:// or https:// URL of a proxy, or a JSON object of venue names and such URLs",
    _read_venue_proxies,
    is_shown=False,
)
