"""Measures how long "sell 10 %" takes from its webhook to an exchange that is slow.

    python -m benchmarks.slow_venue [--latency 0 1.4 1.6 2 4 9] [--seconds 90]

Starts a whole Hookfill and a simulated Binance whose every answer takes so many seconds, half of
them on either way. Each latency has an account of its own, which has bought before at none; what is
told is the time until the exchange has the sale, and what was asked of it until then. Time-out,
receive window and lease are the usual ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.enums import Market
from tests.support.clocks import nothing
from tests.support.exchanges.server import Gateway, served
from tests.support.stack import Stack, running_stack
from tests.support.venue_world import KEY, SECRET, wire_of

if TYPE_CHECKING:
    from collections.abc import Sequence

#: From none to just below the time-out of 10 s, with those between which a lease of 3 s ends.
LATENCIES = (0.0, 1.4, 1.6, 2.0, 4.0, 9.0)

VENUE = "binance"

Row = dict[str, float | None]


def main() -> int:
    arguments = _arguments()
    rows = measured(arguments.latency, arguments.seconds)
    print(json.dumps(rows, indent=2))
    return 0 if all(row["placed_after_seconds"] is not None for row in rows) else 1


def measured(latencies: Sequence[float], patience: float) -> list[Row]:
    """Return a row for each latency; all in seconds."""
    with tempfile.TemporaryDirectory() as folder, served(wire_of(VENUE, Market.SPOT)) as served_at:
        url, gateway = served_at
        environment = {"HOOKFILL_VENUE_URLS": json.dumps({VENUE: url})}
        with running_stack(Path(folder), environment) as stack:
            return [_sold(stack, gateway, one, patience) for one in latencies]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--latency", type=float, nargs="+", default=LATENCIES, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=90.0, help="to wait for each sale")
    return parser.parse_args()


def _sold(stack: Stack, gateway: Gateway, latency: float, patience: float) -> Row:
    """Buy without latency, sell a tenth with it, and tell when the exchange had the sale."""
    plan = gateway.dialect.plan
    name = f"slow-{latency:g}"
    plan.on_the_way = nothing
    _set_up(stack, name)
    bought = _orders(gateway, "BUY")
    _send(stack, name, action="buy", fixed="0.002")
    if _arrival(gateway, "BUY", bought, patience) is None:
        raise SystemExit(f"nothing could be bought for {name}")
    _until_idle(stack)
    sold, asked = _orders(gateway, "SELL"), len(gateway.log)
    plan.on_the_way = lambda: time.sleep(latency / 2)
    _send(stack, name, action="sell", percent="10")
    placed_after = _arrival(gateway, "SELL", sold, patience)
    requests = len(gateway.log) - asked
    _until_idle(stack, 5 * latency)
    plan.on_the_way = nothing
    row: Row = {
        "latency_seconds": latency,
        "placed_after_seconds": None if placed_after is None else round(placed_after, 2),
        "sales": _orders(gateway, "SELL") - sold,
        "requests_until_then": requests,
    }
    print(row, file=sys.stderr)
    return row


def _set_up(stack: Stack, name: str) -> None:
    account = {
        "venue": VENUE,
        "market": str(Market.SPOT),
        "mode": "live",
        "credentials": {"apiKey": KEY, "secret": SECRET},
    }
    stack.call("PUT", f"/api/accounts/{name}", account)
    connector = {"token": "T", "account": name, "symbol": "BTC/USDT"}
    stack.call("PUT", f"/api/connectors/{name}", connector)


def _send(stack: Stack, name: str, **fields: str) -> None:
    stack.send({"connectorName": name, "connectorToken": "T", **fields}).raise_for_status()


def _orders(gateway: Gateway, side: str) -> int:
    """Return how many orders of a side the exchange has taken in."""
    orders = gateway.dialect.exchange.accounts[KEY].orders
    return sum(1 for one in orders if one.ticket.side == side)


def _arrival(gateway: Gateway, side: str, before: int, patience: float) -> float | None:
    """Return after how many seconds the exchange has one more, or None if it gets none."""
    begun = time.monotonic()
    while time.monotonic() < begun + patience:
        if _orders(gateway, side) > before:
            return time.monotonic() - begun
        time.sleep(0.01)
    return None


def _until_idle(stack: Stack, patience: float = 10.0) -> None:
    """Wait until no order is on its way, but not for ever: here one may never end."""
    ends_at = time.monotonic() + patience
    while time.monotonic() < ends_at and any(
        row["state"] in {"PENDING_NEW", "PLACING"} for row in stack.rows(kind="ORDER")
    ):
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
