"""What waits for a channel is told there, and again until it has arrived."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from app import metrics
from app.domain.channel import Channel, Message
from app.domain.identifiers import EpochMs
from app.domain.moments import has_come
from app.domain.notice import Notice, NoticeKind
from app.ports import Ports
from app.ports.notices import Mailbox, Notices, Outcome, Progress, Sender, Sent
from app.services.exclusive import ALIVE_MS, Hold, exclusive

#: Notices of one message that are told one by one; of more it is told how many there are.
LINES_MAX = 20

#: Taken into one message at most.
TOGETHER_MAX = 1_000

#: Where each goes by itself: so many in one turn.
SINGLY_MAX = 50

#: Kept for one channel and kind; of more the oldest are dropped.
WAITING_MAX = 5_000

#: What could not be told for so long is dropped.
LIFE_MS = 86_400_000

#: After a failed try; doubles with each, up to the greatest.
PAUSE_MS = 2_000
PAUSE_MS_MAX = 300_000

#: Longer than any message takes, by far.
SENDING_MS = 120_000


def deliver(
    mailbox: Mailbox, channel: Channel, notices: Notices, sender: Sender, ports: Ports
) -> None:
    """Send the next message of a mailbox, if it is time for it, and take off what it has told.

    What a message tells is written down before it is sent. So twice, or at once in two processes,
    it goes once: one holds the mailbox. If that dies before it knows what became of the message,
    the same is sent again, and says so; these services know no other way. An event that goes to a
    webhook of ours has an id by which its receiver knows it again.
    """
    with _held(mailbox, ports) as is_ours:
        if is_ours:
            _Delivering(mailbox, channel, notices, sender, ports).tell()


def is_due(mailbox: Mailbox, channel: Channel, progress: Progress, ports: Ports) -> bool:
    """Tell whether a message of a mailbox may go now."""
    longest_ms = max(PAUSE_MS_MAX, _pause_ms(mailbox, channel))
    if not has_come(progress.next_ms, ports.clock.server_ms(), longest_ms):
        return False
    return not channel.keeps_quiet(mailbox.kind, ports.clock.now_ms())


def discard(mailbox: Mailbox, notices: Notices) -> None:
    """Take off all that waits for a channel that is to hear of nothing any more."""
    while waiting := notices.waiting(mailbox, TOGETHER_MAX):
        notices.remove(mailbox, waiting)


def tidy(mailbox: Mailbox, notices: Notices, ports: Ports) -> None:
    """Drop what is too old, or too much, and count it: a day later nobody acts on it any more."""
    with _held(mailbox, ports) as is_ours:
        if not is_ours:
            return
        since_ms = ports.clock.now_ms() - LIFE_MS
        over = notices.count([mailbox])[mailbox] - WAITING_MAX
        oldest = notices.waiting(mailbox, 1)
        dropped = 0
        while oldest and (over > 0 or oldest[0].at_ms < since_ms):
            oldest = notices.waiting(mailbox, TOGETHER_MAX)
            gone = [one for at, one in enumerate(oldest) if one.at_ms < since_ms or at < over]
            notices.remove(mailbox, gone)
            dropped, over = dropped + len(gone), over - len(gone)
            oldest = notices.waiting(mailbox, 1)
        if dropped:
            known = notices.progress(mailbox)
            notices.note(mailbox, replace(known, dropped=known.dropped + dropped))


def _held(mailbox: Mailbox, ports: Ports) -> AbstractContextManager[Hold]:
    """Hold a mailbox, for as long as this process lives and sends of it."""
    name = f"mailbox:{mailbox.kind}:{mailbox.channel}"
    return exclusive(ports.locks, name, ALIVE_MS, SENDING_MS)


class _Delivering:
    """One mailbox, while it is held."""

    def __init__(
        self, mailbox: Mailbox, channel: Channel, notices: Notices, sender: Sender, ports: Ports
    ) -> None:
        self._mailbox, self._channel, self._notices = mailbox, channel, notices
        self._sender, self._ports = sender, ports
        self._looked_ms = ports.clock.steady_ms()
        self._progress = notices.progress(mailbox)

    def tell(self) -> None:
        """Send the next message; of what goes singly, several in a row while they arrive."""
        if not is_due(self._mailbox, self._channel, self._progress, self._ports):
            return
        if not self._channel.goes_singly:
            self._tell(self._notices.waiting(self._mailbox, TOGETHER_MAX))
            return
        until_ms = self._looked_ms + SENDING_MS // 2
        for one in self._begun_first(self._notices.waiting(self._mailbox, SINGLY_MAX)):
            if not self._tell([one]) or self._ports.clock.steady_ms() > until_ms:
                return
            self._looked_ms = self._ports.clock.steady_ms()

    def _begun_first(self, waiting: Sequence[Notice]) -> Sequence[Notice]:
        return sorted(waiting, key=lambda one: one.id not in self._progress.begun)

    def _tell(self, waiting: Sequence[Notice]) -> bool:
        """Tell what was begun, and only that, else all of these; return whether it arrived."""
        told = [one for one in waiting if one.id in self._progress.begun] or list(waiting)
        if not told:
            return False
        is_repeated = any(one.id in self._progress.begun for one in told)
        ids = tuple(one.id for one in told)
        self._note(replace(self._progress, begun=ids))
        if self._ports.clock.steady_ms() - self._looked_ms >= ALIVE_MS:
            return False  # this process slept: another one may hold the mailbox by now
        before, self._progress = self._progress, replace(self._progress, begun=ids)
        message = Message(
            kind=self._mailbox.kind,
            notices=tuple(told[:LINES_MAX]),
            left_out=len(told[LINES_MAX:]),
            is_repeated=is_repeated,
        )
        sent = self._sender.send(self._channel, message)
        metrics.MESSAGES.labels(kind=self._mailbox.kind, outcome=sent.outcome).inc()
        now_ms = self._ports.clock.server_ms()
        if sent.outcome is Outcome.ARRIVED:
            self._notices.remove(self._mailbox, told)
            self._progress = replace(
                self._progress,
                begun=(),
                next_ms=EpochMs(now_ms + _pause_ms(self._mailbox, self._channel)),
                failures=0,
                sent=self._progress.sent + 1,
                last_id=ids[-1],
                last_sent_ms=now_ms,
                error="",
                error_ms=None,
            )
        else:
            # What has certainly not arrived has not begun, unless an earlier try may have.
            is_unknown = sent.outcome is Outcome.UNKNOWN
            self._progress = _failed(
                replace(self._progress, begun=ids if is_unknown else before.begun), sent, now_ms
            )
        self._note(self._progress)
        return sent.outcome is Outcome.ARRIVED

    def _note(self, progress: Progress) -> None:
        self._notices.note(self._mailbox, progress)


def _failed(progress: Progress, sent: Sent, now_ms: EpochMs) -> Progress:
    """Return the progress after a try that has failed."""
    failures = progress.failures + 1
    pause_ms = min(PAUSE_MS << min(failures - 1, 16), PAUSE_MS_MAX)
    return replace(
        progress,
        next_ms=EpochMs(now_ms + pause_ms),
        failures=failures,
        error=sent.words or "nothing was said",
        error_ms=now_ms,
    )


def _pause_ms(mailbox: Mailbox, channel: Channel) -> int:
    """Return how long after a message the next one goes; whoever tries a channel waits for none."""
    is_at_once = mailbox.kind is NoticeKind.TEST or channel.goes_singly
    return 0 if is_at_once else channel.pause_seconds * 1000
