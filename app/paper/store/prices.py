"""Prices that a person set, and the ticks that wait to be evaluated."""

from collections.abc import Mapping, Sequence

import redis

from app.domain.identifiers import EpochMs, Symbol
from app.domain.market import Quote, Tick
from app.paper.domain.ledger import CurrentPrice, Observed
from app.paper.store import SCRIPTS
from app.paper.store import keys as paper_keys
from app.paper.store.instruments import fields, rules_from
from app.paper.store.records import quote_from, quote_text, tick_from, tick_text
from app.store.core.scripts import load_script


class RedisPaperPrices:
    """Prices that a person set, and the ticks that wait: durable, in order, none merged.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._set = load_script(client, SCRIPTS / "paper_set_prices.lua")
        self._observe = load_script(client, SCRIPTS / "paper_observe.lua")

    def current(self, symbol: Symbol) -> CurrentPrice:
        """Return the price and the rules as they are now."""
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(paper_keys.TICK)
            pipeline.hget(paper_keys.PRICES, symbol)
            pipeline.hget(paper_keys.SET_AT, symbol)
            pipeline.hmget(paper_keys.INSTRUMENTS, fields(symbol))
            tick, record, set_at, rules = pipeline.execute()
        return price_from(tick, record, rules, set_at)

    def set(self, quotes: Mapping[Symbol, Quote | None], at_ms: EpochMs) -> int:
        """Make these current and append them as one tick, all at once; return its number."""
        known = {symbol: quote for symbol, quote in quotes.items() if quote is not None}
        arguments: list[str | int] = [tick_text(known, at_ms), at_ms]
        for symbol, quote in quotes.items():
            arguments += [symbol, quote_text(quote)]
        keys = [
            paper_keys.TICK,
            paper_keys.TICKS,
            paper_keys.PRICES,
            paper_keys.OBSERVED,
            paper_keys.SET_AT,
        ]
        return int(self._set(keys, arguments)[1])

    def all(self) -> Mapping[Symbol, Quote | None]:
        """Return what is set: symbol → quote, or None where no price is known."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(paper_keys.PRICES)
            (prices,) = pipeline.execute()
        return {Symbol(symbol): quote_from(record) for symbol, record in sorted(prices.items())}

    def changes(self) -> int:
        """Return how often people have changed anything."""
        return int(self._client.get(paper_keys.CHANGES) or 0)

    def note_change(self) -> None:
        """Say that somebody has, so that what was looked up before is looked up anew."""
        self._client.incr(paper_keys.CHANGES)

    def clear(self) -> None:
        """Leave every symbol to the source again."""
        self._client.delete(paper_keys.PRICES, paper_keys.SET_AT)

    def oldest_tick(self) -> Tick | None:
        """Return the first tick that is not done, or None."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.zrange(paper_keys.TICKS, 0, 0)
            (members,) = pipeline.execute()
        return tick_from(members[0]) if members else None

    def tick_done(self, number: int) -> None:
        """Forget a tick. Twice is no error."""
        self._client.zremrangebyscore(paper_keys.TICKS, number, number)

    def observed(self) -> Observed:
        """Return what was last seen of the source."""
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(paper_keys.TICK)
            pipeline.hgetall(paper_keys.OBSERVED)
            tick, records = pipeline.execute()
        quotes = {Symbol(symbol): quote_from(record) for symbol, record in records.items()}
        return Observed(
            int(tick or 0),
            {symbol: quote for symbol, quote in quotes.items() if quote is not None},
        )

    def observe(self, quotes: Mapping[Symbol, Quote], after: int, at_ms: EpochMs) -> None:
        """Append a tick seen at the source, unless there is a newer tick than `after`."""
        arguments: list[str | int] = [after, tick_text(quotes, at_ms)]
        for symbol, quote in quotes.items():
            arguments += [symbol, quote_text(quote)]
        self._observe([paper_keys.TICK, paper_keys.TICKS, paper_keys.OBSERVED], arguments)


def price_from(
    tick: str | None, record: str | None, rules: Sequence[str | None], set_at: str | None = None
) -> CurrentPrice:
    """Return the price of a symbol from the tick counter and its records, as they are stored."""
    return CurrentPrice(
        tick=int(tick or 0),
        quote=None if record is None else quote_from(record),
        is_set=record is not None,
        rules=rules_from(rules),
        set_at_ms=None if set_at is None else EpochMs(int(set_at)),
    )
