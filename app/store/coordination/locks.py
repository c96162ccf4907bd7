"""Short leases with fencing tokens, decided by the server's clock."""

import redis

from app.store.core import keys
from app.store.core.scripts import load_script
from app.store.core.transaction import OK


class RedisLocks:
    """Leases by name. A process that dies or sleeps loses its lease; that is harmless."""

    def __init__(self, client: redis.Redis) -> None:
        self._acquire = load_script(client, "acquire.lua")
        self._release = load_script(client, "release.lua")

    def acquire(self, name: str, lease_ms: int) -> int | None:
        """Return a fencing token, or None while somebody else holds the lock."""
        answer = self._acquire([keys.LOCK + name], [lease_ms])
        return int(answer[1]) if answer[0] == OK else None

    def release(self, name: str, token: int) -> None:
        """Give the lock back, if it is still ours."""
        self._release([keys.LOCK + name], [token])
