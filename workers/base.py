"""What all tasks share: log context, effects at once, and the one policy about retries."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from celery import Task
from kombu import Producer

from app import metrics
from app.dispatch.routes import TaskName, task_of
from app.domain.effects import Effect
from app.domain.errors import HookfillError, NotFound
from app.domain.identifiers import AggregateId, OrderId
from app.logs import log_context
from app.ports import Ports
from app.services.adjust import adjust
from app.services.cancel import cancel_order
from app.services.place import place_order
from app.services.resolve import resolve_order
from app.services.tend import tend
from app.services.venue_cancels import cancel_at_venue
from workers.process import process_inline, process_ports

_log = structlog.get_logger()

#: Ids stay below 2**53.
ID_DIGITS_MAX = 16

#: Messages of beat that may wait in one queue. A worker takes them within a fraction of a second.
WAITING_MAX = 8


def _place(aggregate_id: AggregateId, ports: Ports) -> None:
    place_order(OrderId(aggregate_id), ports)


def _cancel(aggregate_id: AggregateId, ports: Ports) -> None:
    cancel_order(OrderId(aggregate_id), ports)


def _resolve(aggregate_id: AggregateId, ports: Ports) -> None:
    resolve_order(OrderId(aggregate_id), ports)


#: The use case behind each task that takes ids.
USE_CASES: dict[TaskName, Callable[[AggregateId, Ports], None]] = {
    TaskName.PLACE: _place,
    TaskName.CANCEL: _cancel,
    TaskName.RESOLVE: _resolve,
    TaskName.ADVANCE: tend,
    TaskName.ADJUST: adjust,
    TaskName.CANCEL_AT_VENUE: cancel_at_venue,
}


class HookfillTask(Task[[Sequence[object]], None]):
    """Runs its work, then whatever effects that work has brought, in this process.

    Nothing is retried by message: what fails for a passing reason is still in the outbox, and the
    sweep sends it again, at a bounded pace. So a poison message cannot loop.
    """

    typing = False
    ignore_result = True
    #: Whether what follows from the work is done in this process rather than sent to others.
    carries_on = True

    def __call__(self, values: Sequence[object]) -> None:
        """Do the work for each value, and what follows from it."""
        inline = process_inline()
        if self.carries_on:
            inline.open()
        try:
            self.work(values, process_ports())
            while (effect := inline.take()) is not None:
                self.carry_out(effect)
        finally:
            inline.close()

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Do what the message asks for."""
        raise NotImplementedError

    def carry_out(self, effect: Effect) -> None:
        """Carry out one effect that this task has brought."""
        self.attempt(task_of(effect.kind), effect.target)

    def attempt(self, task: TaskName, aggregate_id: AggregateId) -> None:
        """Run one use case."""
        started = time.perf_counter()
        with log_context(task=str(task), id=str(aggregate_id)), one_piece_of_work():
            USE_CASES[task](aggregate_id, process_ports())
        metrics.WORK_SECONDS.labels(task=task).observe(time.perf_counter() - started)


class PeriodicTask(HookfillTask):
    """Is started by beat, again and again, as long as somebody takes it from its queue.

    What expires in a queue must still be taken from it, one by one. A worker that was away for
    long, or is slow, would find nothing else there.
    """

    def apply_async(  # type: ignore[override]  # beat's own call, by keywords
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        producer: Producer,
        queue: str,
        **options: Any,  # noqa: ANN401 - Celery's
    ) -> object:
        """Send one more, unless as many wait in its queue as will be of any use."""
        channel: Any = producer.channel
        if channel.queue_declare(queue).message_count >= WAITING_MAX:
            return None
        return super().apply_async(args, kwargs, producer=producer, queue=queue, **options)


class AggregateTask(HookfillTask):
    """Runs the use case of its own name for each id in the list."""

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Run the use case for each id; what is no id is said so and passed over."""
        del ports  # the use cases ask for them by themselves
        for value in values:
            number = id_from(value)
            if number is not None:
                self.attempt(TaskName(self.name), AggregateId(number))


@contextmanager
def one_piece_of_work() -> Iterator[None]:
    """Let an error of ours end this one piece of work and no other; the sweep has it still."""
    try:
        yield
    except NotFound as error:
        _log.info("unknown_id", error=str(error))
    except HookfillError as error:
        _log.warning("work_left_to_sweep", error=str(error), kind=type(error).__name__)
    else:
        _log.debug("worked")


def id_from(value: object) -> int | None:
    """Return the id that a message names, or None for what is no id."""
    text = str(value)
    if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX:
        return int(text)
    _log.warning("not_an_id", value=text[:40])
    return None
