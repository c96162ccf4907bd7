"""The rules of what the paper venue trades."""

from collections.abc import Collection, Sequence
from functools import lru_cache

import redis

from app.domain.enums import Market
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.paper.domain.ledger import Rules
from app.paper.store import keys as paper_keys
from app.paper.store.records import text_of, value_from

#: Records of which the rules are kept, read. A record never means anything else.
RECORDS_KEPT = 1024


class RedisPaperInstruments:
    """The rules of what is traded, in one hash.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def find(self, symbol: Symbol, market: Market) -> Instrument | None:
        """Return the rules, or None if the symbol is not traded there."""
        return self.rules(symbol).get(market)

    def rules(self, symbol: Symbol) -> Rules:
        """Return the rules of a symbol in each market in which it is traded."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hmget(paper_keys.INSTRUMENTS, fields(symbol))
            (records,) = pipeline.execute()
        return rules_from(records)

    def put(self, instruments: Collection[Instrument]) -> None:
        """Add or replace by (symbol, market), all at once."""
        with self._client.pipeline(transaction=True) as pipeline:
            for one in instruments:
                field = _field(one.symbol, one.market)
                pipeline.hset(paper_keys.INSTRUMENTS, field, text_of(one))
            pipeline.execute()

    def add_missing(self, instruments: Collection[Instrument]) -> None:
        """Add those that are not there yet."""
        with self._client.pipeline(transaction=True) as pipeline:
            for one in instruments:
                field = _field(one.symbol, one.market)
                pipeline.hsetnx(paper_keys.INSTRUMENTS, field, text_of(one))
            pipeline.execute()

    def all(self) -> Sequence[Instrument]:
        """Return everything that is traded, by symbol, then market."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hvals(paper_keys.INSTRUMENTS)
            (records,) = pipeline.execute()
        found = map(_instrument_from, records)
        return sorted(found, key=lambda one: (one.symbol, one.market))


def fields(symbol: Symbol) -> list[str]:
    """Return where the rules of a symbol are, as `rules_from` wants their records."""
    return [_field(symbol, market) for market in Market]


def _field(symbol: Symbol, market: Market) -> str:
    return f"{symbol}|{market}"


def rules_from(records: Sequence[str | None]) -> Rules:
    """Return the rules of a symbol from what is in its fields."""
    return {
        market: _instrument_from(record)
        for market, record in zip(Market, records, strict=True)
        if record is not None
    }


@lru_cache(RECORDS_KEPT)
def _instrument_from(record: str) -> Instrument:
    return value_from(Instrument, record)
