"""The rules of what the paper venue trades."""

from collections.abc import Collection, Sequence

import redis

from app.domain.enums import Market
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.paper.store import keys as paper_keys
from app.paper.store.records import text_of, value_from


class RedisPaperInstruments:
    """The rules of what is traded, in one hash.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def find(self, symbol: Symbol, market: Market) -> Instrument | None:
        """Return the rules, or None if the symbol is not traded there."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hget(paper_keys.INSTRUMENTS, _field(symbol, market))
            (record,) = pipeline.execute()
        return None if record is None else value_from(Instrument, record)

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
        found = [value_from(Instrument, record) for record in records]
        return sorted(found, key=lambda one: (one.symbol, one.market))


def _field(symbol: Symbol, market: Market) -> str:
    return f"{symbol}|{market}"
