"""One thread of a process that has people told, in the way of nothing else."""

import fcntl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Final

import structlog

from app.domain.channel import Channel, Message
from app.domain.errors import StoreError, StoreUnavailable
from app.domain.identifiers import EpochMs
from app.domain.notice import Notice, NoticeKind
from app.ports import Ports
from app.ports.notices import Channels, Mailbox, Notices, Outcome, Sender
from app.services.apart import apart
from app.services.exclusive import ALIVE_MS
from app.services.telling.address import addressed_to
from app.services.telling.alarms import LASTING_MS, NOBODY, AlarmWatch
from app.services.telling.deliver import deliver, discard, is_due, tidy

#: Between two looks.
PAUSE_SECONDS: Final = 1.0

#: Messages that one process sends at once. A service that hangs holds one of them for seconds.
SENDING_MAX: Final = 8

#: Of them, for one channel.
OWN_MAX: Final = 3

#: Between two times that what is too old is dropped.
TIDY_SECONDS: Final = 30.0

#: How often, and how far apart, it is tried to tell that the store is away.
TRIES: Final = 5
TRY_SECONDS: Final = 5.0

#: How long one process looks for what ails before another may.
TURN_MS: Final = 300_000

#: Who has not looked for so long may have lost its turn.
SLEPT_MS: Final = 5_000

_log = structlog.get_logger()


class StoreOutage:
    """Tells people that the store is away, which keeps all else that they would be told.

    Nobody can write down that they were told, so each machine says so once.

    Args:
        channels: that this process knows of.
        sender: what brings it there.
        notices: take in that the outage is over.
        lock: a file that the processes of one machine share.
    """

    def __init__(self, channels: Channels, sender: Sender, notices: Notices, lock: Path) -> None:
        self._channels, self._sender, self._notices = channels, sender, notices
        self._lock = lock
        self._since: float | None = None
        self._told: Notice | None = None
        self._held: IO[str] | None = None

    def lasts(self) -> None:
        """Note that the store is away; once that has lasted, tell it."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if self._told is None and (now - self._since) * 1000 >= LASTING_MS and self._is_first():
            at_ms = EpochMs(time.time_ns() // 1_000_000)
            words = "the store does not answer: nothing is taken in, and nothing is sent"
            kind = NoticeKind.UNREADY
            self._told = Notice(id=f"store-{at_ms}", kind=kind, at_ms=at_ms, message=words)
            for one in self._channels.channels():
                if one.wants(kind, None) and not one.keeps_quiet(kind, at_ms):
                    _start(partial(self._tell, one, Message(kind=kind, notices=(self._told,))))

    def is_over(self) -> None:
        """Note that it answers; if people were told that it does not, tell them."""
        self._since = None
        if self._told is not None:
            over = replace(
                self._told,
                id=f"{self._told.id}-over",
                at_ms=EpochMs(time.time_ns() // 1_000_000),
                message="the store answers again",
            )
            self._notices.put(NOBODY, addressed_to(self._channels.channels(), over))
            self._told = None
        if self._held is not None:
            self._held.close()
            self._held = None

    def _tell(self, channel: Channel, message: Message) -> None:
        """Try a few times: a network is often away with the store."""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(TRY_SECONDS)
            sent = self._sender.send(channel, replace(message, is_repeated=attempt > 0))
            if sent.outcome is Outcome.ARRIVED or self._told is None:
                return

    def _is_first(self) -> bool:
        """Tell whether no other process of this machine tells it."""
        try:
            held = self._lock.open("w")
        except OSError as error:  # no such folder, or no room: better twice than never
            _log.warning("messenger_not_locked", error=str(error))
            return True
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.close()
            return False
        self._held = held
        return True


class Messenger:
    """Looks each second what people are to be told, and tells it.

    Each process of a worker and of the web may have one: of the same mailbox one sends at a
    time, and whichever processes are killed, the others go on.

    Args:
        ports: as everywhere.
        notices: what waits.
        channels: where it goes.
        sender: what brings it there.
        watch: looks for what ails.
        lock: a file that the processes of one machine share.
    """

    def __init__(
        self,
        ports: Ports,
        notices: Notices,
        channels: Channels,
        sender: Sender,
        watch: AlarmWatch,
        lock: Path,
    ) -> None:
        self._ports, self._notices, self._channels = ports, notices, channels
        self._sender = sender
        self._watch = Turn(watch, ports)
        self._outage = StoreOutage(channels, sender, notices, lock)
        self._lock = threading.Lock()
        self._busy: set[Mailbox] = set()
        self._tidied_at: float | None = None

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="messenger", daemon=True).start()

    def look(self) -> None:
        """Look once: for what waits, and for what ails.

        Raises:
            StoreUnavailable: it does not answer.
        """
        with suppress(StoreUnavailable):
            self._channels.version()  # read anew, if that was long ago
        channels = self._channels.channels()
        if not channels:
            return
        by_name = {one.name: one for one in channels}
        is_tidying = self._tidied_at is None or time.monotonic() - self._tidied_at > TIDY_SECONDS
        for mailbox in self._notices.mailboxes():
            with apart("messages", mailbox):
                self._serve(mailbox, by_name.get(mailbox.channel), is_tidying=is_tidying)
        if is_tidying:
            self._tidied_at = time.monotonic()
        self._watch.look()

    def _serve(self, mailbox: Mailbox, channel: Channel | None, *, is_tidying: bool) -> None:
        if channel is None or not channel.enabled:
            discard(mailbox, self._notices)
            return
        if is_tidying:
            tidy(mailbox, self._notices, self._ports)
        if is_due(mailbox, channel, self._notices.progress(mailbox), self._ports):
            self._begin(mailbox, channel)

    def _run(self) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            try:
                self._look_once()
            except Exception:  # noqa: BLE001 - outermost in this thread
                _log.exception("messenger_failed")

    def _look_once(self) -> None:
        try:
            self.look()
            self._outage.is_over()
        except StoreUnavailable:
            self._outage.lasts()

    def _begin(self, mailbox: Mailbox, channel: Channel) -> None:
        """Have a mailbox told in a thread of its own, unless that is under way."""
        with self._lock:
            own = sum(one.channel == mailbox.channel for one in self._busy)
            if mailbox in self._busy or len(self._busy) >= SENDING_MAX or own >= OWN_MAX:
                return
            self._busy.add(mailbox)
        if not _start(partial(self._tell, mailbox, channel)):
            self._done(mailbox)

    def _tell(self, mailbox: Mailbox, channel: Channel) -> None:
        try:
            with apart("messages", mailbox):
                deliver(mailbox, channel, self._notices, self._sender, self._ports)
        except StoreError as error:
            _log.debug("messages_wait", error=str(error))
        finally:
            self._done(mailbox)

    def _done(self, mailbox: Mailbox) -> None:
        with self._lock:
            self._busy.discard(mailbox)


class Turn:
    """Has one process at a time look for what ails, for as long as it lives.

    Args:
        watch: what looks.
        ports: as everywhere.
    """

    def __init__(self, watch: AlarmWatch, ports: Ports) -> None:
        self._watch, self._ports = watch, ports
        self._token: int | None = None
        self._began_ms = self._looked_ms = 0

    def look(self) -> None:
        """Look, if it is ours to.

        Raises:
            StoreUnavailable: it does not answer.
        """
        now_ms = self._ports.clock.steady_ms()
        has_slept = now_ms - self._looked_ms > SLEPT_MS
        self._looked_ms = now_ms
        if self._token is not None and (has_slept or now_ms - self._began_ms > TURN_MS):
            token, self._token = self._token, None
            self._ports.locks.release("alarms", token)
        if self._token is None:
            self._token = self._ports.locks.acquire("alarms", ALIVE_MS, 2 * TURN_MS)
            self._began_ms = now_ms
            self._watch.forget()
        if self._token is not None:
            self._watch.look()


def _start(work: Callable[[], None]) -> bool:
    """Do this in a thread of its own; return whether the system has one to give."""
    try:
        threading.Thread(target=work, name="message", daemon=True).start()
    except RuntimeError as error:
        _log.warning("message_waits", error=str(error))
        return False
    return True
