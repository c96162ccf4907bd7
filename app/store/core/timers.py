"""Timers: the due times of all shards, on the business clock, and who is woken for them."""

from collections.abc import Sequence
from typing import Any

import redis

from app.domain.identifiers import AggregateId, EpochMs
from app.store.core import keys
from app.store.core.sharded import by_server, each_server

#: Due times looked at ahead, in one shard; the rest is seen by the next sweep.
LOOKED_AT = 2_000


class RedisTimers:
    """Reads what the commits have listed."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def due(self, now_ms: EpochMs, limit: int) -> Sequence[AggregateId]:
        """Return what is due at this business time, earliest first."""
        return [one for _, one in self._until(now_ms, limit)]

    def claim_slot(self, slot: int, life_ms: int) -> bool:
        """Return whether nobody has claimed this slot of a countdown message within its life."""
        return bool(self._client.set(f"{keys.SLOT}{slot}", 1, nx=True, px=life_ms))

    def soon(self, now_ms: EpochMs, within_ms: int) -> Sequence[EpochMs]:
        """Return the due times up to `within_ms` ahead, and those that have passed."""
        times = (due for due, _ in self._until(now_ms + within_ms, LOOKED_AT))
        return list(dict.fromkeys(times))

    def _until(self, until_ms: int, limit: int) -> list[tuple[EpochMs, AggregateId]]:
        """Return what is due by then, earliest first, up to a limit in each shard."""

        def ask(server: redis.Redis, timers: Sequence[str]) -> Sequence[Any]:
            with server.pipeline(transaction=False) as pipeline:
                for key in timers:
                    pipeline.zrangebyscore(key, "-inf", until_ms, 0, limit, withscores=True)
                return pipeline.execute()

        own = by_server(self._client, [shard.timers for shard in keys.SHARDS])
        shards = (members for told in each_server(own, ask) for members in told)
        found = (one for members in shards for one in members)
        return sorted((EpochMs(int(due)), AggregateId(int(one))) for one, due in found)
