"""What beat starts, and how often: few and static entries, which fan out by themselves."""

from collections.abc import Sequence
from typing import Any

from app.dispatch.routes import QUEUE_OF, QueueName, TaskName
from app.settings import Settings

#: How often a canary goes through each queue; `/readyz` wants one within the last 10 s.
CANARY_SECONDS = 2.0

#: How often somebody looks whose turn it is; soon after the start it is everybody's.
RECONCILE_SECONDS = 5.0

#: How often what has finished goes into the history: lists read the rest one by one.
ARCHIVE_SECONDS = 1.0


def schedule_for(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return beat's entries. Each expires soon after its next, so an outage leaves no backlog."""
    poll, sweep = settings.poll_interval_ms / 1000, settings.sweep_interval_ms / 1000
    return {
        "prices": _every(TaskName.POLL_PRICES, poll),
        "orders": _every(TaskName.POLL_ORDERS, poll),
        "sweep": _every(TaskName.SWEEP, sweep),
        "reconcile": _every(TaskName.RECONCILE, RECONCILE_SECONDS),
        **{f"canary {one}": _canary(one) for one in QueueName},
        "archive": _every(TaskName.ARCHIVE, ARCHIVE_SECONDS),
    }


def _canary(queue: QueueName) -> dict[str, Any]:
    return _every(TaskName.CANARY, CANARY_SECONDS, [str(queue)], queue)


def _every(
    task: TaskName, seconds: float, values: Sequence[str] = (), queue: QueueName | None = None
) -> dict[str, Any]:
    return {
        "task": task,
        "schedule": seconds,
        "args": (list(values),),
        "options": {
            "queue": queue or QUEUE_OF[task],
            "expires": max(seconds * 2, 2.0),
            "argsrepr": ", ".join(values) or "all",
            "kwargsrepr": "",
        },
    }
