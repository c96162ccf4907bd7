"""The outcome of the last reconciliation of each account, and of the last that failed."""

import json
from typing import Any

import redis

from app.domain.identifiers import AccountId
from app.domain.reconciliation import FailedReconciliation, Reconciliation
from app.store import venue_keys
from app.store.codec import decoder, encoder
from app.store.scripts import text_of, translated


class RedisReconciliations:
    """By account; the next one replaces it.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, account: AccountId, found: Reconciliation) -> None:
        """Keep an outcome."""
        self._keep(venue_keys.RECONCILIATIONS, account, encoder(Reconciliation)(found))

    def get(self, account: AccountId) -> Reconciliation | None:
        """Return the last outcome, or None if there was none yet."""
        record = self._kept(venue_keys.RECONCILIATIONS, account)
        return None if record is None else decoder(Reconciliation)(record)

    def put_failure(self, account: AccountId, failed: FailedReconciliation) -> None:
        """Keep why none came about."""
        record = encoder(FailedReconciliation)(failed)
        self._keep(venue_keys.FAILED_RECONCILIATIONS, account, record)

    def failure(self, account: AccountId) -> FailedReconciliation | None:
        """Return why the last one that failed did so, or None if none ever has."""
        record = self._kept(venue_keys.FAILED_RECONCILIATIONS, account)
        return None if record is None else decoder(FailedReconciliation)(record)

    def _keep(self, key: str, account: AccountId, record: object) -> None:
        with translated():
            self._client.hset(key, str(account), json.dumps(record))

    def _kept(self, key: str, account: AccountId) -> Any:  # noqa: ANN401 - JSON
        with translated():
            found = self._client.hget(key, str(account))
        return None if found is None else json.loads(text_of(found))
