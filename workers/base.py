"""What all tasks share: log context, effects at once, and the one policy about retries.

A task does no work of a venue itself. It finds out whose each piece of work is and hands it to the
crew of that account's venue; see `workers.crew`.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import structlog
from celery import Task

from app import metrics
from app.dispatch.routes import QueueName, TaskName, task_of
from app.domain.account import PAPER, Account
from app.domain.effects import Effect, EffectKind
from app.domain.errors import HookfillError, NotFound
from app.domain.identifiers import AccountId, AggregateId, Symbol, id_from
from app.domain.request.request import Request
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

#: Where position-dependent work is done in order; see `app.services.placing.lane`.
Lane = tuple[AccountId, Symbol]


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
    """Is sent again and again, with no caller behind it.

    Flower is told of none of them: it keeps some thousands of tasks, and they would be all that it
    shows of the last minutes. Whether they are done, `/readyz` says.
    """

    send_events = False


class AggregateTask(HookfillTask):
    """Has the effect of its own name carried out for each id in the list, each by itself."""

    #: Whose turn it is before others', unless it is urgent.
    rank = Rank.ORDER

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Hand each id to the crew of its venue; what is no id is said so and passed over."""
        task = TaskName(self.name)
        walked: set[Lane] = set()
        for value in values:
            number = id_in(value)
            if number is not None:
                with log_context(task=str(task), id=str(number)), one_piece_of_work():
                    self.begin(task, number, walked, ports)

    def begin(
        self, task: TaskName, aggregate_id: AggregateId, walked: set[Lane], ports: Ports
    ) -> None:
        """Hand on one id, unless it waits here already: then nobody looks whose it is.

        Of those that wait for nothing but their turn in one lane the first is enough: it has the
        lane walked, and each turn wakes the next. Should that one be canceled just now, the others
        are the sweep's, which sends one for each lane in the same way.

        Args:
            task: what is to be done.
            aggregate_id: to whom.
            walked: the lanes of those that were handed on from the same message.
            ports: of this process.

        Raises:
            NotFound: there is nothing with this id.
        """
        rank = Rank.URGENT if self._is_urgent() else self.rank
        key = (task, aggregate_id)
        if this_process().crews.await_already(key, rank):
            return
        account_id, lane = _whose(task, aggregate_id, ports)
        if lane is not None and lane in walked:
            return
        offer(ports.accounts.account(account_id), key, partial(attempt, task, aggregate_id), rank)
        if lane is not None:
            walked.add(lane)

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


def offer_apart(name: str, work: Callable[[], None]) -> None:
    """Have a thread of its own do some work of no venue, and other workers what follows from it.

    However long it lasts, nothing else waits for it. Once more is all that waits meanwhile.

    Args:
        name: of the work.
        work: raises no error of ours.
    """

    def run() -> None:
        with _at_work(carries_on=False):
            work()

    if not this_process().crews.alone(name).offer(name, run):
        _log.warning("work_left_to_sweep", error="the process ends", round=name)


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
    account_id, _ = _whose(task_of(effect.kind), effect.target, ports)
    return ports.accounts.account(account_id)


def _whose(
    task: TaskName, aggregate_id: AggregateId, ports: Ports
) -> tuple[AccountId, Lane | None]:
    """Return whose piece of work this is, and the lane if a turn there is all that it is about.

    Raises:
        NotFound: there is nothing with this id.
    """
    match task:
        case TaskName.ADJUST | TaskName.INSPECT | TaskName.LEARN | TaskName.RECONCILE:
            return ports.worker_requests.find(aggregate_id).account, None
        case TaskName.CANCEL_AT_VENUE:
            cancel = ports.venue_cancels.find(aggregate_id)
            if cancel is None:
                raise NotFound(f"there is no cancel {aggregate_id}")
            return cancel.account, None
        case _:
            aggregate = ports.ledger.load(aggregate_id).aggregate
            if isinstance(aggregate, Request) and aggregate.awaits_first_turn:
                return aggregate.account, (aggregate.account, aggregate.symbol)
            return aggregate.account, None


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
