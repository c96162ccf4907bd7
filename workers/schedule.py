"""What beat starts, and how often: few and static entries, which fan out by themselves.

Messages cost more than most of what they start: all rounds that are due at once share one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.dispatch.routes import QUEUE_OF, QueueName, TaskName
from app.settings import Settings

#: How often a canary goes through each queue; `/readyz` wants one within the last 10 s.
CANARY_MS = 2_000

#: How often somebody looks whose turn it is; soon after the start it is everybody's.
RECONCILE_MS = 5_000

#: How often what has finished goes into the history: lists read the rest one by one.
ARCHIVE_MS = 1_000

#: Messages that may wait in one queue. A worker takes them within a fraction of a second.
WAITING_MAX = 8

#: Canaries also go into queues full of work, where one that comes late says how late they are.
CANARIES_WAITING_MAX = 100

#: A message that was not taken for this long is of no use, however often there is another one.
_EXPIRES_MS = 2_000


class Round(StrEnum):
    """What is done again and again, named so in messages, in the order in which it is begun.

    The names are frozen, as those of tasks are.
    """

    PRICES = "prices"
    ORDERS = "orders"
    RECONCILE = "reconcile"
    SWEEP = "sweep"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message that is sent again and again.

    Args:
        task: whose it is.
        queue: where it waits.
        values: its one argument.
        every_ms: how often it is sent.
        waiting_max: how many messages may wait in its queue when one more is sent.
    """

    task: TaskName
    queue: QueueName
    values: tuple[str, ...]
    every_ms: int
    waiting_max: int = WAITING_MAX

    @property
    def expires_ms(self) -> int:
        """How long it may wait: until soon after its next, so an outage leaves no backlog."""
        return max(self.every_ms * 2, _EXPIRES_MS)


def schedule_for(settings: Settings) -> Sequence[Entry]:
    """Return what beat sends."""
    return [
        _round(Round.PRICES, settings.poll_interval_ms),
        _round(Round.ORDERS, settings.poll_interval_ms),
        _round(Round.RECONCILE, RECONCILE_MS),
        _round(Round.SWEEP, settings.sweep_interval_ms),
        _round(Round.ARCHIVE, ARCHIVE_MS),
        *map(_canary, QueueName),
    ]


def _round(name: Round, every_ms: int) -> Entry:
    task = TaskName.ROUNDS
    return Entry(task=task, queue=QUEUE_OF[task], values=(name,), every_ms=every_ms)


def _canary(queue: QueueName) -> Entry:
    return Entry(
        task=TaskName.CANARY,
        queue=queue,
        values=(queue,),
        every_ms=CANARY_MS,
        waiting_max=CANARIES_WAITING_MAX,
    )
