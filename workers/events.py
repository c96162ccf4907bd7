"""The task that wakes up when timers are due."""

from collections.abc import Sequence

from app import metrics
from app.dispatch.routes import TaskName
from app.domain.identifiers import EpochMs
from app.ports import Ports
from app.services.watching.release import release_due
from workers.base import HookfillTask
from workers.celery_app import celery_app


class TimersDue(HookfillTask):
    """Release whatever is due; the argument names the times that the message was for."""

    name = TaskName.TIMERS_DUE

    def work(self, values: Sequence[object], ports: Ports) -> None:
        """Release, in any shard."""
        wanted = [EpochMs(value) for value in values if isinstance(value, int)]
        for late_ms in release_due(wanted, ports):
            metrics.LATENESS_SECONDS.observe(late_ms / 1000)


celery_app.register_task(TimersDue())
