"""Real worker processes beside exchanges that are slow or hang, killed, stopped and stuck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from app.bootstrap import Wiring, web_wiring
from app.dispatch.routes import QueueName
from app.domain.account import Account
from app.domain.commands import SignalRules
from app.domain.enums import Dialect, Market
from app.domain.identifiers import AccountId, AccountName, AggregateId, VenueName
from app.domain.sender import Sender
from app.paper.domain.fault import FaultPlan
from app.services.intake.requests import accept_signal
from app.settings import Settings
from tests.support.builders import BTC, SPOT, a_command, a_live_account, fixed
from tests.support.exchanges import server
from tests.support.exchanges.faults import Call
from tests.support.exchanges.server import Gateway, served
from tests.support.hostile_messages import HOSTILE
from tests.support.paper_desk import PaperDesk
from tests.support.servers import running_server
from tests.support.venue_world import wire_of
from workers.incoming import BEGINNINGS_MAX
from workers.watchdog import EXIT_CODE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

VENUE = VenueName("binance")
ACCOUNTS = 50
#: Longer than anything here takes on a busy machine.
PATIENCE_SECONDS = 120.0
#: What the supervisor, systemd and compose give a worker at least.
STOP_SECONDS = 20.0

SETTINGS = {
    "HOOKFILL_FAST": "1",
    "HOOKFILL_WORKER_CONCURRENCY": "80",
    "HOOKFILL_VENUE_MARGIN_MS": "0",
    "HOOKFILL_VENUE_ABSENCE_MS": "500",
    "HOOKFILL_LOG_LEVEL": "info",
}


@dataclass
class Place:
    """An installation without processes, and an exchange with many accounts."""

    web: Wiring
    wire: server.Dialect
    gateway: Gateway
    paper: Account
    accounts: Sequence[Account]
    log: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker for all queues."""
        command = [sys.executable, "-m", "workers", "worker"]
        queues = ["-Q", ",".join(QueueName), "--without-gossip", "--without-mingle"]
        with self.log.open("ab") as log:
            process = subprocess.Popen([*command, *queues], stdout=log, stderr=log)
        self.workers.append(process)
        return process

    def accept(self, account: Account) -> AggregateId:
        """Take in a market order that is never too late; nobody is told of it yet.

        What became of one in a worker that was killed takes most of a minute to prove.
        """
        sender = Sender(
            dialect=Dialect.CRYPTO_ARSENAL,
            origin=f"crypto_arsenal:{account.name}",
            account=account,
            received_at_ms=self.web.ports.clock.now_ms(),
        )
        command = a_command(size=fixed("0.01"))
        rules = SignalRules(entry_lateness_ms=0)
        return accept_signal(command, BTC, rules, sender, self.web.ports).id

    def wake(self) -> None:
        """Send a message for all that is owed, as the sweep does."""
        self.web.messages.publish(self.web.ports.outbox.owed())

    def is_done(self, signal_id: AggregateId) -> bool:
        """Whether a signal's order was filled."""
        found = self.web.ports.ledger.load(signal_id).aggregate
        return not found.is_live and found.filled_quantity == Decimal("0.01")

    def received(self) -> list[int]:
        """Return how many orders each account at the exchange has had."""
        accounts = self.wire.exchange.accounts
        return [len(accounts[_key(one.name)].orders) for one in self.accounts]

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, and go on waking the workers meanwhile."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not come about:\n{self.log.read_text()[-6000:]}")
            time.sleep(0.5)
            self.wake()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    wire = wire_of(VENUE, Market.SPOT)
    with running_server(tmp_path / "redis") as store, served(wire) as (url, gateway):
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("REDIS_URL", f"{store.url}/0")
        monkeypatch.setenv("HOOKFILL_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("HOOKFILL_VENUE_URLS", f'{{"{VENUE}": "{url}"}}')
        web = web_wiring(Settings.from_environment(os.environ))
        web.paper.seed_instruments()
        paper = web.registry.put_account(replace(SPOT, id=AccountId(0)))
        desk = PaperDesk(web.paper.ports)
        desk.set_account(paper, {"balances": {"USDT": "1000000"}})
        desk.set_prices({"prices": {BTC: {"last": "50000"}}})
        accounts = [_at_exchange(f"real-{n}", web, wire) for n in range(ACCOUNTS)]
        found = Place(web, wire, gateway, paper, accounts, tmp_path / "worker.log")
        try:
            yield found
        finally:
            for worker in found.workers:
                worker.kill()
                worker.wait()


def _key(name: str) -> str:
    return name.ljust(20, "k")


def _at_exchange(name: str, web: Wiring, wire: server.Dialect) -> Account:
    wire.exchange.open_account(_key(name), name, USDT="10000")
    sealed = web.vault.encrypt(AccountName(name), {"apiKey": _key(name), "secret": name})
    return web.registry.put_account(a_live_account(name, venue=VENUE, credentials=sealed))


@contextmanager
def slow(place: Place, seconds: float) -> Iterator[None]:
    """Let the exchange take so long for every answer."""
    place.wire.plan.latency_seconds = seconds
    try:
        yield
    finally:
        place.wire.plan.latency_seconds = 0


def warmed_up(place: Place) -> subprocess.Popen[bytes]:
    """Return a worker that has done something already."""
    worker = place.worker()
    first = place.accept(place.paper)
    place.until(lambda: place.is_done(first))
    return worker


def test_a_hung_exchange_holds_up_neither_paper_nor_what_is_urgent(place: Place) -> None:
    warmed_up(place)
    place.wire.plan.latency_seconds = PATIENCE_SECONDS
    hung = [place.accept(account) for account in place.accounts for _ in range(3)]
    place.wake()
    place.until(lambda: bool(place.gateway.log))

    for _ in range(10):
        quick = place.accept(place.paper)
        place.until(lambda quick=quick: place.is_done(quick))  # type: ignore[misc]

    assert not any(place.is_done(one) for one in hung)


def test_a_killed_worker_with_many_placements_under_way_doubles_and_loses_none(
    place: Place,
) -> None:
    worker = warmed_up(place)
    signals = [place.accept(account) for account in place.accounts]
    with slow(place, 0.5):
        place.wake()
        place.until(lambda: place.gateway.counted(Call.PLACE) >= ACCOUNTS // 2)
        worker.kill()
        worker.wait()

    place.worker()

    place.until(lambda: all(place.is_done(one) for one in signals))
    assert place.received() == [1] * ACCOUNTS


def test_a_worker_ends_in_time_while_many_placements_wait(place: Place) -> None:
    worker = warmed_up(place)
    signals = [place.accept(place.accounts[0])]
    place.until(lambda: place.is_done(signals[0]))  # what one asks for all is known
    signals += [place.accept(account) for account in place.accounts[1:]]
    begun = len(place.gateway.log)
    with slow(place, 30.0):
        place.wake()
        place.until(lambda: len(place.gateway.log) >= begun + 10)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS) == 0

    place.worker()

    place.until(lambda: all(place.is_done(one) for one in signals))
    assert place.received() == [1] * ACCOUNTS


def test_a_worker_with_a_stuck_piece_of_work_ends_and_says_where(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOKFILL_WORKER_STUCK_SECONDS", "5")
    worker = warmed_up(place)
    place.web.paper.ports.faults.put(place.paper.id, FaultPlan(delay_ms=600_000))
    stuck = place.accept(place.paper)
    place.wake()

    assert worker.wait(PATIENCE_SECONDS) == EXIT_CODE

    assert "worker_stuck" in place.log.read_text()
    assert "paper_venue.py" in place.log.read_text()
    place.web.paper.ports.faults.put(place.paper.id, FaultPlan())
    place.worker()
    place.until(lambda: place.is_done(stuck))


def test_no_message_ends_a_worker_or_holds_it_up(place: Place) -> None:
    worker = warmed_up(place)
    with redis.Redis.from_url(place.web.settings.broker_url) as broker:
        for queue in QueueName:
            broker.lpush(queue, *HOSTILE.values())
        after = place.accept(place.paper)
        place.until(lambda: place.is_done(after))
        place.until(lambda: not broker.exists(*QueueName, "unacked"))

    assert worker.poll() is None
    assert place.log.read_text().count("message_dropped") == len(HOSTILE) * len(QueueName)


def test_a_worker_that_dies_again_and_again_empties_the_queues(
    place: Place,
) -> None:
    with redis.Redis.from_url(place.web.settings.broker_url) as broker:
        worker = warmed_up(place)
        for _ in range(BEGINNINGS_MAX):
            broker.hset("unacked", "its tag", "what it died of")
            worker.kill()
            worker.wait()
            worker = warmed_up(place)

        assert not broker.exists("unacked")
    assert "queues_emptied" in place.log.read_text()
