"""When what is done again and again was done last."""

from collections.abc import Collection, Mapping
from typing import Any

import redis

from app.domain.identifiers import EpochMs
from app.store.core import keys
from app.store.core.scripts import text_of

#: A process notes the same no more often than this.
APART_MS = 1_000


class RedisRounds:
    """Notes rounds, and tells when each was made last.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._noted: dict[str, EpochMs] = {}

    def done(self, name: str, at_ms: EpochMs) -> None:
        """Note that it was, at this server time."""
        noted_ms = self._noted.get(name)
        if noted_ms is None or not 0 <= at_ms - noted_ms < APART_MS:
            self._client.hset(keys.ROUNDS, name, at_ms)
            self._noted[name] = at_ms

    def await_each(self, kind: str, whose: Collection[str], at_ms: EpochMs) -> None:
        """Wait for a round of a kind for each of these, from now on, and for no other one's.

        One that ends just as it is not waited for any more is noted until the next call.
        """
        wanted = {f"{kind}:{one}" for one in whose}
        known = {name for name in self.last_ms() if name.startswith(f"{kind}:")}
        for name in known - wanted:
            self._client.hdel(keys.ROUNDS, name)
        for name in wanted - known:
            self._client.hsetnx(keys.ROUNDS, name, at_ms)

    def last_ms(self) -> Mapping[str, EpochMs]:
        """Return when each was done last."""
        found: Any = self._client.hgetall(keys.ROUNDS)
        return {text_of(name): EpochMs(int(text_of(at_ms))) for name, at_ms in found.items()}
