"""Webhooks keep coming while processes die, freeze and forget: nothing is lost, nothing doubled.

What the venue has is held against what the senders were told. `python -m benchmarks.chaos` does
the same for as long as one likes.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.support.chaos.checker import tally, violations
from tests.support.chaos.load import ACCOUNTS, Load, Message, a_trade, prepare
from tests.support.chaos.nemesis import frozen
from tests.support.chaos.trial import await_filled, quiet, tried
from tests.support.stack import CHECKOUT, Stack, running_stack

SEED = 20_240_607
SECONDS = 12.0

#: The lease of a placement in the test profile is 3 s.
BEYOND_THE_LEASE_SECONDS = 4.5


@pytest.fixture(scope="module")
def harmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack of its own: no other test has to live with what is done to it."""
    with running_stack(tmp_path_factory.mktemp("harmed")) as stack:
        yield stack


@pytest.fixture
def load(harmed: Stack, request: pytest.FixtureRequest) -> Load:
    prepare(harmed)
    return Load(harmed.url("/trading-signal/webhook"), seed=len(request.node.name))


def sent(load: Load, name: str, **more: object) -> Message:
    message = load.send(a_trade(f"{name}-{time.time_ns()}", ACCOUNTS[0], **more))
    assert message.is_acknowledged
    return message


def test_what_was_acknowledged_is_placed_once_whatever_is_killed(harmed: Stack) -> None:
    verdict = tried(harmed, SEED, SECONDS)

    assert verdict.violations == []
    assert verdict.tally["acknowledged trades"] > 10
    assert verdict.harms


def test_a_worker_that_wakes_up_after_its_lease_doubles_nothing(harmed: Stack, load: Load) -> None:
    harmed.call("PUT", f"/paper/faults/{ACCOUNTS[0]}", {"delay_ms": 600})
    message = sent(load, "frozen")
    time.sleep(0.3)  # in the middle of the placement

    frozen(harmed.run_file()["pids"]["worker"], BEYOND_THE_LEASE_SECONDS)

    harmed.call("DELETE", f"/paper/faults/{ACCOUNTS[0]}")
    await_filled(harmed, message)
    found = quiet(load, harmed)
    assert violations(found) == []
    assert tally(found)["repeats that reached the venue"] == 0


def test_a_broker_that_has_lost_everything_has_lost_nothing_of_ours(
    harmed: Stack, load: Load
) -> None:
    with redis.Redis.from_url(harmed.run["broker_url"]) as broker:
        for number in range(10):
            sent(load, "flushed", delaySeconds=number / 5)
            broker.flushdb()

    found = quiet(load, harmed)

    assert violations(found) == []
    assert tally(found)["venue orders"] == 10


def test_a_broker_that_dies_takes_nothing_of_ours_with_it(harmed: Stack, load: Load) -> None:
    before = harmed.kill("broker")
    message = sent(load, "without a broker")

    await_filled(harmed, message)
    after = sent(load, "with another")
    await_filled(harmed, after)

    assert violations(quiet(load, harmed)) == []
    assert harmed.run_file()["pids"]["broker"] != before


@contextmanager
def another_beat(stack: Stack) -> Iterator[None]:
    """Run a second beat beside the first, on the same store and broker."""
    environment = {
        **os.environ,
        "REDIS_URL": stack.run["redis_url"],
        "BROKER_URL": stack.run["broker_url"],
        "HOOKFILL_DATA_DIR": str(stack.data_dir),
        "HOOKFILL_FAST": "1",
    }
    command = [sys.executable, "-m", "workers", "beat"]
    with (stack.data_dir / "another-beat.log").open("wb") as log:
        beat = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=log, stderr=log)
    try:
        yield
        assert beat.poll() is None
    finally:
        beat.kill()
        beat.wait()


def test_two_beats_at_once_are_harmless(harmed: Stack, load: Load) -> None:
    with another_beat(harmed):
        time.sleep(2)  # until it runs
        for number in range(10):
            sent(load, "two-beats", delaySeconds=number / 10)
        found = quiet(load, harmed)

    assert violations(found) == []
    assert tally(found)["venue orders"] == 10


def test_a_worker_consumes_again_after_the_store_was_killed(harmed: Stack, load: Load) -> None:
    for number in range(2):
        harmed.kill("redis")
        message = load.send(a_trade(f"again-{time.time_ns()}-{number}", ACCOUNTS[0]), resends=100)
        await_filled(harmed, message)

    assert violations(quiet(load, harmed)) == []
