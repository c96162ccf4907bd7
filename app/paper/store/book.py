"""The paper venue's resting orders by price."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import redis

from app.domain.enums import Direction, Market, Side
from app.domain.identifiers import AccountId, ClientOrderId, Symbol
from app.domain.market import Quote
from app.domain.money import plain
from app.paper.domain.ledger import Arrival, BookEntry
from app.paper.domain.order import HOLDS, PaperOrder, Queue
from app.paper.store import SCRIPTS
from app.paper.store import keys as paper_keys
from app.paper.store.instruments import fields
from app.paper.store.prices import price_from
from app.store.core.scripts import load_script


class RedisPaperBook:
    """Resting orders by price, so that a tick finds what it crosses without reading the rest.

    An entry is armed *before* its order is committed, and in the same step in which the price is
    read. So every later tick finds it; an entry without an order is harmless.

    There is one sorted set per (symbol, market, side), and for stops one per (symbol, market, price
    source, direction). The score is the limit or the level as text, which the server rounds to a
    double. Rounding keeps the order, so a range by score misses no order, and may find one too
    many; the ledger's own price decides. Nothing depends on the price step, which may change while
    orders rest.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._arrive = load_script(client, SCRIPTS / "paper_arrive.lua")
        self._leave = load_script(client, SCRIPTS / "paper_leave.lua")

    def arrive(self, account_id: AccountId, order: PaperOrder) -> Arrival:
        """Number an order, enter it if it may come to rest, and read the price and the rules."""
        keys = [paper_keys.SEQUENCE, paper_keys.TICK, paper_keys.PRICES, paper_keys.INSTRUMENTS]
        rules = fields(order.symbol)
        arguments: list[str | int] = [order.symbol, len(rules), *rules]
        price = order.waits_at
        if price is not None:
            book = order.symbol, order.market, order.queue
            keys += [paper_keys.book(*book), paper_keys.BOOKS]
            arguments += [
                paper_keys.book_name(*book),
                plain(price),
                f"{account_id}|{order.client_order_id}",
            ]
        _, number, tick, record, *found = self._arrive(keys, arguments)
        return Arrival(
            int(number), price_from(tick, record or None, [one or None for one in found])
        )

    def leave(self, entries: Collection[BookEntry]) -> None:
        """Take entries out. One that is not there is no error."""
        books: dict[tuple[Symbol, Market, Queue], list[str | int]] = defaultdict(list)
        for entry in entries:
            books[entry.symbol, entry.market, entry.queue].append(_member(entry))
        for book, members in books.items():
            keys = [paper_keys.book(*book), paper_keys.BOOKS]
            self._leave(keys, [paper_keys.book_name(*book), *members])

    def crossed(self, quotes: Mapping[Symbol, Quote]) -> Sequence[Sequence[BookEntry]]:
        """Return the entries that these prices reach, those of one symbol and market together.

        Limits come first, then stops; in each queue those that the price has reached first come
        first, then by arrival.
        """
        wanted = [
            (symbol, market, _ranges(market, quote))
            for symbol, quote in quotes.items()
            for market in Market
        ]
        with self._client.pipeline(transaction=False) as pipeline:
            for symbol, market, ranges in wanted:
                for queue, (least, most) in ranges.items():
                    key = paper_keys.book(symbol, market, queue)
                    pipeline.zrangebyscore(key, least, most, withscores=True)
            found = iter(pipeline.execute())
        return [
            [
                _entry(member, symbol, market, queue)
                for queue, reached in ranges.items()
                for member in _in_turn(next(found), highest_first=reached[1] == _MOST)
            ]
            for symbol, market, ranges in wanted
        ]

    def symbols(self) -> Collection[Symbol]:
        """Return the symbols with anything resting."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.smembers(paper_keys.BOOKS)
            (books,) = pipeline.execute()
        return {Symbol(name.split("|", 1)[0]) for name in books}


#: Digits of a number in a member: equal prices then sort by arrival.
_NUMBER_DIGITS = 16

#: Ends of a range of prices that is open on one side.
_LEAST, _MOST = "-inf", "+inf"


def _member(entry: BookEntry) -> str:
    number = str(entry.number).zfill(_NUMBER_DIGITS)
    return f"{number}|{entry.account_id}|{entry.client_order_id}"


def _ranges(market: Market, quote: Quote) -> dict[Queue, tuple[str, str]]:
    """Return queue → the least and the greatest price that the quote reaches there."""
    ranges: dict[Queue, tuple[str, str]] = {
        Side.BUY: (plain(quote.ask), _MOST),
        Side.SELL: (_LEAST, plain(quote.bid)),
    }
    for source in sorted(HOLDS[market]):
        price = plain(quote.of(source))
        ranges[source, Direction.RISING] = (_LEAST, price)
        ranges[source, Direction.FALLING] = (price, _MOST)
    return ranges


def _in_turn(members: list[tuple[str, float]], *, highest_first: bool) -> list[str]:
    """Return members, which come by rising price, in the order in which the price reached them."""
    if highest_first:
        members = sorted(members, key=lambda found: (-found[1], found[0]))
    return [member for member, _ in members]


def _entry(member: str, symbol: Symbol, market: Market, queue: Queue) -> BookEntry:
    number, account_id, client_order_id = member.split("|", 2)
    return BookEntry(
        number=int(number),
        account_id=AccountId(int(account_id)),
        client_order_id=ClientOrderId(client_order_id),
        symbol=symbol,
        market=market,
        queue=queue,
    )
