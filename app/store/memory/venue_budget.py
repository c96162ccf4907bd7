"""One rate budget per venue and address, over all workers: a token bucket by the server's clock."""

from collections.abc import Callable
from enum import IntEnum

import redis

from app.store.core.scripts import load_script
from app.store.core.transaction import OK
from app.store.memory import venue_keys

#: Seconds of the venue's limit that may be used at once.
BURST_SECONDS = 20


class Urgency(IntEnum):
    """Whose request may use up how much of a budget; the lower the number, the more."""

    CANCEL = 0
    LOOK_UP = 1
    ORDER = 2
    POLL = 3


#: The share of the budget that must be left by each: cancels and look-ups can always use the rest.
_RESERVED = {Urgency.CANCEL: 0.0, Urgency.LOOK_UP: 0.0, Urgency.ORDER: 0.2, Urgency.POLL: 0.5}

#: A row of failures that nobody has added to for this long says nothing any more.
_FAILURES_LIFE_MS = 600_000

#: Longer than any ban that a venue has told of.
_FROZEN_LIFE_MS = 7 * 86_400_000


class RedisRateBudget:
    """Budgets by name of their pool.

    Args:
        client: of the store.
        alive: called at each request to a venue and at each answer: whoever asks is not stuck.
    """

    def __init__(self, client: redis.Redis, alive: Callable[[], None] = lambda: None) -> None:
        self._client = client
        self._alive = alive
        self._take = load_script(client, "budget_take.lua")
        self._freeze = load_script(client, "budget_freeze.lua")
        self._failed = load_script(client, "failed.lua")

    def take(self, pool: str, cost: float, per_second: float, urgency: Urgency) -> int:
        """Take `cost` out of the budget.

        Returns:
            0 when it was taken, else the milliseconds after which it may be there; nothing was
            taken then.
        """
        self._alive()
        most = per_second * BURST_SECONDS
        least = most * _RESERVED[urgency]
        numbers = [str(one) for one in (cost, per_second, most, least)]
        answer = self._take([venue_keys.budget(pool)], numbers)
        return 0 if answer[0] == OK else max(int(answer[1]), 1)

    def freeze(self, pool: str, for_ms: int) -> None:
        """Let nobody take anything for a while. A longer freeze that is on stays on."""
        self._freeze([venue_keys.budget(pool)], [for_ms, _FROZEN_LIFE_MS])

    def failed(self, pool: str, most: int) -> int:
        """Count one more request in a row without an answer, up to `most`; return them."""
        self._alive()
        return int(self._failed([venue_keys.failures(pool)], [most, _FAILURES_LIFE_MS])[0])

    def answered(self, pool: str) -> None:
        """Note an answer: the row of failures has ended."""
        self._alive()
        self._client.delete(venue_keys.failures(pool))

    def failures(self, pool: str) -> int:
        """Return how many requests in a row had no answer."""
        return int(self._client.get(venue_keys.failures(pool)) or 0)
