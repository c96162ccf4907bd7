"""Market metadata as ccxt has it, one copy for all lines of a process."""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import ccxt

from app.domain.account import Account
from app.domain.enums import Listing, Market
from app.domain.errors import VenueError, VenueUnavailable
from app.domain.identifiers import EpochMs, Symbol, VenueName
from app.domain.moments import age_ms
from app.exchanges import parse
from app.exchanges.line import Line
from app.exchanges.one_asks import OneAsks
from app.ports.clock import Clock
from app.store.memory.venue_memory import KeptMarkets, RedisVenueMemory

#: Exchanges list and delist, and change their steps. Whoever is refused for that asks at once; for
#: the others an hour late is early enough.
AGE_MS = 3_600_000

#: Before what could not be had is asked for again.
PATIENCE_MS = 60_000

#: Rules that are younger are not doubted: however many orders are refused, they are asked for once.
YOUNG_MS = 10_000

#: So many symbols may be gone from one list to the next, or one in so many; a list that lacks more
#: was not told whole, as exchanges do while they are being maintained.
GONE_AT_ONCE, GONE_SHARE = 3, 20

#: Between two lists that lack a symbol, after which it counts as gone.
ABSENT_MS = 600_000

#: Lists that are as short for this long are believed.
SHORT_MS = 3_600_000

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
    """What is traded in one market of a venue, ready for ccxt.

    Attributes:
        parts: ccxt's name → what it made of the metadata.
        version: of the metadata.
        digest: of the metadata as JSON.
        asked_at_ms: the steady time at which the venue told it.
    """

    parts: Mapping[str, Any]
    version: str
    digest: str
    asked_at_ms: int

    @property
    def renew_at_ms(self) -> int:
        """The steady time after which it is too old."""
        return self.asked_at_ms + AGE_MS


_Look = Callable[[Line, _Key], Table | None]


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
        self._in_vain: dict[_Key, int] = {}

    def furnish(self, line: Line) -> None:
        """Let a line know what is traded; what is known already serves on if it cannot be renewed.

        Raises:
            VenueUnavailable, VenueRejected, ccxt.BaseError: nothing is known, nor to be had.
        """
        key = _key(line.account)
        known = self._tables.get(key)
        if known is None:
            known = self._newer(line, key, self._taken_over)
        elif self._is_to_be_renewed(known, key):
            with suppress(ccxt.BaseError, VenueError):
                known = self._newer(line, key, self._taken_over)
        _lend(known, line)

    def renew(self, line: Line) -> None:
        """Let a line know the newest rules that any worker has learned; doubted ones are asked for.

        If they cannot be had, what is known serves on for a while.
        """
        key = _key(line.account)
        kept, known = self._memory.markets_version(*key), self._tables.get(key)
        now_ms = self._clock.steady_ms()
        if kept is None or known is None or now_ms < self._in_vain.get(key, now_ms):
            return
        if kept.version != known.version or kept.is_doubted:
            try:
                known = self._newer(line, key, self._undoubted)
            except (ccxt.BaseError, VenueError):
                self._in_vain[key] = now_ms + YOUNG_MS
        _lend(known, line)

    def doubt(self, account: Account) -> None:
        """Let whoever needs the rules next ask for them anew, unless these are young."""
        key = _key(account)
        known, kept = self._tables.get(key), self._memory.markets_version(*key)
        if known is None or kept is None or kept.version != known.version:
            return  # there are newer ones already: a doubt of these must not be lost to it
        if self._clock.steady_ms() - known.asked_at_ms > YOUNG_MS:
            self._memory.doubt_markets(*key, known.version)

    def listing(self, line: Line, symbol: Symbol, found: parse.Json | None) -> Listing:
        """Return whether a symbol is traded by the list that a line goes by, and by those before.

        What two whole lists lack that were told long after each other is gone. For the second one
        the exchange is asked when it is time, by whoever needs the rules next.
        """
        key = _key(line.account)
        if found is not None:
            self._memory.listings.note_present(*key, symbol)
            return parse.listing_of(found, line.api.id)
        table, newest = self._tables[key], self._memory.markets_version(*key)
        if line.table is not table or newest is None or newest.version != table.version:
            return Listing.ABSENT  # there is a newer list, which may have it
        if self._memory.listings.is_short(*key):
            return Listing.ABSENT
        now_ms = self._clock.steady_ms()
        server_ms = self._clock.server_ms()
        told_ms = EpochMs(server_ms - (now_ms - table.asked_at_ms))
        told = told_ms, table.version
        since_ms, first = self._memory.listings.note_absent(key, symbol, told, server_ms)
        if now_ms - table.asked_at_ms >= ABSENT_MS:
            self.doubt(line.account)  # also of what is gone, which may be listed again
        lasted_ms = min(told_ms - since_ms, self._clock.lasted_ms(since_ms))
        is_certain = table.version != first and lasted_ms >= ABSENT_MS
        return Listing.GONE if is_certain else Listing.ABSENT

    def ask(self, line: Line) -> None:
        """Ask the exchange anew, for all workers."""
        _lend(self._asked(line, _key(line.account)), line)

    def _is_to_be_renewed(self, known: Table, key: _Key) -> bool:
        """Tell whether this thread is to see to a newer table; the others go on with what is known.

        After a while another one is, in case that it could not be had.
        """
        now_ms = self._clock.steady_ms()
        if now_ms <= max(known.renew_at_ms, self._renewing.get(key, 0)):
            return False
        self._renewing[key] = now_ms + PATIENCE_MS
        return True

    def _newer(self, line: Line, key: _Key, look: _Look) -> Table:
        return self._one_asks.known(
            f"markets:{key[0]}:{key[1]}",
            line,
            look=lambda: look(line, key),
            ask=lambda: self._asked(line, key),
        )

    def _taken_over(self, line: Line, key: _Key) -> Table | None:
        """Return what another thread or worker has asked for lately, or None."""
        known = self._tables.get(key)
        if known is not None and self._clock.steady_ms() <= known.renew_at_ms:
            return known
        return self._read(line, key)

    def _undoubted(self, line: Line, key: _Key) -> Table | None:
        """Return what others have asked for since it was doubted, or None."""
        kept = self._memory.markets_version(*key)
        if kept is None or kept.is_doubted:
            return None
        known = self._tables[key]
        return known if known.version == kept.version else self._read(line, key)

    def _read(self, line: Line, key: _Key) -> Table | None:
        kept = self._memory.markets(*key)
        if kept is None or kept.age_ms > AGE_MS:
            return None
        return self._put(key, line, kept)

    def _asked(self, line: Line, key: _Key) -> Table:
        # How a precision counts is the exchange's, and goes with its figures.
        told = {parse.PRECISION_MODE: line.api.precisionMode}
        rows = line.api.fetch_markets()
        listed = [str(row["symbol"]) for row in rows if parse.market_of(row) is key[1]]
        if not self._is_whole(key, len(listed)):
            kept, has_none = self._memory.markets(*key), key not in self._tables
            if kept is not None and has_none:
                return self._put(key, line, kept)  # too old, and whole
            if not (listed and has_none):
                before = self._memory.listings.count(*key)
                lists = f"lists {len(listed)} symbols in {key[1]}, and had {before}"
                raise VenueUnavailable(f"{key[0]} {lists}")
            # There is nothing else to go by, and what is listed can be traded.
        text = json.dumps([{**row, **told} for row in rows], default=str)
        version = self._memory.keep_markets(*key, text)
        self._memory.listings.note_list(*key, {one.partition(":")[0] for one in listed})
        return self._put(key, line, KeptMarkets(text, 0, version))

    def _is_whole(self, key: _Key, count: int) -> bool:
        """Tell whether a list was told whole; else what it lacks would be taken for not traded.

        It was not if it is empty, or has far fewer symbols than the one before.
        """
        listings, before = self._memory.listings, self._memory.listings.count(*key)
        is_short = before - count > max(GONE_AT_ONCE, before // GONE_SHARE)
        if not count or is_short:
            now_ms = self._clock.server_ms()
            lasted_ms = age_ms(listings.note_short(*key, now_ms), now_ms)
            if not count or lasted_ms < SHORT_MS:
                return False
        listings.note_whole(*key, count)
        return True

    def _put(self, key: _Key, line: Line, kept: KeptMarkets) -> Table:
        known = self._tables.get(key)
        asked_at_ms = self._clock.steady_ms() - kept.age_ms
        digest = hashlib.sha256(kept.text.encode()).hexdigest()
        if known is not None and known.digest == digest:
            # Asked for in vain: to take the same in again would cost seconds at a big exchange.
            table = replace(known, version=kept.version, asked_at_ms=asked_at_ms)
        else:
            line.api.set_markets(json.loads(kept.text))
            parts = {name: getattr(line.api, name) for name in _PARTS}
            table = Table(parts=parts, version=kept.version, digest=digest, asked_at_ms=asked_at_ms)
        self._tables[key] = table
        return table


def _key(account: Account) -> _Key:
    return account.hosts, account.market


def _lend(table: Table, line: Line) -> None:
    if line.table is table:
        return
    for name, part in table.parts.items():
        setattr(line.api, name, part)
    line.table = table
