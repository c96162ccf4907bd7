"""What the vectors of the apisify spec (section 6) send, and the state that they begin from."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

import requests

from tests.support.stack import Installation, Json

URL = "https://orders.example.com/v1/order"
HTTP_URL = "http://orders.example.com/v1/order"
ENVIRONMENT = {"HOOKFILL_TRUSTED_PROXIES": "127.0.0.1", "APISIFY_PUBLIC_URLS": json.dumps([URL])}

ACCOUNT = "vector-net"
KEY = "ak_test"
SECRET = "test-secret"  # noqa: S105 - of the vectors
NOW_MS = 1_649_027_014_000
STRANGER, TRADINGVIEW = "203.0.113.9", "52.89.214.238"

S = "d5bc0943e1d3be79d6a656bac6e05d232b7e3d8f96716069d3c7d2ab96e992f6"
S_HTTP = "eeb2102000305f9c9164e46ffebdd984b15ccea138e0b9dd9976238d33b214e4"
B: Mapping[str, Any] = {
    "strategy": "test_strategy",
    "exchange": "bybit_testnet",
    "order_type": "Market",
    "qty": 1,
    "side": "Buy",
    "symbol": "BTCUSD",
    "price": 10000,
    "memo": "m",
    "apikey": KEY,
    "timestamp": 1_649_027_013_445,
    "sign": S,
}
FROM_TRADINGVIEW = {name: B[name] for name in B if name not in {"timestamp", "sign"}}

_numbers = count(1)


class Market(NamedTuple):
    """What the vectors trade: bitcoin in a currency, at an exchange by its name on the wire."""

    quote: str
    exchange: str


PAPER = Market("USD", "bybit_testnet")


def signed(timestamp: int, url: str = URL, secret: str = SECRET) -> str:
    """Return the signature of a call."""
    return hmac.new(secret.encode(), f"{timestamp}POST{url}".encode(), hashlib.sha256).hexdigest()


def fresh(**odd: object) -> Json:
    """Return B with odd fields, signed at a time stamp of its own."""
    timestamp = NOW_MS - 500 + next(_numbers) % 900
    return {**B, "timestamp": timestamp, "sign": signed(timestamp), **odd}


class Caller:
    """Sends orders to a stack, and looks at what they bring about."""

    def __init__(self, stack: Installation) -> None:
        self.stack = stack
        self.market = PAPER if stack.place is None else Market("USDT", stack.place.venue)
        self.symbol = f"BTC/{self.market.quote}"

    def meant(self, payload: object) -> object:
        """Return an order of the vectors as it is sent where the account is."""
        if self.market is PAPER or not isinstance(payload, Mapping):
            return payload
        there = {"symbol": f"BTC{self.market.quote}", "exchange": self.market.exchange}
        usual = {name: B[name] for name in there}
        return {
            name: there[name] if name in there and value == usual[name] else value
            for name, value in payload.items()
        }

    def reset(self, position: str = "0", mode: str = "ONEWAY") -> None:
        """Bring about the state of the vectors: a linear BTCUSD, nothing live, time frozen."""
        call = self.stack.call
        self.stack.thaw()
        instrument = {
            "symbol": self.symbol,
            "market": "USDM",
            "kind": "linear",
            "price_step": "0.5",
            "quantity_step": "0.001",
        }
        call("PUT", "/paper/instruments", {"instruments": [instrument]})
        size = Decimal(position)
        legs = {"long": str(max(size, Decimal(0))), "short": str(max(-size, Decimal(0)))}
        positions = {self.symbol: {**legs, "entry_price": "60000"}}
        more = {"position_mode": mode, "positions": positions}
        balances = {self.market.quote: "10000000"}
        self.stack.open_account(ACCOUNT, balances, "USDM", **more)
        client = {
            "secret": SECRET,
            "accounts": [ACCOUNT],
            "enabled": True,
            "allow_tradingview_ip": True,
            "dedup_window_seconds": 20,
            "close_mode": "qty",
            "sar_same_side": "skip",
        }
        call("PUT", f"/api/clients/apisify/{KEY}", client)
        self.price("60000")
        self.stack.freeze(NOW_MS)
        self.stack.forget()

    def price(self, last: str) -> None:
        """Set the last price, and wait for what it brings about."""
        self.stack.quotes({self.symbol: {"last": last}})

    def post(self, payload: object, peer: str = STRANGER, **headers: str) -> requests.Response:
        """Send an order by way of the trusted proxy, which saw this peer."""
        meant = self.meant(payload)
        data = meant if isinstance(meant, str | bytes) else json.dumps(meant)
        said = {"Content-Type": "application/json", "X-Forwarded-For": peer, **headers}
        return requests.post(self.stack.url("/v1/order"), data=data, headers=said, timeout=60)

    def accepted(self, payload: object, peer: str = STRANGER, **headers: str) -> Json:
        """Send an order that must be accepted, and wait for what it brings about."""
        answer = self.post(payload, peer, **headers)
        assert answer.status_code == 200, answer.text
        self.stack.settle()
        body: Json = answer.json()
        assert (body["result"], body["status"]) == ("success", "accepted")
        return body

    def refused(
        self, payload: object, status: int, code: str, peer: str = STRANGER, **headers: str
    ) -> Json:
        """Send an order that must be refused, and see that nothing is queued."""
        before = len(self.stack.rows())
        answer = self.post(payload, peer, **headers)
        body: Json = answer.json()
        assert (answer.status_code, body["result"], body["code"]) == (status, "error", code), body
        self.stack.settle()
        assert len(self.stack.rows()) == before
        return body

    def position(self) -> Decimal:
        """Return the net position: long above 0."""
        legs = self.legs()
        return Decimal(legs["long"]) - Decimal(legs["short"])

    def legs(self) -> Json:
        """Return both sides of the position."""
        nothing = {"long": "0", "short": "0"}
        legs: Json = self.stack.account(ACCOUNT)["positions"].get(self.symbol, nothing)
        return legs

    def orders(self) -> list[Json]:
        """Return the orders, oldest first."""
        return list(reversed(self.stack.rows(kind="ORDER", account=ACCOUNT)))

    def traded(self) -> list[tuple[str, Decimal, bool]]:
        """Return side, quantity and whether reduce-only of each order, oldest first."""
        return [
            (one["side"], Decimal(one["quantity"]), one["reduce_only"]) for one in self.orders()
        ]

    def row(self, order_id: str) -> Json:
        """Return what became of a request."""
        return self.stack.call("GET", f"/api/orders/{order_id}")
