"""One request of each dialect that queues something, signed as its callers sign it."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

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
    price, now_ms = str(10_000 + number), int(time.time() * 1000)
    match dialect:
        case Dialect.CRYPTO_ARSENAL:
            sender = {"connectorName": "demo", "connectorToken": "demo-token"}
            message = {**sender, "action": "buy", "fixed": "0.001", "limit": price}
            return _sent(WEBHOOK, message)
        case Dialect.APISIFY:
            path, at = "/v1/order", now_ms - number % 1_000
            order = {"exchange": "paper", "order_type": "Limit", "side": "Buy", "symbol": "BTCUSDT"}
            sign = signed(SECRET, str(at), f"http://{host}{path}")
            about = {"strategy": "s", "apikey": KEY, "timestamp": at, "sign": sign}
            return _sent(path, {**order, **about, "qty": 0.001, "price": int(price)})
        case Dialect.POLONIEX:
            order = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001"}
            return _poloniex("/orders", json.dumps({**order, "price": price}), now_ms)
        case Dialect.THREE_COMMAS:
            sale = wire.sale(
                pair="USDT_BTC",
                units_to_buy="0.001",
                average_buy_price=49_000,
                take_profit_price_condition=60_000 + number,
                stop_loss_price_condition=40_000,
            )
            path, body = f"{wire.TRADES}/create_smart_sell", wire.json_body(sale)
            headers = wire.headers(path, body, key=KEY, secret=SECRET)
            return Sent(path, body.encode(), headers)
        case Dialect.HUMMINGBOT:
            user = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
            named: Json = {
                "account_name": ACCOUNT,
                "connector_name": "paper",
                "trading_pair": "BTC-USDT",
                "trade_type": "BUY",
                "amount": 0.001,
                "order_type": "LIMIT",
                "price": int(price),
            }
            return _sent("/trading/orders", named, Authorization=f"Basic {user}")


def _sent(path: str, body: Mapping[str, object], **headers: str) -> Sent:
    return Sent(path, json.dumps(body).encode(), {"Content-Type": wire.JSON_TYPE, **headers})


def _poloniex(path: str, body: str, now_ms: int) -> Sent:
    said = f"POST\n{path}\nrequestBody={body}&signTimestamp={now_ms}"
    digest = hmac.new(SECRET.encode(), said.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    headers = {"key": KEY, "signature": signature, "signTimestamp": str(now_ms)}
    return Sent(path, body.encode(), {"Content-Type": wire.JSON_TYPE, **headers})
