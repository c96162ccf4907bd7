"""The paper venue's ledger, with something that happens just before or after a commit."""

from collections.abc import Callable

import redis

from app.domain.effects import AT_ONCE
from app.domain.identifiers import AccountId, EpochMs
from app.paper.domain.ledger import PaperChange
from app.paper.store.ledger import RedisPaperLedger


class HookedLedger(RedisPaperLedger):
    """Lets something happen around its first commit."""

    def __init__(
        self,
        client: redis.Redis,
        before: Callable[[], object] = bool,
        after: Callable[[], object] = bool,
    ) -> None:
        super().__init__(client)
        self.hooks = [(before, after)]

    def commit(
        self,
        account_id: AccountId,
        version: int,
        change: PaperChange,
        until_ms: EpochMs = AT_ONCE,
    ) -> None:
        before, after = self.hooks.pop() if self.hooks else (bool, bool)
        before()
        super().commit(account_id, version, change, until_ms)
        after()
