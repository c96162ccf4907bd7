"""A store whose sixteen shards are on several servers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from app.store.core import keys
from app.store.core.connection import StoreClient, connect
from app.store.core.sharded import ShardedClient
from tests.support.clocks import ClockedRedis

#: A test waits longer for a server than it lasts on a busy machine.
SECONDS = 20.0


class SpreadClient(ShardedClient):
    """Has the shards in turn on servers, and looks for the keys of all of them.

    Args:
        servers: a client of each.
    """

    def __init__(self, servers: Sequence[StoreClient]) -> None:
        shards = {
            shard.tag: servers[number % len(servers)] for number, shard in enumerate(keys.SHARDS)
        }
        super().__init__(shards, servers[0])

    def scan_iter(self, match: Any = None, *_: Any, **__: Any) -> Iterator[Any]:  # noqa: ANN401
        """Yield the keys of all servers."""
        for server in self.servers:
            yield from server.scan_iter(match)

    def keys(self, pattern: Any = "*", **_: Any) -> list[Any]:  # noqa: ANN401
        """Return the keys of all servers."""
        return list(self.scan_iter(pattern))

    def flushall(self, *_: Any, **__: Any) -> bool:  # noqa: ANN401
        """Empty all servers."""
        for server in self.servers:
            server.flushall()
        return True


class SpreadClockedRedis(SpreadClient):
    """Three databases in place of three servers, with one time by hand; see `ClockedRedis`."""

    def __init__(self) -> None:
        self._clocked = [ClockedRedis() for _ in range(3)]
        super().__init__(self._clocked)

    @property
    def after_write(self) -> Callable[[], None]:
        """Called when a write is done, wherever."""
        return self._clocked[0].after_write

    @after_write.setter
    def after_write(self, call: Callable[[], None]) -> None:
        for one in self._clocked:
            one.after_write = call

    def begin_run(self, name: str) -> None:
        """Be servers that were started anew."""
        for one in self._clocked:
            one.begin_run(name)

    def show(self, server_ms: int) -> None:
        """Set the time that the scripts are told."""
        for one in self._clocked:
            one.show(server_ms)


@contextmanager
def spread_over(urls: Sequence[str], seconds: float = SECONDS) -> Iterator[ShardedClient]:
    """Yield a client of servers at these addresses, which have the shards in turn."""
    with SpreadClient([connect(url, seconds) for url in urls]) as client:
        yield client
