"""What is known of how accounts and their venues differ.

The outcome of the last reconciliation of each account, of the last that failed, and orphaned fills.
"""

import json
from collections.abc import Sequence
from typing import Any

import redis

from app.domain.identifiers import AccountId, ClientOrderId
from app.domain.reconciliation import FailedReconciliation, OrphanedFill, Reconciliation
from app.store.core.codec import Value, encoder, value_from
from app.store.core.scripts import text_of
from app.store.memory import venue_keys


class RedisReconciliations:
    """By account; the next outcome replaces the last, a fill stays until it is acknowledged.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, account: AccountId, found: Reconciliation) -> None:
        """Keep an outcome."""
        self._keep(venue_keys.RECONCILIATIONS, str(account), found)

    def get(self, account: AccountId) -> Reconciliation | None:
        """Return the last outcome, or None if there was none yet."""
        return self._kept(venue_keys.RECONCILIATIONS, str(account), Reconciliation)

    def put_failure(self, account: AccountId, failed: FailedReconciliation) -> None:
        """Keep why none came about."""
        self._keep(venue_keys.FAILED_RECONCILIATIONS, str(account), failed)

    def failure(self, account: AccountId) -> FailedReconciliation | None:
        """Return why the last one that failed did so, or None if none ever has."""
        return self._kept(venue_keys.FAILED_RECONCILIATIONS, str(account), FailedReconciliation)

    def keep_orphan(self, account: AccountId, fill: OrphanedFill) -> bool:
        """Keep a fill, unless as much of the order is kept already; return whether it is news."""
        field = _field(account, fill.client_order_id)
        known = self._kept(venue_keys.ORPHANED_FILLS, field, OrphanedFill)
        if known is not None and known.report.filled_quantity >= fill.report.filled_quantity:
            return False
        self._keep(venue_keys.ORPHANED_FILLS, field, fill)
        return True

    def orphans(self, account: AccountId) -> Sequence[OrphanedFill]:
        """Return the fills that wait to be acknowledged, oldest first."""
        found = self._client.hgetall(venue_keys.ORPHANED_FILLS)
        fills = [
            value_from(OrphanedFill, text_of(record))
            for field, record in found.items()
            if text_of(field).startswith(_field(account, ""))
        ]
        return sorted(fills, key=lambda one: (one.at_ms, one.client_order_id))

    def acknowledge(self, account: AccountId, client_order_id: ClientOrderId) -> bool:
        """Forget a fill; return whether there was one."""
        return bool(self._client.hdel(venue_keys.ORPHANED_FILLS, _field(account, client_order_id)))

    def orphan_count(self) -> int:
        """Return how many fills wait, of all accounts."""
        return self._client.hlen(venue_keys.ORPHANED_FILLS)

    def _keep(self, key: str, field: str, value: object) -> None:
        kind: Any = type(value)
        self._client.hset(key, field, json.dumps(encoder(kind)(value)))

    def _kept(self, key: str, field: str, kind: type[Value]) -> Value | None:
        found = self._client.hget(key, field)
        return None if found is None else value_from(kind, text_of(found))


def _field(account: AccountId, client_order_id: str) -> str:
    return f"{account}:{client_order_id}"
