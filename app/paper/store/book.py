"""The paper venue's resting orders by price."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import redis

from app.domain.enums import Market, Side
from app.domain.identifiers import AccountId, ClientOrderId, Symbol
from app.domain.market import Quote
from app.domain.money import plain
from app.paper.domain.ledger import Arrival, BookEntry
from app.paper.domain.order import PaperOrder
from app.paper.store import SCRIPTS
from app.paper.store import keys as paper_keys
from app.paper.store.prices import price_from
from app.store.core.scripts import load_script


class RedisPaperBook:
    """Resting orders by price, so that a tick finds what it crosses without reading the rest.

    An entry is armed *before* its order is committed, and in the same step in which the price is
    read. So every later tick finds it; an entry without an order is harmless.

    There is one sorted set per (symbol, market, side). The score is the price as text, which the
    server rounds to a double. Rounding keeps the order, so a range by score misses no order, and
    may find one too many; the ledger's own price decides. Nothing depends on the price step, which
    may change while orders rest.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._arrive = load_script(client, SCRIPTS / "paper_arrive.lua")
        self._leave = load_script(client, SCRIPTS / "paper_leave.lua")

    def arrive(self, account_id: AccountId, order: PaperOrder) -> Arrival:
        """Number an order, enter it in the book if it may come to rest, and read the price."""
        keys = [paper_keys.SEQUENCE, paper_keys.TICK, paper_keys.PRICES]
        arguments: list[str | int] = [order.symbol]
        if order.may_rest and order.price is not None:
            book = order.symbol, order.market, order.side
            keys += [paper_keys.book(*book), paper_keys.BOOKS]
            arguments += [
                paper_keys.book_name(*book),
                plain(order.price),
                f"{account_id}|{order.client_order_id}",
            ]
        _, number, tick, record = self._arrive(keys, arguments)
        return Arrival(int(number), price_from(tick, record or None))

    def leave(self, entries: Collection[BookEntry]) -> None:
        """Take entries out. One that is not there is no error."""
        books: dict[tuple[Symbol, Market, Side], list[str | int]] = defaultdict(list)
        for entry in entries:
            books[entry.symbol, entry.market, entry.side].append(_member(entry))
        for book, members in books.items():
            keys = [paper_keys.book(*book), paper_keys.BOOKS]
            self._leave(keys, [paper_keys.book_name(*book), *members])

    def crossed(self, symbol: Symbol, market: Market, quote: Quote) -> Sequence[BookEntry]:
        """Return the entries that the quote reaches, best price first, then by arrival."""
        buys = paper_keys.book(symbol, market, Side.BUY)
        sells = paper_keys.book(symbol, market, Side.SELL)
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.zrangebyscore(buys, plain(quote.ask), "+inf", withscores=True)
            pipeline.zrangebyscore(sells, "-inf", plain(quote.bid), withscores=True)
            bought, sold = pipeline.execute()
        bought.sort(key=lambda found: (-found[1], found[0]))
        return [
            *(_entry(member, symbol, market, Side.BUY) for member, _ in bought),
            *(_entry(member, symbol, market, Side.SELL) for member, _ in sold),
        ]

    def symbols(self) -> Collection[Symbol]:
        """Return the symbols with anything resting."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.smembers(paper_keys.BOOKS)
            (books,) = pipeline.execute()
        return {Symbol(name.split("|", 1)[0]) for name in books}


#: Digits of a number in a member: equal prices then sort by arrival.
_NUMBER_DIGITS = 16


def _member(entry: BookEntry) -> str:
    number = str(entry.number).zfill(_NUMBER_DIGITS)
    return f"{number}|{entry.account_id}|{entry.client_order_id}"


def _entry(member: str, symbol: Symbol, market: Market, side: Side) -> BookEntry:
    number, account_id, client_order_id = member.split("|", 2)
    return BookEntry(
        number=int(number),
        account_id=AccountId(int(account_id)),
        client_order_id=ClientOrderId(client_order_id),
        symbol=symbol,
        market=market,
        side=side,
    )
