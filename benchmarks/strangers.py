"""Measures whether strangers, and long lists, delay an alert.

    python -m benchmarks.strangers [--seconds 10] [--strangers 20] [--lists 6]

Starts a whole Hookfill with its usual limits, writes 4,000 fills and 2,000 finished trades into it,
and sends alerts at an easy pace, each over a connection of its own: first alone, then beside
strangers that ask for whatever needs no credential, each from an address of its own (all of
127.0.0.0/8 is this machine), and an owner's programs that ask for long lists of trades. These ask
again as soon as they are answered, whatever the answer was.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.bootstrap import worker_wiring
from app.domain.enums import Side
from app.domain.identifiers import (
    ID_EPOCH_MS,
    IDS_PER_MS,
    AccountId,
    AggregateId,
    EpochMs,
    OrderId,
    TradeId,
)
from app.domain.smart_trade.enums import TradeStatus
from app.domain.status import OrderStatus
from app.ports.ledger import Change
from app.settings import Settings
from benchmarks.load import percentile
from tests.support import three_commas
from tests.support.builders import a_fill, an_order_in, client_id
from tests.support.stack import Stack, running_stack
from tests.support.three_commas_trades import a_trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Event

    from app.domain.order import Order
    from app.domain.smart_trade.trade import SmartTrade

#: What needs no credential and may cost something.
OPEN_PATHS = (
    "/markets/price",
    "/markets/ticker24h",
    "/markets/BTC_USDT/candles?interval=MINUTE_5&limit=500",
    "/markets/BTC_USDT/trades?limit=1000",
    "/markets/BTC_USDT/orderBook",
    "/metrics",
    "/readyz",
    "/openapi.json",
    "/docs",
)
LIST_PATH = f"{three_commas.TRADES}?limit=1000"

FILLS = 4_000
TRADES = 2_000
WRITERS = 16

#: Seconds between two alerts, and how long one is waited for.
PACE_SECONDS = 0.1
PATIENCE_SECONDS = 10.0

#: Alerts that are not counted, and seconds until all hammer.
WARM_UP = 5
HEAD_START_SECONDS = 2.0

#: `demo-spot`, whose trades the demo's key may list.
ACCOUNT = AccountId(1)
CONNECTOR = "strangers-benchmark"

#: Lists are load here, so the budget of their key is not to spare it.
ENVIRONMENT = {"THREE_COMMAS_LIST_RATE": "1000000", "THREE_COMMAS_RATE_PER_MINUTE": "1000000"}

#: Status (0 where there was none) and milliseconds.
Answer = tuple[int, float]


def main() -> int:
    """Measure, and print two tables; return 1 if an alert was refused."""
    options = _options()
    flags = "--port", "0"  # those of the usual profile
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder), ENVIRONMENT, *flags) as stack,
    ):
        _fill(stack)
        alert = _alerts(stack)
        for _ in range(WARM_UP):
            alert()
        alone = _paced(alert, options.seconds)
        with _hammered(stack, options) as answers:
            beside = _paced(alert, options.seconds)
    print(_report({"alone": alone, "beside them": beside}, answers, options.seconds))
    return 0 if {status for status, _ in (*alone, *beside)} == {HTTPStatus.OK} else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the two parts")
    parser.add_argument("--strangers", type=int, default=20, help="connections of strangers")
    parser.add_argument("--lists", type=int, default=6, help="connections that ask for lists")
    return parser.parse_args()


def _fill(stack: Stack) -> None:
    """Write fills and trades as workers would have, within the last 24 hours."""
    environment = {"REDIS_URL": stack.run["redis_url"], "HOOKFILL_DATA_DIR": str(stack.data_dir)}
    settings = Settings.from_environment({**os.environ, **environment})
    ledger = worker_wiring(settings, lambda publisher: publisher).ports.ledger
    now_ms = int(time.time() * 1000)
    made = (
        *(_fill_of(now_ms, n) for n in range(FILLS)),
        *(_trade(now_ms, n) for n in range(TRADES)),
    )
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda one: ledger.commit([Change(None, one)]), made))


def _fill_of(now_ms: int, number: int) -> Order:
    at_ms = EpochMs(now_ms - 80_000_000 + number * 19_000)
    fill = a_fill(at_ms=at_ms, trade_id=TradeId(f"benchmark-{number}"))
    order_id = _id(at_ms, number)
    return an_order_in(
        OrderStatus.FILLED,
        id=OrderId(order_id),
        client_order_id=client_id(order_id),
        account=ACCOUNT,
        side=Side.SELL if number % 2 else Side.BUY,
        fills=(fill,),
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
    )


def _trade(now_ms: int, number: int) -> SmartTrade:
    at_ms = EpochMs(now_ms - 70_000_000 + number * 19_001)
    trade = a_trade(status=TradeStatus.CANCELLED, created_at_ms=at_ms, updated_at_ms=at_ms)
    return replace(trade, id=_id(at_ms, FILLS + number), account=ACCOUNT)


def _id(at_ms: int, number: int) -> AggregateId:
    """Return an id in the shard of the account that no other has."""
    return AggregateId((at_ms - ID_EPOCH_MS) * IDS_PER_MS + number // 256 % 16 * 16 + ACCOUNT)


def _alerts(stack: Stack) -> Callable[[], Answer]:
    """Return what sends the next alert of a connector of its own, and tells status and ms."""
    token = secrets.token_urlsafe(24)
    settings = {"token": token, "account": "demo-spot", "symbol": "BTC/USDT"}
    stack.call("PUT", f"/api/connectors/{CONNECTOR}", {**settings, "rate_limit_per_minute": 0})
    address = urlsplit(stack.run["base_url"])
    actions = itertools.cycle(("buy", "sell"))

    def send() -> Answer:
        said = {"connectorName": CONNECTOR, "connectorToken": token, "fixed": "0.001"}
        body = json.dumps({**said, "action": next(actions), "log": secrets.token_hex(8)})
        headers = {"Content-Type": "application/json"}
        begun = time.perf_counter()
        connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", "/trading-signal/webhook", body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except OSError:
            status = 0
        connection.close()
        return status, (time.perf_counter() - begun) * 1000

    return send


def _paced(send: Callable[[], Answer], seconds: float) -> list[Answer]:
    """Send at an easy pace; one that takes longer than that delays the next."""
    answers: list[Answer] = []
    begun = time.monotonic()
    for number in itertools.count():
        due = begun + number * PACE_SECONDS
        if due > begun + seconds:
            return answers
        time.sleep(max(due - time.monotonic(), 0))
        answers.append(send())
    raise AssertionError("never counted to the end")


@contextmanager
def _hammered(stack: Stack, options: argparse.Namespace) -> Iterator[dict[str, int]]:
    """Let others hammer meanwhile, in a process of their own; afterwards their answers are there.

    Yields:
        `<path> <status>` → how often; empty until they have ended.
    """
    answers: dict[str, int] = {}
    context = multiprocessing.get_context("spawn")
    told, tell = context.Pipe(duplex=False)
    stop = context.Event()
    demo = stack.run["demo"]["three_commas"]
    listed = three_commas.headers(LIST_PATH, key=demo["key"], secret=demo["secret"])
    arguments = (stack.run["base_url"], options.strangers, options.lists, listed, stop, tell)
    load = context.Process(target=_hammer, args=arguments)
    load.start()
    time.sleep(HEAD_START_SECONDS)
    yield answers
    stop.set()
    answers |= told.recv()
    load.join()


def _hammer(
    base_url: str,
    strangers: int,
    lists: int,
    listed: Mapping[str, str],
    stop: Event,
    tell: Connection,
) -> None:
    """Ask on so many connections until told to stop, then tell how often each answer came."""
    counts: Counter[str] = Counter()

    def ask(number: int, paths: Sequence[str], headers: Mapping[str, str]) -> None:
        source, netloc = (f"127.0.1.{number + 1}", 0), urlsplit(base_url).netloc
        for path in itertools.cycle(paths):
            if stop.is_set():
                return
            # A new one each time, so that no web process is spared.
            connection = http.client.HTTPConnection(
                netloc, timeout=PATIENCE_SECONDS, source_address=source
            )
            try:
                connection.request("GET", path, headers=dict(headers))
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                status = 0
            connection.close()
            counts[f"{path.partition('?')[0]} {status}"] += 1

    shifted = [
        OPEN_PATHS[one % len(OPEN_PATHS) :] + OPEN_PATHS[: one % len(OPEN_PATHS)]
        for one in range(strangers)
    ]
    asking = [threading.Thread(target=ask, args=(n, paths, {})) for n, paths in enumerate(shifted)]
    asking += [
        threading.Thread(target=ask, args=(strangers + n, [LIST_PATH], listed))
        for n in range(lists)
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    tell.send(dict(counts))


def _report(
    parts: Mapping[str, Sequence[Answer]], answers: Mapping[str, int], seconds: float
) -> str:
    lines = [
        f"load average {os.getloadavg()[0]:.1f}",
        "",
        "| alerts | count | p50 ms | p99 ms | max ms | not taken in |",
        "| :--- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, part in parts.items():
        took = sorted(ms for _, ms in part)
        figures = " | ".join(
            f"{one:.0f}" for one in (percentile(took, 50), percentile(took, 99), took[-1])
        )
        refused = sum(1 for status, _ in part if status != HTTPStatus.OK)
        lines.append(f"| {name} | {len(part)} | {figures} | {refused} |")
    total = seconds + HEAD_START_SECONDS
    lines += ["", "| asked beside | answers a second, by status |", "| :--- | :--- |"]
    by_path: dict[str, list[str]] = {}
    for answer, count in sorted(answers.items()):
        path, _, status = answer.rpartition(" ")
        by_path.setdefault(path, []).append(f"{status}: {count / total:.1f}")
    lines += [f"| {path} | {', '.join(told)} |" for path, told in by_path.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
