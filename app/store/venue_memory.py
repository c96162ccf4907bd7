"""What workers tell each other about real exchanges."""

import base64
import zlib
from collections.abc import Mapping

import redis

from app.domain.identifiers import AccountId, Symbol, VenueName
from app.store import venue_keys
from app.store.scripts import text_of, translated
from app.venue_ports import KeptMarkets

#: Longer than the hour after which workers ask anew, so that it is never missing between.
MARKETS_LIFE_MS = 3 * 3_600_000

#: Clocks drift by a few milliseconds in a minute.
OFFSET_LIFE_MS = 60_000


class RedisVenueMemory:
    """Market metadata and clock offsets, by venue.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def markets(self, venue: VenueName, scope: str) -> KeptMarkets | None:
        """Return the market metadata as it was kept, or None if that is too long ago."""
        key = venue_keys.markets(venue, scope)
        with translated(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(key)
            pipeline.pttl(key)
            kept, left_ms = pipeline.execute()
        if kept is None:
            return None
        text = zlib.decompress(base64.b85decode(text_of(kept))).decode()
        return KeptMarkets(text, MARKETS_LIFE_MS - int(left_ms))

    def leverage(self, account: AccountId, symbol: Symbol) -> int | None:
        """Return the leverage that was set last, or None if none was."""
        with translated():
            found = self._client.hget(venue_keys.leverage(account), symbol)
        return None if found is None else int(text_of(found))

    def keep_leverage(self, account: AccountId, symbol: Symbol, leverage: int) -> None:
        """Note a leverage that was set."""
        with translated():
            self._client.hset(venue_keys.leverage(account), symbol, str(leverage))

    def keep_markets(self, venue: VenueName, scope: str, text: str) -> None:
        """Keep market metadata for all workers; a big exchange has megabytes of it."""
        packed = base64.b85encode(zlib.compress(text.encode())).decode()
        with translated():
            self._client.set(venue_keys.markets(venue, scope), packed, px=MARKETS_LIFE_MS)

    def clock_offset_ms(self, venue: VenueName) -> int | None:
        """Return how far the venue's clock is ahead of the server's, if measured lately."""
        with translated():
            kept = self._client.get(venue_keys.clock_offset(venue))
        return None if kept is None else int(text_of(kept))

    def keep_clock_offset(self, venue: VenueName, offset_ms: int) -> None:
        """Keep a measurement."""
        with translated():
            self._client.set(venue_keys.clock_offset(venue), str(offset_ms), px=OFFSET_LIFE_MS)

    def forget_clock_offset(self, venue: VenueName) -> None:
        """Let the next request measure anew."""
        with translated():
            self._client.delete(venue_keys.clock_offset(venue))


class RedisSymbolMap:
    """Spellings that people have set, by venue.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def spellings(self, venue: VenueName) -> Mapping[str, Symbol]:
        """Return spelling, in upper case → symbol."""
        with translated():
            found = self._client.hgetall(venue_keys.spellings(venue))
        return {text_of(one): Symbol(text_of(symbol)) for one, symbol in found.items()}

    def put_spelling(self, venue: VenueName, spelling: str, symbol: Symbol | None) -> None:
        """Set what a spelling means; None takes it away."""
        key = venue_keys.spellings(venue)
        with translated():
            if symbol is None:
                self._client.hdel(key, spelling.upper())
            else:
                self._client.hset(key, spelling.upper(), symbol)
