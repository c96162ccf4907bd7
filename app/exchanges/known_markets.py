"""What is traded where, as far as any worker has learned; no exchange is asked."""

import json
import time
from dataclasses import dataclass

from app.domain.enums import Market
from app.domain.identifiers import Symbol, VenueName
from app.domain.instrument import Instrument
from app.domain.symbols import Listed
from app.exchanges import parse
from app.store.memory.venue_memory import RedisVenueMemory

#: A process looks after this long whether there is newer metadata. It reads it only if there is: a
#: big exchange has megabytes of it.
LOOK_SECONDS = 1.0


@dataclass(slots=True)
class _Held:
    """What was read: symbol → ccxt's market, what is halted, when it was looked after last."""

    version: str
    rows: dict[Symbol, parse.Json]
    halted: frozenset[Symbol]
    looked_at: float


class KnownMarkets:
    """Reads what workers keep, and holds it for a moment.

    Args:
        memory: where they keep it.
    """

    def __init__(self, memory: RedisVenueMemory) -> None:
        self._memory = memory
        self._held: dict[tuple[VenueName, Market], _Held] = {}

    def instrument(self, venue: VenueName, market: Market, symbol: Symbol) -> Instrument | None:
        """Return the rules of a symbol, or None if it is not traded or not known yet."""
        row = self._rows(venue, market).get(symbol)
        return None if row is None else parse.instrument_of(symbol, market, row)

    def instruments(self, venue: VenueName, market: Market) -> list[Instrument]:
        """Return the rules of all that is traded in a market of a venue, by symbol."""
        rows = sorted(self._rows(venue, market).items())
        found = (parse.instrument_of(symbol, market, row) for symbol, row in rows)
        return [one for one in found if one is not None]

    def is_halted(self, venue: VenueName, market: Market, symbol: Symbol) -> bool:
        """Tell whether a symbol is listed, and not traded just now."""
        self._rows(venue, market)
        held = self._held.get((venue, market))
        return held is not None and symbol in held.halted

    def listed(self, venue: VenueName) -> list[Listed]:
        """Return what is listed at a venue; what is not traded now only if nothing is alike.

        Exchanges keep pairs in their lists that are closed for years.
        """
        found = [Listed(one, market) for market in Market for one in self._rows(venue, market)]
        spelled = {one.symbol.replace("/", "") for one in found}
        held = [(market, self._held.get((venue, market))) for market in Market]
        halted = [(market, one) for market, kept in held if kept for one in sorted(kept.halted)]
        found += [Listed(one, to) for to, one in halted if one.replace("/", "") not in spelled]
        return found

    def _rows(self, venue: VenueName, market: Market) -> dict[Symbol, parse.Json]:
        """Return symbol → ccxt's market, without dated futures and what is not traded now."""
        now, key = time.monotonic(), (venue, market)
        held = self._held.get(key)
        if held is not None:
            if now - held.looked_at < LOOK_SECONDS:
                return held.rows
            held.looked_at = now  # one thread looks, the others go on with what there is
            newest = self._memory.markets_version(venue, market)
            if newest is not None and newest.version == held.version:
                return held.rows
        kept = self._memory.markets(venue, market)
        if kept is None:
            self._held.pop(key, None)
            return {}
        rows = {
            Symbol(str(row["symbol"]).partition(":")[0]): row
            for row in json.loads(kept.text)
            if parse.market_of(row) is market
        }
        halted = frozenset(one for one, row in rows.items() if row.get("active") is False)
        traded = {one: row for one, row in rows.items() if one not in halted}
        self._held[key] = _Held(kept.version, traded, halted, now)
        return traded
