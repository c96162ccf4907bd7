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
    """What was read: symbol → ccxt's market; and when it was looked after last."""

    version: str
    rows: dict[Symbol, parse.Json]
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

    def listed(self, venue: VenueName) -> list[Listed]:
        """Return what is traded at a venue."""
        return [Listed(symbol, market) for market in Market for symbol in self._rows(venue, market)]

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
            if parse.market_of(row) is market and row.get("active") is not False
        }
        self._held[key] = _Held(kept.version, rows, now)
        return rows
