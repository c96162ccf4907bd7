"""Finished aggregates on their way out of the store."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import redis

from app.domain.aggregate import Aggregate, is_finished
from app.domain.enums import Kind
from app.domain.errors import StoreUnavailable
from app.domain.identifiers import AggregateId, EpochMs
from app.ports.clock import Clock
from app.ports.history import Mark, Record
from app.ports.room import StoreMemory
from app.store.core import keys
from app.store.core.indexes import left_by
from app.store.core.memory import RedisMemory
from app.store.core.quarantine import RedisQuarantine
from app.store.core.scripts import load_script, text_of
from app.store.core.transaction import OK

#: For how long at most `finished` leaves out what was postponed.
POSTPONED_MS_MAX = 600_000

#: Aggregates that are looked at in one go.
PAGE = 200


class RedisArchiveQueue:
    """Moves ids from `finished` to `kept`, and takes out what has been there for long enough.

    Args:
        client: decodes answers to text.
        clock: tells server time and business time.
    """

    def __init__(self, client: redis.Redis, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._quarantine = RedisQuarantine(client)
        self._memory = RedisMemory(client)
        self._kept = load_script(client, "kept.lua")
        self._leave = load_script(client, "leave.lua")
        self._bring_back = load_script(client, "bring_back.lua")

    def finished(self, limit: int) -> Sequence[AggregateId]:
        """Return what has finished or changed since the history got it, oldest first."""
        waiting = [shard.finished for shard in keys.SHARDS]
        now_ms = self._clock.server_ms()
        late = self._oldest(waiting, "-inf", now_ms, limit)
        # What is further ahead was put there before the server's clock was set back.
        ahead = self._oldest(waiting, f"({now_ms + POSTPONED_MS_MAX}", "+inf", limit)
        return [*late, *ahead][:limit]

    def load(self, ids: Sequence[AggregateId]) -> Sequence[Record]:
        """Return these as they are now; those that are gone or not finished are left out."""
        # What changes between two of these reads is not as read when `kept` is asked.
        with self._client.pipeline(transaction=False) as pipeline:
            for one in ids:
                own = keys.AggregateKeys(one)
                pipeline.hmget(own.record, "version", "body")
                pipeline.lrange(own.timeline, 0, -1)
                pipeline.smembers(own.children)
            answers = pipeline.execute()
        aggregates = self._quarantine.readable(
            (one, found[1]) for one, found in zip(ids, answers[::3], strict=True)
        )
        found = zip(ids, answers[::3], answers[1::3], answers[2::3], strict=True)
        return [
            _record(aggregates[one], *rest)
            for one, *rest in found
            if one in aggregates and is_finished(aggregates[one])
        ]

    def kept(self, marks: Mapping[AggregateId, Mark]) -> None:
        """Count these as kept by the history, save those that have changed since."""
        for shard, ids in keys.by_shard(marks).items():
            each = map(keys.AggregateKeys, ids)
            owners = [key for own in each for key in (own.record, own.timeline)]
            self._kept(
                [shard.everything, shard.finished, shard.kept, *owners],
                [self._clock.server_ms(), *_told(ids, marks)],
            )

    def postpone(self, ids: Sequence[AggregateId], until_ms: EpochMs) -> None:
        """Let `finished` leave these out until this server time."""
        with self._client.pipeline(transaction=False) as pipeline:
            for one in ids:
                pipeline.zadd(keys.shard_of(one).finished, {str(one): until_ms}, xx=True)
            pipeline.execute()

    def leaving(self, kept_before_ms: EpochMs, limit: int) -> Mapping[AggregateId, Mark]:
        """Return, longest kept first, what the history has had since before this server time."""
        waiting = [shard.kept for shard in keys.SHARDS]
        ids = self._oldest(waiting, "-inf", kept_before_ms, limit)
        with self._client.pipeline(transaction=False) as pipeline:
            for one in ids:
                own = keys.AggregateKeys(one)
                pipeline.hget(own.record, "version")
                pipeline.llen(own.timeline)
            answers = pipeline.execute()
        found = zip(ids, answers[::2], answers[1::2], strict=True)
        return {one: (int(version or 0), entries) for one, version, entries in found}

    def leave(self, marks: Mapping[AggregateId, Mark]) -> int:
        """Forget these, save those that must stay; see `ArchiveQueue`."""
        business_ms, server_ms = self._clock.now_ms(), self._clock.server_ms()
        left = 0
        for shard, ids in keys.by_shard(marks).items():
            found = self._quarantine.load(ids, {Kind.SMART_ORDER})
            owners: list[str] = []
            told: list[str | int] = []
            for one in ids:
                own, lasting = keys.AggregateKeys(one), left_by(found.get(one))
                owners += [own.record, own.timeline, own.children, own.inbox]
                owners.append(own.record if lasting is None else lasting.key)
                told += [one, *marks[one], "" if lasting is None else lasting.member]
            answer = self._leave(
                [shard.everything, shard.kept, *owners], [business_ms, server_ms, *told]
            )
            left += int(answer[1])
        return left

    def keep_again(self, ids: Collection[AggregateId]) -> None:
        """Let `finished` return these once more: the history does not know them as they are."""
        now_ms = self._clock.server_ms()
        found = self._quarantine.load(ids)
        for one in ids:
            shard, member = keys.shard_of(one), str(one)
            with self._client.pipeline(transaction=True) as pipeline:
                if one in found:
                    pipeline.zadd(shard.everything, {member: found[one].created_at_ms})
                pipeline.zadd(shard.finished, {member: now_ms})
                pipeline.zrem(shard.kept, member)
                pipeline.execute()

    def enqueue(self) -> None:
        """Let `finished` return all that has finished, also what an older release let finish."""
        now_ms = self._clock.server_ms()
        for shard in keys.SHARDS:
            for ids in self._unkept(shard):
                ended = {str(one.aggregate.id): now_ms for one in self.load(ids)}
                if ended:
                    self._client.zadd(shard.finished, ended, nx=True)

    def history(self) -> str | None:
        """Return the identity of the history that has what counts as kept, if any has."""
        identity = self._client.get(keys.HISTORY)
        return None if identity is None else text_of(identity)

    def set_history(self, identity: str) -> None:
        """Say which history has what counts as kept."""
        self._client.set(keys.HISTORY, identity)

    def memory(self) -> StoreMemory:
        """Return how full the memory of the server is."""
        return self._memory.read()

    def bring_back(self, record: Record, give_up_at_ms: EpochMs) -> None:
        """Put an aggregate back as it left, unless it is there."""
        one, parent = record.aggregate.id, record.aggregate.parent_id
        own = keys.AggregateKeys(one)
        what: list[str | int] = [
            one,
            parent or "",
            record.version,
            record.body,
            len(record.timeline),
        ]
        answer = self._bring_back(
            [keys.shard_of(one).kept, own.record, own.timeline, own.children],
            [give_up_at_ms, *what, *record.timeline, *record.children],
        )
        if answer[0] != OK:
            raise StoreUnavailable(f"aggregate {one} was to be back before {answer[1]}")

    def _unkept(self, shard: keys.Shard) -> Iterator[Sequence[AggregateId]]:
        """Yield what the history does not have as it is, in pages."""
        cursor = 0
        while True:
            cursor, found = self._client.zscan(shard.everything, cursor, count=PAGE)
            if found:
                yield [AggregateId(int(text_of(member))) for member, _ in found]
            if not cursor:
                return

    def _oldest(
        self, waiting: Sequence[str], least: str, most: EpochMs | str, limit: int
    ) -> Sequence[AggregateId]:
        """Return the members with the least scores of several sorted sets, between two scores."""
        with self._client.pipeline(transaction=False) as pipeline:
            for key in waiting:
                pipeline.zrangebyscore(key, least, most, 0, limit, withscores=True)
            answers = pipeline.execute()
        found = sorted((score, text_of(member)) for members in answers for member, score in members)
        return [AggregateId(int(member)) for _, member in found[:limit]]


def _record(
    aggregate: Aggregate, found: Sequence[str], timeline: Sequence[str], children: Iterable[str]
) -> Record:
    version, body = found
    return Record(
        aggregate=aggregate,
        version=int(version),
        body=body,
        timeline=tuple(timeline),
        children=tuple(sorted(AggregateId(int(one)) for one in children)),
    )


def _told(ids: Sequence[AggregateId], marks: Mapping[AggregateId, Mark]) -> list[int]:
    return [number for one in ids for number in (one, *marks[one])]
