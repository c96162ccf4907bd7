"""Which task does which work, and in which queue it waits.

Task names are frozen: a rolling update must not meet a name that it does not know.
"""

from enum import StrEnum

from app.domain.effects import Effect, EffectKind


class QueueName(StrEnum):
    """The queues, named so in the broker."""

    URGENT = "urgent"
    ORDERS = "orders"
    EVENTS = "events"
    POLL = "poll"
    MAINTENANCE = "maintenance"


class TaskName(StrEnum):
    """The tasks. Each takes one argument: a list."""

    PLACE = "hookfill.place"
    CANCEL = "hookfill.cancel"
    RESOLVE = "hookfill.resolve"
    ADVANCE = "hookfill.advance"
    TIMERS_DUE = "hookfill.timers_due"
    POLL_PRICES = "hookfill.poll_prices"
    POLL_ORDERS = "hookfill.poll_orders"
    POLL_GUARDS = "hookfill.poll_guards"
    SWEEP = "hookfill.sweep"
    CANARY = "hookfill.canary"
    INSPECT = "hookfill.inspect"
    RECONCILE = "hookfill.reconcile"
    ARCHIVE = "hookfill.archive"
    ROUNDS = "hookfill.rounds"
    ADJUST = "hookfill.adjust"
    LEARN = "hookfill.learn"
    CANCEL_AT_VENUE = "hookfill.cancel_at_venue"


#: Where a task waits unless its effect is urgent.
QUEUE_OF: dict[TaskName, QueueName] = {
    TaskName.PLACE: QueueName.ORDERS,
    TaskName.CANCEL: QueueName.URGENT,
    TaskName.RESOLVE: QueueName.EVENTS,
    TaskName.ADVANCE: QueueName.ORDERS,
    TaskName.TIMERS_DUE: QueueName.EVENTS,
    TaskName.POLL_PRICES: QueueName.POLL,
    TaskName.POLL_ORDERS: QueueName.POLL,
    TaskName.POLL_GUARDS: QueueName.POLL,
    TaskName.SWEEP: QueueName.MAINTENANCE,
    TaskName.CANARY: QueueName.MAINTENANCE,
    TaskName.INSPECT: QueueName.POLL,
    TaskName.RECONCILE: QueueName.POLL,
    TaskName.ARCHIVE: QueueName.MAINTENANCE,
    # Apart from the polls of accounts, of which there may be many: prices wait for no exchange.
    TaskName.ROUNDS: QueueName.MAINTENANCE,
    TaskName.ADJUST: QueueName.URGENT,
    TaskName.LEARN: QueueName.EVENTS,
    TaskName.CANCEL_AT_VENUE: QueueName.URGENT,
}

#: Kinds of work that have no task of their own name.
_TASK_OF: dict[EffectKind, TaskName] = {
    EffectKind.ARM: TaskName.ADVANCE,
    EffectKind.DISARM: TaskName.ADVANCE,
    EffectKind.WITHDRAW: TaskName.ADVANCE,
    EffectKind.NEWS: TaskName.ADVANCE,
    EffectKind.TIMER: TaskName.TIMERS_DUE,
}


def task_of(kind: EffectKind) -> TaskName:
    """Return the task that does this kind of work."""
    return _TASK_OF.get(kind) or TaskName[kind.name]


def queue_of(effect: Effect) -> QueueName:
    """Return the queue in which the effect's message waits."""
    return QueueName.URGENT if effect.urgent else QUEUE_OF[task_of(effect.kind)]
