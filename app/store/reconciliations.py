"""The outcome of the last reconciliation of each account."""

import json

import redis

from app.domain.identifiers import AccountId
from app.domain.reconciliation import Reconciliation
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
        text = json.dumps(encoder(Reconciliation)(found))
        with translated():
            self._client.hset(venue_keys.RECONCILIATIONS, str(account), text)

    def get(self, account: AccountId) -> Reconciliation | None:
        """Return the last outcome, or None if there was none yet."""
        with translated():
            found = self._client.hget(venue_keys.RECONCILIATIONS, str(account))
        if found is None:
            return None
        kept: Reconciliation = decoder(Reconciliation)(json.loads(text_of(found)))
        return kept
