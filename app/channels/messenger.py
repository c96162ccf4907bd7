"""One thread of a process that has people told, in the way of nothing else."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from app.domain.channel import Channel
from app.domain.errors import StoreError
from app.ports import Ports
from app.ports.notices import Channels, Line, Notices, Sender
from app.services.apart import apart
from app.services.exclusive import ALIVE_MS, exclusive
from app.services.telling.alarms import AlarmWatch
from app.services.telling.deliver import deliver, discard

#: Between two looks.
PAUSE_SECONDS: Final = 1.0

#: Messages that one process sends at once. A service that hangs holds one of them for seconds.
SENDING_MAX: Final = 8

_log = structlog.get_logger()


class Messenger:
    """Looks each second what people are to be told, and tells it.

    Each process of a worker and of the web may have one: of the same line one sends at a time, and
    whichever processes are killed, the others go on.

    Args:
        ports: as everywhere.
        notices: what waits.
        channels: where it goes; `refresh` has them read anew.
        sender: what brings it there.
        watch: looks for what ails.
        refresh: lets what is known of the channels be no older than seconds.
    """

    def __init__(
        self,
        ports: Ports,
        notices: Notices,
        channels: Channels,
        sender: Sender,
        watch: AlarmWatch,
        refresh: Callable[[], object],
    ) -> None:
        self._ports, self._notices, self._channels = ports, notices, channels
        self._sender, self._watch, self._refresh = sender, watch, refresh
        self._lock = threading.Lock()
        self._busy: set[Line] = set()

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="messenger", daemon=True).start()

    def look(self) -> None:
        """Look once: for what ails, and for what waits."""
        self._refresh()
        channels = self._channels.channels()
        if not channels:
            return
        with exclusive(self._ports.locks, "alarms", ALIVE_MS) as is_ours:
            if is_ours:
                self._watch.look()
        by_name = {one.name: one for one in channels}
        for line in self._notices.lines():
            channel = by_name.get(line.channel)
            if channel is None or not channel.enabled:
                with apart("messages", line):
                    discard(line, self._notices)
            else:
                self._begin(line, channel)

    def _run(self) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            try:
                self.look()
            except StoreError as error:
                _log.debug("messages_wait", error=str(error))
            except Exception:  # noqa: BLE001 - outermost in this thread
                _log.exception("messenger_failed")

    def _begin(self, line: Line, channel: Channel) -> None:
        """Have a line told in a thread of its own, unless that is under way."""
        with self._lock:
            if line in self._busy or len(self._busy) >= SENDING_MAX:
                return
            self._busy.add(line)
        work = partial(self._tell, line, channel)
        threading.Thread(target=work, name="message", daemon=True).start()

    def _tell(self, line: Line, channel: Channel) -> None:
        try:
            with apart("messages", line):
                deliver(line, channel, self._notices, self._sender, self._ports)
        except StoreError as error:
            _log.debug("messages_wait", error=str(error))
        finally:
            with self._lock:
                self._busy.discard(line)
