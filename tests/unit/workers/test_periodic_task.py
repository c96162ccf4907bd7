"""What beat starts does not pile up while nobody takes it."""

from typing import Any

import pytest
from kombu import Producer

from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName, TaskName
from workers.base import WAITING_MAX, PeriodicTask


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
