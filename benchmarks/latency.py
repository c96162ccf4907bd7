"""Measures how long a running Hookfill takes from an alert to its order at the venue.

    python -m benchmarks.latency --run-json var/run.json
    python -m benchmarks.latency --base-url http://127.0.0.1:8000 --admin-token ...

Sends webhooks one at a time, each to an idle system, to a connector of its own on the paper
account `demo-spot` (the demo connector allows only a message a second, unless it runs in the
test profile). Buys and sells the same small quantity in turn. What happened when is read from
the timelines of the orders, so those figures are the server's, in whole milliseconds; the time
to the acknowledgment is the sender's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from benchmarks.ingress.load import percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The seeded paper account.
ACCOUNT = "demo-spot"
CONNECTOR = "latency-benchmark"
SYMBOL = "BTC/USDT"
#: Above the least notional of the demo instrument at any price of the simulated walk.
QUANTITY = "0.001"
COUNT_MAX = 5_000
PAUSE_MS_MAX = 10_000

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ANSWER_SECONDS_MAX = 10.0
_SETTLE_MS_MAX = 10_000
_PAGE = 100
_OK = 200
#: Timeline entries whose distance from `received` is told.
_STEPS = ("sent", "acknowledged", "filled")


class UnexpectedAnswerError(Exception):
    """The server answered something that makes the measurement worthless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running Hookfill.

    Attributes:
        base_url: Of its web process, on loopback.
        admin_token: Opens its API.
    """

    base_url: str
    admin_token: str


class Api:
    """One kept-alive connection to the web process."""

    def __init__(self, target: Target) -> None:
        address = urlsplit(target.base_url)
        if address.scheme != "http" or address.hostname not in _LOOPBACK:
            raise UnexpectedAnswerError(f"{target.base_url} is not http on loopback")
        self._token = target.admin_token
        self._connection = http.client.HTTPConnection(
            address.hostname, address.port or 80, timeout=_ANSWER_SECONDS_MAX
        )

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 (JSON)
        """Call an admin route and return its JSON.

        Raises:
            UnexpectedAnswerError: The status is not one of success.
        """
        headers = {"Authorization": f"Bearer {self._token}"}
        status, text = self.send(method, path, body, headers)
        if not _OK <= status < 300:  # noqa: PLR2004 (HTTP)
            raise UnexpectedAnswerError(f"{method} {path} answered {status}: {text[:300]}")
        return json.loads(text) if text else None

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Send one request and return status and text."""
        content = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, body=content, headers={**kind, **(headers or {})})
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a Markdown table; return 1 if something was not as it must be."""
    options = _options(arguments)
    try:
        print(_report(measured(options.target, options.count, options.pause_ms / 1000)))
    except (UnexpectedAnswerError, OSError, http.client.HTTPException) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def measured(target: Target, count: int, pause_seconds: float) -> dict[str, list[float]]:
    """Send the webhooks and read what became of them.

    Returns:
        What was measured -> milliseconds of each webhook, sorted.

    Raises:
        UnexpectedAnswerError: The account is not paper, or a webhook was refused.
    """
    api = Api(target)
    try:
        token = _connector(api)
        try:
            series = secrets.token_hex(4)
            acknowledged_ms = [
                _sent(api, token, series, number, pause_seconds) for number in range(count)
            ]
            api.ask("POST", f"/paper/settle?timeout_ms={_SETTLE_MS_MAX}")
            waits_ms = _from_timelines(api, series, count)
        finally:
            api.ask("DELETE", f"/api/connectors/{CONNECTOR}")
    finally:
        api.close()
    found = {"webhook to `ok`, at the sender": acknowledged_ms, **waits_ms}
    return {name: sorted(values) for name, values in found.items()}


def _connector(api: Api) -> str:
    """Make or renew the connector, without a rate limit, and return its token."""
    mode = api.ask("GET", f"/api/accounts/{ACCOUNT}")["mode"]
    if mode != "paper":
        raise UnexpectedAnswerError(f"account {ACCOUNT} is {mode}, and only paper is measured")
    token = secrets.token_urlsafe(24)
    settings = {"token": token, "account": ACCOUNT, "symbol": SYMBOL, "enabled": True}
    api.ask("PUT", f"/api/connectors/{CONNECTOR}", {**settings, "rate_limit_per_minute": 0})
    return token


def _sent(api: Api, token: str, series: str, number: int, pause_seconds: float) -> float:
    """Send one webhook, let it come to rest, and return the milliseconds until its `ok`."""
    body = {
        "connectorName": CONNECTOR,
        "connectorToken": token,
        "action": "sell" if number % 2 else "buy",
        "fixed": QUANTITY,
        "clientOrderId": f"{series}-{number}",
        "log": f"latency {number}",
    }
    started = time.perf_counter()
    status, text = api.send("POST", "/trading-signal/webhook", body)
    took_ms = (time.perf_counter() - started) * 1000
    if (status, text) != (_OK, "ok"):
        raise UnexpectedAnswerError(f"webhook {number} was answered {status}: {text[:300]}")
    time.sleep(pause_seconds)
    return took_ms


def _from_timelines(api: Api, series: str, count: int) -> dict[str, list[float]]:
    """Return how long after `received` each step came: what -> milliseconds, unsorted."""
    waits: dict[str, list[float]] = defaultdict(list)
    for signal_id in _signals(api, series, count):
        first_ms = _first_times_ms(api, signal_id)
        for step in _STEPS:
            if step in first_ms:
                waits[f"`received` to `{step}`"].append(first_ms[step] - first_ms["received"])
    return dict(waits)


def _signals(api: Api, series: str, count: int) -> Iterator[str]:
    """Yield the ids of this run's signals, newest first."""
    query = {"kind": "SIGNAL", "account": ACCOUNT, "dialect": "crypto_arsenal", "limit": _PAGE}
    cursor: str | None = ""
    found = 0
    while cursor is not None and found < count:
        page = api.ask(
            "GET", f"/api/orders?{urlencode({**query, **({'cursor': cursor} if cursor else {})})}"
        )
        for row in page["data"]:
            if str(row["caller_id"]).startswith(f"{series}-"):
                found += 1
                yield row["id"]
        cursor = page["next_cursor"]


def _first_times_ms(api: Api, signal_id: str) -> dict[str, int]:
    """Return when each event first happened to the signal or one of its orders: event -> time."""
    signal = api.ask("GET", f"/api/orders/{signal_id}")
    orders = [api.ask("GET", f"/api/orders/{child}") for child in signal["children"]]
    first: dict[str, int] = {}
    for entry in (entry for record in (signal, *orders) for entry in record["timeline"]):
        first[entry["event"]] = min(entry["at_ms"], first.get(entry["event"], entry["at_ms"]))
    return first


def _report(found: Mapping[str, Sequence[float]]) -> str:
    lines = ["| | count | p50 ms | p99 ms | max ms |", "| :--- | ---: | ---: | ---: | ---: |"]
    for name, values in found.items():
        figures = [percentile(values, 50), percentile(values, 99), values[-1]]
        numbers = " | ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {name} | {len(values)} | {numbers} |")
    return "\n".join(lines)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--run-json", type=Path, help="what `hookfill up` writes; instead of both:")
    parser.add_argument("--base-url")
    parser.add_argument("--admin-token")
    parser.add_argument("--count", type=int, default=200, help="webhooks (200)")
    parser.add_argument("--pause-ms", type=float, default=50, help="after each (50)")
    options = parser.parse_args(arguments)
    if not 0 < options.count <= COUNT_MAX or not 0 <= options.pause_ms <= PAUSE_MS_MAX:
        parser.error(f"at most {COUNT_MAX} webhooks and a pause of {PAUSE_MS_MAX} ms")
    if options.run_json:
        run = json.loads(options.run_json.read_text())
        options.target = Target(base_url=run["base_url"], admin_token=run["admin_token"])
    elif options.base_url and options.admin_token:
        options.target = Target(base_url=options.base_url, admin_token=options.admin_token)
    else:
        parser.error("give --run-json, or --base-url and --admin-token")
    return options


if __name__ == "__main__":
    sys.exit(main())
