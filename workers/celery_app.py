"""The Celery app and its settings; each of them answers a way in which work was lost or doubled."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init
from kombu import Queue

from app.bootstrap import refuse_unsafe_store
from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName
from app.domain.errors import UnsafeStore
from app.logs import configure
from app.settings import Settings
from workers.process import process_ports
from workers.schedule import schedule_for

settings = Settings.from_environment(os.environ)

celery_app: Celery = celery_for(settings.broker_url)
celery_app.conf.update(
    task_queues=[Queue(name) for name in QueueName],
    task_default_queue=QueueName.ORDERS,
    task_create_missing_queues=False,
    imports=("workers.orders", "workers.events", "workers.polls", "workers.maintenance"),
    task_acks_late=True,  # safe, since every use case may run twice
    task_reject_on_worker_lost=True,
    task_acks_on_failure_or_timeout=True,
    worker_concurrency=settings.worker_concurrency,
    worker_prefetch_multiplier=1,
    worker_eta_task_limit=500,
    task_time_limit=60,  # far below the visibility timeout
    task_soft_time_limit=45,
    # All of it is waited, and nothing begun meanwhile; what it cuts off is asked about afterwards.
    worker_soft_shutdown_timeout=3,
    worker_max_tasks_per_child=5_000,
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


@worker_process_init.connect
def _build_ports(**_: Any) -> None:  # noqa: ANN401
    """Connect in the child, after the fork, before the first message asks for it."""
    process_ports()
