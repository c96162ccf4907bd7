"""Somebody who signs for the demo account, in two dialects."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from decimal import Decimal
from itertools import count, islice
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.bootstrap import Wiring, web_wiring
from app.domain.aggregate import Aggregate
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.smart_order import SmartOrder
from app.settings import Settings
from tests.support.caller import Caller, Json, Worker
from tests.support.faulty_store import FaultyStore
from tests.support.three_commas import headers

KEY, SECRET = "parts", "a-secret-of-these-tests"

#: How many of the newest aggregates are looked at.
NEWEST = 12

Placed = Order | SmartOrder

#: A request as it is sent, once or again.
Signed = dict[str, Any]


def failing_web(settings: Settings, worker: Worker, patch: pytest.MonkeyPatch) -> Wiring:
    """Return a web process whose store can fail; while it waits, the worker works.

    It waits no longer than that takes: on its own clock all the time passes that it means to wait.
    A signature is good for longer than a slow machine needs to send its request again.
    """
    patch.setattr("app.bootstrap.connect", FaultyStore)
    wiring = web_wiring(replace(settings, poloniex_clock_tolerance_ms=60_000))
    clock, waited_ms = wiring.ports.clock, 0
    steady_ms = clock.steady_ms

    def sleep(for_ms: int) -> None:
        nonlocal waited_ms
        waited_ms += for_ms
        worker.step()

    patch.setattr(clock, "sleep", sleep)
    patch.setattr(clock, "steady_ms", lambda: steady_ms() + waited_ms)
    return wiring


class Trader:
    """Signs for the demo account, and looks into it past the web process."""

    def __init__(self, demo: Caller, wiring: Wiring, worker: Worker) -> None:
        store = wiring.memory._client  # noqa: SLF001 - the one connection of the process
        assert isinstance(store, FaultyStore)
        self.store, self.worker = store, worker
        self.demo, self.client = demo, demo.client
        self.numbers = count(10_000)
        self.signed_ms = 0
        client = {"secret": SECRET, "accounts": ["demo"]}
        demo.call("PUT", f"/api/clients/poloniex/{KEY}", client)
        demo.call("PUT", f"/api/clients/three_commas/{KEY}", client)

    def change(self) -> None:
        """Change the registry, as another process does."""
        registry = self.worker.wiring.registry
        registry.put_account(registry.accounts()[0])

    def signed(self, method: str, path: str, body: object = None) -> Signed:
        text = "" if body is None else json.dumps(body)
        # No two requests are signed in the same millisecond: they would be one.
        self.signed_ms = max(self.signed_ms + 1, int(time.time() * 1000))
        stamp = str(self.signed_ms)
        said = f"requestBody={text}&signTimestamp={stamp}" if text else f"signTimestamp={stamp}"
        digest = hmac.new(SECRET.encode(), f"{method}\n{path}\n{said}".encode(), hashlib.sha256)
        signature = base64.b64encode(digest.digest()).decode()
        headers = {"key": KEY, "signature": signature, "signTimestamp": stamp}
        return {"method": method, "path": path, "data": text or None, "headers": headers}

    def send(self, one: Signed) -> TestResponse:
        return self.client.open(**one)

    def tell(self, path: str, body: str) -> TestResponse:
        """Send a signed request of the 3Commas dialect."""
        signed = headers(path, body, key=KEY, secret=SECRET)
        return self.client.post(path, data=body, headers=signed)

    def good(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        answer = self.send(self.signed(method, path, body))
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def made(self, path: str, item: Json) -> str:
        """Create something, and return its id."""
        order_id: str = self.good("POST", path, item)["id"]
        return order_id

    # What is sent

    def limit(self) -> Json:
        """Return an order that rests, at a price that no other has."""
        shape = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001"}
        return {**shape, "price": str(next(self.numbers))}

    def stop(self) -> Json:
        """Return a smart order that waits, at a price that no other has."""
        return {**self.limit(), "type": "STOP_LIMIT", "stopPrice": "90000"}

    # What is there

    def newest(self) -> list[Aggregate]:
        return list(islice(self.worker.wiring.reader.newest(None), NEWEST))

    def at(self, price: object) -> list[Placed]:
        """Return what was made at a price lately."""
        found = [one for one in self.newest() if isinstance(one, Order | SmartOrder)]
        return [one for one in found if one.price == Decimal(str(price))]

    def now(self, order_id: str) -> Placed:
        found = self.worker.wiring.reader.find(AggregateId(int(order_id)))
        assert isinstance(found, Order | SmartOrder)
        return found
