"""Load and harm at once, then the verdict."""

import time
from contextlib import suppress
from dataclasses import dataclass

import requests

from tests.support.chaos.checker import Evidence, evidence, tally, unfinished, violations
from tests.support.chaos.load import Load, Message, prepare
from tests.support.chaos.nemesis import Nemesis
from tests.support.processes import eventually
from tests.support.stack import Stack

#: An order whose message was accepted is through by then, whatever has just happened.
ORDER_SECONDS_MAX = 20.0

#: What is on its way when the last fault is over has ended by then.
QUIET_SECONDS_MAX = 90.0


@dataclass(frozen=True)
class Verdict:
    """What came out of a trial."""

    violations: list[str]
    tally: dict[str, int]
    harms: dict[str, int]
    recovery_seconds: dict[str, list[float]]
    quiet_seconds: float


def tried(stack: Stack, seed: int, seconds: float) -> Verdict:
    """Send webhooks and do harm for this long, let everything end, and check it."""
    prepare(stack)
    load = Load(stack.url("/trading-signal/webhook"), seed)
    nemesis = Nemesis(stack, seed)
    with load.running():
        nemesis.rage(seconds)
    nemesis.end()
    started = time.monotonic()
    found = quiet(load, stack)
    return Verdict(
        violations=violations(found),
        tally=tally(found),
        harms=dict(sorted(nemesis.harms.items())),
        recovery_seconds=dict(sorted(nemesis.recovery_seconds.items())),
        quiet_seconds=time.monotonic() - started,
    )


def quiet(load: Load, stack: Stack) -> Evidence:
    """Return the evidence once nothing is on its way any more, or after a long wait."""
    until = time.monotonic() + QUIET_SECONDS_MAX
    while True:
        found = evidence(load.log, stack)
        if not unfinished(found) or time.monotonic() > until:
            return found
        time.sleep(1)


def await_filled(stack: Stack, message: Message) -> None:
    """Wait until the order of an acknowledged message is filled.

    Raises:
        AssertionError: it was not, in time.
    """

    def states() -> list[str]:
        with suppress(requests.RequestException, AssertionError):
            return [row["state"] for row in stack.rows(kind="ORDER", caller_id=message.name)]
        return []

    eventually(
        lambda: states() == ["FILLED"],
        ORDER_SECONDS_MAX,
        lambda: f"{message.name} was told {message.answers}, and is {states()}",
    )
