"""What all tasks share: log context, effects at once, and the one policy about retries.

A task does no work of a venue itself. It finds out whose each piece of work is and hands it to the
crew of that account's venue; see `workers.crew`.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from celery import Task
from kombu import Producer
from kombu.exceptions import OperationalError

from app import metrics
from app.dispatch.celery_publisher import note_lost
from app.dispatch.routes import QueueName, TaskName, task_of
from app.domain.account import PAPER, Account
from app.domain.effects import Effect, EffectKind
from app.domain.errors import HookfillError, NotFound
from app.domain.identifiers import AccountId, AggregateId, id_from
from app.logs import log_context
from app.outages import BROKER
from app.ports import Ports
from app.services.apart import MISTAKES
from app.services.perform import carry_out
from workers.crew import Rank
from workers.process import this_process

_log = structlog.get_logger()

#: A task, and what it is to work on.
Piece = tuple[TaskName, AggregateId]

#: Messages of beat that may wait in one queue. A worker takes them within a fraction of a second.
WAITING_MAX = 8


class HookfillTask(Task[[Sequence[object]], None]):
    """Runs its work, then hands on whatever effects that work has brought.

    Nothing is retried by message: what fails for a passing reason is still in the outbox, and the
    sweep sends it again, at a bounded pace. So a poison message cannot loop.
    """

    typing = False
    ignore_result = True
    #: Whether what follows from the work is done in this process rather than sent to others.
    carries_on = True

    def __call__(self, values: Sequence[object]) -> None:
        """Do the work for each value, and hand on what follows from it."""
        BROKER.got_through()
        with _at_work(carries_on=self.carries_on) as ports:
            self.work(values, ports)

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Do what the message asks for."""
        raise NotImplementedError


class PeriodicTask(HookfillTask):
    """Is started by beat, again and again, as long as somebody takes it from its queue.

    What expires in a queue must still be taken from it, one by one. A worker that was away for
    long, or is slow, would find nothing else there.
    """

    #: Messages that may wait in its queue when one more is sent.
    waiting_max = WAITING_MAX

    def apply_async(  # type: ignore[override]  # beat's own call, by keywords
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        producer: Producer,
        queue: str,
        **options: Any,  # noqa: ANN401 - Celery's
    ) -> object:
        """Send one more, unless as many wait in its queue as will be of any use.

        What cannot be sent is left to the next time.
        """
        try:
            channel: Any = producer.channel
            if channel.queue_declare(queue).message_count >= self.waiting_max:
                return None
            sent = super().apply_async(args, kwargs, producer=producer, queue=queue, **options)
        except _ailments(producer) as error:
            note_lost(self.name, error)
            return None
        BROKER.got_through()
        return sent


def _ailments(producer: Producer) -> tuple[type[Exception], ...]:
    """Return what may keep a message from the broker."""
    connection: Any = producer.connection
    return (*connection.connection_errors, *connection.channel_errors, OperationalError)


class AggregateTask(HookfillTask):
    """Has the effect of its own name carried out for each id in the list, each by itself."""

    #: Whose turn it is before others', unless it is urgent.
    rank = Rank.ORDER

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Hand each id to the crew of its venue; what is no id is said so and passed over."""
        task = TaskName(self.name)
        for value in values:
            number = id_in(value)
            if number is not None:
                with log_context(task=str(task), id=str(number)), one_piece_of_work():
                    self.begin(task, number, ports)

    def begin(self, task: TaskName, aggregate_id: AggregateId, ports: Ports) -> None:
        """Hand on one id, unless it waits here already: then nobody looks whose it is.

        Raises:
            NotFound: there is nothing with this id.
        """
        rank = Rank.URGENT if self._is_urgent() else self.rank
        key = (task, aggregate_id)
        if not this_process().crews.await_already(key, rank):
            owner = _owner(task, aggregate_id, ports)
            offer(owner, key, partial(attempt, task, aggregate_id), rank)

    def _is_urgent(self) -> bool:
        delivery = self.request.delivery_info
        return delivery is not None and delivery.get("routing_key") == QueueName.URGENT


def attempt(task: TaskName, aggregate_id: AggregateId) -> None:
    """Do one piece of work; which use case that is, `carry_out` knows."""
    process = this_process()
    process.watchdog.alive()
    started = time.perf_counter()
    with log_context(task=str(task), id=str(aggregate_id)), one_piece_of_work():
        carry_out(EffectKind[task.name], aggregate_id, process.ports)
    metrics.WORK_SECONDS.labels(task=task).observe(time.perf_counter() - started)


def offer(
    owner: Account, key: tuple[object, ...], work: Callable[[], None], rank: Rank = Rank.ORDER
) -> None:
    """Have the crew of an account's venue do some work, and what follows from it.

    Args:
        owner: whose work it is.
        key: names the work.
        work: raises no error of ours.
        rank: whose turn it is before others'.
    """

    def run() -> None:
        with _at_work(owner):
            work()

    if not this_process().crews.of(owner.venue).offer(key, run, rank):
        _log.warning("work_left_to_sweep", error="too much waits already", venue=owner.venue)


@contextmanager
def _at_work(own: Account | None = None, *, carries_on: bool = True) -> Iterator[Ports]:
    """Work in this thread, then see to what that has brought; see `hand_on`."""
    process = this_process()
    with process.watchdog.watching():
        if carries_on:
            process.inline.open()
        try:
            yield process.ports
            hand_on(process.ports, own)
        finally:
            process.inline.close()


def hand_on(ports: Ports, own: Account | None = None) -> None:
    """Carry out the effects that this thread has brought, or hand them to those whose they are.

    What is brought for one account is done in order, by one thread. The paper venue is all one:
    what a tick fires there happens in the order in which it was fired.

    Args:
        ports: of this process.
        own: the account that this thread works for.
    """
    inline = this_process().inline
    others: dict[tuple[Rank, AccountId], list[Piece]] = defaultdict(list)
    owners: dict[AccountId, Account] = {}
    while (effect := inline.take()) is not None:
        with one_piece_of_work():
            owner = _owner_of(effect, ports)
            piece = task_of(effect.kind), effect.target
            if own is not None and (owner.id == own.id or owner.venue == own.venue == PAPER):
                attempt(*piece)
            else:
                owners[owner.id] = owner
                others[Rank.URGENT if effect.urgent else Rank.ORDER, owner.id].append(piece)
    for (rank, account_id), pieces in sorted(others.items(), key=lambda one: one[0][0]):
        key = pieces[0] if len(pieces) == 1 else tuple(pieces)
        offer(owners[account_id], key, partial(_attempt_each, pieces), rank)


def _attempt_each(pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        attempt(*piece)


def _owner_of(effect: Effect, ports: Ports) -> Account:
    if effect.account is not None:
        return ports.accounts.account(effect.account)
    return _owner(task_of(effect.kind), effect.target, ports)


def _owner(task: TaskName, aggregate_id: AggregateId, ports: Ports) -> Account:
    """Return whose piece of work this is.

    Raises:
        NotFound: there is nothing with this id.
    """
    return ports.accounts.account(_account_id(task, aggregate_id, ports))


def _account_id(task: TaskName, aggregate_id: AggregateId, ports: Ports) -> AccountId:
    match task:
        case TaskName.ADJUST | TaskName.INSPECT | TaskName.LEARN | TaskName.RECONCILE:
            return ports.worker_requests.find(aggregate_id).account
        case TaskName.CANCEL_AT_VENUE:
            cancel = ports.venue_cancels.find(aggregate_id)
            if cancel is None:
                raise NotFound(f"there is no cancel {aggregate_id}")
            return cancel.account
        case _:
            return ports.ledger.load(aggregate_id).aggregate.account


@contextmanager
def one_piece_of_work() -> Iterator[None]:
    """Let an error end this one piece of work and no other; the sweep has it still."""
    try:
        yield
    except NotFound as error:
        _log.info("unknown_id", error=str(error))
    except HookfillError as error:
        _log.warning("work_left_to_sweep", error=str(error), kind=type(error).__name__)
    except MISTAKES:
        metrics.FAILED_ITEMS.labels(loop="work").inc()
        _log.exception("work_failed")
    else:
        _log.debug("worked")


def id_in(value: object) -> AggregateId | None:
    """Return the id that a message names; of what is no id it is said so, and None returned."""
    found = id_from(str(value))
    if found is None:
        _log.warning("not_an_id", value=str(value)[:40])
    return found
