"""Which time slots have their countdown message on its way."""

import redis

from app.store.core import keys
from app.store.core.scripts import translated


class RedisSlots:
    """Which countdown messages are on their way."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def claim(self, slot: int, life_ms: int) -> bool:
        """Return whether nobody has claimed this slot within its life."""
        with translated():
            return bool(self._client.set(f"{keys.SLOT}{slot}", 1, nx=True, px=life_ms))
