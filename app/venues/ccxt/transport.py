"""The way to an exchange: another host where one is set, no second send, and a look at each answer.

ccxt makes path, signature and body; nothing of them is touched.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

#: What exchanges answer when they want fewer requests → milliseconds to wait where they do not say
#: how long. 418 is Binance's ban; Bybit's is a 403 with the words below, and lasts ten minutes.
TOO_MANY: Final[Mapping[int, int]] = {403: 600_000, 418: 120_000, 429: 10_000}

#: Of a Retry-After in seconds.
_DIGITS_MAX = 7

_BYBIT_BAN = b"access too frequent"


class Gateway(HTTPAdapter):
    """Sends requests, once each.

    Args:
        base_url: of the host that stands in for all hosts of the exchange, or None.
        on_limited: told the status and the milliseconds for which the exchange wants silence.
    """

    def __init__(self, base_url: str | None, on_limited: Callable[[int, int], None]) -> None:
        super().__init__(max_retries=0)
        self._base_url = base_url
        self._on_limited = on_limited
        self.status: int | None = None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        """Send, and note what came back."""
        self.status = None
        if self._base_url is not None and request.url is not None:
            request.url = moved(request.url, self._base_url)
        response = super().send(request, **options)
        self.status = response.status_code
        if _is_too_many(response):
            self.status = HTTPStatus.TOO_MANY_REQUESTS
            self._on_limited(response.status_code, _pause_ms(response))
        return response


def moved(url: str, base_url: str) -> str:
    """Return the URL at another host; what the base has for a path comes before the rest."""
    parts, base = urlsplit(url), urlsplit(base_url)
    path = base.path.rstrip("/") + parts.path
    return urlunsplit((base.scheme, base.netloc, path, parts.query, ""))


def session_through(gateway: Gateway, headers: Mapping[str, str]) -> requests.Session:
    """Return a session that uses nothing but the gateway, and follows no redirect.

    To follow one would be to send an order a second time, to a host that nobody has chosen.
    """
    session = requests.Session()
    session.mount("https://", gateway)
    session.mount("http://", gateway)
    session.trust_env = False
    session.max_redirects = 0
    session.headers.update(headers)
    return session


def never_connected(error: BaseException) -> bool:
    """Tell whether an error says that no connection was made, so that nothing can have arrived."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectTimeout | NewConnectionError | ConnectTimeoutError):
            return True
        inner = cause.args[0] if cause.args else None
        if isinstance(inner, MaxRetryError) and isinstance(
            inner.reason, NewConnectionError | ConnectTimeoutError
        ):
            return True
        cause = cause.__cause__
    return False


def _is_too_many(response: requests.Response) -> bool:
    if response.status_code == HTTPStatus.FORBIDDEN:
        return _BYBIT_BAN in response.content
    return response.status_code in TOO_MANY


def _pause_ms(response: requests.Response) -> int:
    told = response.headers.get("Retry-After", "")
    if told.isascii() and told.isdigit() and len(told) <= _DIGITS_MAX:
        return max(int(told) * 1000, 1_000)
    return TOO_MANY[response.status_code]
