"""Short ways to send signals to a stack, and to ask what has become of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from tests.support.stack import Installation, Json
from tests.support.users.crypto_arsenal import FUT1, FUTURES

OPEN = {**FUT1, "action": "openLong", "fixed": "0.5", "profit": "2200", "loss": "1900"}

_numbers = count(1)


def accepted(stack: Installation, message: Json) -> str:
    """Send a message like no other, and return the id under which it is followed."""
    answer = stack.send({**message, "number": f"{next(_numbers)} {time.time()}"})
    assert answer.text == "ok", answer.text
    return answer.headers["X-Hookfill-Id"]


def settled(stack: Installation, message: Json) -> str:
    """Send a message and wait for what it brings about."""
    known = accepted(stack, message)
    stack.settle()
    return known


def detail(stack: Installation, reference: str) -> Json:
    """Return one aggregate with children and timeline."""
    return stack.call("GET", f"/api/orders/{reference}")


def outcome(stack: Installation, reference: str) -> tuple[str, str | None]:
    """Return the state of an aggregate, and the code of the reason for it."""
    row = detail(stack, reference)
    return row["state"], row["reason"] and row["reason"]["code"]


def events(stack: Installation, reference: str) -> list[str]:
    """Return what the timeline names."""
    return [entry["event"] for entry in detail(stack, reference)["timeline"]]


def ledger(stack: Installation, account: str) -> list[Json]:
    """Return every order that the venue has ever received."""
    rows: list[Json] = stack.account(account)["ledger"]
    return rows


def position(stack: Installation) -> tuple[str, str]:
    """Return the two legs in ETH/USDT."""
    legs = stack.account(FUTURES)["positions"]["ETH/USDT"]
    return legs["long"], legs["short"]


@contextmanager
def connector(stack: Installation, name: str, **settings: object) -> Iterator[None]:
    """Give a connector other settings for a while."""
    before = stack.call("GET", f"/api/connectors/{name}")
    stack.call("PUT", f"/api/connectors/{name}", settings)
    try:
        yield
    finally:
        stack.call("PUT", f"/api/connectors/{name}", {key: before[key] for key in settings})
