"""Beat's scheduler: sends what is due, and sleeps until something is.

Celery's own goes by the time of day, and stands still when that is set back; it also wakes more
often than anything is due, and knows no bound of what waits in a queue.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import celery.beat
from celery import Celery
from kombu import Producer
from kombu.exceptions import OperationalError

from app.outages import BROKER, note_lost
from workers.light_app import settings
from workers.schedule import Entry, schedule_for


class Scheduler(celery.beat.Scheduler):
    """Sends each entry again and again; those of one task, queue and time in one message.

    What was missed because this process stood still is not made up for. What could not be sent, or
    was of no use, goes with the next message of its task and queue.

    Args:
        app: whose broker is used; it needs no tasks.
        entries: what is sent; as the settings say, unless given.
        seconds: a clock that nobody sets.
        **options: Celery's.
    """

    def __init__(
        self,
        app: Celery,
        entries: Sequence[Entry] | None = None,
        seconds: Callable[[], float] = time.monotonic,
        **options: Any,  # noqa: ANN401 - Celery's
    ) -> None:
        super().__init__(app, **options)
        entries = schedule_for(settings) if entries is None else entries
        self._seconds = seconds
        self._began_at = seconds()
        self._due_ms = dict.fromkeys(entries, 0)

    def setup_schedule(self) -> None:
        """Leave Celery's own schedule empty."""

    def tick(self, *_: Any, **__: Any) -> float:  # noqa: ANN401 - Celery's signature
        """Send what is due, and return for how many seconds nothing else is."""
        now_ms = self._now_ms()
        messages: dict[object, list[Entry]] = defaultdict(list)
        for entry, due_ms in self._due_ms.items():
            if due_ms <= now_ms:
                messages[entry.task, entry.queue].append(entry)
        for entries in messages.values():
            is_sent = self._is_sent(entries)
            soonest = min(entry.every_ms for entry in entries)
            for entry in entries:
                every_ms = entry.every_ms if is_sent else soonest
                self._due_ms[entry] = _next_ms(every_ms, now_ms)
        return max(min(self._due_ms.values()) - self._now_ms(), 0.0) / 1000

    def _now_ms(self) -> float:
        return (self._seconds() - self._began_at) * 1000

    def _is_sent(self, entries: Sequence[Entry]) -> bool:
        """Send one message, unless as many wait in its queue as will be of any use.

        What expires in a queue must still be taken from it, one by one. A worker that was away for
        long, or is slow, would find nothing else there.
        """
        task, queue = entries[0].task, entries[0].queue
        values = [value for entry in entries for value in entry.values]
        producer = self.producer
        try:
            channel: Any = producer.channel
            waiting = channel.queue_declare(queue).message_count
            if waiting >= min(entry.waiting_max for entry in entries):
                return False
            self.app.send_task(
                task,
                args=[values],
                argsrepr=", ".join(values),
                kwargsrepr="",
                queue=queue,
                expires=max(entry.expires_ms for entry in entries) / 1000,
                producer=producer,
                retry=False,
            )
        except _ailments(producer) as error:
            note_lost(task, error)
            return False
        BROKER.got_through()
        return True


def _next_ms(every_ms: int, now_ms: float) -> int:
    """Return when something is due next, in ms since the start, on a grid: so entries meet."""
    return (int(now_ms) // every_ms + 1) * every_ms


def _ailments(producer: Producer) -> tuple[type[Exception], ...]:
    """Return what may keep a message from the broker."""
    connection: Any = producer.connection
    return (*connection.connection_errors, *connection.channel_errors, OperationalError)
