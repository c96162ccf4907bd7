"""What a finished order at the paper venue leaves behind in the store.

    python -m benchmarks.paper_memory [--orders 20000] [--rounds 4]

In each round a part of the orders is taken in as signals, filled, copied into the history, and
leaves when its time has come. The store is a server of its own; the clock is moved by hand.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import structlog

from tests.support.builders import SPOT
from tests.support.paper_rig import AFTER_MS, PaperRig

if TYPE_CHECKING:
    import redis

#: Streams of the newest entries of timelines, and of the newest fills: so many at most.
STREAMS = ("}:events", "}:trades")


def main() -> int:
    arguments = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rig = PaperRig()
    rig.world.desk.set_account(SPOT, {"balances": {"USDT": "1000000000", "BTC": "0"}})
    each = arguments.orders // arguments.rounds
    rounds = [_round(rig, each) for _ in range(arguments.rounds)]
    first, last = rounds[0], rounds[-1]
    grown = last["bytes_left"] - first["bytes_left"]
    told = {
        "orders": each * arguments.rounds,
        "rounds": rounds,
        "bytes_an_order_for_ever": round(grown / max(each * (arguments.rounds - 1), 1), 2),
        "rows_told": len(rig.world.ports.rows(SPOT.id)),
    }
    print(json.dumps(told, indent=2))
    return 0


def _round(rig: PaperRig, count: int) -> dict[str, Any]:
    before = _bytes(rig.redis)
    for _ in range(count):
        rig.buy(None)
    rig.settle()
    holdings = rig.world.spot.view()
    there, of_paper = _bytes(rig.redis), _bytes(rig.redis, ":paper:")
    rig.rest()
    rig.clock.advance(AFTER_MS)
    begun = time.monotonic()
    while rig.world.in_store() or rig.redis.exists(*rig.redis.keys("*:kept") or ["none"]):
        rig.rest()
    seconds = time.monotonic() - begun
    if rig.world.spot.view() != holdings:
        raise SystemExit("the holdings are others")
    return {
        "bytes_an_order_while_there": round((there - before) / count),
        "of_them_of_the_paper_venue": round(of_paper / count),
        "bytes_left": _bytes(rig.redis),
        "keys_left": rig.redis.dbsize(),
        "ms_an_order_to_leave": round(seconds * 1000 / count, 2),
    }


def _bytes(client: redis.Redis, part: str = "") -> int:
    """Return what the keys with this in their names take, save the streams."""
    keys = [key for key in client.scan_iter(f"*{part}*", count=1_000) if not key.endswith(STREAMS)]
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.memory_usage(key, samples=0)
        return sum(found or 0 for found in pipeline.execute())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
