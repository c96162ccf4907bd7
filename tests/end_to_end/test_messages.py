"""docs/messages.md over a whole running stack: people are told, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from app.store.core.registry import LIFE_SECONDS
from tests.support.processes import eventually, family, is_alive
from tests.support.receivers import TELEGRAM, Receiver, running_receiver, running_telegram
from tests.support.stack import START_SECONDS, Stack, running_stack

#: Longer than anybody takes to say something a second time.
QUIET_SECONDS = 6.0

#: Until every process knows of a channel that was made.
KNOWN_SECONDS = 3 * LIFE_SECONDS

WORKERS = ("worker", "worker-2")


class Told(NamedTuple):
    """A stack, and where its messages go."""

    stack: Stack
    telegram: Receiver


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    with (
        running_telegram(folder) as (telegram, environment),
        running_stack(folder / "var", environment) as stack,
    ):
        yield Told(stack, telegram)


def open_account(stack: Stack, name: str) -> None:
    """Let a futures account trade ETH by a connector of its name."""
    stack.open_account(name, {"USDT": "1000000"}, "USDM")
    connector = {"account": name, "symbol": "ETH/USDT", "token": f"token-of-{name}"}
    stack.call("PUT", f"/api/connectors/{name}", connector)


def alert(stack: Stack, name: str, **fields: object) -> None:
    sender = {"connectorName": name, "connectorToken": f"token-of-{name}"}
    answer = stack.send({**sender, **fields, "log": str(time.time_ns())})
    assert answer.status_code == 200, answer.text


def kill(stack: Stack, names: Sequence[str]) -> None:
    """Kill these with all that they have started, at once."""
    run = stack.run_file()["pids"]
    pids = [pid for name in names for pid in family(run[name])]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(map(is_alive, pids)))


def about(telegram: Receiver, words: str) -> list[str]:
    return [text for text in telegram.texts if words in text]


def add_phone(stack: Stack, account: str, kind: str) -> None:
    options = ["--service-url", TELEGRAM, "--account", account, "--kind", kind]
    stack.hookfill("channel", "add", f"phone-{account}", *options)
    time.sleep(KNOWN_SECONDS)


def test_a_stop_that_fails_reaches_telegram_within_seconds_once_through_killed_workers(
    told: Told,
) -> None:
    stack, telegram = told
    open_account(stack, "failing")
    add_phone(stack, "failing", "protection")
    assert stack.hookfill("channel", "test", "phone-failing") == "The message has arrived.\n"
    stack.prices(ETH="2000")
    alert(stack, "failing", action="openLong", fixed="0.5", loss="1900")
    stack.settle()
    stack.call("PUT", "/paper/faults/failing", {"place": ["reject"] * 50})
    stack.call("PUT", "/paper/prices", {"prices": {"ETH/USDT": {"last": "1890"}}})

    def refused() -> bool:
        rows = stack.rows(kind="ORDER", account="failing")
        return any(row["state"] == "REJECTED" for row in rows)

    eventually(refused)
    kill(stack, WORKERS)
    words = "failing: an exit of sell 0.5 ETH/USDT when last reaches 1900 has closed nothing"
    eventually(lambda: about(telegram, words))
    time.sleep(QUIET_SECONDS)

    assert len(about(telegram, words)) == 1
    assert "Repeated" not in about(telegram, words)[0]


def test_one_that_may_have_arrived_before_everything_was_killed_is_repeated_and_says_so(
    told: Told,
) -> None:
    stack, telegram = told
    open_account(stack, "killed")
    add_phone(stack, "killed", "fill")
    stack.prices(ETH="2000")
    telegram.goes_on.clear()
    alert(stack, "killed", action="openLong", fixed="0.7")
    words = "killed: bought 0.7 ETH/USDT at 2000"
    eventually(lambda: about(telegram, words), told=lambda: telegram.texts)
    kill(stack, ["web", *WORKERS])
    telegram.goes_on.set()
    eventually(lambda: len(about(telegram, words)) == 2, START_SECONDS)
    time.sleep(QUIET_SECONDS)

    first, second = about(telegram, words)
    assert "Repeated" not in first
    assert "Repeated: this may have arrived before." in second


def test_of_many_fills_none_is_lost_on_its_way_to_a_webhook_that_fails_now_and_then(
    told: Told,
) -> None:
    stack, _ = told
    stack.wait_ready()
    open_account(stack, "many")
    stack.prices(ETH="2000")
    with running_receiver() as receiver:
        receiver.answers.extend([200] * 15 + [503] + [200] * 15 + [404] + [200] * 20 + [500])
        hook = {"webhook_url": f"http://{receiver.address}/", "accounts": ["many"]}
        stack.call("PUT", "/api/channels/many", {**hook, "kinds": ["fill"]})
        sizes = [f"0.{number}1" for number in range(10, 70)]
        for size in sizes:
            alert(stack, "many", action="openLong", fixed=size)
        wanted = {f"bought {size} ETH/USDT at 2000" for size in sizes}
        eventually(
            lambda: {one.json["message"] for one in receiver.received} >= wanted, START_SECONDS
        )
        eventually(lambda: stack.call("GET", "/api/channels/many")["waiting"] == 0)
        events = [one.json for one in receiver.received]
        stack.call("DELETE", "/api/channels/many")

    ids = [one["id"] for one in events]
    assert len(set(ids)) == 60
    # Each that was answered badly came once more, with the id that it had.
    assert len(ids) == 63
    assert sum(one["repeated"] for one in events) == 2
