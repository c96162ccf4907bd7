"""Wake-ups as Celery messages: a task's name, and a list of ids."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import KombuError

from app.dispatch.routes import QUEUE_OF, QueueName, TaskName, queue_of, task_of
from app.domain.effects import Effect, EffectKind
from app.domain.errors import HookfillError
from app.domain.identifiers import AccountId, EpochMs
from app.outages import BROKER
from app.ports.clock import Clock

#: Ids in one message. More go into further messages, so that several workers share them.
IDS_MAX = 50

#: Due times within one slot share a countdown message, sent for the end of the slot.
SLOT_MS = 50

#: A countdown message that has not come this long after its slot counts as lost.
SLOT_GRACE_MS = 2_000

#: Effects that the sentence of one message names.
DESCRIBED_MAX = 3

_log = structlog.get_logger()

#: What a message may run into; Redis and socket errors come through as OSError or KombuError.
_LOST = (KombuError, OSError, RuntimeError)

NameOf = Callable[[AccountId], str]
ClaimSlot = Callable[[int, int], bool]


def note_lost(task: str, error: Exception) -> None:
    """Say that a message could not be sent, once in an outage of the broker for each reason."""
    first: BaseException = error
    while first.__cause__ is not None:
        first = first.__cause__
    # Their words differ by the command that it befell.
    if BROKER.is_news(("message_lost", type(first))):
        _log.warning("message_lost", task=task, error=str(error))


class CeleryPublisher:
    """Sends wake-ups. A message that cannot be sent is logged and left to the sweep.

    Args:
        celery: the app whose broker is used; it needs no tasks.
        clock: business time for timers, server time for effects.
        claim_slot: tells whether nobody has claimed a time slot, so that none gets two messages.
        horizon_ms: how far ahead a countdown message is sent.
        name_of: the name of an account, for the sentence that Flower shows.
    """

    def __init__(
        self, celery: Celery, clock: Clock, claim_slot: ClaimSlot, horizon_ms: int, name_of: NameOf
    ) -> None:
        self._celery = celery
        self._clock = clock
        self._claim_slot = claim_slot
        self._horizon_ms = horizon_ms
        self._name_of = name_of

    def publish(self, effects: Sequence[Effect]) -> None:
        """Hurry these along; effects that are not due yet are left to the sweep."""
        try:
            self._publish(effects)
        except HookfillError as error:
            _log.warning("messages_left_to_sweep", effects=len(effects), error=str(error))

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        """Send one countdown message for each slot that is near and has none yet."""
        try:
            self._wake_timers(due_ms)
        except HookfillError as error:
            _log.warning("timers_left_to_sweep", timers=len(due_ms), error=str(error))

    def _publish(self, effects: Sequence[Effect]) -> None:
        groups: dict[tuple[TaskName, QueueName], dict[Effect, None]] = defaultdict(dict)
        timers: list[EpochMs] = []
        for effect in effects:
            if effect.kind is EffectKind.TIMER:
                timers.append(effect.due_at_ms)
            elif not effect.due_at_ms or effect.due_at_ms <= self._clock.server_ms():
                groups[task_of(effect.kind), queue_of(effect)][effect] = None
        for (task, queue), group in groups.items():
            members = list(group)
            for start in range(0, len(members), IDS_MAX):
                part = members[start : start + IDS_MAX]
                ids = dict.fromkeys(int(effect.target) for effect in part)
                self.send(task, list(ids), self._describe(part), queue=queue)
        if timers:
            self._wake_timers(timers)

    def _wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        now_ms = self._clock.now_ms()
        ends = {(due // SLOT_MS + 1) * SLOT_MS for due in due_ms}
        for end_ms in sorted(ends):
            ahead_ms = max(end_ms - now_ms, 0)
            if ahead_ms > self._horizon_ms:
                return
            if self._claim_slot(end_ms // SLOT_MS, ahead_ms + SLOT_GRACE_MS):
                about, seconds = f"timers of {end_ms}", ahead_ms / 1000 or None
                self.send(TaskName.TIMERS_DUE, [end_ms], about, countdown=seconds)

    def send(
        self,
        task: TaskName,
        values: Sequence[int | str],
        about: str = "",
        **options: Any,  # noqa: ANN401 - Celery's
    ) -> None:
        """Send one message. Never raises: what is lost is sent again by the sweep, or by beat.

        Args:
            task: whose it is.
            values: its one argument.
            about: what it is about, for people.
            **options: how Celery is to send it: `queue`, `countdown` and `expires` in seconds.
        """
        try:
            self._celery.send_task(
                task,
                args=[list(values)],
                argsrepr=about or str(list(values)),
                kwargsrepr="",
                retry=False,
                **{"queue": QUEUE_OF[task], **options},
            )
        except _LOST as error:
            note_lost(task, error)
        else:
            BROKER.got_through()

    def _describe(self, effects: Sequence[Effect]) -> str:
        """Return what a message is about, for people; its arguments are ids."""
        about = [self._sentence(effect) for effect in effects[:DESCRIBED_MAX]]
        left = len(effects) - len(about)
        return "; ".join(about) + (f"; and {left} more" if left else "")

    def _sentence(self, effect: Effect) -> str:
        if not effect.about or effect.account is None:
            return f"{effect.kind} {effect.target}"
        return f"{effect.about}, account {self._name_of(effect.account)}"
