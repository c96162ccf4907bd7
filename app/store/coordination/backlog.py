"""How much work waits, in the store and in the broker: what a scrape of the metrics shows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain
from typing import Any

import redis

from app.domain.aggregate import Aggregate
from app.domain.effects import EffectKind
from app.domain.errors import UnreadableRecord
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.status import OrderStatus
from app.store.core import keys
from app.store.core.records import aggregate_from
from app.store.core.scripts import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What the store holds that is not done yet.

    Attributes:
        owed: effects in the outboxes.
        overdue_ms: for how long the oldest effect has been waiting to be sent again; 0 if none is.
        waiting_ms: for how long the oldest of what should be at its venue by now has waited for
            its turn, or to be sent; 0 if nothing does.
        unknown: orders of unknown outcome.
        timers: aggregates that wait for a time.
        unarchived: aggregates that have finished or changed since the history got them.
        failing_exits: what has an exit that does not get through, and goes on.
        only_here: what has a stop here alone though its venue was to hold one.
    """

    owed: int
    overdue_ms: int
    waiting_ms: int
    unknown: int
    timers: int
    unarchived: int
    failing_exits: int
    only_here: int


#: What is looked at of each outbox, and how many records of it.
_OWED_MAX, _LOADED_MAX = 500, 20

#: Effects of what waits for its turn, or to be sent.
_TURN = re.compile(rf"(?:{EffectKind.ADVANCE}|{EffectKind.PLACE})!?:(\d+)")


def _due_ms(aggregate: Aggregate) -> Iterator[EpochMs]:
    """Yield since when something should be at its venue, if it should, and nobody has sent it."""
    if isinstance(aggregate, Order):
        waits = aggregate.status is OrderStatus.PENDING_NEW and not aggregate.is_held
    elif isinstance(aggregate, Request):
        waits = aggregate.is_queued
    else:
        return
    if waits:
        yield aggregate.due_at_ms or aggregate.created_at_ms


class RedisBacklog:
    """Counts, in few round trips each.

    Args:
        store: where aggregates are.
        broker: where messages wait; may be the same server.
        prefix: what the names of the queues begin with there.
    """

    def __init__(self, store: redis.Redis, broker: redis.Redis, prefix: str = "") -> None:
        self._store = store
        self._broker = broker
        self._prefix = prefix

    def read(self, server_ms: EpochMs, now_ms: EpochMs) -> Backlog:
        """Return what waits at this server time, which is this business time."""
        counts, oldest_ms = [0] * 6, [server_ms]
        with self._store.pipeline(transaction=False) as pipeline:
            for shard in keys.SHARDS:
                pipeline.zcard(shard.outbox)
                pipeline.scard(shard.unknown)
                pipeline.zcard(shard.timers)
                pipeline.zcard(shard.finished)
                pipeline.scard(shard.failing_exits)
                pipeline.scard(shard.only_here)
                pipeline.zrange(shard.outbox, 0, 0, withscores=True)
            answers: list[Any] = pipeline.execute()
        for start in range(0, len(answers), 7):
            *numbers, first = answers[start : start + 7]
            counts = [count + number for count, number in zip(counts, numbers, strict=True)]
            oldest_ms += [EpochMs(int(score)) for _, score in first]
        owed, unknown, timers, unarchived, failing_exits, only_here = counts
        overdue_ms = server_ms - min(oldest_ms)
        return Backlog(
            owed=owed,
            overdue_ms=overdue_ms,
            waiting_ms=self._waiting_ms(now_ms) if owed else 0,
            unknown=unknown,
            timers=timers,
            unarchived=unarchived,
            failing_exits=failing_exits,
            only_here=only_here,
        )

    def _waiting_ms(self, now_ms: EpochMs) -> int:
        """Return for how long the oldest of what is owed has waited, of as many as are looked at.

        The sweep sends again what waits, so that its effects are never overdue for long.
        """
        with self._store.pipeline(transaction=False) as pipeline:
            for shard in keys.SHARDS:
                pipeline.zrange(shard.outbox, 0, _OWED_MAX - 1)
            owed: list[str] = list(chain.from_iterable(pipeline.execute()))
        found = map(_TURN.fullmatch, map(text_of, owed))
        ids = {int(one[1]) for one in found if one}
        with self._store.pipeline(transaction=False) as pipeline:
            for one in nsmallest(_LOADED_MAX, ids):  # ids rise with time
                pipeline.hget(keys.AggregateKeys(AggregateId(one)).record, "body")
            bodies = pipeline.execute()
        due_ms = [now_ms]
        for body in filter(None, bodies):
            with suppress(UnreadableRecord):  # it is shown as such
                due_ms += _due_ms(aggregate_from(text_of(body)))
        return now_ms - min(due_ms)

    def queue_lengths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Return how many messages wait in each queue: name → number."""
        with self._broker.pipeline(transaction=False) as pipeline:
            for queue in queues:
                pipeline.llen(self._prefix + queue)
            return dict(zip(queues, pipeline.execute(), strict=True))
