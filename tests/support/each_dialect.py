"""One request of each dialect that queues something, signed as its callers sign it."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.dialects.apisify.signing import signed
from app.domain.enums import Dialect
from tests.support import three_commas as wire
from tests.support.caller import WEBHOOK, Caller, Json

ACCOUNT, NET = "demo", "demo-net"
KEY, SECRET = "each-dialect", "a-secret-of-these-tests-0123456789"

#: Dialect → the account that its client has. The calls of a connector name no client.
_CLIENTS: Final = {
    Dialect.POLONIEX: ACCOUNT,
    Dialect.THREE_COMMAS: ACCOUNT,
    Dialect.HUMMINGBOT: ACCOUNT,
    Dialect.APISIFY: NET,
}


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"

    def to(self, client: FlaskClient, **environ: str) -> TestResponse:
        """Send it, and return the answer, whatever it is."""
        return client.open(
            self.path,
            method=self.method,
            data=self.body,
            headers=dict(self.headers),
            environ_base=environ,
        )


def open_for_all(demo: Caller) -> None:
    """Let each dialect have a caller, for the demo account or one with futures."""
    net = {"market": "USDM", "position_mode": "ONEWAY", "balances": {"USDT": "10000"}}
    demo.call("PUT", f"/paper/accounts/{NET}", net)
    for dialect, account in _CLIENTS.items():
        word = "password" if dialect is Dialect.HUMMINGBOT else "secret"
        client = {word: SECRET, "accounts": [account]}
        demo.call("PUT", f"/api/clients/{dialect}/{KEY}", client)


def request_of(dialect: Dialect, number: int, host: str = "localhost") -> Sent:
    """Return a request of a dialect that is like no other of another number, signed now.

    Args:
        dialect: whose.
        number: 1 to 9999.
        host: with the port, as it will be named.
    """
    price = 10_000 + number
    fields: Json
    match dialect:
        case Dialect.CRYPTO_ARSENAL:
            path, fields = WEBHOOK, {"action": "buy", "fixed": "0.001", "limit": str(price)}
        case Dialect.APISIFY:
            path, fields = "/v1/order", order(qty=0.001, order_type="Limit", price=price)
        case Dialect.POLONIEX:
            limit = {"type": "LIMIT", "quantity": "0.001", "price": str(price)}
            path, fields = "/orders", {"symbol": "BTC_USDT", "side": "BUY", **limit}
        case Dialect.THREE_COMMAS:
            path = f"{wire.TRADES}/create_smart_sell"
            fields = wire.sale(
                pair="USDT_BTC",
                units_to_buy="0.001",
                average_buy_price=49_000,
                take_profit_price_condition=60_000 + number,
                stop_loss_price_condition=40_000,
            )
        case _:
            path, fields = "/trading/orders", named(amount=0.001, order_type="LIMIT", price=price)
    return signed_by(dialect, path, fields, host=host)


class _Moments:
    """Milliseconds of now, none of them twice: apisify signs no more of a request than that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms = 0

    def next_ms(self) -> int:
        """Return one."""
        with self._lock:
            self._last_ms = max(self._last_ms + 1, int(time.time() * 1000))
            return self._last_ms


_moments = _Moments()


def order(**fields: object) -> Json:
    """Return a buy of the apisify dialect, but for these fields."""
    return {"exchange": "paper", "side": "Buy", "symbol": "BTCUSDT", **fields}


def named(**fields: object) -> Json:
    """Return a buy of the Hummingbot dialect, but for these fields."""
    about = {"account_name": ACCOUNT, "connector_name": "paper", "trading_pair": "BTC-USDT"}
    return {**about, "trade_type": "BUY", **fields}


def signed_by(
    dialect: Dialect,
    path: str,
    fields: Mapping[str, object],
    *,
    method: str = "POST",
    host: str = "localhost",
) -> Sent:
    """Return a request of the caller of a dialect, signed now.

    Args:
        dialect: whose.
        path: where it goes, with its query.
        fields: of its body; without any it has none.
        method: of HTTP.
        host: with the port, as it will be named.
    """
    match dialect:
        case Dialect.CRYPTO_ARSENAL:
            fields = {"connectorName": "demo", "connectorToken": "demo-token", **fields}
        case Dialect.APISIFY:
            at = _moments.next_ms()
            sign = signed(SECRET, str(at), f"http://{host}{path}")
            fields = {**fields, "strategy": "s", "apikey": KEY, "timestamp": at, "sign": sign}
        case _:
            pass
    text = json.dumps(fields) if fields else ""
    return with_body(dialect, Sent(path, b"", {}, method), text)


def with_body(dialect: Dialect, one: Sent, text: str) -> Sent:
    """Return a request with another body, signed anew where the body is what is signed."""
    headers = {"Content-Type": wire.JSON_TYPE}
    match dialect:
        case Dialect.POLONIEX:
            at = str(int(time.time() * 1000))
            path, _, query = one.path.partition("?")
            named = [f"requestBody={text}"] if text else [*filter(None, query.split("&"))]
            said = "\n".join((one.method, path, "&".join(sorted([*named, f"signTimestamp={at}"]))))
            digest = hmac.new(SECRET.encode(), said.encode(), hashlib.sha256).digest()
            sign = base64.b64encode(digest).decode()
            headers |= {"key": KEY, "signature": sign, "signTimestamp": at}
        case Dialect.THREE_COMMAS:
            headers = wire.headers(one.path, text, key=KEY, secret=SECRET)
        case Dialect.HUMMINGBOT:
            user = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
            headers["Authorization"] = f"Basic {user}"
        case _:
            pass
    return replace(one, body=text.encode(), headers=headers)
