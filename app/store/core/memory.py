"""How full the memory of the store is."""

from typing import Any

import redis

from app.ports.room import StoreMemory
from app.store.core.sharded import servers_of


class RedisMemory:
    """Asks each server.

    Args:
        client: of the store.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self) -> StoreMemory:
        """Return how full the fullest one is now."""
        found = [_memory_of(server) for server in servers_of(self._client)]
        return max(found, key=lambda one: (one.percent, one.used_bytes))


def _memory_of(server: redis.Redis) -> StoreMemory:
    info: Any = server.info("memory")
    return StoreMemory(int(info["used_memory"]), int(info.get("maxmemory", 0)))
