"""What this worker process has: its ports, its crews and its watchdog, built at the first use."""

import os
import threading
from dataclasses import dataclass
from functools import cache

from app.bootstrap import worker_wiring
from app.channels.messenger import Messenger
from app.dispatch.celery_publisher import CeleryPublisher
from app.domain.account import PAPER
from app.ports import Ports
from app.settings import Settings
from workers.crew import Crews
from workers.inline import InlinePublisher
from workers.watchdog import Watchdog

#: The paper venue waits for nothing but the store; more threads would only be in each other's way.
PAPER_THREADS = 4


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """Everything that the tasks of one process share, over all its threads."""

    ports: Ports
    messages: CeleryPublisher
    inline: InlinePublisher
    crews: Crews
    watchdog: Watchdog
    messenger: Messenger


_building = threading.Lock()


def this_process() -> WorkerProcess:
    """Return what this process has; all threads get the same."""
    with _building:
        return _built()


@cache
def _built() -> WorkerProcess:
    settings = Settings.from_environment(os.environ)
    watchdog = Watchdog(settings.worker_stuck_seconds)
    inline = InlinePublisher(watchdog.alive)

    def size_of(venue: str) -> int:
        return PAPER_THREADS if venue == PAPER else settings.worker_concurrency

    wiring = worker_wiring(settings, inline.around, watchdog.alive)
    return WorkerProcess(
        wiring.ports, wiring.messages, inline, Crews(size_of), watchdog, wiring.messenger()
    )
