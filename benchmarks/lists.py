"""Measures a page of the 3Commas list with many trades behind it, against sorting them in memory.

    python -m benchmarks.lists --finished 60000 --live 200
    python -m benchmarks.lists --database-url postgresql://hookfill@127.0.0.1/scratch

Fills a history with finished trades of one account, and a store of its own with live ones.
Then it reads pages as `GET /smart_trades` does, and one as it did before: every trade is read, and
sorted. The history is a new file of SQLite in a temporary folder, unless a database is
named; that must be empty, and keeps what is written here.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from app.domain.enums import Kind, Side
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.search import EVERYTHING, Moment, Search, place_by
from app.domain.smart_trade.enums import FINISHED, TradeStatus, TradeType
from app.history.database import Database
from app.history.reader import WholeReader
from app.history.sql_history import SqlHistory
from app.ports.history import Record
from app.ports.ledger import Change
from app.settings.kinds import DATABASE_URL
from app.store.core.clock import RedisClock
from app.store.core.ledger import RedisLedger
from app.store.core.reader import RedisReader
from app.store.core.records import record_of
from benchmarks.load import percentile
from tests.support.servers import QUICK, running_server
from tests.support.three_commas_trades import a_trade, an_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.smart_trade.trade import SmartTrade

COUNT_MAX = 1_000_000
LIVE_MAX = 5_000
ROUNDS_MAX = 1_000
BATCH = 2_000
ACCOUNT = AccountId(1)
START_MS = 1_732_000_000_000
STEP_MS = 500
ENDS = (*sorted(FINISHED), TradeStatus.CANCELLED)
TYPES = (TradeType.CLASSIC, TradeType.SIMPLE_BUY, TradeType.SMART_SALE)
PATIENCE_MS = 3_000

ALL = Search(kinds=frozenset({Kind.SMART_TRADE}), accounts=frozenset({ACCOUNT}))
NONE = replace(ALL, types=frozenset({TradeType.SELL_BUY_BACK}))
ENDED = replace(ALL, states=FINISHED)
LIVE = replace(ALL, states=frozenset({TradeStatus.BOUGHT}))


def a_finished(number: int) -> SmartTrade:
    """Return the n-th trade, with an entry and an exit."""
    at_ms = START_MS + number * STEP_MS
    orders = (an_order(21, 11, Side.BUY, "2"), an_order(22, 12, Side.SELL, "2"))
    trade = a_trade(
        type=TYPES[number % len(TYPES)],
        status=ENDS[number % len(ENDS)],
        orders=orders,
        created_at_ms=EpochMs(at_ms),
        updated_at_ms=EpochMs(at_ms + 70_000),
        closed_at_ms=EpochMs(at_ms + 60_000 + number % 7 * 10_000),
    )
    return replace(trade, id=AggregateId(at_ms * 16 + ACCOUNT), account=ACCOUNT)


def a_live(number: int) -> SmartTrade:
    """Return the n-th trade that is bought and waits for its exit."""
    trade = a_finished(number)
    own = {"status": TradeStatus.BOUGHT, "closed_at_ms": None, "asked_quantity": Decimal(2)}
    return replace(trade, orders=trade.orders[:1], **own)  # type: ignore[arg-type]  # by name


def fill(history: SqlHistory, count: int) -> None:
    """Keep so many finished trades."""
    for at in range(0, count, BATCH):
        history.keep(
            [
                Record(aggregate=one, version=4, body=record_of(one))
                for one in map(a_finished, range(at, min(at + BATCH, count)))
            ]
        )


def in_memory(reader: WholeReader, offset: int, limit: int) -> int:
    """Read all, sort all, show some: what a page has cost before."""
    found = sorted(reader.newest(None, ALL), key=lambda one: place_by(Moment.CREATED_AT, one))
    return len(found[offset : offset + limit])


def a_page(search: Search, moment: Moment, offset: int, limit: int) -> Callable[[WholeReader], int]:
    """Return what reads one page."""
    return lambda reader: len(reader.oldest(search, moment, offset=offset, limit=limit))


def measure(question: Callable[[WholeReader], int], reader: WholeReader, rounds: int) -> str:
    """Return p50, p99 and the longest answer in ms, as cells of a table."""
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        question(reader)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return " | ".join(
        f"{one:.1f}" for one in (percentile(took, 50), percentile(took, 99), took[-1])
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="Pages of trades, with many behind them.")
    parser.add_argument("--finished", type=int, default=60_000)
    parser.add_argument("--live", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--database-url", default="")
    options = parser.parse_args()
    count, live, rounds = options.finished, options.live, options.rounds
    if not (0 < count <= COUNT_MAX and 0 <= live <= LIVE_MAX and 0 < rounds <= ROUNDS_MAX):
        parser.error(f"at most {COUNT_MAX} finished, {LIVE_MAX} live, {ROUNDS_MAX} rounds")
    with (
        tempfile.TemporaryDirectory(prefix="hookfill-lists-") as name,
        running_server(Path(name), QUICK) as server,
        redis.Redis.from_url(f"{server.url}/0", decode_responses=True, protocol=2) as client,
    ):
        url = options.database_url or f"sqlite:///{name}/history.db"
        database = Database(DATABASE_URL.read(url))
        history = SqlHistory(database)
        if history.count(EVERYTHING, ()):
            parser.error("there is something in that database already")
        fill(history, count)
        ledger = RedisLedger(client, RedisClock(client), lambda: "benchmark", PATIENCE_MS)
        for number in range(count, count + live):
            ledger.commit([Change(None, a_live(number))])
        reader = WholeReader(RedisReader(client), history)
        print(f"{database.dialect}, {count:,} finished and {live:,} live trades, {rounds} rounds\n")
        print("| page | p50 ms | p99 ms | max ms |\n| :--- | ---: | ---: | ---: |")
        before = measure(lambda one: in_memory(one, 0, 1), reader, 1)
        print(f"| `limit=1`, all of them sorted in memory | {before} |", flush=True)
        for said, question in {
            "`limit=1`": a_page(ALL, Moment.CREATED_AT, 0, 1),
            "`limit=100`": a_page(ALL, Moment.CREATED_AT, 0, 100),
            "`limit=100`, the last page": a_page(ALL, Moment.CREATED_AT, count - 100, 100),
            "`limit=100&order=closed_at`, half way": a_page(ALL, Moment.CLOSED_AT, count // 2, 100),
            "`limit=100&order=updated_at`": a_page(ALL, Moment.UPDATED_AT, 0, 100),
            "`limit=100&scope=finished`": a_page(ENDED, Moment.CREATED_AT, 0, 100),
            "`limit=100&scope=active`": a_page(LIVE, Moment.CREATED_AT, 0, 100),
            "`limit=100` of a type that there is none of": a_page(NONE, Moment.CREATED_AT, 0, 100),
        }.items():
            print(f"| {said} | {measure(question, reader, rounds)} |", flush=True)
        database.close()


if __name__ == "__main__":
    main()
