"""Publishes from a thread of its own, so that no request ever waits for the broker."""

import os
import queue
import threading
import time
from collections.abc import Sequence

import structlog

from app.domain.effects import Effect
from app.domain.identifiers import EpochMs
from app.outages import BROKER
from app.ports.publisher import Publisher

#: Effects that may wait for the pump; what does not fit is left to the sweep.
WAITING_MAX = 50_000

#: Effects taken in one go.
BATCH = 500

#: Pause after each message. One alert goes out at once; under load the next message takes many.
REST_SECONDS = 0.02

_log = structlog.get_logger()


class PumpPublisher:
    """Hands effects to one thread, which hands them on, many to a message under load.

    The thread is started with the first effect after a fork, so that each process has its own.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._waiting: queue.Queue[Effect] = queue.Queue(WAITING_MAX)
        self._lock = threading.Lock()
        self._started_in: int | None = None

    def publish(self, effects: Sequence[Effect]) -> None:
        """Hand these on soon. Never waits."""
        self._ensure_started()
        for effect in effects:
            try:
                self._waiting.put_nowait(effect)
            except queue.Full:
                if BROKER.is_news("pump_full"):
                    _log.warning("pump_full", effect=effect.kind)
                return

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        """See to it at once; nobody in a request thread asks for this."""
        self._publisher.wake_timers(due_ms)

    def _ensure_started(self) -> None:
        if self._started_in == os.getpid():
            return
        with self._lock:
            if self._started_in != os.getpid():
                self._waiting = queue.Queue(WAITING_MAX)
                threading.Thread(target=self._run, name="pump", daemon=True).start()
                self._started_in = os.getpid()

    def _run(self) -> None:
        waiting = self._waiting
        while True:
            batch = [waiting.get()]
            while len(batch) < BATCH:
                try:
                    batch.append(waiting.get_nowait())
                except queue.Empty:
                    break
            try:
                self._publisher.publish(batch)
            except Exception:  # noqa: BLE001 - outermost in this thread; the sweep has the rest
                _log.exception("pump_failed", effects=len(batch))
            time.sleep(REST_SECONDS)
