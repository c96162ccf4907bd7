"""The Celery app and its settings; each of them answers a way in which work was lost or doubled."""

import os
import sys
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_shutdown
from kombu import Queue

from app.bootstrap import refuse_unsafe_store
from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName
from app.domain.errors import UnsafeStore
from app.logs import configure
from app.settings import Settings
from workers.process import this_process
from workers.schedule import schedule_for
from workers.watchdog import end_process

_log = structlog.get_logger()

#: Tasks only hand work on to crews, or work on the store; none of them waits for a venue.
TASK_THREADS = 8

#: What is under way when a process is to end has so long. A venue may take longer.
FINISH_SECONDS = 3.0

settings = Settings.from_environment(os.environ)

celery_app: Celery = celery_for(settings.broker_url)
celery_app.conf.update(
    task_queues=[Queue(name) for name in QueueName],
    task_default_queue=QueueName.ORDERS,
    task_create_missing_queues=False,
    imports=("workers.orders", "workers.events", "workers.polls", "workers.maintenance"),
    task_acks_late=True,  # safe, since every use case may run twice
    task_acks_on_failure_or_timeout=True,
    worker_pool="threads",
    worker_concurrency=TASK_THREADS,
    worker_prefetch_multiplier=1,
    worker_eta_task_limit=500,
    worker_send_task_events=settings.task_events,
    worker_hijack_root_logger=False,
    beat_schedule=schedule_for(settings),
    beat_max_loop_interval=0.02 if settings.fast else 0.25,
)


@setup_logging.connect
def _structured_logs(**_: Any) -> None:  # noqa: ANN401 - Celery's signature
    configure("worker", settings.log_level)


@worker_init.connect
def _check_store(**_: Any) -> None:  # noqa: ANN401
    """Do not work on a store that could lose what was acknowledged."""
    try:
        refuse_unsafe_store(settings)
    except UnsafeStore as error:
        sys.exit(str(error))


@worker_init.connect
def _start_watchdog(**_: Any) -> None:  # noqa: ANN401
    """Build what all tasks share, and end the process should a piece of work be stuck."""
    this_process().watchdog.start(end_process)


@worker_shutdown.connect
def _finish(**_: Any) -> None:  # noqa: ANN401
    """Begin with nothing more; what this cuts off is looked up or sent again by others."""
    if not this_process().crews.close(FINISH_SECONDS):
        _log.warning("work_left_to_sweep", error="the process ends")
