"""Answers that wait until everything that can happen now has happened (docs/api.md)."""

import time
from typing import Any

from flask import Response, jsonify
from marshmallow import ValidationError

from app.admin.request_body import Strict
from app.ports import Ports
from app.services.placing.settle import is_settled
from app.web.fields import ValueField, WholeNumber, between

#: Milliseconds that an answer waits unless it is told otherwise, and at most.
TIMEOUT_MS = 5_000
TIMEOUT_MAX_MS = 30_000

#: Between two looks.
LOOK_MS = 5


class _Truth(ValueField[bool]):
    """`true` or `false`, as a query writes them."""

    def read(self, value: object) -> bool:
        if value not in {"true", "false"}:
            raise ValidationError("Must be true or false.")
        return value == "true"


class Patience(Strict):
    """How long an answer may wait."""

    timeout_ms = WholeNumber(validate=between(0, TIMEOUT_MAX_MS), load_default=TIMEOUT_MS)


class Wait(Patience):
    """Whether an answer waits, and how long."""

    wait = _Truth(load_default=False)


def settled(ports: Ports, timeout_ms: int) -> bool:
    """Wait until the stack is settled; return whether it was within the time."""
    deadline_ms = _now_ms() + timeout_ms
    while not is_settled(ports):
        if _now_ms() >= deadline_ms:
            return False
        time.sleep(LOOK_MS / 1000)
    return True


def settled_answer(ports: Ports, query: dict[str, Any]) -> Response:
    """Wait as the query says, and answer how it went."""
    return jsonify(settled=settled(ports, query["timeout_ms"]))


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
