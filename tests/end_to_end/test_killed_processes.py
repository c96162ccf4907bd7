"""Processes that are killed are there again, and leave nothing that the next ones wait for."""

import os
import signal
import time
from collections.abc import Iterator, Sequence

import pytest

from tests.support.chaos.checker import tally, violations
from tests.support.chaos.load import ACCOUNTS, Load, Message, a_trade, prepare
from tests.support.chaos.trial import quiet
from tests.support.processes import eventually, family, is_alive
from tests.support.stack import START_SECONDS, Stack, running_stack

#: Far longer than any wait here: whoever waited for a lease of the killed would wait in vain.
LEASES = {"HOOKFILL_PLACE_LEASE_MS": "600000", "HOOKFILL_UNKNOWN_GRACE_MS": "600000"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start one whose placements have long leases."""
    with running_stack(tmp_path_factory.mktemp("killed"), LEASES) as one:
        yield one


@pytest.fixture
def load(stack: Stack, request: pytest.FixtureRequest) -> Load:
    prepare(stack)
    return Load(stack.url("/trading-signal/webhook"), seed=len(request.node.name))


def killed(stack: Stack, names: Sequence[str]) -> None:
    """Kill these with all that they have started, at once."""
    eventually(lambda: all(map(is_alive, stack.run_file()["pids"].values())), START_SECONDS)
    run = stack.run_file()["pids"]
    pids = [pid for name in names for pid in family(run[name])]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(map(is_alive, pids)))


def trade(name: str, **more: object) -> Message:
    """Return a sale, which is never too late, however slow this machine is."""
    return a_trade(f"{name}-{time.time_ns()}", ACCOUNTS[0], action="sell", **more)


def await_filled(stack: Stack, message: Message) -> None:
    def states() -> list[str]:
        return [row["state"] for row in stack.rows(kind="ORDER", caller_id=message.name)]

    eventually(lambda: states() == ["FILLED"], START_SECONDS, states)


def test_a_web_server_that_is_killed_answers_again(stack: Stack, load: Load) -> None:
    killed(stack, ["web"])

    message = load.send(trade("web"), resends=1_000)

    assert message.is_acknowledged
    await_filled(stack, message)
    assert violations(quiet(load, stack)) == []


def test_the_next_order_waits_for_no_lease_of_workers_that_were_killed(
    stack: Stack, load: Load
) -> None:
    await_filled(stack, load.send(trade("before")))
    killed(stack, [one for one in stack.run_file()["pids"] if one.startswith("worker")])

    after = [load.send(trade("after")) for _ in range(3)]

    for message in after:
        await_filled(stack, message)
    found = quiet(load, stack)
    assert violations(found) == []
    assert tally(found)["venue orders"] == 4


def test_everything_goes_on_after_all_processes_were_killed_at_once(
    stack: Stack, load: Load
) -> None:
    """A delay is under way, and nothing is at the venue."""
    waiting = load.send(trade("delayed", delaySeconds=1))
    killed(stack, [one for one in stack.run_file()["pids"] if one != "supervisor"])

    message = load.send(trade("all"), resends=1_000)

    await_filled(stack, message)
    await_filled(stack, waiting)
    found = quiet(load, stack)
    assert violations(found) == []
    assert tally(found)["venue orders"] == 2
