"""The way to an exchange: another host where one is set, no second send, and a look at each answer.

ccxt makes path, signature and body; nothing of them is touched.
"""

import io
import re
import socket
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError

#: What exchanges answer when they want fewer requests → milliseconds to wait where they do not say
#: how long. 418 is Binance's ban; Bybit's is a 403 with the words below, and lasts ten minutes.
TOO_MANY: Final[Mapping[int, int]] = {403: 600_000, 418: 120_000, 429: 10_000}

#: For a connection to one address of an exchange. Around the world and back takes 0.4 s.
CONNECT_SECONDS = 2.0

#: Connections that are kept for later: by host, and hosts.
_KEPT_CONNECTIONS, _HOSTS = 64, 64

#: A shorter pause is none: what is told may be over when it arrives.
_PAUSE_MS_MIN = 1_000

#: Of a Retry-After in seconds.
_DIGITS_MAX = 7

_BYBIT_BAN = b"access too frequent"

#: "Rate Limit Rules" of Bybit: 10006 is too many of one user, 10018 ("Error Codes") of an address.
#: The answer is a 200; it tells its own time, and a header the time until which to be silent.
_BYBIT_LIMIT = re.compile(rb'^\s*\{\s*"retCode"\s*:\s*(?:10006|10018)\b')
_BYBIT_TIME = re.compile(rb'"time"\s*:\s*(\d{13})\b')
_BYBIT_UNTIL = "X-Bapi-Limit-Reset-Timestamp"


def moved(url: str, base_url: str) -> str:
    """Return the URL at another host; what the base has for a path comes before the rest."""
    parts, base = urlsplit(url), urlsplit(base_url)
    path = base.path.rstrip("/") + parts.path
    return urlunsplit((base.scheme, base.netloc, path, parts.query, ""))


def session_through(way_out: BaseAdapter, headers: Mapping[str, str]) -> requests.Session:
    """Return a session that has one way out, and follows no redirect.

    To follow one would be to send an order a second time, to a host that nobody has chosen.
    """
    session = requests.Session()
    session.mount("https://", way_out)
    session.mount("http://", way_out)
    session.trust_env = False
    session.max_redirects = 0
    session.headers.update(headers)
    return session


class Connections(HTTPAdapter):
    """The connections of a process to all exchanges; any number of threads may use them.

    The time for reading is that for the whole answer: a server that sends a byte a second would
    else be listened to for ever.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=_HOSTS, pool_maxsize=_KEPT_CONNECTIONS, max_retries=0)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - the library's
        """Return what keeps the connections through a proxy: of the same kind as all others."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Until(io.RawIOBase):
    """What an answer is read from: what a socket receives before a moment of the steady clock."""

    def __init__(self, sock: socket.socket, ends_at: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._ends_at = ends_at

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - whatever holds bytes
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _answers_until(ends_at: float) -> Any:  # noqa: ANN401 - in place of a class
    def answer(sock: socket.socket, *options: Any, **more: Any) -> HTTPResponse:  # noqa: ANN401
        return HTTPResponse(_Until(sock, ends_at), *options, **more)  # type: ignore[arg-type]  # asks for no more

    return answer


#: Of the request that this thread sends: asked when a connection is open, before anything is sent.
on_connection: ContextVar[Callable[[], None]] = ContextVar("on_connection")


class _Connection(HTTPConnection):
    def connect(self) -> None:
        # For what a proxy says of the way that it opens.
        self.response_class = _answers_until(time.monotonic() + (self.timeout or 0))
        try:
            super().connect()
        except (OSError, HTTPException) as error:
            # No proxy lets it through, or the other end is not who it should be: nothing has left.
            raise NewConnectionError(self, str(error)) from error
        on_connection.get()()

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3's own
        self.response_class = _answers_until(time.monotonic() + (self.timeout or 0))
        return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection):
    """The same two, around what a secure connection does."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


def never_connected(error: BaseException) -> bool:
    """Tell whether an error says that no connection was made, so that nothing can have arrived."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectTimeout | NewConnectionError | ConnectTimeoutError):
            return True
        inner = cause.args[0] if cause.args else None
        reason = inner.reason if isinstance(inner, MaxRetryError) else None
        if isinstance(reason, ProxyError):
            reason = reason.original_error
        if isinstance(reason, NewConnectionError | ConnectTimeoutError):
            return True
        cause = cause.__cause__
    return False


def pause_ms_of(response: requests.Response) -> int | None:
    """Return for how long an exchange wants silence, or None if it said nothing of the kind."""
    status = response.status_code
    if status == HTTPStatus.OK and _BYBIT_LIMIT.match(response.content):
        return _pause_at_bybit(response)
    if status not in TOO_MANY:
        return None
    if status == HTTPStatus.FORBIDDEN and _BYBIT_BAN not in response.content:
        return None
    told = response.headers.get("Retry-After", "")
    if told.isascii() and told.isdigit() and len(told) <= _DIGITS_MAX:
        return max(int(told) * 1000, _PAUSE_MS_MIN)
    return TOO_MANY[status]


def _pause_at_bybit(response: requests.Response) -> int:
    until = response.headers.get(_BYBIT_UNTIL, "")
    now = _BYBIT_TIME.search(response.content)
    if now is None or not re.fullmatch(r"[0-9]{13}", until):
        return TOO_MANY[HTTPStatus.TOO_MANY_REQUESTS]
    return max(int(until) - int(now.group(1)), _PAUSE_MS_MIN)
