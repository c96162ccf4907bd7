"""Market metadata as ccxt has it, one copy for all lines of a process."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ccxt

from app.domain.enums import Market
from app.domain.errors import VenueError
from app.domain.identifiers import VenueName
from app.exchanges.line import Line
from app.exchanges.one_asks import OneAsks
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
        one_asks: lets one ask for all.
    """

    def __init__(self, memory: RedisVenueMemory, clock: Clock, one_asks: OneAsks) -> None:
        self._memory = memory
        self._clock = clock
        self._one_asks = one_asks
        self._tables: dict[_Key, Table] = {}
        self._renewing: dict[_Key, int] = {}

    def furnish(self, line: Line) -> None:
        """Let a line know what is traded; what is known already serves on if it cannot be renewed.

        Raises:
            VenueUnavailable, VenueRejected, ccxt.BaseError: nothing is known, nor to be had.
        """
        key = _key(line)
        known = self._tables.get(key)
        if known is None:
            known = self._newer(line, key)
        elif self._is_to_be_renewed(known, key):
            with suppress(ccxt.BaseError, VenueError):
                known = self._newer(line, key)
        _lend(known, line)

    def ask(self, line: Line) -> None:
        """Ask the exchange anew, for all workers."""
        _lend(self._asked(line, _key(line)), line)

    def _is_to_be_renewed(self, known: Table, key: _Key) -> bool:
        """Tell whether this thread is to see to a newer table; the others go on with what is known.

        After a while another one is, in case that it could not be had.
        """
        now_ms = self._clock.steady_ms()
        if now_ms <= max(known.renew_at_ms, self._renewing.get(key, 0)):
            return False
        self._renewing[key] = now_ms + PATIENCE_MS
        return True

    def _newer(self, line: Line, key: _Key) -> Table:
        return self._one_asks.known(
            f"markets:{key[0]}:{key[1]}",
            line,
            look=lambda: self._taken_over(line, key),
            ask=lambda: self._asked(line, key),
        )

    def _taken_over(self, line: Line, key: _Key) -> Table | None:
        """Return what another thread or worker has asked for lately, or None."""
        known = self._tables.get(key)
        if known is not None and self._clock.steady_ms() <= known.renew_at_ms:
            return known
        kept = self._memory.markets(*key)
        if kept is None or kept.age_ms > AGE_MS:
            return None
        return self._put(key, line, kept.text, kept.age_ms)

    def _asked(self, line: Line, key: _Key) -> Table:
        text = json.dumps(line.api.fetch_markets(), default=str)
        self._memory.keep_markets(*key, text)
        return self._put(key, line, text, age_ms=0)

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
