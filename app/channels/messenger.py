"""One thread of a process that has people told, in the way of nothing else."""

import fcntl
import threading
import time
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
from app.ports.notices import Channels, Mailbox, Notices, Sender
from app.services.apart import apart
from app.services.exclusive import ALIVE_MS, exclusive
from app.services.telling.address import addressed_to
from app.services.telling.alarms import LASTING_MS, NOBODY, AlarmWatch
from app.services.telling.deliver import deliver, discard, is_due

#: Between two looks.
PAUSE_SECONDS: Final = 1.0

#: Messages that one process sends at once. A service that hangs holds one of them for seconds.
SENDING_MAX: Final = 8

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
            for name, notice in addressed_to(self._channels, self._told):
                channel = next(one for one in self._channels.channels() if one.name == name)
                self._sender.send(channel, Message(kind=kind, notices=(notice,)))

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
            self._notices.put(NOBODY, addressed_to(self._channels, over))
            self._told = None
        if self._held is not None:
            self._held.close()
            self._held = None

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
        self._sender, self._watch = sender, watch
        self._outage = StoreOutage(channels, sender, notices, lock)
        self._lock = threading.Lock()
        self._busy: set[Mailbox] = set()

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="messenger", daemon=True).start()

    def look(self) -> None:
        """Look once: for what ails, and for what waits."""
        self._channels.version()  # read anew, if that was long ago
        channels = self._channels.channels()
        if not channels:
            return
        with exclusive(self._ports.locks, "alarms", ALIVE_MS) as is_ours:
            if is_ours:
                self._watch.look()
        by_name = {one.name: one for one in channels}
        for mailbox in self._notices.mailboxes():
            channel = by_name.get(mailbox.channel)
            if channel is None or not channel.enabled:
                with apart("messages", mailbox):
                    discard(mailbox, self._notices)
            elif is_due(mailbox, channel, self._notices.progress(mailbox), self._ports):
                self._begin(mailbox, channel)

    def _run(self) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            try:
                self.look()
                self._outage.is_over()
            except StoreUnavailable:
                self._outage.lasts()
            except Exception:  # noqa: BLE001 - outermost in this thread
                _log.exception("messenger_failed")

    def _begin(self, mailbox: Mailbox, channel: Channel) -> None:
        """Have a mailbox told in a thread of its own, unless that is under way."""
        with self._lock:
            if mailbox in self._busy or len(self._busy) >= SENDING_MAX:
                return
            self._busy.add(mailbox)
        work = partial(self._tell, mailbox, channel)
        threading.Thread(target=work, name="message", daemon=True).start()

    def _tell(self, mailbox: Mailbox, channel: Channel) -> None:
        try:
            with apart("messages", mailbox):
                deliver(mailbox, channel, self._notices, self._sender, self._ports)
        except StoreError as error:
            _log.debug("messages_wait", error=str(error))
        finally:
            with self._lock:
                self._busy.discard(mailbox)
