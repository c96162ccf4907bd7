"""What workers shall do while somebody waits, and what became of it."""

import json

import redis

from app.domain.errors import NotFound
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.worker_request import WorkerAnswer, WorkerRequest
from app.store.core import keys
from app.store.core.codec import encoder, value_from
from app.store.core.scripts import load_script, text_of
from app.store.core.transaction import OK

#: Nobody waits that long, unless the request itself says so.
LIFE_MS = 60_000


class RedisWorkerRequests:
    """Requests in hashes that expire by themselves; a script hands each out once."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._take = load_script(client, "take_request.lua")

    def put(self, request: WorkerRequest) -> None:
        """Store it for whoever looks for it, or takes it in time."""
        body = json.dumps(encoder(WorkerRequest)(request), separators=(",", ":"))
        life_ms = max(LIFE_MS, request.until_ms - request.asked_ms)
        self._write(request.id, life_ms, "body", body, "until", request.until_ms)

    def find(self, request_id: AggregateId) -> WorkerRequest:
        """Return it, whether it was taken or not."""
        body = self._client.hget(_key(request_id), "body")
        if body is None:
            raise NotFound(f"there is no request {request_id}, or nobody waits for it any more")
        return value_from(WorkerRequest, text_of(body))

    def take(self, request_id: AggregateId, now_ms: EpochMs) -> WorkerRequest:
        """Return it to the first who asks in time."""
        answer = self._take([_key(request_id)], [now_ms, LIFE_MS])
        if answer[0] != OK:
            raise NotFound(f"nobody waits for request {request_id}, or somebody else has it")
        return value_from(WorkerRequest, text_of(answer[1]))

    def reply(self, request_id: AggregateId, answer: WorkerAnswer) -> None:
        """Say what became of it; after its life nobody listens."""
        self._write(request_id, LIFE_MS, "answer", json.dumps(encoder(WorkerAnswer)(answer)))

    def answer(self, request_id: AggregateId) -> WorkerAnswer | None:
        """Return what became of it, or None as long as nobody has said."""
        found = self._client.hget(_key(request_id), "answer")
        return None if found is None else value_from(WorkerAnswer, text_of(found))

    def _write(self, request_id: AggregateId, life_ms: int, *fields: str | int) -> None:
        key = _key(request_id)
        pipeline = self._client.pipeline(transaction=True)
        pipeline.hset(key, items=fields)
        pipeline.pexpire(key, life_ms)
        pipeline.execute()


def _key(request_id: AggregateId) -> str:
    return f"{keys.shard_of(request_id).worker_request}{request_id}"
