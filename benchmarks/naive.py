"""The app that Hookfill is measured against: what one writes in an afternoon.

Flask, a marshmallow schema, two Redis calls, then a Celery message inside the request, with a
countdown if the signal is to wait. It is not made slow on purpose: schema, connection pool and
Celery app live as long as the process. It promises less than Hookfill: no deduplication, no outbox,
no exactly-once, no order among the signals of an account; and its task does one write, where
Hookfill sizes an order and places it at a venue with a ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
import uuid

import redis
from celery import Celery
from flask import Flask, Response, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

#: The one sender that the app knows.
CONNECTOR_NAME = "naive"
CONNECTOR_TOKEN = "naive-token"  # noqa: S105 (a made-up token for loopback)
#: Made once; a real app would keep it with the connector.
_TOKEN_HASH = hashlib.sha256(CONNECTOR_TOKEN.encode()).hexdigest()
_REDIS_URL = "redis://127.0.0.1:6379/2"
_BROKER_URL = "redis://127.0.0.1:6379/3"

app = Flask(__name__)
store = redis.Redis.from_url(os.environ.get("REDIS_URL", _REDIS_URL), decode_responses=True)
celery_app = Celery("naive", broker=os.environ.get("BROKER_URL", _BROKER_URL))
celery_app.conf.update(task_ignore_result=True, task_default_queue="naive")


class SignalSchema(Schema):
    """The twelve fields of the webhook."""

    class Meta:
        """Unknown keys are ignored, as the dialect says."""

        unknown = EXCLUDE

    connectorName = fields.String(required=True, validate=validate.Length(1, 128))  # noqa: N815 (wire name)
    connectorToken = fields.String(required=True, validate=validate.Length(1, 256))  # noqa: N815 (wire name)
    action = fields.String(required=True, validate=validate.OneOf(["buy", "sell", "cancel"]))
    fixed = fields.Decimal(allow_nan=False)
    percent = fields.Decimal(allow_nan=False, validate=validate.Range(0, 100))
    limit = fields.Decimal(allow_nan=False)
    profit = fields.Decimal(allow_nan=False)
    loss = fields.Decimal(allow_nan=False)
    log = fields.String(validate=validate.Length(max=4096))
    clientOrderId = fields.String(validate=validate.Length(1, 64))  # noqa: N815 (wire name)
    delaySeconds = fields.Decimal(allow_nan=False, validate=validate.Range(0, 86_400))  # noqa: N815 (wire name)
    delaySecondsFilter = fields.String()  # noqa: N815 (wire name)


signal_schema = SignalSchema()


@celery_app.task(name="naive.place")
def place(order_id: str) -> None:
    """Take the order from the queue and mark it placed; there is no venue behind it."""
    store.hset(f"order:{order_id}", mapping={"state": "placed", "placed_at": time.time()})


@app.post("/trading-signal/webhook")
def receive_signal() -> Response:
    """Check, record, queue, answer `ok`."""
    received_at = time.time()
    try:
        signal = signal_schema.load(request.get_json(force=True))
    except ValidationError as error:
        return _answer(400, str(error.messages))
    token_hash = hashlib.sha256(signal["connectorToken"].encode()).hexdigest()
    if not hmac.compare_digest(token_hash, _TOKEN_HASH):
        return _answer(401, "unauthorized")
    order_id = uuid.uuid4().hex
    record = {name: str(value) for name, value in signal.items() if name != "connectorToken"}
    record |= {"state": "new", "received_at": str(received_at)}
    store.hset(f"order:{order_id}", mapping=record)
    store.zadd("orders", {order_id: received_at})
    place.apply_async((order_id,), countdown=float(signal.get("delaySeconds", 0)))
    return _answer(200, "ok")


def _answer(status: int, text: str) -> Response:
    return Response(text, status=status, mimetype="text/plain")
