"""What beat sends is sent in time, and does not pile up while nobody takes it."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis
import structlog
from celery import Celery
from structlog.testing import capture_logs

from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName, TaskName
from app.outages import QUIET_SECONDS, Outage
from tests.support.servers import QUICK, running_server
from workers.beat import Scheduler
from workers.incoming import ours_of
from workers.schedule import CANARIES_WAITING_MAX, WAITING_MAX, Entry

SWEEP = Entry(task=TaskName.ROUNDS, queue=QueueName.MAINTENANCE, values=("sweep",), every_ms=1_000)
RARE = Entry(task=TaskName.ROUNDS, queue=QueueName.POLL, values=("rare", "1"), every_ms=2_500)


class Beat:
    """Beat at the given broker, at a time that a test sets."""

    def __init__(self, *entries: Entry, broker: str = "memory://") -> None:
        self.seconds = 1_000.0
        app: Celery = celery_for(broker)
        app.conf.task_default_queue = QueueName.ORDERS
        self._scheduler = Scheduler(app, entries, lambda: self.seconds)
        for queue in QueueName:  # those of the memory outlive a connection
            self.channel.queue_declare(queue)
            self.channel.queue_purge(queue)

    @property
    def channel(self) -> Any:  # noqa: ANN401 - the library has no types
        return self._scheduler.producer.channel

    def after(self, seconds: float) -> float:
        """Let time pass, let beat wake up, and return for how long it sleeps."""
        self.seconds += seconds
        return self._scheduler.tick()

    def waiting(self, queue: QueueName = QueueName.MAINTENANCE) -> int:
        """Return how many messages wait."""
        count: int = self.channel.queue_declare(queue).message_count
        return count

    def told(self) -> Sequence[str]:
        """Take all messages that wait for maintenance, and return what they say."""
        return [one["headers"]["argsrepr"] for one in self.taken(QueueName.MAINTENANCE)]

    def taken(self, queue: QueueName) -> Sequence[dict[str, Any]]:
        """Take all messages that wait."""
        return [self.channel._get(queue) for _ in range(self.waiting(queue))]  # noqa: SLF001


def test_all_is_sent_at_the_start() -> None:
    beat = Beat(SWEEP, RARE)

    assert beat.after(0) == 1
    assert (beat.waiting(), beat.waiting(QueueName.POLL)) == (1, 1)


def test_it_sleeps_until_the_next_is_due() -> None:
    beat = Beat(SWEEP, RARE)
    beat.after(0)

    slept = [beat.after(seconds) for seconds in (1, 1, 0.5, 0.5)]

    assert slept == [1, 0.5, 0.5, 1]
    assert (beat.waiting(), beat.waiting(QueueName.POLL)) == (4, 2)


def test_what_was_missed_is_not_made_up_for() -> None:
    beat = Beat(SWEEP)
    beat.after(0)

    assert beat.after(3_600.25) == 0.75
    assert beat.waiting() == 2


def test_a_message_is_as_workers_read_it() -> None:
    beat = Beat(RARE)
    beat.after(0)

    (message,) = beat.taken(QueueName.POLL)

    read: Any = ours_of(message, QueueName.POLL)
    assert read["headers"]["task"] == TaskName.ROUNDS
    assert read["headers"]["argsrepr"] == "rare, 1"
    assert read["headers"]["expires"]
    assert json.loads(base64.b64decode(read["body"]))[0] == [["rare", "1"]]


def test_what_is_due_at_once_is_one_message() -> None:
    prices = replace(SWEEP, values=("prices",), every_ms=500)
    canary = replace(SWEEP, task=TaskName.CANARY, values=("maintenance",))
    beat = Beat(prices, SWEEP, canary)

    slept = [beat.after(seconds) for seconds in (0, 0.5, 0.5)]

    assert slept == [0.5, 0.5, 0.5]
    assert beat.told() == ["prices, sweep", "maintenance", "prices", "prices, sweep", "maintenance"]


def test_what_was_not_sent_goes_with_the_next_message() -> None:
    prices = replace(SWEEP, values=("prices",), every_ms=500)
    rare = replace(SWEEP, values=("rare",), every_ms=5_000)
    beat = Beat(prices, rare)
    for seconds in (0, *[0.5] * 10):
        beat.after(seconds)
    assert beat.told() == ["prices, rare", *["prices"] * (WAITING_MAX - 1)]

    for _ in range(2):
        beat.after(0.5)

    assert beat.told() == ["prices, rare", "prices"]


def test_what_nobody_takes_does_not_pile_up() -> None:
    beat = Beat(SWEEP)

    for _ in range(WAITING_MAX * 5):
        beat.after(1)

    assert beat.waiting() == WAITING_MAX


def test_what_was_taken_makes_room_for_more() -> None:
    beat = Beat(SWEEP)
    for _ in range(WAITING_MAX):
        beat.after(1)
    beat.taken(QueueName.MAINTENANCE)

    beat.after(1)

    assert beat.waiting() == 1


def test_beat_tells_once_that_the_broker_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = Mock(return_value=0.0)
    outage = Outage("broker", seconds)
    monkeypatch.setattr("app.outages.BROKER", outage)
    monkeypatch.setattr("workers.beat.BROKER", outage)
    structlog.reset_defaults()
    with running_server(tmp_path, QUICK) as server, redis.Redis.from_url(server.url) as client:
        beat = Beat(SWEEP, broker=server.url)
        client.config_set("min-replicas-to-write", 1)
        with capture_logs() as told:
            for _ in range(20):
                beat.after(1)
        assert [line["event"] for line in told] == ["message_lost"]

        client.config_set("min-replicas-to-write", 0)
        seconds.return_value = QUIET_SECONDS
        with capture_logs() as told:
            for _ in range(3):
                beat.after(1)
        assert [line["event"] for line in told] == ["outage_over"]
        assert beat.waiting() == 3


#: Sends all that there is to send, for long, as beat does; prints how much waits in each queue.
SCRIPT = f"""
from itertools import count
from celery.beat import Service
from app.dispatch.routes import QueueName
from workers.light_app import celery_app as app
app.conf.broker_url = "memory://"
Scheduler = type(Service(app, scheduler_cls=app.conf.beat_scheduler).get_scheduler(lazy=True))
beat = Scheduler(app, seconds=count(step=2).__next__)
for _ in range({CANARIES_WAITING_MAX * 2}):
    beat.tick()
print(*(beat.producer.channel.queue_declare(one).message_count for one in QueueName))
"""


def test_nothing_piles_up_in_any_queue(tmp_path: Path) -> None:
    waits = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "HOOKFILL_DATA_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    ).stdout

    assert set(waits.split()) == {str(CANARIES_WAITING_MAX)}
