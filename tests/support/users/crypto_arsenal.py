"""What the vectors of the Crypto Arsenal spec (section 6) begin from; signals and outcomes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from tests.support.stack import Installation, Json

SPOT, FUTURES = "vector-spot", "vector-futures"
SPOT1 = {"connectorName": "spot1", "connectorToken": "T1"}
FUT1 = {"connectorName": "fut1", "connectorToken": "T2"}
OPEN = {**FUT1, "action": "openLong", "fixed": "0.5", "profit": "2200", "loss": "1900"}

_numbers = count(1)


def reset(stack: Installation) -> None:
    """Bring about connectors, balances and prices; no fees, nothing live, time frozen.

    Connectors are `spot1` (SPOT BTC/USDT) and `fut1` (USDM ETH/USDT, leverage 5), balances those
    of section 3.1.
    """
    stack.thaw()
    stack.open_account(SPOT, {"USDT": "10000", "BTC": "0.5"})
    stack.open_account(FUTURES, {"USDT": "1000"}, "USDM", position_mode="HEDGE")
    spot = {"token": "T1", "account": SPOT, "symbol": "BTC/USDT", "enabled": True}
    futures = {"token": "T2", "account": FUTURES, "symbol": "ETH/USDT", "leverage": 5}
    stack.call("PUT", "/api/connectors/spot1", spot)
    stack.call("PUT", "/api/connectors/fut1", futures)
    stack.prices(BTC="50000", ETH="2000")
    stack.freeze(int(time.time() * 1000))
    stack.forget()


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
