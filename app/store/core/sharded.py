"""One client for a store whose shards are on several servers.

The map from shard to client is all that knows where a shard is. A command goes to the server of its
key, whatever has no shard in its name to the first one. Who asks all shards asks server by server,
and nothing else in the store knows that there may be several. What is done all or nothing names
keys of one tag only, see keys.py.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import redis
import structlog
from redis.client import Pipeline

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient

#: Commands that name no key, and are about a server: the first one is asked.
_OF_A_SERVER: Final = frozenset({"CONFIG GET", "CONFIG SET", "INFO", "PING", "TIME"})

#: Commands all of whose words are keys.
_OF_MANY_KEYS: Final = frozenset({"DEL", "EXISTS", "MGET", "UNLINK"})

Own = TypeVar("Own")
Told = TypeVar("Told")

_log = structlog.get_logger()

_TAG: Final = re.compile(r"\{[^}]+\}")


class ShardedClient(redis.Redis):
    """Sends each command to the server that has its key.

    Args:
        shards: client by the tag of a shard, all sixteen. Those of one server share a client.
        first: of what belongs to no shard; it has a shard as well.
    """

    def __init__(self, shards: Mapping[str, StoreClient], first: StoreClient) -> None:
        super().__init__(connection_pool=first.connection_pool)
        self._shards, self._first = dict(shards), first

    @property
    def servers(self) -> Sequence[StoreClient]:
        """A client of each server, the first one first."""
        return list(dict.fromkeys([self._first, *self._shards.values()]))

    def of(self, key: str) -> StoreClient:
        """Return the client of the server that has a key."""
        return self._shards.get(tag_of(key), self._first)

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Carry out one command, where its keys are."""
        named = keys_of(args)
        self._refuse_two_tags(named)
        client = self.of(named[0]) if named else self._first
        execute: Any = client.execute_command
        return execute(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:  # noqa: ANN401, FBT001, FBT002 - as redis-py has it
        """Return a pipeline that goes to each server that has keys of it; a transaction to one."""
        pipeline = _ShardedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        pipeline.sharded = self
        return pipeline

    def close(self) -> None:
        """Close all connections."""
        for one in self.servers:
            one.close()

    def places(self, commands: Sequence[Sequence[Any]]) -> Mapping[StoreClient, Sequence[int]]:
        """Return which of the commands each server is to carry out."""
        found: dict[StoreClient, list[int]] = {}
        for place, args in enumerate(commands):
            named = keys_of(args)
            self._refuse_two_tags(named)
            found.setdefault(self.of(named[0]) if named else self._first, []).append(place)
        return found

    @staticmethod
    def _refuse_two_tags(named: Sequence[str]) -> None:
        if len(set(map(tag_of, named))) > 1:
            raise ValueError(f"keys of several tags in one command: {', '.join(named[:4])}")


class _ShardedPipeline(Pipeline):
    """Commands in one round trip to each server that has keys of theirs."""

    sharded: ShardedClient

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - as redis-py has it
        """Carry them out; without a transaction, server after server."""
        commands: list[Any] = list(self.command_stack)
        words = [args for args, _ in commands]
        at_once: Any = self.transaction  # a method of the same name hides what it is
        try:
            if at_once and len({tag_of(key) for one in words for key in keys_of(one)}) > 1:
                raise ValueError("keys of several tags in one transaction")
            answers: list[Any] = [None] * len(commands)
            for client, places in self.sharded.places(words).items():
                with client.pipeline(transaction=at_once) as part:
                    for place in places:
                        args, options = commands[place]
                        queue: Any = part.execute_command
                        queue(*args, **options)
                    found = part.execute(raise_on_error=False)
                for place, answer in zip(places, found, strict=True):
                    answers[place] = answer
        finally:
            reset: Any = self.reset
            reset()
        if raise_on_error:
            check: Any = self.raise_first_error
            check(commands, answers)
        return answers


def tag_of(key: str) -> str:
    """Return the tag in the name of a key, `{s00}` for instance; "" if it has none."""
    found = _TAG.search(key)
    return found.group() if found else ""


def keys_of(args: Sequence[Any]) -> Sequence[str]:
    """Return the keys that a command names."""
    name = str(args[0]).upper()
    match name:
        case "EVAL" | "EVALSHA":
            return args[3 : 3 + int(args[2])]
        case "XREAD":
            streams = args[1 + list(args).index(b"STREAMS") :]
            return streams[: len(streams) // 2]
        case _ if name in _OF_A_SERVER:
            return ()
        case _ if name in _OF_MANY_KEYS:
            return args[1:]
        case _:
            return args[1:2]


def servers_of(client: redis.Redis) -> Sequence[redis.Redis]:
    """Return a client of each server that a client speaks to, the first one first."""
    return client.servers if isinstance(client, ShardedClient) else [client]


def server_of(client: redis.Redis, key: str) -> redis.Redis:
    """Return the client of the server that has a key."""
    return client.of(key) if isinstance(client, ShardedClient) else client


def by_server(client: redis.Redis, named: Iterable[str]) -> Mapping[redis.Redis, Sequence[str]]:
    """Return these keys by the client of the server that has them."""
    found: dict[redis.Redis, list[str]] = {}
    for key in named:
        found.setdefault(server_of(client, key), []).append(key)
    return found


def each_server(
    asked: Mapping[redis.Redis, Own],
    ask: Callable[[redis.Redis, Own], Told],
    *,
    all_count: bool = False,
) -> Sequence[Told]:
    """Ask each of some servers, whichever others are away, and return what they have told.

    Args:
        asked: client of each → what it is asked about, its keys for instance.
        ask: is given both.
        all_count: what some have told is of no use.

    Raises:
        StoreUnavailable: all are away; or one, where all count.
    """
    told: list[Told] = []
    away: list[StoreUnavailable] = []
    for server, own in asked.items():
        try:
            told.append(ask(server, own))
        except StoreUnavailable as error:
            away.append(error)
    if away and (all_count or not told):
        raise away[0]
    if away:
        _log.warning("servers_away", count=len(away), error=str(away[0]))
    return told
