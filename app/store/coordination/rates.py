"""How many requests of one caller there were, for dialects that limit more than what is queued."""

from collections.abc import Sequence

import redis

from app.domain.errors import RateLimited
from app.ports.coordination import Budget
from app.store.core import keys
from app.store.core.scripts import load_script
from app.store.core.transaction import OK


class RedisRates:
    """Counts requests in the store, so that all web processes count together."""

    def __init__(self, client: redis.Redis) -> None:
        self._spend = load_script(client, "spend.lua")

    def spend(self, caller: str, budgets: Sequence[Budget]) -> None:
        """Count one request of a caller against each budget, or against none.

        Args:
            caller: a name, or a hash of one.
            budgets: at least one.

        Raises:
            RateLimited: one of them is used up.
        """
        names = [keys.budget(caller, one.purpose) for one in budgets]
        figures = [figure for one in budgets for figure in (one.limit, one.window_ms)]
        answer = self._spend(names, figures)
        if answer[0] != OK:
            left_ms = max(int(answer[1]), 0)
            raise RateLimited(f"the next request may come in {left_ms} ms", left_ms)
