"""What exchanges list, over time: whether a list is whole, and since when a symbol is not in it."""

from collections.abc import Collection

import redis

from app.domain.identifiers import EpochMs, Symbol, VenueName
from app.domain.moments import age_ms
from app.store.core.scripts import text_of
from app.store.memory import venue_keys

#: Looks at an absent symbol, or short lists, that are farther apart are not of one row.
ROW_MS = 3_600_000

#: A venue's hosts and a market.
Whose = tuple[VenueName, str]

#: Fields of the hash, beside those of symbols.
_COUNT, _SHORT_SINCE, _ABSENT = "count", "short_since", "absent:"


class RedisListings:
    """Notes of all workers about the list of each market.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def count(self, venue: VenueName, scope: str) -> int:
        """Return how many symbols the last list had that was taken for whole; 0 if none was."""
        return int(self._client.hget(venue_keys.listed(venue, scope), _COUNT) or 0)

    def is_short(self, venue: VenueName, scope: str) -> bool:
        """Tell whether the last list was much shorter than those before."""
        return bool(self._client.hexists(venue_keys.listed(venue, scope), _SHORT_SINCE))

    def note_whole(self, venue: VenueName, scope: str, count: int) -> None:
        """Note how many symbols a list had that is taken for whole."""
        key = venue_keys.listed(venue, scope)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, _COUNT, count)
            pipeline.hdel(key, _SHORT_SINCE)
            pipeline.execute()

    def note_short(self, venue: VenueName, scope: str, at_ms: EpochMs) -> EpochMs:
        """Note that a list was much shorter, and return since when all of a row were.

        After a while in which no list was told a new row begins: there may have been whole ones.
        """
        key = venue_keys.listed(venue, scope)
        kept = text_of(self._client.hget(key, _SHORT_SINCE) or "")
        since, _, last = kept.partition(":")
        is_row = bool(last) and age_ms(int(last), at_ms) <= ROW_MS
        first = EpochMs(int(since)) if is_row else at_ms
        self._client.hset(key, _SHORT_SINCE, f"{first}:{at_ms}")
        return first

    def note_absent(
        self, whose: Whose, symbol: Symbol, told: tuple[EpochMs, str], now_ms: EpochMs
    ) -> tuple[EpochMs, str]:
        """Note that a list lacks a symbol; return when the first in a row was told, and which.

        Whoever looks after a while in which nobody has begins a new row: it may have been listed
        in between.

        Args:
            whose: venue and market.
            symbol: what it lacks.
            told: when the list was told, server time, and its version.
            now_ms: server time.
        """
        key, field = venue_keys.listed(*whose), f"{_ABSENT}{symbol}"
        since, version, last = text_of(self._client.hget(key, field) or "0::0").split(":")
        first = (EpochMs(int(since)), version)
        if not version or age_ms(int(last), now_ms) > ROW_MS:
            first = told
        self._client.hset(key, field, f"{first[0]}:{first[1]}:{now_ms}")
        return first

    def note_present(self, venue: VenueName, scope: str, symbol: Symbol) -> None:
        """Forget that a symbol was absent: it is listed."""
        self._client.hdel(venue_keys.listed(venue, scope), f"{_ABSENT}{symbol}")

    def note_list(self, venue: VenueName, scope: str, symbols: Collection[str]) -> None:
        """Forget of all symbols in a list that they were absent, whoever looks at them."""
        key = venue_keys.listed(venue, scope)
        fields = [text_of(one) for one in self._client.hkeys(key)]
        absent = [one for one in fields if one.startswith(_ABSENT)]
        back = [one for one in absent if one.removeprefix(_ABSENT) in symbols]
        if back:
            self._client.hdel(key, *back)
