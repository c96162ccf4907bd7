"""The first answers of requests that may come again."""

import redis

from app.ports.coordination import Given
from app.store.core import keys
from app.store.core.scripts import text_of

#: While a request is carried out; no answer is empty.
_UNDER_WAY = ""


class RedisFirstAnswers:
    """Keeps an answer under the name of its request."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def begin(self, name: str, lease_ms: int) -> Given | bool:
        """Return the first answer; else whether the request is ours to carry out."""
        key = keys.FIRST_ANSWER + name
        if self._client.set(key, _UNDER_WAY, nx=True, px=lease_ms):
            return True
        found = self._client.get(key)
        return False if found is None or found == _UNDER_WAY else Given(text_of(found))

    def keep(self, name: str, text: str, life_ms: int) -> None:
        """Keep the answer for a time, by server time."""
        self._client.set(keys.FIRST_ANSWER + name, text, px=life_ms)

    def give_up(self, name: str) -> None:
        """Let the next one carry it out: it came to nothing."""
        self._client.delete(keys.FIRST_ANSWER + name)
