"""Market metadata as ccxt has it, one copy for all lines of a process."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import ccxt

from app.domain.enums import Market
from app.domain.errors import VenueBusy, VenueError
from app.domain.identifiers import VenueName
from app.exchanges.line import Line
from app.ports.clock import Clock
from app.store.memory.venue_memory import RedisVenueMemory

#: Exchanges list and delist, and change their steps; an hour late is early enough.
AGE_MS = 3_600_000

#: Before what could not be had is asked for again.
PATIENCE_MS = 60_000

#: Where ccxt keeps what it makes of the metadata. It changes none of it between two loads.
_PARTS = (
    "markets",
    "markets_by_id",
    "symbols",
    "ids",
    "currencies",
    "currencies_by_id",
    "baseCurrencies",
    "quoteCurrencies",
    "codes",
)

_Key = tuple[VenueName, Market]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is traded in one market of a venue, ready for ccxt."""

    parts: Mapping[str, Any]
    renew_at_ms: int


class MarketTables:
    """Reads or asks once for all lines of a market, and lends them the same objects.

    Args:
        memory: what other workers have asked for lately.
        clock: tells the steady time.
    """

    def __init__(self, memory: RedisVenueMemory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock
        self._tables: dict[_Key, Table] = {}
        self._locks: dict[_Key, threading.Lock] = {}

    def furnish(self, line: Line) -> None:
        """Let a line know what is traded; what is known already serves on if it cannot be renewed.

        Raises:
            VenueUnavailable, VenueRejected, ccxt.BaseError: nothing is known, nor to be had.
        """
        key = _key(line)
        table = self._tables.get(key)
        if table is None or self._clock.steady_ms() > table.renew_at_ms:
            table = self._renewed(line, key)
        _lend(table, line)

    def ask(self, line: Line) -> None:
        """Ask the exchange anew, for all workers."""
        text = json.dumps(line.api.fetch_markets(), default=str)
        key = _key(line)
        self._memory.keep_markets(*key, text)
        _lend(self._put(key, line, text, age_ms=0), line)

    def _renewed(self, line: Line, key: _Key) -> Table:
        """Return a table after one thread has renewed it; who has one already does not wait."""
        known = self._tables.get(key)
        lock = self._locks.setdefault(key, threading.Lock())
        if known is not None and not lock.acquire(blocking=False):
            return known
        if known is None and not lock.acquire(timeout=max(line.left_seconds, 0)):
            raise VenueBusy(f"what is traded at {key[0]} is still being asked for")
        try:
            return self._newer(line, key)
        finally:
            lock.release()

    def _newer(self, line: Line, key: _Key) -> Table:
        """Take over what another worker has asked for lately, or ask."""
        now_ms, known = self._clock.steady_ms(), self._tables.get(key)
        if known is not None and now_ms <= known.renew_at_ms:
            return known  # another thread has, meanwhile
        try:
            kept = self._memory.markets(*key)
            if kept is not None and kept.age_ms <= AGE_MS:
                return self._put(key, line, kept.text, kept.age_ms)
            self.ask(line)
        except (ccxt.BaseError, VenueError):
            if known is None:
                raise
            self._tables[key] = replace(known, renew_at_ms=now_ms + PATIENCE_MS)
        return self._tables[key]

    def _put(self, key: _Key, line: Line, text: str, age_ms: int) -> Table:
        line.api.set_markets(json.loads(text))
        table = Table(
            parts={name: getattr(line.api, name) for name in _PARTS},
            renew_at_ms=self._clock.steady_ms() + AGE_MS - age_ms,
        )
        self._tables[key] = table
        return table


def _key(line: Line) -> _Key:
    return line.account.hosts, line.account.market


def _lend(table: Table, line: Line) -> None:
    if line.table is table:
        return
    for name, part in table.parts.items():
        setattr(line.api, name, part)
    line.table = table
