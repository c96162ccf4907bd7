"""What has finished leaves the store, and nobody who looks can tell."""

from __future__ import annotations

import json
import re
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import redis
from click.testing import CliRunner

from app.cli import main
from tests.support.processes import eventually, is_alive
from tests.support.stack import Json, Stack, running_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "history-spot"
SENDER = {"connectorName": "history", "connectorToken": "T"}
SOON = 60.0


@pytest.fixture
def brief(tmp_path: Path) -> Iterator[Stack]:
    """A stack of which everything leaves a second after it has finished."""
    with running_stack(tmp_path / "data", {"HOOKFILL_HISTORY_AFTER_SECONDS": "1"}) as stack:
        balances = {"USDT": "1000000", "BTC": "1"}
        stack.call("PUT", f"/paper/accounts/{ACCOUNT}", {"market": "SPOT", "balances": balances})
        connector = {"token": "T", "account": ACCOUNT, "symbol": "BTC/USDT"}
        stack.call("PUT", "/api/connectors/history", connector)
        stack.prices(BTC="50000")
        yield stack


def buy(stack: Stack, number: int, **more: object) -> None:
    answer = stack.send({**SENDER, "action": "buy", "fixed": "0.01", "log": str(number), **more})
    assert answer.text == "ok"


def in_store(stack: Stack) -> int:
    """Return how many aggregates the store holds."""
    with redis.Redis.from_url(stack.run["redis_url"]) as client:
        return sum(1 for _ in client.scan_iter("*:aggregate:*", count=1_000))


def rows_in_store(stack: Stack) -> int:
    """Return how many orders the store holds in the ledgers of paper accounts."""
    with redis.Redis.from_url(stack.run["redis_url"]) as client:
        return sum(int(client.hlen(key)) for key in client.scan_iter("*:paper:orders:*"))


def wait_until_left(stack: Stack, count: int) -> None:
    """Wait until so many aggregates are left in the store."""
    stack.advance(3_600_000)  # repeats are none any more
    eventually(lambda: in_store(stack) == count, SOON, lambda: in_store(stack))


def unarchived(stack: Stack) -> float:
    """Return how many aggregates the history shall get; a busy store may have to be asked twice."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        text = stack.session.get(stack.url("/metrics"), timeout=30).text
        if found := re.search(r"^hookfill_unarchived (\S+)", text, re.MULTILINE):
            return float(found[1])
    raise AssertionError("the store does not answer")


def kill_while_it_archives(stack: Stack, dead: set[int]) -> int:
    """Kill the worker that archives as soon as it has begun; return its process id."""
    deadline = time.monotonic() + SOON
    highest = unarchived(stack)
    while time.monotonic() < deadline:
        pid = stack.run_file()["pids"]["worker-2"]
        now = unarchived(stack)
        highest = max(highest, now)
        if pid not in dead and is_alive(pid) and now < highest:
            assert stack.kill("worker-2") == pid
            return int(pid)
    raise AssertionError("nobody archives")


def pages(stack: Stack, query: str = "") -> list[Json]:
    """Return the whole list, read in small pages."""
    rows: list[Json] = []
    cursor = ""
    while cursor is not None:
        page = stack.call("GET", f"/api/orders?limit=7&cursor={cursor}{query}")
        rows += page["data"]
        cursor = page["next_cursor"]
    return rows


def exported(stack: Stack, form: str) -> str:
    """Return what `hookfill export` writes."""
    options = {"HOOKFILL_DATA_DIR": str(stack.data_dir), "HOOKFILL_ADMIN_TOKEN": ""}
    result = CliRunner().invoke(main, ["export", "--format", form], env=options)
    assert result.exit_code == 0, result.output
    return result.output


def seen(stack: Stack) -> Json:
    """Return all that people can see."""
    rows = pages(stack)
    return {
        "rows": rows,
        "orders": pages(stack, f"&kind=ORDER&account={ACCOUNT}&state=FILLED"),
        "details": [stack.call("GET", f"/api/orders/{row['id']}") for row in rows],
        "account": stack.account(ACCOUNT),
        "csv": exported(stack, "csv"),
        "lines": exported(stack, "jsonl"),
    }


def test_what_has_left_is_shown_as_before(brief: Stack) -> None:
    buy(brief, 0, limit="40000")
    for number in range(1, 13):
        buy(brief, number)
    brief.settle()
    before = seen(brief)

    wait_until_left(brief, 2)
    eventually(lambda: rows_in_store(brief) == 1, SOON, lambda: rows_in_store(brief))

    assert len(before["rows"]) == 26
    assert len(before["account"]["ledger"]) == 13
    assert seen(brief) == before
    assert [json.loads(line) for line in before["lines"].splitlines()] == before["rows"]

    for path in brief.data_dir.glob("history.db*"):
        path.unlink()
    buy(brief, 99)
    brief.settle()
    wait_until_left(brief, 2)

    rows = brief.rows(account=ACCOUNT)
    assert [row["state"] for row in rows if row["kind"] == "ORDER"] == ["FILLED", "NEW"]
    assert [one["kind"] for one in rows] == ["ORDER", "SIGNAL", "ORDER", "SIGNAL"]


def test_a_worker_that_is_killed_while_it_archives_loses_and_doubles_nothing(brief: Stack) -> None:
    rounds, size = 3, 20
    count = rounds * size
    killed: set[int] = set()
    for number in range(rounds):
        for one in range(size):
            buy(brief, number * size + one)
        killed.add(kill_while_it_archives(brief, killed))
    brief.settle()

    wait_until_left(brief, 0)

    assert len(killed) == rounds
    rows = pages(brief)
    assert len({row["id"] for row in rows}) == len(rows) == 2 * count
    orders = [row for row in rows if row["kind"] == "ORDER"]
    ledger = brief.account(ACCOUNT)["ledger"]
    assert {row["client_order_id"] for row in orders} == {one["client_order_id"] for one in ledger}
    assert {row["state"] for row in orders} == {"FILLED"}
    bought = sum(Decimal(row["filled_quantity"]) for row in orders)
    assert brief.balance(ACCOUNT, "BTC") == 1 + bought
    for row in rows[::20]:
        shown = brief.call("GET", f"/api/orders/{row['id']}")
        names = [entry["event"] for entry in shown["timeline"]]
        assert names.count("filled") == names.count("closed") == 1
