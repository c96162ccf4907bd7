"""Wake-ups as Celery messages: a task's name, and a list of ids."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import structlog

from app.dispatch.celery_message import celery_message
from app.dispatch.routes import QUEUE_OF, QueueName, TaskName, queue_of, task_of
from app.domain.effects import Effect, EffectKind
from app.domain.errors import HookfillError
from app.domain.identifiers import AccountId, EpochMs
from app.outages import BROKER, note_lost
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

#: Takes a queue and a text of each message; returns for each why it may not be there, or None.
Put = Callable[[Sequence[tuple[str, str]]], Sequence[BaseException | None]]

NameOf = Callable[[AccountId], str]
ClaimSlot = Callable[[int, int], bool]

#: Whose it is, where it goes, and what it says.
_Message = tuple[TaskName, QueueName, str]


class CeleryPublisher:
    """Sends wake-ups. A message that cannot be sent is logged and left to the sweep.

    Args:
        put: puts messages into the queues of the broker.
        clock: business time for timers, server time for effects.
        claim_slot: tells whether nobody has claimed a time slot, so that none gets two messages.
        horizon_ms: how far ahead a countdown message is sent.
        name_of: the name of an account, for the sentence that Flower shows.
    """

    def __init__(
        self, put: Put, clock: Clock, claim_slot: ClaimSlot, horizon_ms: int, name_of: NameOf
    ) -> None:
        self._put = put
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
        messages: list[_Message] = []
        for (task, queue), group in groups.items():
            members = list(group)
            for start in range(0, len(members), IDS_MAX):
                part = members[start : start + IDS_MAX]
                ids = dict.fromkeys(int(effect.target) for effect in part)
                text = celery_message(task, queue, list(ids), self._describe(part))
                messages.append((task, queue, text))
        self._send(messages)
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
        *,
        countdown: float | None = None,
        expires: float | None = None,
    ) -> None:
        """Send one message. Never raises: what is lost is sent again by the sweep, or by beat.

        Args:
            task: whose it is.
            values: its one argument.
            about: what it is about, for people.
            countdown: seconds from now until it is due.
            expires: seconds from now after which nobody carries it out.
        """
        queue, about = QUEUE_OF[task], about or str(list(values))
        text = celery_message(task, queue, values, about, countdown=countdown, expires=expires)
        self._send([(task, queue, text)])

    def _send(self, messages: Sequence[_Message]) -> None:
        if not messages:
            return
        errors = self._put([(queue, text) for _, queue, text in messages])
        for (task, _, _), error in zip(messages, errors, strict=True):
            if error is None:
                BROKER.got_through()
            else:
                note_lost(task, error)

    def _describe(self, effects: Sequence[Effect]) -> str:
        """Return what a message is about, for people; its arguments are ids."""
        about = [self._sentence(effect) for effect in effects[:DESCRIBED_MAX]]
        left = len(effects) - len(about)
        return "; ".join(about) + (f"; and {left} more" if left else "")

    def _sentence(self, effect: Effect) -> str:
        if not effect.about or effect.account is None:
            return f"{effect.kind} {effect.target}"
        return f"{effect.about}, account {self._name_of(effect.account)}"
