"""What is read from store and broker at the moment of a scrape, as Prometheus gauges."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.admin.room import Room
from app.bootstrap import Wiring
from app.dispatch.routes import QueueName
from app.domain import moments
from app.domain.errors import StoreError


class StoreGauges(Collector):
    """How much work waits, and how fresh the canary is; only whether it answers if it does not."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._backlog = wiring.backlog
        self._room = Room(wiring)

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges. Never raises on account of a server that does not answer."""
        try:
            found = list(self._of_store())
        except StoreError:
            found = []
        yield _gauge("store_up", "Whether the store answers.", int(bool(found)))
        yield from found
        yield from self._of_broker()
        free = self._room.disk_free_bytes()
        if free is not None:
            yield _gauge("disk_free_bytes", "Free on the disk of the data folder.", free)

    def _of_store(self) -> Iterator[Metric]:
        now_ms = self._ports.clock.server_ms()
        backlog = self._backlog.read(now_ms, self._ports.clock.now_ms())
        yield _gauge("outbox_effects", "Effects that are owed.", backlog.owed)
        yield _gauge(
            "outbox_overdue_seconds",
            "For how long the oldest effect has been waiting to be sent again.",
            backlog.overdue_ms / 1000,
        )
        yield _gauge(
            "waiting_seconds",
            "For how long the oldest of what should be at its venue by now has waited.",
            backlog.waiting_ms / 1000,
        )
        yield _gauge("unknown_orders", "Orders of unknown outcome.", backlog.unknown)
        unprotected = GaugeMetricFamily(
            "hookfill_unprotected_positions",
            "Positions whose exit does not get through (exit), or with a stop here alone though "
            "their venue was to hold one (only_here).",
            labels=["lacks"],
        )
        unprotected.add_metric(["exit"], backlog.failing_exits)
        unprotected.add_metric(["only_here"], backlog.only_here)
        yield unprotected
        orphans = self._ports.reconciliations.orphan_count()
        yield _gauge("orphaned_fills", "Fills whose orders nobody here knows any more.", orphans)
        yield _gauge("timers", "Delays that are not over yet.", backlog.timers)
        yield _gauge("unarchived", "What waits to be copied into the history.", backlog.unarchived)
        unreadable = self._ports.quarantine.count()
        yield _gauge("quarantined_records", "Records that this release cannot read.", unreadable)
        memory = self._room.memory()
        yield _gauge("store_memory_bytes", "Memory that the store uses.", memory.used_bytes)
        limit_help = "Its maxmemory, 0 if it has none; above 80 % of it entries are refused."
        yield _gauge("store_memory_limit_bytes", limit_help, memory.limit_bytes)
        sung_ms = self._ports.runs.canary_ms()
        if sung_ms is not None:
            age_ms = moments.age_ms(sung_ms, now_ms)
            help_text = "Since a canary last came through the queue."
            yield _gauge("canary_age_seconds", help_text, age_ms / 1000)

    def _of_broker(self) -> Iterator[Metric]:
        lengths = GaugeMetricFamily(
            "hookfill_queue_length", "Messages that wait in a queue.", labels=["queue"]
        )
        try:
            found = self._backlog.queue_lengths([str(queue) for queue in QueueName])
        except StoreError:
            found = {}
        for queue, length in found.items():
            lengths.add_metric([queue], length)
        yield _gauge("broker_up", "Whether the broker answers.", int(bool(found)))
        yield lengths


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"hookfill_{name}", help_text, value)
