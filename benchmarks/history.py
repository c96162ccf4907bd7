"""Measures how long searches take with much behind them.

    python -m benchmarks.history --counts 10000 1000000
    python -m benchmarks.history --database-url postgresql://hookfill@127.0.0.1/scratch

Fills a history of its own with finished market orders of twenty accounts, most with a fill, all
with a caller id and a timeline, and a store of its own with some that are live. Then it reads as
the list endpoints do: store and history as one. The history is a new file of SQLite in a temporary
folder, unless a database is named; that must be empty, and keeps what is written here.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import Dialect, Kind, Market, OrderType, Side
from app.domain.errors import HistoryUnavailable
from app.domain.identifiers import (
    AccountId,
    AggregateId,
    Currency,
    EpochMs,
    OrderId,
    Symbol,
    TradeId,
    client_order_id,
)
from app.domain.order import Order
from app.domain.report import Fill
from app.domain.search import EVERYTHING, Search
from app.domain.status import OrderStatus
from app.history.database import Database
from app.history.reader import WholeReader
from app.history.sql_history import SqlHistory
from app.ports.history import Record
from app.ports.ledger import Change
from app.settings.kinds import DATABASE_URL
from app.store.core.clock import RedisClock
from app.store.core.ledger import RedisLedger
from app.store.core.reader import RedisReader
from app.store.core.records import entry_text, record_of
from benchmarks.load import percentile
from tests.support.servers import QUICK, running_server

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT_MAX = 2_000_000
ROUNDS_MAX = 1_000
SEED = 1
ACCOUNTS = 20
LIVE = 200
BATCH = 2_000
PAGE = 100
#: The first order; one more each half a second.
START_MS = 1_732_000_000_000
STEP_MS = 500
SYMBOLS = tuple(Symbol(f"{base}/USDT") for base in ("BTC", "ETH", "SOL", "XRP", "ADA"))
STATES = (*[OrderStatus.FILLED] * 8, OrderStatus.CANCELED, OrderStatus.REJECTED)
PATIENCE_MS = 3_000

#: One in so many orders is of a symbol and a dialect that are rare.
RARE = 50_000
RARE_SYMBOL = Symbol("DOGE/USDT")

Question = Callable[[WholeReader, random.Random, int], object]


def an_id(number: int) -> AggregateId:
    """Return the id of the n-th order, in the shard of its account."""
    return AggregateId((START_MS + number * STEP_MS) * 16 + number % ACCOUNTS % 16)


def an_order(number: int) -> Order:
    """Return the n-th order."""
    at_ms, account = EpochMs(START_MS + number * STEP_MS), AccountId(number % ACCOUNTS)
    status = STATES[number % 97 % len(STATES)]
    is_filled = status is OrderStatus.FILLED
    is_rare = number % RARE == RARE // 2
    order = Order(
        id=OrderId(an_id(number)),
        client_order_id=client_order_id("test", an_id(number)),
        dialect=Dialect.POLONIEX if is_rare else Dialect.CRYPTO_ARSENAL,
        origin=f"crypto_arsenal:{account}",
        account=account,
        symbol=RARE_SYMBOL if is_rare else SYMBOLS[number // ACCOUNTS % len(SYMBOLS)],
        market=Market.SPOT,
        side=Side.BUY if number % 3 else Side.SELL,
        type=OrderType.MARKET,
        quantity=Decimal("0.5"),
        caller_id=f"caller-{number}",
        parent_id=an_id(number - number % 3),
        status=status,
        created_at_ms=at_ms,
        updated_at_ms=EpochMs(at_ms + 40),
    )
    if not is_filled:
        return order
    fill = Fill(
        trade_id=TradeId(f"t{number}"),
        quantity=order.quantity,
        price=Decimal(50_000),
        fee=Decimal("0.01"),
        fee_currency=Currency("USDT"),
        at_ms=EpochMs(at_ms + 40),
    )
    done = {"filled_quantity": order.quantity, "average_price": fill.price, "fills": (fill,)}
    return replace(order, **done)  # type: ignore[arg-type]  # by name


def a_record(number: int) -> Record:
    """Return the n-th order as the store writes it."""
    order = an_order(number)
    names = (EntryName.SENT, EntryName.ACKNOWLEDGED, EntryName.FILLED, EntryName.CLOSED)
    timeline = tuple(
        entry_text(TimelineEntry(one, order.updated_at_ms), "worker-1") for one in names
    )
    return Record(aggregate=order, version=4, body=record_of(order), timeline=timeline)


def fill(history: SqlHistory, first: int, end: int) -> float:
    """Keep the orders from one number to another; return how many in a second."""
    started = time.perf_counter()
    for at in range(first, end, BATCH):
        history.keep([a_record(number) for number in range(at, min(at + BATCH, end))])
        if sys.stderr.isatty():
            print(f"\r{at:>9}", end="", file=sys.stderr)
    return (end - first) / (time.perf_counter() - started)


def _page(reader: WholeReader, place: tuple[int, int] | None, search: Search) -> int:
    before = None if place is None else (EpochMs(place[0]), AggregateId(place[1]))
    return len(list(islice(reader.newest(before, search), PAGE + 1)))


def _account(dice: random.Random) -> frozenset[AccountId]:
    return frozenset({AccountId(dice.randrange(ACCOUNTS))})


def _newest(reader: WholeReader, dice: random.Random, count: int) -> object:
    del dice, count
    return _page(reader, None, EVERYTHING)


def _anywhere(reader: WholeReader, dice: random.Random, count: int) -> object:
    number = dice.randrange(count)
    place = (START_MS + number * STEP_MS, an_id(number))
    return _page(reader, place, Search(kinds=frozenset({Kind.ORDER}), accounts=_account(dice)))


def _rejected(reader: WholeReader, dice: random.Random, count: int) -> object:
    del count
    states = frozenset({str(OrderStatus.REJECTED)})
    return _page(reader, None, Search(accounts=_account(dice), states=states))


def _symbol(reader: WholeReader, dice: random.Random, count: int) -> object:
    del count
    symbols = frozenset({dice.choice(SYMBOLS)})
    return _page(reader, None, Search(accounts=_account(dice), symbols=symbols))


def _top(reader: WholeReader, dice: random.Random, count: int) -> object:
    del dice, count
    return _page(reader, None, Search(top_level=True))


def _rare_symbol(reader: WholeReader, dice: random.Random, count: int) -> object:
    del dice, count
    return _page(reader, None, Search(symbols=frozenset({RARE_SYMBOL})))


def _rare_dialect(reader: WholeReader, dice: random.Random, count: int) -> object:
    del dice, count
    return _page(reader, None, Search(dialects=frozenset({Dialect.POLONIEX})))


def _range(reader: WholeReader, dice: random.Random, count: int) -> object:
    since = START_MS + dice.randrange(count) * STEP_MS
    search = Search(since_ms=EpochMs(since), until_ms=EpochMs(since + 3_600_000))
    return _page(reader, None, search)


def _caller(reader: WholeReader, dice: random.Random, count: int) -> object:
    return _page(reader, None, Search(caller_id=f"caller-{dice.randrange(count)}"))


def _children(reader: WholeReader, dice: random.Random, count: int) -> object:
    number = dice.randrange(count)
    return _page(reader, None, Search(parent=an_id(number - number % 3)))


def _one(reader: WholeReader, dice: random.Random, count: int) -> object:
    known = an_id(dice.randrange(count))
    return reader.find(known), reader.children(known), reader.timeline(known)


def _fills(reader: WholeReader, dice: random.Random, count: int) -> object:
    del count
    return len(list(islice(reader.fills(None, Search(accounts=_account(dice))), PAGE + 1)))


def _count(reader: WholeReader, dice: random.Random, count: int) -> object:
    del count
    return reader.count(Search(kinds=frozenset({Kind.ORDER}), accounts=_account(dice)))


def _count_all(reader: WholeReader, dice: random.Random, count: int) -> object:
    del dice
    found = reader.count()
    if found != count + LIVE:
        raise RuntimeError(f"{found} are there, not {count + LIVE}")
    return found


QUESTIONS: dict[str, Question] = {
    "newest page of everything": _newest,
    "a page of one account, anywhere": _anywhere,
    "newest REJECTED of one account": _rejected,
    "newest of one symbol, one account": _symbol,
    "requests only, none among them": _top,
    "newest of a rare symbol": _rare_symbol,
    "newest of a rare dialect": _rare_dialect,
    "newest within an hour, anywhere": _range,
    "by caller id": _caller,
    "children of one": _children,
    "one with its timeline": _one,
    "newest fills of one account": _fills,
    "count of one account": _count,
    "count of everything": _count_all,
}


def measure(question: Question, reader: WholeReader, count: int, rounds: int) -> Sequence[float]:
    """Return how long each of so many answers took, in ms, sorted."""
    dice = random.Random(SEED)  # noqa: S311 - no secret
    question(reader, dice, count)
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        question(reader, dice, count)
        took.append((time.perf_counter() - started) * 1000)
    return sorted(took)


@contextmanager
def store(folder: Path) -> Iterator[RedisReader]:
    """Start a store with some orders that are live."""
    with (
        running_server(folder, QUICK) as server,
        redis.Redis.from_url(f"{server.url}/0", decode_responses=True, protocol=2) as client,
    ):
        ledger = RedisLedger(client, RedisClock(client), lambda: "benchmark", PATIENCE_MS)
        for number in range(LIVE):
            order = an_order(number)
            live = replace(
                order,
                id=OrderId(AggregateId(order.id + COUNT_MAX * STEP_MS * 16)),
                status=OrderStatus.NEW,
                fills=(),
                created_at_ms=EpochMs(order.created_at_ms + COUNT_MAX * STEP_MS),
            )
            ledger.commit([Change(None, live)])
        yield RedisReader(client)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="Search latency with much behind it.")
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--database-url", default="")
    options = parser.parse_args()
    counts = sorted(options.counts)
    if not 0 < counts[0] <= counts[-1] <= COUNT_MAX or not 0 < options.rounds <= ROUNDS_MAX:
        parser.error(f"at most {COUNT_MAX} orders and {ROUNDS_MAX} rounds")
    with tempfile.TemporaryDirectory(prefix="hookfill-history-") as name, store(Path(name)) as live:
        url = options.database_url or f"sqlite:///{name}/history.db"
        database = Database(DATABASE_URL.read(url))
        history = SqlHistory(database)
        try:
            if history.count(EVERYTHING, ()):
                parser.error("there is something in that database already")
        except HistoryUnavailable as error:
            parser.error(str(error))
        reader = WholeReader(live, history)
        print(f"{database.dialect}, {LIVE} live orders, {options.rounds} rounds\n")
        print(
            "| search | finished | p50 ms | p99 ms | max ms |\n| :--- | ---: | ---: | ---: | ---: |"
        )
        _report(reader, history, counts, options.rounds)
        database.close()


def _report(reader: WholeReader, history: SqlHistory, counts: list[int], rounds: int) -> None:
    first, speeds = 0, []
    for count in counts:
        speeds.append(f"{fill(history, first, count):.0f}/s up to {count}")
        first = count
        for name, question in QUESTIONS.items():
            took = measure(question, reader, count, rounds)
            figures = (percentile(took, 50), percentile(took, 99), took[-1])
            cells = " | ".join(f"{one:.2f}" for one in figures)
            print(f"| {name} | {count:,} | {cells} |", flush=True)
    print(f"\nwritten: {', '.join(speeds)}")


if __name__ == "__main__":
    main()
