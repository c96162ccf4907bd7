"""A market order for each of many accounts at a simulated exchange, all at once.

    python -m benchmarks.many_accounts [--accounts 60] [--latency-ms 100] [--limits]

Starts a whole Hookfill with its usual profile and a simulated exchange in this process, whose
every answer takes so long. Each account has a key and a connector of its own; the alerts come over
as many connections as a busy sender has. Told is how long it took from the first alert until the
last one was taken in, and until the exchange had received the last order. Each order must have come
once.

Hookfill keeps to the limits of the real exchange, whatever the simulated one would allow. Without
`--limits` its budget is made full again all the time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis
import requests

from app.domain.words import Market
from app.store import venue_keys
from tests.contract.venue_world import wire_of
from tests.end_to_end.stack import Stack, running_stack
from tests.exchanges.server import Dialect, served

VENUE = "binance"
SYMBOL = "BTC/USDT"

#: Connections over which alerts come.
SENDERS = 16

#: What is not taken in is sent again, as the answer says.
ATTEMPTS_MAX = 10
SERVICE_UNAVAILABLE = 503

#: Between two fillings of the budget.
REFILL_SECONDS = 0.1

#: Entries that were not sent after a minute expire.
PATIENCE_SECONDS = 90.0


class UnexpectedAnswerError(Exception):
    """An alert was refused."""


def main() -> int:
    """Measure, print the figures as JSON, and fail if an order was lost or doubled."""
    arguments = _arguments()
    wire = wire_of(VENUE, Market.SPOT)
    names = [f"many-{number}" for number in range(arguments.accounts)]
    for name in names:
        wire.exchange.open_account(_key(name), name, USDT="10000")
    with served(wire) as (url, gateway), tempfile.TemporaryDirectory() as folder:
        environment = {"HOOKFILL_VENUE_URLS": json.dumps({VENUE: url})}
        with running_stack(Path(folder), environment, "--port", "0") as stack:
            _set_up(stack, names)
            wire.plan.latency_seconds = arguments.latency_ms / 1000
            with _budget(stack, has_limits=arguments.limits):
                figures = _measure(stack, wire, names)
            wire.plan.latency_seconds = 0
            figures["requests"] = Counter(str(call) for call, _ in gateway.log)
            figures["states"] = Counter(row["state"] for row in stack.rows(kind="ORDER"))
    print(json.dumps({**vars(arguments), **figures}, indent=2))
    return 0 if figures["orders"] == {1: len(names)} else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--latency-ms", type=int, default=100)
    parser.add_argument("--limits", action="store_true")
    return parser.parse_args()


def _key(name: str) -> str:
    return name.ljust(20, "k")


def _set_up(stack: Stack, names: list[str]) -> None:
    for name in names:
        account = {
            "venue": VENUE,
            "market": "SPOT",
            "mode": "live",
            "credentials": {"apiKey": _key(name), "secret": name},
        }
        stack.call("PUT", f"/api/accounts/{name}", account)
        connector = {"token": "T", "account": name, "symbol": SYMBOL}
        stack.call("PUT", f"/api/connectors/{name}", connector)
    print(f"{len(names)} accounts are there", file=sys.stderr)


class _budget(threading.Thread):  # noqa: N801 - used like a function
    """Makes the budget full again all the time, unless the exchange has limits."""

    def __init__(self, stack: Stack, *, has_limits: bool) -> None:
        super().__init__(daemon=True)
        self._store = redis.Redis.from_url(stack.run["redis_url"])
        self._ended = threading.Event()
        if has_limits:
            self._ended.set()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Forget what was used up."""
        while not self._ended.wait(REFILL_SECONDS):
            for key in self._store.scan_iter(venue_keys.budget("*")):
                self._store.delete(key)


def _measure(stack: Stack, wire: Dialect, names: list[str]) -> dict[str, object]:
    local = threading.local()
    repeats: list[str] = []

    def send(name: str) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        body = {
            "connectorName": name,
            "connectorToken": "T",
            "action": "buy",
            "fixed": "0.01",
        }
        for attempt in range(ATTEMPTS_MAX):
            answer = local.session.post(stack.url("/trading-signal/webhook"), json=body, timeout=30)
            if answer.text == "ok":
                repeats.extend([name] * attempt)
                return
            if answer.status_code != SERVICE_UNAVAILABLE:
                break
        raise UnexpectedAnswerError(f"{name} was not taken in: {answer.text}")

    begun = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(send, names))
    accepted = time.monotonic() - begun
    accounts = [wire.exchange.accounts[_key(name)] for name in names]
    while time.monotonic() < begun + PATIENCE_SECONDS and not all(one.orders for one in accounts):
        time.sleep(0.01)
    received = time.monotonic() - begun
    time.sleep(2.0)  # whatever would come twice comes now
    return {
        "sent_again_after_503": len(repeats),
        "accepted_after_seconds": round(accepted, 2),
        "last_received_after_seconds": round(received, 2),
        "orders": Counter(len(one.orders) for one in accounts),
    }


if __name__ == "__main__":
    sys.exit(main())
