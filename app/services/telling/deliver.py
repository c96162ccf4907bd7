"""What waits for a channel is told there, and again until it has arrived."""

from collections.abc import Sequence
from dataclasses import replace

from app import metrics
from app.domain.channel import Channel, Message
from app.domain.identifiers import EpochMs
from app.domain.moments import has_come
from app.domain.notice import Notice, NoticeKind
from app.ports import Ports
from app.ports.notices import Mailbox, Notices, Outcome, Progress, Sender, Sent
from app.services.exclusive import ALIVE_MS, exclusive

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
    with exclusive(
        ports.locks, f"mailbox:{mailbox.kind}:{mailbox.channel}", ALIVE_MS, SENDING_MS
    ) as is_ours:
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


class _Delivering:
    """One mailbox, while it is held."""

    def __init__(
        self, mailbox: Mailbox, channel: Channel, notices: Notices, sender: Sender, ports: Ports
    ) -> None:
        self._mailbox, self._channel, self._notices = mailbox, channel, notices
        self._sender, self._ports = sender, ports
        self._pause_ms = _pause_ms(mailbox, channel)

    def tell(self) -> None:
        progress = self._notices.progress(self._mailbox)
        if not is_due(self._mailbox, self._channel, progress, self._ports):
            return
        now_ms = self._ports.clock.server_ms()
        self._drop_old()
        for _ in range(1 if self._pause_ms else SINGLY_MAX):
            looked_ms = self._ports.clock.steady_ms()
            waiting = self._notices.waiting(self._mailbox, TOGETHER_MAX)
            told = self._next(waiting, progress)
            if not told:
                if progress.begun:
                    self._notices.note(self._mailbox, replace(progress, begun=()))
                return
            self._begin(told, progress)
            if self._ports.clock.steady_ms() - looked_ms >= ALIVE_MS:
                return  # this process slept: another one may hold the mailbox by now
            progress = self._send(told, progress)
            if progress.failures or progress.next_ms > now_ms:
                return

    def _next(self, waiting: Sequence[Notice], progress: Progress) -> Sequence[Notice]:
        """Return what goes with the next message: first of all what was begun, and only that."""
        begun = [one for one in waiting if one.id in progress.begun]
        return begun or (waiting if self._pause_ms else waiting[:1])

    def _begin(self, told: Sequence[Notice], progress: Progress) -> None:
        begun = tuple(one.id for one in told)
        self._notices.note(self._mailbox, replace(progress, begun=begun))

    def _send(self, told: Sequence[Notice], progress: Progress) -> Progress:
        message = Message(
            kind=self._mailbox.kind,
            notices=tuple(told[:LINES_MAX]),
            left_out=len(told) - len(told[:LINES_MAX]),
            is_repeated=bool(progress.begun),
        )
        sent = self._sender.send(self._channel, message)
        metrics.MESSAGES.labels(kind=self._mailbox.kind, outcome=sent.outcome).inc()
        now_ms = self._ports.clock.server_ms()
        if sent.outcome is Outcome.ARRIVED:
            self._notices.remove(self._mailbox, told)
            after = Progress(next_ms=EpochMs(now_ms + self._pause_ms))
        else:
            failures, is_unknown = progress.failures + 1, sent.outcome is Outcome.UNKNOWN
            pause_ms = min(PAUSE_MS << min(failures - 1, 16), PAUSE_MS_MAX)
            after = Progress(
                # What has certainly not arrived has not begun, unless an earlier try may have.
                begun=tuple(one.id for one in told) if is_unknown else progress.begun,
                next_ms=EpochMs(now_ms + pause_ms),
                failures=failures,
            )
        self._notices.note(self._mailbox, after)
        self._note(sent, now_ms)
        return after

    def _note(self, sent: Sent, now_ms: EpochMs) -> None:
        known = self._notices.delivery(self._channel.name)
        if sent.outcome is Outcome.ARRIVED:
            after = replace(
                known, sent=known.sent + 1, last_sent_ms=now_ms, error="", error_ms=None
            )
        else:
            after = replace(known, error=sent.words or "nothing was said", error_ms=now_ms)
        self._notices.note_delivery(self._channel.name, after)

    def _drop_old(self) -> None:
        """Drop what is too old, or too much: a day later nobody acts on it any more."""
        since_ms = self._ports.clock.now_ms() - LIFE_MS
        over = self._notices.count([self._mailbox])[self._mailbox] - WAITING_MAX
        dropped = 0
        while True:
            oldest = self._notices.waiting(self._mailbox, TOGETHER_MAX)
            gone = [one for at, one in enumerate(oldest) if one.at_ms < since_ms or at < over]
            if not gone:
                break
            self._notices.remove(self._mailbox, gone)
            dropped, over = dropped + len(gone), over - len(gone)
        if dropped:
            known = self._notices.delivery(self._channel.name)
            after = replace(known, dropped=known.dropped + dropped)
            self._notices.note_delivery(self._channel.name, after)


def _pause_ms(mailbox: Mailbox, channel: Channel) -> int:
    """Return how long after a message the next one goes; whoever tries a channel waits for none."""
    return 0 if mailbox.kind is NoticeKind.TEST else channel.pause_seconds * 1000
