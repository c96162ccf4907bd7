"""Measures the trigger book: ticks, arming, memory, and how soon an order follows its price.

    python -m benchmarks.triggers --fixed 1000000 --trailing 100000

Starts a Redis-protocol server of its own (loopback, nothing on disk) and goes through, on one
symbol: fixed triggers beside a scan of as many records, trailing triggers in four markets beside a
book that rewrites each order at a new high, and smart orders from the price to the venue's answer.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import redis
import structlog

from app.bootstrap import store_ports
from app.domain.commands import PlaceSmartOrder, SmartOrderRules
from app.domain.enums import Dialect, Side, SmartOrderType
from app.domain.identifiers import AccountId
from app.domain.market import Tick
from app.domain.sender import Sender
from app.domain.trigger import Offset
from app.services.intake.smart_orders import accept_smart_order
from app.services.watching.watch import watch_prices
from app.store.core.clock import RedisClock
from app.store.core.registry import RedisRegistry
from app.store.core.trigger_book import RedisTriggerBook
from benchmarks.load import percentile
from tests.support.builders import BTC, ETH, NOW, PAPER, SPOT, a_quote, a_trigger, an_id
from tests.support.rig import POLICY, Rig
from tests.support.servers import QUICK, running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from app.domain.trigger import Trigger

Item = TypeVar("Item")

FIXED_MAX = 2_000_000
TRAILING_MAX = 200_000
SEED = 1
#: Triggers armed in one round trip.
BATCH = 1_000
#: Ticks of each kind, and orders followed to the venue.
TICKS = 1_000
FIRING = 100
FOLLOWED = 200
#: The book that rewrites is stopped after this long in each market.
PATIENCE_SECONDS = 20.0

#: What rewriting does at a tick: every order whose peak is lower is moved, then what is crossed
#: is taken. KEYS: peaks, offsets, levels; ARGV: price.
REWRITE = """
local raised = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])
for _, owner in ipairs(raised) do
  local offset = redis.call('HGET', KEYS[2], owner)
  redis.call('ZADD', KEYS[1], ARGV[1], owner)
  redis.call('ZADD', KEYS[3], ARGV[1] - offset, owner)
end
local fired = redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[1], '+inf')
for _, owner in ipairs(fired) do
  for _, key in ipairs(KEYS) do redis.call(key == KEYS[2] and 'HDEL' or 'ZREM', key, owner) end
end
return #fired
"""


@dataclass(frozen=True)
class Row:
    """One line of the table: milliseconds, sorted."""

    name: str
    ms: Sequence[float]

    def __str__(self) -> str:
        """Return it as Markdown."""
        mean = sum(self.ms) / len(self.ms)
        cells = [percentile(self.ms, 50), percentile(self.ms, 99), self.ms[-1], mean]
        return f"| {self.name} | {len(self.ms)} | {' | '.join(f'{one:.3f}' for one in cells)} |"


@dataclass
class Numbers:
    """Hands out tick numbers."""

    last: int = 0

    def tick(self, price: Decimal) -> Tick:
        """Return the next tick at this price."""
        self.last += 1
        return Tick(number=self.last, at_ms=NOW, quotes={ETH: a_quote(f"{price:f}")})


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.triggers")
    parser.add_argument("--fixed", type=int, default=1_000_000, help="fixed triggers (1000000)")
    parser.add_argument("--trailing", type=int, default=100_000, help="trailing ones (100000)")
    parser.add_argument("--orders", type=int, default=20_000, help="smart orders (20000)")
    options = parser.parse_args(arguments)
    if not 0 < options.fixed <= FIXED_MAX or not 0 < options.trailing <= TRAILING_MAX:
        parser.error(f"at most {FIXED_MAX} fixed triggers and {TRAILING_MAX} trailing ones")
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), _OPTIONS) as server:
        client = redis.Redis.from_url(
            server.url, decode_responses=True, protocol=2, socket_timeout=600
        )
        print("| | count | p50 ms | p99 ms | max ms | mean ms |")
        print("| :--- | ---: | ---: | ---: | ---: | ---: |")
        notes = fixed(client, options.fixed)
        notes += trailing(client, options.trailing)
        notes += orders(client, options.orders)
        print()
        for note in notes:
            print(f"- {note}")
    return 0


_OPTIONS = (*QUICK, "--maxmemory", "0", "--hash-max-listpack-value", "4096")


def fixed(client: redis.Redis, count: int) -> list[str]:
    """Measure fixed triggers, beside a scan of as many records."""
    _emptied(client)
    book, dice, numbers = RedisTriggerBook(client), random.Random(SEED), Numbers()  # noqa: S311
    made = [_stop(number, dice.randrange(100_000, 190_000)) for number in range(count)]
    before = _used(client)
    arming = _timed_all(book.arm_all, [[(one, None) for one in part] for part in _parts(made)])
    each = (_used(client) - before) / count
    print(Row("PING", _times(client.ping, TICKS)))
    standing = Decimal(2_000)
    book.fire(PAPER, numbers.tick(standing))
    ticks = [numbers.tick(standing + number % 7) for number in range(TICKS)]
    print(Row(f"quiet tick, {count:,} fixed triggers", _times_of(book, ticks)))
    print(Row("PING", _times(client.ping, TICKS)))
    levels = sorted((one.level or Decimal(0) for one in made), reverse=True)
    rounds = 50 if count > 52 * FIRING else 0
    gaps = [numbers.tick(levels[FIRING * (number + 1)]) for number in range(rounds)]
    if gaps:
        print(Row(f"tick that fires about {FIRING} of {count:,}", _times_of(book, gaps)))
    disarming = _timed_all(book.disarm_all, list(_parts(made[: 100 * BATCH])))
    scan = _scan(client, count)
    disarmed = disarming / min(count, 100 * BATCH)
    return [
        f"fixed: armed in {arming / count * 1e6:.1f} µs each, disarmed in {disarmed * 1e6:.1f} µs",
        f"fixed: {each:.0f} bytes each in the book",
        f"one scan of {count:,} records takes {scan * 1000:,.0f} ms",
    ]


def _scan(client: redis.Redis, count: int) -> float:
    """Return how long one tick takes a program that reads every record, in seconds."""
    _emptied(client)
    for part in _parts(range(count)):
        with client.pipeline(transaction=False) as pipeline:
            for number in part:
                pipeline.hset(f"order:{number}", mapping={"level": "1900", "side": "SELL"})
            pipeline.execute()
    started = time.perf_counter()
    crossed = []
    for start in range(0, count, 5 * BATCH):
        with client.pipeline(transaction=False) as pipeline:
            for number in range(start, min(start + 5 * BATCH, count)):
                pipeline.hmget(f"order:{number}", ["level", "side"])
            found = pipeline.execute()
        crossed += [level for level, _ in found if Decimal(level) >= Decimal(2_000)]
    return time.perf_counter() - started


@dataclass(frozen=True)
class Market:
    """How a price goes, and how many triggers are armed at each tick.

    Attributes:
        steps: (triggers armed before the tick, price in hundredths).
    """

    name: str
    steps: Sequence[tuple[int, int]]


def _markets(count: int) -> Iterator[Market]:
    """Yield the markets of the aims: a walk, a busy walk, a fall and a jump, a rise."""
    dice, each = random.Random(SEED), max(count // TICKS, 1)  # noqa: S311
    walk = [(0, 200_000)]
    for _ in range(2 * TICKS):
        walk.append((0, max(walk[-1][1] + dice.randrange(-60, 61), 100_000)))
    yield Market("A all armed at one price, then a walk", [(count, 200_000), *walk[1 : TICKS + 1]])
    busy = [(each, price) for _, price in walk[:TICKS]]
    yield Market("B armed at each tick of a walk, then more", [*busy, *walk[TICKS:]])
    fall = [(each, 300_000 - number) for number in range(TICKS)]
    yield Market("C armed in a fall, then a jump", [*fall, (0, 310_000)])
    yield Market(
        "D armed at each tick of a rise",
        [(each, 200_000 + 13 * number + dice.randrange(-20, 21)) for number in range(TICKS)],
    )


def trailing(client: redis.Redis, count: int) -> list[str]:
    """Measure trailing triggers in four markets, beside a book that rewrites."""
    notes = []
    for market in _markets(count):
        ours, each = _ours(client, market)
        naive = _rewrite(client, market)
        print(Row(f"{market.name}", ours))
        print(Row("the same, rewriting at each new high", naive))
        ratio = (sum(naive) / len(naive)) / (sum(ours) / len(ours))
        notes.append(f"{market.name}: {ratio:.0f} times faster in the mean; {each}")
    return notes


def _ours(client: redis.Redis, market: Market) -> tuple[Sequence[float], str]:
    _emptied(client)
    book, dice, numbers = RedisTriggerBook(client), random.Random(SEED), Numbers()  # noqa: S311
    times, arming, armed, before = [], 0.0, 0, _used(client)
    seen, bytes_each = numbers.tick(Decimal(market.steps[0][1]) / 100), 0.0
    book.begin(PAPER, seen)
    for count, cents in market.steps:
        fresh = [_trail(armed + number, dice.randrange(1, 20_000)) for number in range(count)]
        armed += count
        arming += _timed_all(
            book.arm_all, [[(one, seen) for one in part] for part in _parts(fresh)]
        )
        if count > TICKS or not bytes_each:
            bytes_each = (_used(client) - before) / max(armed, 1)
        seen = numbers.tick(Decimal(cents) / 100)
        times += _times_of(book, [seen])
    text = f"armed in {arming / max(armed, 1) * 1e6:.0f} µs each"
    if market.steps[0][0] == armed:
        text += f", {bytes_each:.0f} bytes each in the book"
    return sorted(times), text


def _rewrite(client: redis.Redis, market: Market) -> Sequence[float]:
    _emptied(client)
    script, dice = client.register_script(REWRITE), random.Random(SEED)  # noqa: S311
    keys, armed, times = ["peaks", "offsets", "levels"], 0, []
    until = time.monotonic() + PATIENCE_SECONDS
    price = market.steps[0][1]
    for count, cents in market.steps:
        for part in _parts(range(armed, armed + count)):
            offsets = {str(number): dice.randrange(1, 20_000) for number in part}
            with client.pipeline(transaction=False) as pipeline:
                pipeline.zadd("peaks", dict.fromkeys(offsets, price))
                pipeline.hset("offsets", items=[one for pair in offsets.items() for one in pair])
                pipeline.zadd("levels", {one: price - offset for one, offset in offsets.items()})
                pipeline.execute()
        armed, price = armed + count, cents
        times += _times(partial(script, keys, [price]), 1)
        if time.monotonic() > until:
            break
    return sorted(times)


def orders(client: redis.Redis, count: int) -> list[str]:
    """Measure smart orders: memory all in, and the way from the price to the venue's answer."""
    _emptied(client)
    rig = _rig_over(client)
    rules = SmartOrderRules(open_max=FIXED_MAX)
    sender = Sender(
        dialect=Dialect.POLONIEX,
        origin="demo-key-1234",
        account=SPOT,
        received_at_ms=rig.ports.clock.now_ms(),
    )
    _see(rig, Decimal(59_000), 1)
    before = _used(client)
    for number in range(count):
        command = PlaceSmartOrder(
            symbol=BTC,
            side=Side.BUY,
            type=SmartOrderType.STOP_LIMIT,
            quantity=Decimal("0.05"),
            price=Decimal("70000.00"),
            stop=Decimal(6_000_000 + number) / 100,
            caller_id=f"cid-{number:08d}",
        )
        accept_smart_order(command, rules, sender, rig.ports)
        rig.drain()
    each = (_used(client) - before) / count
    late = []
    for number in range(min(FOLLOWED, count)):
        tick = Decimal(6_000_000 + number) / 100
        late += _times(partial(_see, rig, tick, number + 2), 1)
    print(Row("price to the venue's answer, one order at a tick", sorted(late)))
    streams = list(client.scan_iter("*:events", count=1_000))
    stream = sum(client.memory_usage(key, samples=0) or 0 for key in streams)
    return [
        f"smart orders: {each:.0f} bytes each, all in, with {count:,} armed",
        f"of these {stream / count:.0f} are the stream of newest events, which grows no further",
        f"{len(rig.venue.sent)} of {len(late)} orders reached the venue, one for each tick",
    ]


def _rig_over(client: redis.Redis) -> Rig:
    """Return the use cases over a real server, with a venue that answers at once."""
    rig = Rig()
    registry = RedisRegistry(client)
    registry.put_account(replace(SPOT, id=AccountId(0)))
    ports = rig.ports
    rig.ports = store_ports(client, RedisClock(client), POLICY, lambda: "worker-12345")(
        venues=ports.venues,
        accounts=registry,
        views=ports.views,
        reports=ports.reports,
        history=ports.history,
        publisher=ports.publisher,
    )
    return rig


def _see(rig: Rig, price: Decimal, number: int) -> None:
    """Let a price come, and everything happen that follows from it."""
    at_ms = rig.ports.clock.now_ms()
    tick = Tick(number=number, at_ms=at_ms, quotes={BTC: a_quote(f"{price:f}")})
    rig.feed.ticks.append(tick)
    rig.feed.seen[BTC] = tick
    while watch_prices(PAPER, rig.ports):
        rig.drain()


def _stop(number: int, cents: int) -> Trigger:
    return a_trigger(owner=an_id(number + 1), level=Decimal(cents) / 100)


def _trail(number: int, cents: int) -> Trigger:
    return a_trigger(owner=an_id(number + 1), level=None, trail=Offset(Decimal(cents) / 100))


def _times(call: Callable[[], object], count: int) -> list[float]:
    """Return how long each of so many calls took, in milliseconds, sorted."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times)


def _times_of(book: RedisTriggerBook, ticks: Iterable[Tick]) -> list[float]:
    return sorted(one for tick in ticks for one in _times(partial(book.fire, PAPER, tick), 1))


def _timed_all(call: Callable[[list[Any]], object], parts: Iterable[list[Any]]) -> float:
    """Return how long the calls took together, in seconds."""
    taken = 0.0
    for part in parts:
        started = time.perf_counter()
        call(part)
        taken += time.perf_counter() - started
    return taken


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    for start in range(0, len(items), BATCH):
        yield list(items[start : start + BATCH])


def _emptied(client: redis.Redis) -> None:
    client.flushall()
    client.memory_purge()


def _used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])


if __name__ == "__main__":
    sys.exit(main())
