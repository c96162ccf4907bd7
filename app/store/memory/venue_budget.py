"""One rate budget per venue and address, over all workers: a token bucket by the server's clock."""

from collections.abc import Callable
from enum import IntEnum

import redis

from app.domain.errors import VenueBusy
from app.store.core.scripts import load_script
from app.store.core.transaction import OK
from app.store.memory import venue_keys

#: Seconds of the venue's limit that may be used at once.
BURST_SECONDS = 20


class Urgency(IntEnum):
    """Whose request may use up how much of a budget; the lower the number, the more.

    A question is what must be known before an order or after it: no order that is ready to be sent
    waits for the questions of others. A look at guarded positions may never keep prices from being
    polled, for which the guards wait.
    """

    CANCEL = 0
    LOOK_UP = 1
    ORDER = 2
    QUESTION = 3
    POLL = 4
    GUARDED = 5


#: The share of the budget that must be left by each; cancels can always use the rest.
_RESERVED = {
    Urgency.CANCEL: 0.0,
    Urgency.LOOK_UP: 0.1,
    Urgency.ORDER: 0.2,
    Urgency.QUESTION: 0.4,
    Urgency.POLL: 0.5,
    Urgency.GUARDED: 0.6,
}

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

    def take(
        self, pool: str, cost: float, per_second: float, urgency: Urgency, patience_ms: int
    ) -> int:
        """Take `cost` out of the budget, at once or in advance: who comes later waits longer.

        Args:
            pool: whose budget.
            cost: of the request; 0 was taken already, and asks for nothing but a freeze.
            per_second: what the venue allows.
            urgency: of the request.
            patience_ms: how long it waits for those before it.

        Returns:
            The milliseconds after which the request may leave, unless the budget is frozen by then.

        Raises:
            VenueBusy: it would be longer; nothing was taken.
        """
        self._alive()
        most = per_second * BURST_SECONDS
        least = most * _RESERVED[urgency]
        numbers = [str(one) for one in (cost, per_second, most, least, patience_ms)]
        word, wait_ms = self._take([venue_keys.budget(pool)], numbers)
        if word != OK:
            venue = pool.partition(":")[0]
            raise VenueBusy(f"{venue} wants no request for {int(wait_ms)} ms", int(wait_ms))
        return int(wait_ms)

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
