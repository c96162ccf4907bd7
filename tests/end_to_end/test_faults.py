"""What the venue and the processes may do to an order, and the one outcome that it must have."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployment import by_compose, url_of
from tests.support.processes import eventually
from tests.support.stack import Stack, running_stack
from tests.support.users.crypto_arsenal import FUT1, FUTURES, SPOT, SPOT1

ENDS = {"FILLED", "CANCELED", "REJECTED", "DENIED", "EXPIRED"}


def the_order(stack: Stack, account: str = SPOT) -> dict[str, Any]:
    """Return the one order that an account has."""
    (order,) = stack.rows(kind="ORDER", account=account)
    return order


def ended(stack: Stack, account: str = SPOT, timeout_seconds: float = 60.0) -> dict[str, Any]:
    """Wait until the one order of an account has ended, and return it."""

    def states() -> list[str]:
        return [one["state"] for one in stack.rows(kind="ORDER", account=account)]

    eventually(lambda: states() and ENDS.issuperset(states()), timeout_seconds, states)
    return the_order(stack, account)


def buy(stack: Stack, **more: object) -> None:
    """Send a small market buy."""
    answer = stack.send({**SPOT1, "action": "buy", "fixed": "0.01", **more})
    assert answer.text == "ok"


@pytest.mark.parametrize("word", ["accept_then_timeout", "accept_then_error"])
def test_an_order_that_arrived_without_an_answer_is_found(stack: Stack, word: str) -> None:
    stack.call("PUT", f"/paper/faults/{SPOT}", {"place": [word]})

    buy(stack)

    order = ended(stack)
    assert order["state"] == "FILLED"
    assert len(stack.account(SPOT)["ledger"]) == 1
    assert stack.balance(SPOT, "BTC") == Decimal("0.51")


@pytest.mark.parametrize("word", ["timeout", "error"])
def test_an_order_that_did_not_arrive_is_sent_again_after_the_proof(
    stack: Stack, word: str
) -> None:
    stack.call("PUT", f"/paper/faults/{SPOT}", {"place": [word]})

    buy(stack)

    order = ended(stack)
    assert order["state"] == "FILLED"
    events = [one["event"] for one in stack.call("GET", f"/api/orders/{order['id']}")["timeline"]]
    assert events.index("unknown") < events.index("absent") < events.index("filled")
    assert len(stack.account(SPOT)["ledger"]) == 1


def test_a_venue_that_hides_an_order_does_not_get_a_second_one(stack: Stack) -> None:
    faults = {"place": ["accept_then_timeout"], "find": ["not_found", "not_found"]}
    stack.call("PUT", f"/paper/faults/{SPOT}", faults)

    buy(stack)

    assert ended(stack)["state"] == "FILLED"
    assert stack.balance(SPOT, "BTC") == Decimal("0.51")
    assert len(stack.account(SPOT)["ledger"]) == 1


def test_an_unknown_order_is_shown_with_its_next_check(stack: Stack) -> None:
    faults = {"place": ["accept_then_timeout"], "find": ["not_found"] * 3}
    stack.call("PUT", f"/paper/faults/{SPOT}", faults)

    buy(stack)
    stack.settle()

    order = the_order(stack)
    assert order["state"] == "UNKNOWN"
    assert order["next_check_at_ms"] > 0
    assert ended(stack)["state"] == "FILLED"


def test_a_refusal_is_final(stack: Stack) -> None:
    stack.call("PUT", f"/paper/faults/{SPOT}", {"place": ["reject"]})

    buy(stack)
    stack.settle()

    assert the_order(stack)["state"] == "REJECTED"
    (row,) = stack.rows(kind="SIGNAL", account=SPOT)
    assert row["state"] == "REJECTED"


def test_a_halt_holds_for_what_is_queued(stack: Stack) -> None:
    stack.call("PUT", f"/api/accounts/{SPOT}", {"state": "HALT"})
    try:
        buy(stack)
        stack.settle()
        assert the_order(stack)["reason"]["code"] == "account_halted"
        assert stack.account(SPOT)["ledger"] == []
    finally:
        stack.call("PUT", f"/api/accounts/{SPOT}", {"state": "RUN"})


def test_exits_wait_for_the_halt_to_end(stack: Stack) -> None:
    stack.call("PUT", f"/api/accounts/{SPOT}", {"state": "HALT"})
    try:
        stack.send({**SPOT1, "action": "sell", "fixed": "0.1"})
        stack.settle()
        assert stack.account(SPOT)["ledger"] == []
    finally:
        stack.call("PUT", f"/api/accounts/{SPOT}", {"state": "RUN"})

    assert ended(stack)["state"] == "FILLED"


def test_a_killed_worker_loses_nothing(stack: Stack) -> None:
    stack.call("PUT", f"/paper/faults/{SPOT}", {"delay_ms": 700})
    buy(stack)
    time.sleep(0.3)  # in the middle of the placement, in either of them

    for name in [one for one in stack.run_file()["pids"] if one.startswith("worker")]:
        stack.kill(name)

    assert ended(stack, timeout_seconds=60)["state"] == "FILLED"
    stack.call("DELETE", f"/paper/faults/{SPOT}")
    stack.wait_ready()
    assert len(stack.account(SPOT)["ledger"]) == 1


def test_signals_that_came_while_no_worker_ran_are_carried_out(stack: Stack) -> None:
    names = [one for one in stack.run_file()["pids"] if one.startswith("worker")]
    for name in names:
        stack.kill(name)
    for number in range(5):
        buy(stack, log=f"number {number}")

    stack.wait_ready()
    stack.settle()

    states = [one["state"] for one in stack.rows(kind="ORDER", account=SPOT)]
    assert states == ["FILLED"] * 5


def test_a_killed_store_remembers_everything(stack: Stack) -> None:
    stack.thaw()
    delayed = {**FUT1, "action": "openLong", "fixed": "0.1", "delaySeconds": 4}
    assert stack.send(delayed).text == "ok"
    stack.send({**SPOT1, "action": "buy", "fixed": "0.01", "limit": "40000"})
    stack.settle()

    stack.kill("redis")
    stack.wait_ready()

    assert ended(stack, FUTURES)["state"] == "FILLED"
    assert the_order(stack)["state"] == "NEW"


def test_messages_in_a_burst_are_carried_out_once_each(stack: Stack) -> None:
    for number in range(60):
        buy(stack, fixed="0.001", log=f"burst {number}")

    stack.settle()

    assert len(stack.account(SPOT)["ledger"]) == 60
    assert stack.balance(SPOT, "BTC") == Decimal("0.56")


@contextmanager
def two_servers(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, str], Any]]:
    """Start a store and a broker apart from each other, as compose does."""
    for name in ("store", "broker"):
        (folder / name).mkdir()
    with (
        by_compose("redis", folder / "store") as store,
        by_compose("broker", folder / "broker") as broker,
    ):
        environment = {"REDIS_URL": url_of(store, "store"), "BROKER_URL": url_of(broker, "broker")}
        yield broker.process, environment, broker


def test_with_the_broker_away_requests_are_accepted_and_run_later(tmp_path: Path) -> None:
    with (
        two_servers(tmp_path) as (process, environment, _),
        running_stack(tmp_path / "data", environment) as stack,
    ):
        assert "redis" not in stack.run["pids"]
        demo = stack.run["demo"]["crypto_arsenal"]["spot"]
        process.send_signal(signal.SIGSTOP)
        try:
            answer = stack.send({**demo, "action": "buy", "fixed": "0.01"})
            assert answer.text == "ok"
        finally:
            process.send_signal(signal.SIGCONT)

        assert ended(stack, "demo-spot", 60)["state"] == "FILLED"


def test_a_restart_finds_all_state(tmp_path: Path) -> None:
    with running_stack(tmp_path) as first:
        demo = first.run["demo"]["crypto_arsenal"]["spot"]
        first.prices(BTC="50000")
        first.send({**demo, "action": "buy", "fixed": "0.01", "limit": "40000"})
        first.send({**demo, "action": "buy", "fixed": "0.02", "delaySeconds": 3600})
        first.settle()

    with running_stack(tmp_path) as second:
        assert second.run["demo"] == first.run["demo"]
        states = sorted((one["kind"], one["state"]) for one in second.rows(account="demo-spot"))
        assert states == [("ORDER", "NEW"), ("SIGNAL", "EXECUTING"), ("SIGNAL", "SCHEDULED")]
        second.prices(BTC="40000")
        assert ended(second, "demo-spot")["state"] == "FILLED"
