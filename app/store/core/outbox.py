"""Effects that are owed, and whose message counts as lost."""

from collections.abc import Iterable, Iterator, Sequence

import redis
import structlog

from app.domain.effects import AT_ONCE, Effect
from app.ports.clock import Clock
from app.ports.policy import Policy
from app.store.core import keys
from app.store.core.indexes import effect_from
from app.store.core.scripts import Answer, Call, load_script, run_queued
from app.store.core.sharded import by_server, each_server

_log = structlog.get_logger()


class RedisOutbox:
    """The outboxes of all shards.

    Args:
        client: decodes answers to text.
        clock: tells for how long the server's clock was not set.
        policy: tells when a message is sent once more, and how far ahead work is due at most.
    """

    def __init__(self, client: redis.Redis, clock: Clock, policy: Policy) -> None:
        self._client = client
        self._clock = clock
        self._policy = policy
        self._overdue = load_script(client, "overdue.lua")

    def overdue(self, limit: int) -> Sequence[Effect]:
        """Return effects whose message is due again, and put off their next one."""
        effects: list[Effect] = []
        again_ms, within_ms = self._policy.republish_after_ms, self._policy.pause_max_ms
        if self._clock.lasted_ms(AT_ONCE) < within_ms:
            within_ms = again_ms  # the clock was set, and when any of it is due is not known

        # One round trip for all: this is asked each second, and there is next to never anything.
        def ask(_: redis.Redis, outboxes: Sequence[str]) -> Sequence[Answer]:
            calls: list[Call] = [
                (self._overdue, [outbox], [again_ms, limit, within_ms]) for outbox in outboxes
            ]
            return run_queued(self._client, calls)

        own = by_server(self._client, [shard.outbox for shard in keys.SHARDS])
        for answers in each_server(own, ask):
            for members in answers:
                effects += _known(members)
        return effects

    def owed(self) -> Sequence[Effect]:
        """Return everything that is owed, due or not."""
        effects: list[Effect] = []
        pipeline = self._client.pipeline(transaction=False)
        for shard in keys.SHARDS:
            pipeline.zrange(shard.outbox, 0, -1)
        for members in pipeline.execute():
            effects += _known(members)
        return effects


def _known(members: Iterable[str]) -> Iterator[Effect]:
    """Yield the effects that this release knows; what a newer one owes is left to that."""
    for one in members:
        try:
            yield effect_from(one)
        except ValueError:
            _log.warning("effect_unknown", effect=one[:100])
