"""What the vectors of the Poloniex dialect send, and the state that they begin from.

`Sdk` sends and signs as the Python SDK of Poloniex does (polo-sdk-python, commit c2f7c62), which is
on no package index.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import quote, urljoin

import pytest
import requests

from tests.support.stack import Installation, Json

ACCOUNT, OTHER_ACCOUNT = "vector-polo", "vector-polo-other"
KEY, OTHER_KEY, READ_KEY = "polo-key", "polo-other", "polo-read"
SECRET = "my-secret"  # noqa: S105 - of the vectors
NOW_MS = 1_700_000_000_000

#: How long before the time of the server clients begin to sign.
SIGNED_BEFORE_MS = 500

#: What JavaScript's `encodeURIComponent` leaves as it is.
_KEPT = "-_.~!*'()"


class RequestError(Exception):
    """What the SDK raises for any status but 200."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class Sdk:
    """The smart orders of the SDK. It takes scheme, host and port, and drops any path behind them.

    Args:
        url: of the server.
        key, secret: of the client.
        now_ms: the time that requests are signed with.
    """

    TIMEOUT_SECONDS = 5

    def __init__(self, url: str, key: str, secret: str, now_ms: Callable[[], int]) -> None:
        self.url, self.key, self.secret, self.now_ms = url, key, secret, now_ms

    def create(self, **keywords: object) -> Json:
        answer: Json = self.request("POST", "/smartorders", body=_on_the_wire(keywords))
        return answer

    def cancel_replace(self, order_id: str, **keywords: object) -> Json:
        path = f"/smartorders/{order_id}"
        answer: Json = self.request("PUT", path, body=_on_the_wire(keywords))
        return answer

    def get_all(self, **keywords: object) -> list[Json]:
        answer: list[Json] = self.request("GET", "/smartorders", query=keywords)
        return answer

    def get_by_id(self, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        answer: Json = self.request("GET", f"/smartorders/{_named(order_id, client_order_id)}")
        return answer

    def cancel_by_id(self, order_id: str | None = None, client_order_id: str | None = None) -> Json:
        path = f"/smartorders/{_named(order_id, client_order_id)}"
        answer: Json = self.request("DELETE", path)
        return answer

    def cancel_by_multiple_ids(self, **keywords: list[str]) -> list[Json]:
        body = _on_the_wire(keywords)
        answer: list[Json] = self.request("DELETE", "/smartorders/cancelByIds", body=body)
        return answer

    def cancel(self, **keywords: str | list[str]) -> list[Json]:
        answer: list[Json] = self.request("DELETE", "/smartorders", body=_on_the_wire(keywords))
        return answer

    def get_history(self, **keywords: object) -> list[Json]:
        query = _on_the_wire(keywords)
        answer: list[Json] = self.request("GET", "/smartorders/history", query=query)
        return answer

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        **headers: str,
    ) -> Any:  # noqa: ANN401 - whatever the server answers
        """Send a signed request, and return what the answer holds."""
        answer = self.send(method, path, query, body, **headers)
        if answer.status_code != 200:
            content = answer.json()
            raise RequestError(answer.status_code, content["code"], content["message"])
        return answer.json()

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        **headers: str,
    ) -> requests.Response:
        """Send a signed request; without anything in it a body is none."""
        timestamp = str(self.now_ms())
        text = json.dumps(body) if body else ""
        if text:
            parameters = f"requestBody={text}&signTimestamp={timestamp}"
        else:
            pairs = {**(query or {}), "signTimestamp": timestamp}
            ordered = sorted(pairs.items())
            parameters = "&".join(f"{name}={quote(str(one), safe=_KEPT)}" for name, one in ordered)
        signed = f"{method}\n{path}\n{parameters}"
        said = {"key": self.key, "signature": self.sign(signed), "signTimestamp": timestamp}
        if text:
            said["content-type"] = "application/json"
        return requests.request(
            method,
            urljoin(self.url, path),
            params={name: str(one) for name, one in (query or {}).items()},
            data=text or None,
            headers={**said, **headers},
            timeout=self.TIMEOUT_SECONDS,
        )

    def sign(self, text: str) -> str:
        """Return the signature of a text."""
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()


def _on_the_wire(keywords: Mapping[str, object]) -> Json:
    """Name what the SDK's keywords name: `time_in_force` is `timeInForce`."""
    return {
        re.sub("_(.)", lambda found: found[1].upper(), name): keywords[name] for name in keywords
    }


def _named(order_id: str | None, client_order_id: str | None) -> str:
    return f"cid:{client_order_id}" if order_id is None else order_id


class Trader:
    """A caller with an account, and what happens around it."""

    def __init__(self, stack: Installation) -> None:
        self.stack = stack
        self.now_ms: Callable[[], int] = lambda: NOW_MS
        self.sdk = self.client(KEY)

    def client(self, key: str, secret: str = SECRET) -> Sdk:
        """Return a client of the SDK."""
        return Sdk(self.stack.run["base_url"], key, secret, self.time)

    def time(self) -> int:
        """Return the time as the clients have it."""
        return self.now_ms()

    def reset(self) -> None:
        """Bring about the state of the vectors: two pairs, full accounts, nothing live."""
        call = self.stack.call
        self.stack.thaw()
        rules = {
            "market": "SPOT",
            "price_step": "0.01",
            "quantity_step": "0.000001",
            "quote_step": "0.01",
            "min_quantity": "0.000001",
            "min_notional": "1",
        }
        pairs = [{"symbol": f"{base}/USDT", **rules} for base in ("BTC", "ETH")]
        call("PUT", "/paper/instruments", {"instruments": pairs})
        for name in (ACCOUNT, OTHER_ACCOUNT):
            self.stack.open_account(name, {"USDT": "100000", "BTC": "1", "ETH": "100"})
            call("DELETE", f"/paper/faults/{name}")
        shape = {"secret": SECRET, "enabled": True, "by_id_shape": "object"}
        for key, name, permissions in (
            (KEY, ACCOUNT, None),
            (OTHER_KEY, OTHER_ACCOUNT, None),
            (READ_KEY, ACCOUNT, ["READ"]),
        ):
            client = {**shape, "accounts": [name], "permissions": permissions}
            call("PUT", f"/api/clients/poloniex/{key}", client)
        self.price("60000")
        self.stack.prices(ETH="2000")
        self.freeze(NOW_MS)
        self.stack.forget()

    def freeze(self, at_ms: int) -> None:
        """Let it be this time, for the server and for the clients.

        No two requests are signed in the same millisecond: they would be one.
        """
        self.stack.freeze(at_ms)
        signed_at = count(at_ms - SIGNED_BEFORE_MS)
        self.now_ms = lambda: next(signed_at)

    def real_time(self) -> None:
        """Let the time be the real one."""
        self.stack.thaw()
        self.now_ms = lambda: int(time.time() * 1000)

    def price(self, *lasts: str | None) -> None:
        """Set last prices of BTC/USDT one after the other, and wait for what each brings about."""
        for last in lasts:
            self.stack.prices(BTC=last)

    def book(self, last: str, asks: list[list[str]], bids: list[list[str]]) -> None:
        """Set a price with a book."""
        quote = {"last": last, "bid": bids[0][0], "ask": asks[0][0], "asks": asks, "bids": bids}
        self.stack.quotes({"BTC/USDT": quote})

    def create(self, **fields: Any) -> str:  # noqa: ANN401 - as the SDK takes them
        """Create a smart order in BTC_USDT, wait for what it brings about, and return its id."""
        created: str = self.sdk.create(**{"symbol": "BTC_USDT", **fields})["id"]
        self.stack.settle()
        return created

    def state(self, order_id: str) -> str:
        """Return where a smart order stands."""
        state: str = self.sdk.get_by_id(order_id)["state"]
        return state

    def child(self, order_id: str) -> Json:
        """Return the order that a smart order has placed."""
        placed: Json = self.sdk.get_by_id(order_id)["triggeredOrder"]
        return placed

    def hold(self, currency: str) -> Decimal:
        """Return what resting orders hold back."""
        balances = self.sdk.request("GET", "/accounts/balances", {"accountType": "SPOT"})
        (account,) = balances
        return next(
            Decimal(one["hold"]) for one in account["balances"] if one["currency"] == currency
        )

    def placed(self) -> list[Json]:
        """Return every order that the venue has ever received."""
        ledger: list[Json] = self.stack.account(ACCOUNT)["ledger"]
        return ledger

    def refused(
        self, code: int, status: int, act: Callable[..., object], *args: object, **keywords: object
    ) -> RequestError:
        """See that a call is refused with this code and status."""
        with pytest.raises(RequestError) as caught:
            act(*args, **keywords)
        error = caught.value
        assert (error.code, error.status) == (code, status), error
        return error
