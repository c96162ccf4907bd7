"""Installations with stores and workers of their own, on one broker that may be out of order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from app.bootstrap import Wiring, web_wiring
from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName
from app.domain.commands import SignalRules
from app.domain.enums import Dialect
from app.domain.identifiers import AccountId, AggregateId
from app.domain.sender import Sender
from app.services.intake.requests import accept_signal
from app.settings import Settings
from tests.support.builders import BTC, SPOT, a_command, fixed
from tests.support.paper_desk import PaperDesk
from tests.support.processes import eventually
from tests.support.servers import QUICK, running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
COMMAND = "-m workers worker -n worker@here --without-gossip --without-mingle"


@dataclass
class House:
    """One installation: what its web process has, and its workers."""

    environ: dict[str, str]
    log: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    web: Wiring = field(init=False)

    def __post_init__(self) -> None:
        """Read its settings."""
        self.call_itself(self.environ.get("HOOKFILL_INSTALLATION", ""))

    def call_itself(self, name: str) -> None:
        """Give it a name, as a person does who starts it anew."""
        self.environ["HOOKFILL_INSTALLATION"] = name
        self.web = web_wiring(Settings.from_environment(self.environ))

    def worker(self) -> None:
        """Start a worker for all queues."""
        command = [sys.executable, *COMMAND.split(), "-Q", ",".join(QueueName)]
        with self.log.open("ab") as log:
            self.workers.append(
                subprocess.Popen(command, env=self.environ, cwd=ROOT, stdout=log, stderr=log)
            )

    def accept(self) -> AggregateId:
        """Take in a signal; a thread sends its message."""
        sender = Sender(
            dialect=Dialect.CRYPTO_ARSENAL,
            origin="crypto_arsenal:a",
            account=self.web.registry.accounts()[0],
            received_at_ms=self.web.ports.clock.now_ms(),
        )
        rules = SignalRules(entry_lateness_ms=0)
        command = a_command(size=fixed("0.01"))
        return accept_signal(command, BTC, rules, sender, self.web.ports).id

    def wake(self) -> None:
        """Send a message for all that is owed, as the sweep does."""
        self.web.messages.publish(self.web.ports.outbox.owed())

    def is_done(self, signal_id: AggregateId) -> bool:
        """Whether a signal has ended."""
        return not self.web.ports.ledger.load(signal_id).aggregate.is_live

    def names_that_answer(self) -> list[str]:
        """Return the workers that hear a command of this installation."""
        settings = self.web.settings
        with celery_for(settings.broker_url, settings.broker_prefix) as celery:
            return [name for answer in celery.control.ping(timeout=2) or () for name in answer]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[redis.Redis]:
    with (
        running_server(tmp_path / "broker", QUICK) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        yield client


@pytest.fixture
def house(tmp_path: Path, broker: redis.Redis) -> Iterator[Callable[[str, str], House]]:
    """Return a function that makes an installation: its data, and its name at the broker."""
    where = broker.connection_pool.connection_kwargs
    with ExitStack() as running:

        def build(data: str, name: str) -> House:
            store = running.enter_context(running_server(tmp_path / data / "redis"))
            environ = {
                **os.environ,
                "REDIS_URL": f"{store.url}/0",
                "BROKER_URL": f"redis://127.0.0.1:{where['port']}/0",
                "HOOKFILL_DATA_DIR": str(tmp_path / data),
                "HOOKFILL_INSTALLATION": name,
            }
            found = House(environ, tmp_path / data / "worker.log")
            running.callback(_end, found.workers)
            found.web.paper.seed_instruments()
            account = found.web.registry.put_account(replace(SPOT, id=AccountId(0)))
            desk = PaperDesk(found.web.paper.ports)
            desk.set_account(account, {"balances": {"USDT": "1000000"}})
            desk.set_prices({"prices": {BTC: {"last": "50000"}}})
            return found

        yield build


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.kill()
        worker.wait()


def test_installations_with_names_do_not_take_each_others_messages(
    house: Callable[[str, str], House], broker: redis.Redis
) -> None:
    plain, named = house("one", ""), house("two", "two")
    named.worker()
    ours = [plain.accept() for _ in range(20)]
    eventually(lambda: broker.llen(QueueName.ORDERS))
    theirs = [named.accept() for _ in range(20)]
    eventually(lambda: all(map(named.is_done, theirs)), told=named.log.read_text)

    assert broker.llen(QueueName.ORDERS)  # nobody has touched them
    plain.worker()
    eventually(lambda: all(map(plain.is_done, ours)), told=plain.log.read_text)

    assert "unknown_id" not in plain.log.read_text() + named.log.read_text()
    assert named.names_that_answer() == plain.names_that_answer() == ["worker@here"]
    assert broker.exists("hookfill.begun.worker@here", "two:hookfill.begun.worker@here") == 2


def test_what_waits_is_counted_in_ones_own_queues_alone(
    house: Callable[[str, str], House],
) -> None:
    plain, named = house("one", ""), house("two", "two")
    plain.accept()

    def waiting(one: House) -> int:
        return one.web.backlog.queue_lengths([QueueName.ORDERS])[QueueName.ORDERS]

    eventually(lambda: waiting(plain) == 1)
    assert waiting(named) == 0


def test_what_was_sent_before_an_installation_got_its_name_is_sent_again(
    house: Callable[[str, str], House], broker: redis.Redis
) -> None:
    one = house("one", "")
    before = one.accept()
    eventually(lambda: broker.llen(QueueName.ORDERS))

    one.call_itself("named")
    one.worker()

    def is_done() -> bool:
        one.wake()
        time.sleep(0.1)
        return one.is_done(before)

    eventually(is_done, told=one.log.read_text)
    assert broker.llen(QueueName.ORDERS) == 1  # under the old name it stays, and does no harm


@pytest.mark.parametrize(
    ("harm", "mend"),
    [
        (("CONFIG SET", "min-replicas-to-write", "1"), "0"),
        (("ACL SETUSER", "default", "-@write"), "+@all"),
    ],
    ids=["read-only", "refusing"],
)
def test_a_worker_tells_once_that_its_broker_is_out_of_order(
    house: Callable[[str, str], House],
    broker: redis.Redis,
    harm: tuple[str, ...],
    mend: str,
) -> None:
    one = house("one", "")
    one.worker()
    first = one.accept()
    eventually(lambda: one.is_done(first), told=one.log.read_text)
    length = one.log.stat().st_size

    def refused() -> int:
        return int(broker.info("stats")["total_error_replies"])

    order: Callable[..., object] = broker.execute_command
    order(*harm)
    before = refused()
    meanwhile = one.accept()
    eventually(lambda: refused() > before + 30)  # the worker has tried again and again
    told = one.log.read_text()[length:]
    order(*harm[:-1], mend)

    def is_over() -> bool:
        one.wake()  # as the sweep does
        one.accept()
        time.sleep(0.5)
        return "outage_over" in one.log.read_text()

    eventually(is_over, told=one.log.read_text)
    eventually(lambda: one.is_done(meanwhile), told=one.log.read_text)
    assert told.count("Cannot connect to redis") == 1
    assert (
        len(told.splitlines()) < 10
    )  # an outage has a few lines, whatever its tracebacks are long


def test_two_workers_of_one_line_are_told_apart(house: Callable[[str, str], House]) -> None:
    one = house("one", "")
    for _ in range(2):
        one.worker()

    def names() -> bool:
        return sorted(one.names_that_answer()) == ["worker-2@here", "worker@here"]

    eventually(names, told=one.log.read_text)
    one.workers[0].kill()
    one.workers[0].wait()
    one.worker()  # in the place of the first
    eventually(names, told=one.log.read_text)
