"""Secrets of the demo's callers, which are shown at each start, and so are kept, sealed."""

from collections.abc import Mapping
from typing import Any

import redis

from app.store.core import keys
from app.store.core.scripts import load_script, text_of
from app.store.core.transaction import OK


class RedisDemoSecrets:
    """What was kept under a name first stays, whatever the secret key is later."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._swap = load_script(client, "swap_field.lua")

    def keep(self, name: str, sealed: str) -> str:
        """Keep a sealed secret unless there is one of this name, and return the one that is kept.

        Of two who do it at once both get the same.
        """
        self._client.hsetnx(keys.DEMO_SECRETS, name, sealed)
        return text_of(self._client.hget(keys.DEMO_SECRETS, name))

    def all(self) -> Mapping[str, str]:
        """Return name → sealed secret."""
        found: Any = self._client.hgetall(keys.DEMO_SECRETS)
        return dict(found)

    def swap(self, name: str, before: str, after: str) -> bool:
        """Put a sealed secret in the place of another one, unless somebody was faster."""
        return bool(self._swap([keys.DEMO_SECRETS], [name, before, after])[0] == OK)
