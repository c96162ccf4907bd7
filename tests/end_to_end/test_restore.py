"""A data folder that is put back after it was copied: nothing that was done since is done again."""

from __future__ import annotations

import json
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.enums import Market
from app.supervisor.backup import back_up
from tests.support.exchanges.server import Dialect, served
from tests.support.exchanges.stops import waiting
from tests.support.processes import eventually
from tests.support.stack import Json, Stack, running_stack
from tests.support.venue_world import KEY, QUICK, account_at, wire_of

#: A machine that does much else starts a stack in minutes; two are started here, one after another.
pytestmark = pytest.mark.timeout(900)
START = 300.0

#: Whatever is waited for comes within seconds, on a machine that does nothing else.
WAIT = 120.0

ACCOUNT = "real"


@dataclass
class World:
    """An exchange that outlives every run of Hookfill, and the data folder."""

    wire: Dialect
    url: str
    data_dir: Path

    @contextmanager
    def up(self) -> Iterator[Stack]:
        """Run Hookfill over the data folder."""
        environment = {**QUICK, "HOOKFILL_VENUE_URLS": json.dumps({"binance": self.url})}
        with running_stack(self.data_dir, environment, start_seconds=START) as stack:
            yield stack

    def received(self) -> list[tuple[str, str]]:
        """Return side and client order id of every order that came to the exchange's market."""
        orders = self.wire.exchange.accounts[KEY].orders
        return [(one.ticket.side, one.ticket.client_id) for one in orders]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    wire = wire_of("binance", Market.USDM)
    with served(wire) as (url, _):
        yield World(wire, url, tmp_path / "var")


def send(stack: Stack, **fields: object) -> str:
    names = {"connectorName": ACCOUNT, "connectorToken": "T", "number": time.time_ns()}
    answer = stack.send({**names, **fields})
    assert answer.text == "ok", answer.text
    return answer.headers["X-Hookfill-Id"]


def state(stack: Stack) -> str:
    found: str = stack.call("GET", f"/api/accounts/{ACCOUNT}")["state"]
    return found


def set_up(stack: Stack) -> None:
    stack.call("PUT", f"/api/accounts/{ACCOUNT}", account_at("binance", "USDM"))
    connector = {"token": "T", "account": ACCOUNT, "symbol": "ETH/USDT"}
    stack.call("PUT", f"/api/connectors/{ACCOUNT}", connector)


def frozen_row(stack: Stack) -> Json:
    found: list[Json] = stack.call("GET", "/api/recovery")["data"]
    (row,) = found
    return row


def copied(world: World) -> Path:
    """Copy the whole folder as it is at this moment, as `cp -a` would if it were not in use."""
    copy = world.data_dir.with_name("copy")
    backup = world.data_dir.with_name("copy.tar")
    back_up(backup, {"HOOKFILL_DATA_DIR": str(world.data_dir)})
    with tarfile.open(backup) as tar:
        tar.extractall(copy, filter="data")
    return copy


def states_waiting(stack: Stack) -> set[str]:
    return {one["state"] for one in frozen_row(stack)["waiting"]}


def test_a_folder_that_is_put_back_does_nothing_again_by_itself(world: World) -> None:
    with world.up() as stack:
        set_up(stack)
        opened = send(stack, action="openLong", fixed="0.2", profit="2200", loss="1900")
        eventually(lambda: len(stack.rows(kind="SMART_ORDER", parent=opened)) == 3, WAIT)
        send(stack, action="openLong", fixed="0.1")
        eventually(lambda: len(world.received()) == 2, WAIT)
        send(stack, action="closeLong", fixed="0.05", delaySeconds=3600)
        copy = copied(world)

        # The store is started anew, but not put back: everything goes on by itself.
        stack.kill("redis")
        stack.wait_ready(WAIT)
        stack.call("POST", "/paper/clock?timeout_ms=0", {"advance_ms": 3_600_000})
        eventually(lambda: len(world.received()) == 3, WAIT)
        world.wire.exchange.set_price("ETH/USDT", "1899")
        eventually(lambda: len(world.received()) == 4, WAIT)
        assert state(stack) == "RUN"
    before = world.received()
    assert [side for side, _ in before] == ["BUY", "BUY", "SELL", "SELL"]

    shutil.rmtree(world.data_dir)
    copy.rename(world.data_dir)
    with world.up() as stack:
        eventually(lambda: state(stack) == "FROZEN", WAIT)
        stack.call("POST", "/paper/clock?timeout_ms=0", {"advance_ms": 3_600_000})
        row = frozen_row(stack)
        seen = {one["client_order_id"] for one in row["unknown_orders"]}
        assert seen == {name for side, name in before if side == "SELL"}
        refusal = stack.call("PUT", f"/api/accounts/{ACCOUNT}", {"state": "RUN"}, status=409)
        assert "hookfill recover" in refusal["error"]["message"]
        # The delayed sale is due once more, and waits for the release.
        eventually(lambda: "SCHEDULED" not in states_waiting(stack), WAIT)
        assert "EXECUTING" in states_waiting(stack)
        assert world.received() == before

        shown = stack.hookfill("recover")
        assert all(name in shown for name in seen)
        assert "FROZEN" in stack.hookfill("status")
        said = stack.hookfill("recover", ACCOUNT, "--release", "--cancel-pending")
        assert f"{ACCOUNT} is RUN again" in said
        assert not stack.call("GET", "/api/recovery")["data"]

        send(stack, action="openLong", fixed="0.1")
        eventually(lambda: len(world.received()) == 5, WAIT)
        assert state(stack) == "RUN"
    assert not waiting(world.wire.exchange.accounts[KEY])
    assert world.received()[:4] == before
    assert world.received()[4][0] == "BUY"
