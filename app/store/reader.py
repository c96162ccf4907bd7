"""Reads aggregates for people: lists, timelines, events."""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

import redis

from app.domain.aggregate import Aggregate
from app.domain.decision import Entry
from app.domain.identifiers import AggregateId, EpochMs
from app.store import keys
from app.store.records import aggregate_from, entry_from
from app.store.scripts import text_of, translated

#: Aggregates fetched from one shard in one go.
PAGE = 50

#: How long the event streams are waited on before the wait begins anew.
WAIT_MS = 1_000

_Place = tuple[EpochMs, AggregateId]


class RedisReader:
    """Merges the shards into one list, newest first."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def newest(self, before: _Place | None) -> Iterator[Aggregate]:
        """Yield aggregates from the newest, by creation time, then id; lazily, in pages."""
        shards = [self._places(shard, before) for shard in range(keys.SHARDS)]
        page: list[AggregateId] = []
        for _, aggregate_id in heapq.merge(*shards, reverse=True):
            page.append(aggregate_id)
            if len(page) == PAGE:
                yield from self._load(page)
                page = []
        yield from self._load(page)

    def timeline(self, aggregate_id: AggregateId) -> Sequence[tuple[Entry, str]]:
        """Return what has happened to an aggregate, oldest first, each with its process."""
        with translated():
            texts = self._client.lrange(keys.timeline(aggregate_id), 0, -1)
        return [entry_from(text_of(text)) for text in texts]

    def children(self, aggregate_id: AggregateId) -> Sequence[AggregateId]:
        """Return what the aggregate has brought forth, oldest first."""
        with translated():
            members = self._client.smembers(keys.children(aggregate_id))
        return sorted(AggregateId(int(text_of(one))) for one in members)

    def events(self) -> Iterator[tuple[AggregateId, str]]:
        """Yield (id, timeline entry as JSON text) as they happen; (0, '') while nothing does."""
        seen: dict[Any, Any] = {}
        for shard in range(keys.SHARDS):
            seen[keys.events(shard)] = self._last_event(keys.events(shard))
        while True:
            with translated():
                answer: Any = self._client.xread(seen, count=100, block=WAIT_MS)
            if not answer:
                yield AggregateId(0), ""
            for stream, messages in _streams(answer):
                for message_id, fields in messages:
                    seen[stream] = message_id
                    yield AggregateId(int(fields["id"])), fields["entry"]

    def _last_event(self, stream: str) -> str:
        with translated():
            newest: Any = self._client.xrevrange(stream, count=1)
        return str(newest[0][0]) if newest else "0-0"

    def _places(self, shard: int, before: _Place | None) -> Iterator[_Place]:
        newest = "+inf" if before is None else str(before[0])
        offset = 0
        while True:
            with translated():
                found: Any = self._client.zrevrangebyscore(
                    keys.everything(shard), newest, "-inf", offset, PAGE, withscores=True
                )
            # Members of one score come in order of their text; ids have equally many digits.
            for member, score in found:
                place = (EpochMs(int(score)), AggregateId(int(text_of(member))))
                if before is None or place < before:
                    yield place
            if len(found) < PAGE:
                return
            offset += PAGE

    def _load(self, ids: Sequence[AggregateId]) -> Iterator[Aggregate]:
        if not ids:
            return
        with translated():
            pipeline = self._client.pipeline(transaction=False)
            for aggregate_id in ids:
                pipeline.hget(keys.aggregate(aggregate_id), "body")
            bodies = pipeline.execute()
        yield from (aggregate_from(body) for body in bodies if body is not None)


def _streams(answer: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - the client's own shape
    """Return (stream, messages) pairs; the client answers a list or a mapping by protocol."""
    return list(answer.items()) if isinstance(answer, dict) else list(answer)
