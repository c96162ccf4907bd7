"""How full the memory of the store's server is."""

from typing import Any

import redis

from app.ports.room import StoreMemory


class RedisMemory:
    """Asks the server.

    Args:
        client: of the store.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self) -> StoreMemory:
        """Return how full it is now."""
        info: Any = self._client.info("memory")
        return StoreMemory(int(info["used_memory"]), int(info.get("maxmemory", 0)))
