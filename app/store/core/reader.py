"""Reads what is in the store for people: lists, timelines, events."""

import heapq
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from typing import Any

import redis

from app.domain.aggregate import Aggregate
from app.domain.decision import TimelineEntry
from app.domain.enums import Kind
from app.domain.errors import UnreadableRecord
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.search import Place, Search
from app.ports.history import TimelineEvent
from app.store.core import keys
from app.store.core.connection import StoreClient
from app.store.core.quarantine import RedisQuarantine
from app.store.core.records import entries_from, entry_from
from app.store.core.scripts import text_of
from app.store.core.sharded import by_server

#: Aggregates fetched from one shard in one go.
PAGE = 50

#: How long the event streams are waited on before the wait begins anew.
WAIT_MS = 1_000

#: How long on those of one server where there are several: they take turns.
TURN_MS = 100

#: Longer than that, and the server is silent rather than without news.
SLACK_SECONDS = 2.0

#: The greatest sequence number within one millisecond of a stream.
_LAST_OF_MS = 2**64 - 1


class RedisReader:
    """Merges the shards into one list, newest first.

    In its lists is what the history does not have as it is; by its id, whatever has not left.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._quarantine = RedisQuarantine(client)

    def places(self, before: Place | None, limit: int, search: Search) -> Sequence[Place]:
        """Return the places of the newest, among them all that a search may find."""
        shards = [self._places(shard, before) for shard in _shards_of(search)]
        return list(islice(heapq.merge(*shards, reverse=True), limit))

    def load(
        self, ids: Collection[AggregateId], kinds: Collection[Kind] | None = None
    ) -> Mapping[AggregateId, Aggregate]:
        """Return these, in the same order; of one kind or another, if any are named.

        Those that are not in the store, or cannot be read, are left out.
        """
        return self._quarantine.load(ids, kinds)

    def find(self, aggregate_id: AggregateId) -> Aggregate | None:
        """Return one, or None if it is not in the store.

        Raises:
            UnreadableRecord: this release cannot read it.
        """
        body = self._client.hget(keys.AggregateKeys(aggregate_id).record, "body")
        return None if body is None else self._quarantine.read(aggregate_id, text_of(body))

    def timeline(self, aggregate_id: AggregateId) -> Sequence[tuple[TimelineEntry, str]]:
        """Return what has happened to an aggregate, oldest first, each with its process.

        What a newer release has told in words of its own is left out.
        """
        texts = self._client.lrange(keys.AggregateKeys(aggregate_id).timeline, 0, -1)
        entries = []
        for text in texts:
            with suppress(UnreadableRecord):
                entries.append(entry_from(text_of(text)))
        return entries

    def children(self, aggregate_id: AggregateId) -> Sequence[AggregateId]:
        """Return what the aggregate has brought forth, oldest first."""
        members = self._client.smembers(keys.AggregateKeys(aggregate_id).children)
        return sorted(AggregateId(int(text_of(one))) for one in members)

    def events(self, after: str | None = None) -> Generator[TimelineEvent | None]:
        """Yield what happens from now on, or after an earlier position; None while nothing does.

        The first None comes at once: from then on nothing is missed. The connection is one of its
        own, which waits longer than a request may, and closes with the generator.

        Args:
            after: a position that was told; entries of its very millisecond may come again.
        """
        with ExitStack() as connected:
            listened: list[tuple[StoreClient, dict[Any, Any]]] = []
            own = by_server(self._client, [shard.events for shard in keys.SHARDS])
            for server, streams in own.items():
                pool = _patient_pool(server)
                connected.callback(pool.disconnect)
                seen: dict[Any, Any] = {one: self._start(one, after) for one in streams}
                listened.append((StoreClient(connection_pool=pool), seen))
            wait_ms = WAIT_MS if len(listened) == 1 else TURN_MS
            yield None
            while True:
                is_silent = True
                for client, seen in listened:
                    answer: Any = client.xread(seen, count=100, block=wait_ms)
                    if answer:
                        is_silent = False
                        yield from _happenings(answer, seen)
                if is_silent:
                    yield None

    def _start(self, stream: str, after: str | None) -> str:
        if after is not None:
            return f"{max(int(after.partition('-')[0]) - 1, 0)}-{_LAST_OF_MS}"
        newest: Any = self._client.xrevrange(stream, count=1)
        return str(newest[0][0]) if newest else "0-0"

    def _places(self, shard: keys.Shard, before: Place | None) -> Iterator[Place]:
        """Yield places below one, page after page, each from the last time that was read.

        Pages are not counted off: what comes in or goes to the history meanwhile would shift them.
        """
        newest, size = "+inf" if before is None else str(before[0]), PAGE
        while True:
            found: Any = self._client.zrevrangebyscore(
                shard.everything, newest, "-inf", 0, size, withscores=True
            )
            # Members of one score come in order of their text; ids have equally many digits.
            places = [(EpochMs(int(score)), AggregateId(int(text_of(one)))) for one, score in found]
            fresh = [place for place in places if before is None or place < before]
            yield from fresh
            if len(found) < size:
                return
            if fresh:
                before, newest, size = fresh[-1], str(fresh[-1][0]), PAGE
            else:
                size *= 2  # more than a page were made in the same millisecond


def _patient_pool(client: redis.Redis) -> redis.ConnectionPool:
    """Return a pool like the client's whose connections outwait an empty stream."""
    pool = client.connection_pool
    settings = {**pool.connection_kwargs, "socket_timeout": WAIT_MS / 1000 + SLACK_SECONDS}
    return redis.ConnectionPool(pool.connection_class, max_connections=1, **settings)


def _shards_of(search: Search) -> Collection[keys.Shard]:
    """Return the shards in which anything of it can be."""
    if search.parent is not None:
        return {keys.shard_of(search.parent)}
    if search.accounts is not None:
        return {keys.shard_of(account) for account in search.accounts}
    return keys.SHARDS


def _happenings(answer: Any, seen: dict[str, str]) -> list[TimelineEvent]:  # noqa: ANN401
    """Return what the streams hold that is new, in order of time, and note it as seen.

    The client answers a list of (stream, messages) or a mapping, by protocol.
    """
    found: list[tuple[str, Any]] = []
    for stream, messages in answer.items() if isinstance(answer, dict) else answer:
        seen[stream] = messages[-1][0]
        found += messages
    found.sort(key=lambda one: tuple(map(int, one[0].split("-"))))
    return [one for position, message in found for one in _told(position, message)]


def _told(position: str, message: Any) -> list[TimelineEvent]:  # noqa: ANN401
    """Return what one commit told. Only the last of it has a position to go on from."""
    owner = AggregateId(int(message["id"]))
    try:
        entries = entries_from(message["entries"])
    except UnreadableRecord:
        return []  # told in the words of a newer release
    last = len(entries) - 1
    return [
        TimelineEvent(position if number == last else None, owner, entry, process)
        for number, (entry, process) in enumerate(entries)
    ]
