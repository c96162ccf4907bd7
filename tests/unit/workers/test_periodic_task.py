"""What beat starts does not pile up while nobody takes it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis
import structlog
from kombu import Producer
from structlog.testing import capture_logs

from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName, TaskName
from app.outages import QUIET_SECONDS, Outage
from tests.support.servers import QUICK, running_server
from workers.base import WAITING_MAX, PeriodicTask
from workers.maintenance import CANARIES_WAITING_MAX


class Often(PeriodicTask):
    name = TaskName.SWEEP


@pytest.fixture
def producer() -> Producer:
    return Producer(celery_for("memory://").connection_for_write().channel())


def waiting(producer: Producer) -> int:
    """Return how many messages wait."""
    channel: Any = producer.channel
    count: int = channel.queue_declare(QueueName.MAINTENANCE).message_count
    return count


def started(producer: Producer, times: int) -> None:
    """Let beat start the task so often."""
    task = celery_for("memory://").register_task(Often())
    for _ in range(times):
        task.apply_async(([],), {}, producer=producer, queue=QueueName.MAINTENANCE, expires=2)


def test_what_nobody_takes_does_not_pile_up(producer: Producer) -> None:
    started(producer, WAITING_MAX * 5)

    assert waiting(producer) == WAITING_MAX


def test_what_was_taken_makes_room_for_more(producer: Producer) -> None:
    started(producer, WAITING_MAX)
    channel: Any = producer.channel
    channel.queue_purge(QueueName.MAINTENANCE)

    started(producer, 1)

    assert waiting(producer) == 1


def test_beat_tells_once_that_the_broker_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = Mock(return_value=0.0)
    outage = Outage("broker", seconds)
    monkeypatch.setattr("app.dispatch.celery_publisher.BROKER", outage)
    monkeypatch.setattr("workers.base.BROKER", outage)
    structlog.reset_defaults()
    with running_server(tmp_path, QUICK) as server, redis.Redis.from_url(server.url) as client:
        producer = Producer(celery_for(server.url).connection_for_write().channel())
        client.config_set("min-replicas-to-write", 1)
        with capture_logs() as told:
            started(producer, 20)
        assert [line["event"] for line in told] == ["message_lost"]

        client.config_set("min-replicas-to-write", 0)
        seconds.return_value = QUIET_SECONDS
        with capture_logs() as told:
            started(producer, 3)
        assert [line["event"] for line in told] == ["outage_over"]
        assert waiting(producer) == 3


#: Starts all that there is to start, as beat does, and prints how much waits in each queue.
SCRIPT = f"""
import importlib, sys
from celery.beat import Scheduler
app = importlib.import_module(sys.argv[1]).celery_app
app.loader.import_default_modules()
app.conf.broker_url = "memory://"
beat = Scheduler(app)
assert beat.schedule
for entry in list(beat.schedule.values()) * {CANARIES_WAITING_MAX * 2}:
    beat.apply_async(entry, producer=beat.producer, advance=False)
queues = {{entry.options["queue"] for entry in beat.schedule.values()}}
print(*(beat.producer.channel.queue_declare(one).message_count for one in queues))
"""


def test_nothing_piles_up_however_beat_is_started(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    lines = [
        line
        for file in ("Procfile", "deploy/compose.yaml", "deploy/systemd/hookfill-beat.service")
        for line in (root / file).read_text().splitlines()
        if " beat -S " in line
    ]
    assert len(lines) == 3
    for app in {found for line in lines for found in re.findall(r"-A (\S+) beat", line)}:
        waits = subprocess.run(
            [sys.executable, "-c", SCRIPT, app],
            env={**os.environ, "HOOKFILL_DATA_DIR": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
            cwd=root,
        ).stdout

        assert set(waits.split()) == {str(CANARIES_WAITING_MAX)}, app
