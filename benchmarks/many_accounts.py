"""A market order for each of many accounts at a simulated exchange, all at once.

    python -m benchmarks.many_accounts [--accounts 60] [--latency-ms 100] [--limits] [--futures]

Starts a whole Hookfill with its usual profile and a simulated exchange in this process, whose
every answer takes so long. Each account has a key and a connector of its own; the alerts come over
as many connections as a busy sender has. Told is how long it took from the first alert until the
last one was taken in, and until the exchange had received the last order, and how much processor
time went where. Each order must have come once.

All of it is done twice. At first each worker has to get to know each account: its clients are
built, and the exchange is asked for the rights of its key and for the orders that it has of ours.
The second time is what every further alert finds.

Hookfill keeps to the limits of the real exchange, whatever the simulated one would allow. Without
`--limits` its budget is made full again all the time.

With `--futures` each account opens a long, once more twice: then with a stop-loss that rests at the
exchange, and at last once more with all of these at rest.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
import requests

from app.domain.enums import Market
from app.store.memory import venue_keys
from tests.support.exchanges.server import Dialect, served
from tests.support.exchanges.stops import waiting
from tests.support.stack import Stack, running_stack
from tests.support.venue_world import wire_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.support.exchanges.books import Account

VENUE = "binance"
SYMBOL = "ETH/USDT"

#: What is bought each time; the same twice would be a repeat.
SPOT = {
    "first": {"action": "buy", "fixed": "0.1"},
    "again": {"action": "buy", "fixed": "0.2"},
}
FUTURES = {
    "first": {"action": "openLong", "fixed": "0.1"},
    "again": {"action": "openLong", "fixed": "0.2"},
    "with stops": {"action": "openLong", "fixed": "0.3", "loss": "1000"},
    "beside stops at rest": {"action": "openLong", "fixed": "0.4"},
}

#: Connections over which alerts come.
SENDERS = 16

#: What is not taken in is sent again, as the answer says.
ATTEMPTS_MAX = 10
SERVICE_UNAVAILABLE = 503

#: Between two fillings of the budget.
REFILL_SECONDS = 0.1

#: Entries that were not sent after a minute expire.
PATIENCE_SECONDS = 90.0

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class UnexpectedAnswerError(Exception):
    """An alert was refused."""


def main() -> int:
    """Measure, print the figures as JSON, and fail if an order was lost or doubled."""
    arguments = _arguments()
    figures = measured(
        arguments.accounts,
        arguments.latency_ms,
        has_limits=arguments.limits,
        trades_futures=arguments.futures,
    )
    print(json.dumps({**vars(arguments), **figures}, indent=2))
    times = len(FUTURES if arguments.futures else SPOT)
    return 0 if figures["orders"] == {times: arguments.accounts} else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--latency-ms", type=int, default=100)
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--futures", action="store_true")
    return parser.parse_args()


def measured(
    accounts: int, latency_ms: int, *, has_limits: bool, trades_futures: bool = False
) -> dict[str, Any]:
    """Return what was found by name, each of so many accounts having bought several times."""
    market = Market.USDM if trades_futures else Market.SPOT
    alerts = FUTURES if trades_futures else SPOT
    wire = wire_of(VENUE, market)
    names = [f"many-{number}" for number in range(accounts)]
    for name in names:
        wire.exchange.open_account(_key(name), name, USDT="10000", MARGIN="10000").hedged = True
    with served(wire) as (url, gateway), tempfile.TemporaryDirectory() as folder:
        environment = {"HOOKFILL_VENUE_URLS": json.dumps({VENUE: url})}
        with running_stack(Path(folder), environment, "--port", "0") as stack:
            _set_up(stack, names, market)
            wire.plan.latency_seconds = latency_ms / 1000
            with _budget(stack, has_limits=has_limits):
                figures: dict[str, Any] = {}
                for name, alert in alerts.items():
                    figures[name] = _measure(stack, wire, names, alert)
                    print(f"{name}: {figures[name]}", file=sys.stderr)
            wire.plan.latency_seconds = 0
            figures["orders"] = Counter(len(one.orders) for one in _accounts(wire, names))
            figures["requests"] = Counter(path for _, path in gateway.log)
            figures["newest_states"] = Counter(row["state"] for row in stack.rows(kind="ORDER"))
    return figures


def _key(name: str) -> str:
    return name.ljust(20, "k")


def _set_up(stack: Stack, names: Sequence[str], market: Market) -> None:
    begun = time.monotonic()
    for name in names:
        account = {
            "venue": VENUE,
            "market": market,
            "mode": "live",
            "credentials": {"apiKey": _key(name), "secret": name},
        }
        stack.call("PUT", f"/api/accounts/{name}", account)
        connector = {"token": "T", "account": name, "symbol": SYMBOL}
        stack.call("PUT", f"/api/connectors/{name}", connector)
    print(f"{len(names)} accounts made in {time.monotonic() - begun:.0f} s", file=sys.stderr)


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


def _accounts(wire: Dialect, names: Sequence[str]) -> list[Account]:
    return [wire.exchange.accounts[_key(name)] for name in names]


def _measure(
    stack: Stack, wire: Dialect, names: Sequence[str], alert: Mapping[str, str]
) -> dict[str, object]:
    local = threading.local()
    refusals: list[str] = []

    def send(name: str) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        body = {"connectorName": name, "connectorToken": "T", **alert}
        for _ in range(ATTEMPTS_MAX):
            answer = local.session.post(stack.url("/trading-signal/webhook"), json=body, timeout=30)
            if answer.text == "ok":
                return
            refusals.append(answer.text)
            if answer.status_code != SERVICE_UNAVAILABLE:
                break
        raise UnexpectedAnswerError(f"{name} was not taken in: {refusals[-1]}")

    accounts = _accounts(wire, names)
    wanted = [len(one.orders) + 1 for one in accounts]

    def are_there() -> bool:
        return all(len(one.orders) >= count for one, count in zip(accounts, wanted, strict=True))

    before = _processor_seconds(stack)
    begun = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(send, names))
    accepted = time.monotonic() - begun
    received = _once(are_there, begun)
    spent = _processor_seconds(stack)
    rested = _once(lambda: all(map(waiting, accounts)), begun) if "loss" in alert else None
    time.sleep(2.0)  # whatever would come twice comes now
    return {
        "sent_again_after": Counter(refusals),
        "accepted_after_seconds": round(accepted, 2),
        "last_received_after_seconds": received,
        "last_stop_rested_after_seconds": rested,
        "stops_at_rest": sum(len(waiting(one)) for one in accounts),
        "processor_seconds": {name: round(spent[name] - before[name], 2) for name in spent},
        "load_of_the_machine": os.getloadavg()[0],
    }


def _once(is_so: Callable[[], bool], begun: float) -> float:
    """Return after how many seconds something came to be so, or one no longer waits for it."""
    while not is_so() and time.monotonic() < begun + PATIENCE_SECONDS:
        time.sleep(0.01)
    return round(time.monotonic() - begun, 2)


def _processor_seconds(stack: Stack) -> Mapping[str, float]:
    """Return what each process has used by name: of the run with its children, and of this one."""
    mine = time.process_time()
    return {"this": mine} | {
        name: sum(_used(one) for one in _family(pid)) for name, pid in stack.run["pids"].items()
    }


def _family(pid: int) -> list[int]:
    """Return the ids of a process and of those that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


if __name__ == "__main__":
    sys.exit(main())
