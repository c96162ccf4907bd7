"""The Celery app and its settings; each of them answers a way in which work was lost or doubled.

It has no tasks: beat, Flower, and who asks a worker whether it lives, start from here with a fifth
of the code of a worker. No secret is read here: beat and Flower run without.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu import Queue

from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName
from app.logs import configure
from app.settings import Settings, forget_foreign

#: Tasks only hand work on to crews, or work on the store; none of them waits for a venue.
TASK_THREADS = 8

# Celery has read the options that stand before its command, Flower and the workers nothing yet.
forget_foreign(os.environ)
settings = Settings.without_secrets(os.environ)

celery_app: Celery = celery_for(settings.broker_url, settings.broker_prefix)
celery_app.conf.update(
    task_queues=[Queue(name) for name in QueueName],
    task_default_queue=QueueName.ORDERS,
    task_create_missing_queues=False,
    task_acks_late=True,  # safe, since every use case may run twice
    task_acks_on_failure_or_timeout=True,
    worker_pool="threads",
    worker_concurrency=TASK_THREADS,
    worker_prefetch_multiplier=1,
    worker_eta_task_limit=500,
    worker_send_task_events=settings.task_events,
    worker_hijack_root_logger=False,
    beat_scheduler="workers.beat:Scheduler",
)


@setup_logging.connect
def _structured_logs(**_: Any) -> None:  # noqa: ANN401 - Celery's signature
    configure("worker", settings.log_level)
