"""Tasks that work on one aggregate each."""

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


for _task in (Place, Cancel, Resolve, Advance):
    celery_app.register_task(_task())
