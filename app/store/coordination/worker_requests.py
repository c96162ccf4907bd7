"""What a web process wants a worker to do while it waits, and what became of it."""

import json

import redis

from app.domain.adjustment import Adjustment, Outcome
from app.domain.errors import NotFound
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.store.core import keys
from app.store.core.codec import decoder, encoder
from app.store.core.scripts import load_script, text_of, translated
from app.store.core.transaction import OK

#: Nobody waits that long.
LIFE_MS = 60_000


class RedisErrands:
    """Errands in hashes that expire by themselves; a script hands each out once."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._take = load_script(client, "take_errand.lua")

    def leave(self, errand_id: AggregateId, adjustment: Adjustment, until_ms: EpochMs) -> None:
        """Store it for whoever takes it before `until_ms`, server time."""
        body = json.dumps(encoder(Adjustment)(adjustment), separators=(",", ":"))
        key = keys.errand(errand_id)
        with translated():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hset(key, mapping={"body": body, "until": until_ms})
            pipeline.pexpire(key, LIFE_MS)
            pipeline.execute()

    def take(self, errand_id: AggregateId, now_ms: EpochMs) -> Adjustment | None:
        """Return it to the first who asks in time."""
        answer = self._take([keys.errand(errand_id)], [now_ms, LIFE_MS])
        if answer[0] != OK:
            return None
        return _adjustment(text_of(answer[1]))

    def account_of(self, errand_id: AggregateId) -> AccountId:
        """Return whose it is, whether it was taken or not."""
        with translated():
            body = self._client.hget(keys.errand(errand_id), "body")
        if body is None:
            raise NotFound(f"there is no errand {errand_id}")
        return _adjustment(text_of(body)).account

    def reply(self, errand_id: AggregateId, outcome: Outcome, message: str) -> None:
        """Say what became of it; after its life nobody listens."""
        key = keys.errand(errand_id)
        with translated():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hset(key, "answer", json.dumps([outcome, message]))
            pipeline.pexpire(key, LIFE_MS)
            pipeline.execute()

    def answer(self, errand_id: AggregateId) -> tuple[Outcome, str] | None:
        """Return what became of it, or None as long as nobody has said."""
        with translated():
            found = self._client.hget(keys.errand(errand_id), "answer")
        if found is None:
            return None
        outcome, message = json.loads(text_of(found))
        return Outcome(outcome), message


def _adjustment(body: str) -> Adjustment:
    found: Adjustment = decoder(Adjustment)(json.loads(body))
    return found
