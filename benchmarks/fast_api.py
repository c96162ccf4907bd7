"""The naive app once more, as one writes it with FastAPI: same checks, same writes, same task.

Nothing else of the repository needs FastAPI, so it is installed beside the environment
(`benchmarks/requirements.lock`). The two writes are asynchronous; the message is sent by the task
of the naive app, in a thread, since Celery knows no other way.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import time
import uuid
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import FastAPI, Response
from pydantic import BaseModel, Field
from redis.asyncio import Redis

from benchmarks.naive import CONNECTOR_TOKEN, place

_TOKEN_HASH = hashlib.sha256(CONNECTOR_TOKEN.encode()).hexdigest()

app = FastAPI()
store = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)

_Number = Annotated[Decimal | None, Field(allow_inf_nan=False)]


class Signal(BaseModel):
    """The twelve fields of the webhook; unknown ones are ignored, as the dialect says."""

    connectorName: str = Field(min_length=1, max_length=128)  # noqa: N815 (wire name)
    connectorToken: str = Field(min_length=1, max_length=256)  # noqa: N815 (wire name)
    action: Literal["buy", "sell", "cancel"]
    fixed: _Number = None
    percent: _Number = Field(default=None, ge=0, le=100)
    limit: _Number = None
    profit: _Number = None
    loss: _Number = None
    log: str | None = Field(default=None, max_length=4096)
    clientOrderId: str | None = Field(default=None, min_length=1, max_length=64)  # noqa: N815 (wire name)
    delaySeconds: _Number = Field(default=None, ge=0, le=86_400)  # noqa: N815 (wire name)
    delaySecondsFilter: str | None = None  # noqa: N815 (wire name)


@app.post("/trading-signal/webhook")
async def receive_signal(signal: Signal) -> Response:
    """Check, record, queue, answer `ok`."""
    received_at = time.time()
    token_hash = hashlib.sha256(signal.connectorToken.encode()).hexdigest()
    if not hmac.compare_digest(token_hash, _TOKEN_HASH):
        return Response("unauthorized", status_code=401, media_type="text/plain")
    order_id = uuid.uuid4().hex
    said = signal.model_dump(exclude={"connectorToken"}, exclude_none=True)
    record = {name: str(value) for name, value in said.items()}
    record |= {"state": "new", "received_at": str(received_at)}
    await store.hset(f"order:{order_id}", mapping=record)
    await store.zadd("orders", {order_id: received_at})
    await asyncio.to_thread(place.delay, order_id)
    return Response("ok", media_type="text/plain")
