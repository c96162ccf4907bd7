"""Tasks that work on one aggregate, or one errand, each."""

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


for _task in (Place, Cancel, Resolve, Advance, Adjust):
    celery_app.register_task(_task())
