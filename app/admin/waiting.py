"""Answers that wait until everything that can happen now has happened (docs/api.md)."""

from marshmallow import fields

from app.ports import Ports
from app.services.ask import wait_for
from app.services.placing.settle import is_settled
from app.web.fields import Flag, Strict, WholeNumber, between

#: Milliseconds that an answer waits unless it is told otherwise, and at most.
TIMEOUT_MS = 5_000
TIMEOUT_MAX_MS = 30_000


class Patience(Strict):
    """How long an answer may wait."""

    timeout_ms = WholeNumber(validate=between(0, TIMEOUT_MAX_MS), load_default=TIMEOUT_MS)


class Wait(Patience):
    """Whether an answer waits, and how long."""

    wait = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        error_messages={"invalid": "Must be true or false."},
        load_default=False,
    )


class Settled(Strict):
    """Whether the stack was settled within the time."""

    settled = Flag()


PATIENCE, WAIT, SETTLED = Patience(), Wait(), Settled()


def settled(ports: Ports, timeout_ms: int) -> bool:
    """Wait until the stack is settled; return whether it was within the time."""
    return wait_for(lambda: is_settled(ports), timeout_ms, ports)
