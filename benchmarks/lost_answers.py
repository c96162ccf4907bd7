"""Orders whose answers are lost, at simulated exchanges through ccxt: each must end as exactly one.

    python -m benchmarks.lost_answers [--cases 10000] [--venue binance] [--seed 1]

Each case plans how the answer to an order that arrives is lost, or that the order arrives after the
sender has given up; how long the exchange hides it; and what happens to the first look-ups. The
clock is moved by hand, so grace periods cost nothing; the requests go over real sockets.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import time
from collections import Counter
from decimal import Decimal

import structlog

from app.domain.commands import Action
from app.domain.enums import Market
from app.domain.status import OrderStatus
from tests.support.builders import a_command, fixed
from tests.support.exchanges.faults import Call, Fault
from tests.support.venue_rig import VenueRig, venue_rig

VENUES = ("binance", "bybit", "poloniex")

#: What may become of a placement. A silent one costs its time-out, so it is rarer.
PLACES = {
    Fault.ACCEPT_THEN_CUT: 30,
    Fault.ACCEPT_THEN_ERROR: 30,
    Fault.ACCEPT_THEN_GARBAGE: 15,
    Fault.ACCEPT_THEN_EMPTY: 10,
    Fault.ACCEPT_THEN_TIMEOUT: 1,
    Fault.ACCEPT_LATER: 1,
}
FINDS = (Fault.OK, Fault.OK, Fault.ERROR, Fault.CUT, Fault.GARBAGE, Fault.NOT_FOUND)
LAGS_MS = (0, 0, 500, 2_000, 10_000, 30_000)

#: Orders of one account before a fresh one: the simulated books are searched from end to end.
BATCH = 250


def main() -> int:
    arguments = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chance = random.Random(arguments.seed)  # noqa: S311 - a run that can be repeated
    tally: Counter[str] = Counter()
    waits: list[int] = []
    begun = time.monotonic()
    venues = (arguments.venue,) if arguments.venue else VENUES
    done = 0
    while done < arguments.cases:
        with venue_rig(venues[tally["batches"] % len(venues)], Market.SPOT) as rig:
            count = min(BATCH, arguments.cases - done)
            _run(rig, count, chance, tally, waits)
        tally["batches"] += 1
        done += count
        print(f"{done} of {arguments.cases}: {dict(tally)}", file=sys.stderr)
    waits.sort()
    print(
        json.dumps(
            {
                "cases": done,
                "seed": arguments.seed,
                "orders_lost": tally["lost"],
                "orders_doubled": tally["doubled"],
                "not_resolved": tally["not resolved"],
                "faults": {name: n for name, n in tally.items() if name.startswith("accept")},
                "resolved_after_ms": {
                    "p50": waits[len(waits) // 2],
                    "p99": waits[int(len(waits) * 0.99)],
                    "max": waits[-1],
                },
                "seconds": round(time.monotonic() - begun),
            },
            indent=2,
        )
    )
    return 1 if tally["lost"] or tally["doubled"] or tally["not resolved"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--venue", choices=VENUES)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _run(
    rig: VenueRig, count: int, chance: random.Random, tally: Counter[str], waits: list[int]
) -> None:
    """Place `count` orders with a lost answer each, and compare with the exchange's books."""
    for _ in range(count):
        plan = rig.wire.plan
        plan.clear()
        plan.look_up_lag_ms = chance.choice(LAGS_MS)
        plan.later_seconds = 0.05
        (fault,) = chance.choices(list(PLACES), list(PLACES.values()))
        plan.plan(Call.PLACE, fault)
        plan.plan(Call.FIND, *chance.choices(FINDS, k=chance.randrange(4)))
        tally[str(fault)] += 1
        begun = rig.clock.server_ms()
        price = Decimal(chance.choice([10_000, 40_000]))
        rig.run(a_command(Action.BUY, size=fixed("0.0006"), limit_price=price))
        order = rig.resolved(rig.orders()[-1])
        waits.append(rig.clock.server_ms() - begun)
        tally["not resolved"] += order.status is not OrderStatus.NEW
        received = rig.received().count(order.client_order_id)
        tally["lost"] += received == 0
        tally["doubled"] += received > 1
        plan.clear()
    tally["lost"] += len(rig.orders()) - len(set(rig.received()))


if __name__ == "__main__":
    sys.exit(main())
