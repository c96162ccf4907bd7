"""Tasks that work on one aggregate, or on one request that somebody waits for, each."""

from app.dispatch.routes import TaskName
from workers.base import AggregateTask
from workers.celery_app import celery_app


class Place(AggregateTask):
    """Send orders to their venues."""

    name = TaskName.PLACE


class Cancel(AggregateTask):
    """Take orders off."""

    name = TaskName.CANCEL


class Resolve(AggregateTask):
    """Ask about orders of unknown outcome."""

    name = TaskName.RESOLVE


class Advance(AggregateTask):
    """Bring aggregates forward: their news, their turn, their triggers."""

    name = TaskName.ADVANCE


class Adjust(AggregateTask):
    """Set leverage and position mode while somebody waits for it."""

    name = TaskName.ADJUST


class Inspect(AggregateTask):
    """Look at the venues of accounts for somebody who waits."""

    name = TaskName.INSPECT


class CancelAtVenue(AggregateTask):
    """Cancel orders at venues that nobody here follows."""

    name = TaskName.CANCEL_AT_VENUE


for _task in (Place, Cancel, Resolve, Advance, Adjust, Inspect, CancelAtVenue):
    celery_app.register_task(_task())
