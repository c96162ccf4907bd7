"""When a canary last came through the queue."""

import redis

from app.domain.identifiers import EpochMs
from app.store.core import keys
from app.store.core.scripts import text_of, translated


class RedisHeartbeat:
    """Remembers when a canary last came through the queue."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def beat(self, at_ms: EpochMs) -> None:
        """Note that a canary came through the queue at this server time."""
        with translated():
            self._client.set(keys.CANARY, at_ms)

    def last_ms(self) -> EpochMs | None:
        """Return when one last came through, or None if none ever did."""
        with translated():
            found = self._client.get(keys.CANARY)
        return None if found is None else EpochMs(int(text_of(found)))
