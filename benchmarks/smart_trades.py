"""Measures what a tick costs while many smart trades wait, beside as many plain triggers.

    python -m benchmarks.smart_trades --trades 100000 --ticks 300

Starts a Redis-protocol server of its own. Every trade holds coins, has a classic take-profit and
a trailing stop-loss, and so three triggers in the book of one symbol; the plain triggers are one
fixed level each. The ticks are evaluated as a worker does: resting orders, news, trigger book,
firing. Quiet ticks wander and fire nothing; at rising ticks every trailing stop has a new best
price. In the end a fall lets some trades sell, with all that follows but the venue.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import redis
import structlog

from app.bootstrap import store_ports
from app.domain.aggregate import decide
from app.domain.enums import Dialect, Direction, PriceSource
from app.domain.events import TriggerFired
from app.domain.identifiers import AccountId, EpochMs, VenueName
from app.domain.market import Quote, Tick
from app.domain.sender import Sender
from app.domain.smart_trade.enums import TradeType
from app.domain.smart_trade.opening import opened
from app.domain.smart_trade.spec import NewTrade, PlannedStep, PriceCondition, StopLoss, TakeProfit
from app.domain.smart_trade.watching import trigger_of
from app.domain.trigger import Trigger
from app.ports.ledger import Change
from app.ports.policy import Policy
from app.services.watching.watch import evaluate, hand_on
from app.store.core.clock import RedisClock
from app.store.core.connection import connect
from app.store.core.registry import RedisRegistry
from app.store.core.trigger_book import RedisTriggerBook
from app.store.memory.venue_memory import RedisVenueMemory
from benchmarks.load import percentile
from benchmarks.table import Row
from tests.support.builders import ETH, SPOT
from tests.support.fakes import ScriptedFeed, ScriptedReports, ScriptedVenue, ScriptedVenues
from tests.support.rig import RecordingPublisher, StepHistory
from tests.support.servers import QUICK, running_server
from tests.support.trade_rig import INSTRUMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.domain.smart_trade.trade import SmartTrade
    from app.ports import Ports

TRADES_MAX = 200_000
TICKS_MAX = 2_000
SEED = 1
#: Trades that the fall at the end is to stop, about.
FALLS = 200
#: Trades whose stops are looked up to find such a price.
SAMPLE = 5_000
#: A tick may cost so many times what it costs with plain triggers.
RATIO_MAX = 2
_BATCH = 200
_ACCOUNT = replace(SPOT, venue=VenueName("trades"))
_TRADES_VENUE, _PLAIN_VENUE = _ACCOUNT.feed, VenueName("plain")
_START = Decimal(2_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a Markdown table, and return 1 if trades cost more than twice as much."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.smart_trades")
    parser.add_argument("--trades", type=int, default=100_000, help="trades, and plain triggers")
    parser.add_argument("--ticks", type=int, default=300, help="ticks of each kind")
    given = parser.parse_args(arguments)
    trades, ticks = min(given.trades, TRADES_MAX), min(given.ticks, TICKS_MAX)
    with _server() as url:
        return _measured(url, trades, ticks)


def falls(counts: Sequence[int]) -> Iterator[Row]:
    """Measure ticks that stop so many of the trades that wait, each until all of them are told."""
    with _server() as url:
        ports = _ports(url)
        levels = _stops(ports, _filled(ports, url, sum(counts)))
        _evaluated(ports, _TRADES_VENUE, _START)  # the first tick meets what has just been armed
        for wanted in counts:
            _, taken = _fall(ports, levels[wanted - 1])
            levels = levels[wanted:]
            fired = f"{wanted:,} trade{'s' * (wanted > 1)}"
            yield Row(name=f"a tick that fires {fired}, ms", hookfill=taken)


@contextmanager
def _server() -> Iterator[str]:
    """Run an empty server without a limit; yield its URL. No log is written meanwhile."""
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder), QUICK) as server,
        redis.Redis.from_url(server.url) as client,
    ):
        client.config_set("maxmemory", 0)
        yield server.url


def _measured(url: str, wanted: int, ticks: int) -> int:
    ports = _ports(url)
    began = time.monotonic()
    trades = _filled(ports, url, wanted)
    print(f"{wanted} trades and triggers stored and armed in {time.monotonic() - began:.0f} s\n")
    figures = {}
    for name, prices in (("quiet", _wandering), ("rising", _rising)):
        for venue, times in _timed(ports, list(prices(ticks))).items():
            figures[name, venue] = times
    print("| ticks | waiting | p50 ms | p99 ms | max ms |")
    print("| :--- | :--- | ---: | ---: | ---: |")
    for (name, venue), times in figures.items():
        p50, p99 = percentile(times, 50), percentile(times, 99)
        print(f"| {name} | {venue} | {p50:.3f} | {p99:.3f} | {max(times):.3f} |")
    levels = _stops(ports, trades[:SAMPLE])
    deep = min(FALLS * min(SAMPLE, len(trades)) // len(trades), len(levels) - 1)
    sold, taken = _fall(ports, levels[deep])
    print(f"\nA fall to {levels[deep]} that stopped {sold} trades at once took {taken:.0f} ms.")
    ratios = [
        percentile(figures[name, _TRADES_VENUE], 50) / percentile(figures[name, _PLAIN_VENUE], 50)
        for name in ("quiet", "rising")
    ]
    print(f"\nTrades to plain triggers, p50: {', '.join(f'{one:.2f}' for one in ratios)}")
    return int(max(ratios) > RATIO_MAX)


def _ports(url: str) -> Ports:
    client = connect(url, 60)
    clock = RedisClock(client)
    registry = RedisRegistry(client)
    registry.put_account(replace(SPOT, id=AccountId(0)))
    return store_ports(client, clock, Policy(), lambda: "benchmark")(
        venues=ScriptedVenues(ScriptedVenue(), ScriptedFeed()),
        accounts=registry,
        views=RedisVenueMemory(client, clock),
        reports=ScriptedReports(),
        history=StepHistory(),
        publisher=RecordingPublisher(),
    )


def _filled(ports: Ports, url: str, wanted: int) -> list[SmartTrade]:
    """Store and arm the trades and the plain triggers, all after the first tick."""
    book = RedisTriggerBook(connect(url, 60))
    numbers = random.Random(SEED)  # noqa: S311 - the same every time
    trades: list[SmartTrade] = []
    first = _tick(1, _START)
    book.fire(_TRADES_VENUE, first)
    book.fire(_PLAIN_VENUE, first)
    while len(trades) < wanted:
        batch = [_trade(ports, numbers) for _ in range(min(_BATCH, wanted - len(trades)))]
        ports.ledger.commit([Change(None, one) for one in batch])
        armed = [trigger_of(one, watch) for one in batch for watch in one.watches]
        book.arm_all([(one, None if one.trail is None else first) for one in armed])
        book.arm_all([(_plain(one, numbers), None) for one in batch])
        trades += batch
    return trades


def _trade(ports: Ports, numbers: random.Random) -> SmartTrade:
    """A trade as it is once its stop has found its first price; the book holds what it wants."""
    ids = ports.ids.fresh(SPOT.id, 12)
    sender = Sender(
        dialect=Dialect.THREE_COMMAS,
        origin="three_commas:1",
        account=_ACCOUNT,
        received_at_ms=EpochMs(0),
    )
    instrument = replace(INSTRUMENT, symbol=ETH, price_step=Decimal("0.01"))
    profit = Decimal(numbers.randint(300_000, 500_000)) / 100
    loss = Decimal(numbers.randint(100_000, 180_000)) / 100
    command = NewTrade(
        type=TradeType.SMART_SALE,
        symbol=ETH,
        quantity=Decimal(1),
        basis_price=_START,
        take_profit=TakeProfit(),
        take_profit_steps=(
            PlannedStep(percent=Decimal(100), condition=PriceCondition(price=profit)),
        ),
        stop_loss=StopLoss(is_trailing=True),
        stop_loss_condition=PriceCondition(price=loss),
    )
    trade = opened(ids[0].id, command, sender, (instrument, None), ids[1:]).aggregate
    anchors = {one.name: _START for one in trade.watches if one.aim.kind == "anchor"}
    event = TriggerFired(at_ms=EpochMs(0), tick=1, prices=anchors, new_ids=())
    anchored = decide(trade, event).aggregate
    watches = tuple(replace(one, is_held=True) for one in anchored.watches if one.is_wanted)
    return replace(anchored, watches=watches)


def _plain(trade: SmartTrade, numbers: random.Random) -> Trigger:
    return Trigger(
        owner=trade.id,
        venue=_PLAIN_VENUE,
        symbol=ETH,
        source=PriceSource.BID,
        direction=Direction.FALLING,
        level=Decimal(numbers.randint(100_000, 180_000)) / 100,
        price_step=Decimal("0.01"),
    )


def _tick(number: int, price: Decimal) -> Tick:
    quote = Quote(bid=price, ask=price, last=price)
    return Tick(number=number, at_ms=EpochMs(0), quotes={ETH: quote})


def _wandering(ticks: int) -> Iterator[Decimal]:
    numbers = random.Random(SEED)  # noqa: S311 - the same every time
    return (_START - Decimal(numbers.randint(0, 2_000)) / 100 for _ in range(ticks))


def _rising(ticks: int) -> Iterator[Decimal]:
    return (_START + Decimal(number) / 10 for number in range(1, ticks + 1))


def _timed(ports: Ports, prices: Sequence[Decimal]) -> dict[VenueName, list[float]]:
    """Return what each tick took at either venue, in milliseconds, sorted; they take turns."""
    times: dict[VenueName, list[float]] = {_PLAIN_VENUE: [], _TRADES_VENUE: []}
    for price in prices:
        for venue, taken in times.items():
            taken.append(_evaluated(ports, venue, price))
    return {venue: sorted(taken) for venue, taken in times.items()}


_numbers = count(2)


def _evaluated(ports: Ports, venue: VenueName, price: Decimal) -> float:
    tick = _tick(next(_numbers), price)
    began = time.perf_counter()
    evaluate(venue, tick, ScriptedFeed(), deque(), ports)
    return (time.perf_counter() - began) * 1000


def _stops(ports: Ports, trades: Sequence[SmartTrade]) -> list[Decimal]:
    """Return the prices at which these trades stop their loss, the first that is met first."""
    stops = [(one, watch) for one in trades for watch in one.watches if watch.aim.trailing_percent]
    standings = [ports.book.standing(trigger_of(*one)) for one in stops]
    levels = sorted((one.level for one in standings if one and one.level), reverse=True)
    return [one.quantize(Decimal("0.01")) for one in levels]


def _fall(ports: Ports, price: Decimal) -> tuple[int, float]:
    """Let the price fall so far; return how many trades sold, and how many milliseconds it took."""
    before = len(ports.publisher.published)  # type: ignore[attr-defined]
    taken = _evaluated(ports, _TRADES_VENUE, price)
    began = time.perf_counter()
    left = deque(ports.book.fired(_TRADES_VENUE))
    while hand_on(_TRADES_VENUE, left, ports):
        pass
    taken += (time.perf_counter() - began) * 1000
    sold = sum(one.kind == "place" for one in ports.publisher.published[before:])  # type: ignore[attr-defined]
    assert sold, "the fall met no stop"  # noqa: S101 - else the figures above are of empty books
    return sold, taken


if __name__ == "__main__":
    sys.exit(main())
