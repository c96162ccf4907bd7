"""Effects that are owed, and whose message counts as lost."""

from collections.abc import Sequence

import redis

from app.domain.effects import Effect
from app.store import keys
from app.store.indexes import effect_from
from app.store.scripts import load_script, translated


class RedisOutbox:
    """The outboxes of all shards.

    Args:
        client: decodes answers to text.
        republish_after_ms: how long to wait before a message is sent once more.
    """

    def __init__(self, client: redis.Redis, republish_after_ms: int) -> None:
        self._client = client
        self._republish_after_ms = republish_after_ms
        self._overdue = load_script(client, "overdue.lua")

    def overdue(self, limit: int) -> Sequence[Effect]:
        """Return effects whose message is due again, and put off their next one."""
        effects: list[Effect] = []
        for shard in range(keys.SHARDS):
            members = self._overdue([keys.outbox(shard)], [self._republish_after_ms, limit])
            effects += [effect_from(one) for one in members]
        return effects

    def owed(self) -> Sequence[Effect]:
        """Return everything that is owed, due or not."""
        effects: list[Effect] = []
        with translated():
            pipeline = self._client.pipeline(transaction=False)
            for shard in range(keys.SHARDS):
                pipeline.zrange(keys.outbox(shard), 0, -1)
            for members in pipeline.execute():
                effects += [effect_from(one) for one in members]
        return effects
