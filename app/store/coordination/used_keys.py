"""Signatures and idempotency keys that were used, each for one body."""

import redis

from app.domain.identifiers import EpochMs
from app.store.core import keys
from app.store.core.scripts import load_script, text_of
from app.store.core.transaction import OK

#: A used signature is kept this much longer than its time, which the value itself says.
TIDY_MS = 3_600_000


class RedisUsedKeys:
    """Binds a signature to the first body that came with it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._use = load_script(client, "sign.lua")

    def use(self, signature: str, body: str, now_ms: EpochMs, until_ms: EpochMs) -> bool:
        """Return whether the signature is this body's: unused until now, or used for it before.

        Two at once with different bodies: one gets it. Whoever got it and stopped halfway may come
        again with the same body.

        Args:
            signature: a hash of whatever tells it from others, its owner for instance.
            body: hash of the body, hexadecimal.
            now_ms: business time.
            until_ms: business time from which on nobody could use the signature anyway.
        """
        kept_ms = max(until_ms - now_ms, 0) + TIDY_MS
        answer = self._use([keys.SIGNATURE + signature], [body, now_ms, until_ms, kept_ms])
        return bool(answer[0] == OK)

    def content(self, signature: str, now_ms: EpochMs) -> str | None:
        """Return the hash of the body that it was used for, or None if it is unused.

        Args:
            signature: as in `use`.
            now_ms: business time.
        """
        found = self._client.get(keys.SIGNATURE + signature)
        if found is None:
            return None
        body, _, until_ms = text_of(found).partition(":")
        return body if int(until_ms) > now_ms else None
