"""Short leases with fencing tokens, decided by the server's clock."""

import threading
import time
from contextlib import suppress
from typing import NamedTuple

import redis

from app.domain.errors import StoreUnavailable
from app.store.core import keys
from app.store.core.scripts import load_script
from app.store.core.transaction import OK

#: Between two renewals of what is held: well within the shortest lease that is renewed.
RENEWAL_SECONDS = 0.5


class _Renewed(NamedTuple):
    """A lease that is renewed: each time for so long, until a moment of this process's clock."""

    lease_ms: int
    until_seconds: float


class RedisLocks:
    """Leases by name. A process that dies or sleeps loses its lease; that is harmless."""

    def __init__(self, client: redis.Redis) -> None:
        self._acquire = load_script(client, "acquire.lua")
        self._release = load_script(client, "release.lua")
        self._renew = load_script(client, "renew.lua")
        self._renewing = threading.Lock()
        self._renewed: dict[tuple[str, int], _Renewed] = {}
        self._thread: threading.Thread | None = None

    def acquire(self, name: str, lease_ms: int, renewed_ms: int = 0) -> int | None:
        """Return a fencing token, or None while somebody else holds the lock."""
        answer = self._acquire([keys.LOCK + name], [lease_ms])
        if answer[0] != OK:
            return None
        token = int(answer[1])
        if renewed_ms > lease_ms:
            self._begin_to_renew(name, token, lease_ms, renewed_ms)
        return token

    def release(self, name: str, token: int) -> bool:
        """Give the lock back, if it is still ours; return whether somebody wanted it meanwhile."""
        self._forget(name, token)
        answer = self._release([keys.LOCK + name], [token])
        return answer[0] == OK and bool(int(answer[1]))

    def _forget(self, name: str, token: int) -> None:
        with self._renewing:
            self._renewed.pop((name, token), None)

    def _begin_to_renew(self, name: str, token: int, lease_ms: int, renewed_ms: int) -> None:
        until_seconds = time.monotonic() + renewed_ms / 1000
        with self._renewing:
            self._renewed[name, token] = _Renewed(lease_ms, until_seconds)
            if self._thread is None:
                thread = threading.Thread(target=self._keep, name="leases", daemon=True)
                with suppress(RuntimeError):  # the system has none to give: it runs out sooner
                    thread.start()
                    self._thread = thread

    def _keep(self) -> None:
        """Renew what is held for long, and end when there is nothing."""
        try:
            while self._renew_all():
                pass
        finally:  # whatever ended it, the next lease begins another one
            with self._renewing:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _renew_all(self) -> bool:
        """Renew all after a while; return whether there was anything."""
        time.sleep(RENEWAL_SECONDS)
        with self._renewing:
            now_seconds = time.monotonic()
            for key, one in list(self._renewed.items()):
                if one.until_seconds <= now_seconds:
                    del self._renewed[key]
            held = list(self._renewed.items())
            if not held:
                self._thread = None
        for (name, token), one in held:
            with suppress(StoreUnavailable):
                answer = self._renew([keys.LOCK + name], [token, one.lease_ms])
                if answer[0] != OK:  # given back just now, or lost while this process slept
                    self._forget(name, token)
        return bool(held)
