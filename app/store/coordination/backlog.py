"""How much work waits, in the store and in the broker: what a scrape of the metrics shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from app.domain.identifiers import EpochMs
from app.store.core import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What the store holds that is not done yet.

    Attributes:
        owed: effects in the outboxes.
        overdue_ms: for how long the oldest effect has been waiting to be sent again; 0 if none is.
        unknown: orders of unknown outcome.
        timers: aggregates that wait for a time.
        unarchived: aggregates that have finished or changed since the history got them.
        failing_exits: what has an exit that does not get through, and goes on.
    """

    owed: int
    overdue_ms: int
    unknown: int
    timers: int
    unarchived: int
    failing_exits: int


class RedisBacklog:
    """Counts, each in one round trip.

    Args:
        store: where aggregates are.
        broker: where messages wait; may be the same server.
    """

    def __init__(self, store: redis.Redis, broker: redis.Redis) -> None:
        self._store = store
        self._broker = broker

    def read(self, now_ms: EpochMs) -> Backlog:
        """Return what waits at this server time."""
        counts, oldest_ms = [0, 0, 0, 0, 0], [now_ms]
        with self._store.pipeline(transaction=False) as pipeline:
            for shard in keys.SHARDS:
                pipeline.zcard(shard.outbox)
                pipeline.scard(shard.unknown)
                pipeline.zcard(shard.timers)
                pipeline.zcard(shard.finished)
                pipeline.scard(shard.failing_exits)
                pipeline.zrange(shard.outbox, 0, 0, withscores=True)
            answers: list[Any] = pipeline.execute()
        for start in range(0, len(answers), 6):
            *numbers, first = answers[start : start + 6]
            counts = [count + number for count, number in zip(counts, numbers, strict=True)]
            oldest_ms += [EpochMs(int(score)) for _, score in first]
        owed, unknown, timers, unarchived, failing_exits = counts
        overdue_ms = now_ms - min(oldest_ms)
        return Backlog(
            owed=owed,
            overdue_ms=overdue_ms,
            unknown=unknown,
            timers=timers,
            unarchived=unarchived,
            failing_exits=failing_exits,
        )

    def queue_lengths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Return how many messages wait in each queue: name → number."""
        with self._broker.pipeline(transaction=False) as pipeline:
            for queue in queues:
                pipeline.llen(queue)
            return dict(zip(queues, pipeline.execute(), strict=True))
