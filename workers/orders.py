"""Tasks that work on one aggregate, or on one request that somebody waits for, each."""

from app.dispatch.routes import TaskName
from workers.base import AggregateTask
from workers.celery_app import celery_app

#: What each of them does is in `app.services.perform`, by the effect of the same name.
TASKS = (
    TaskName.PLACE,
    TaskName.CANCEL,
    TaskName.RESOLVE,
    TaskName.ADVANCE,
    TaskName.ADJUST,
    TaskName.INSPECT,
    TaskName.LEARN,
    TaskName.CANCEL_AT_VENUE,
)

for _name in TASKS:
    _task = AggregateTask()
    _task.name = _name
    celery_app.register_task(_task)
