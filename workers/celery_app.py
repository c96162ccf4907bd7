"""The Celery app with its tasks, as a worker runs them."""

import sys
from typing import Any

import structlog
from celery.signals import celeryd_after_setup, celeryd_init, worker_init, worker_shutdown

from app.bootstrap import load_exchanges, refuse_unsafe_store
from app.domain.errors import UnsafeStore
from app.metric_files import tidy
from workers import incoming
from workers.light_app import celery_app, settings
from workers.names import own_name
from workers.process import this_process
from workers.watchdog import end_process

__all__ = ["celery_app"]

_log = structlog.get_logger()

#: What is under way when a process is to end has so long. A venue may take longer.
FINISH_SECONDS = 3.0

incoming.use_in_this_process()
celery_app.conf.update(
    imports=(
        "workers.orders",
        "workers.events",
        "workers.polls",
        "workers.maintenance",
        "workers.rounds",
    ),
)


@celeryd_init.connect
def _take_name(instance: Any, **_: Any) -> None:  # noqa: ANN401 - Celery's signature
    """Let two workers of one line of the Procfile be told apart."""
    instance.hostname = own_name(instance.hostname, settings.data_dir / "workers")


@worker_init.connect
def _check_store(**_: Any) -> None:  # noqa: ANN401 - Celery's signature
    """Do not work on a store that could lose what was acknowledged."""
    try:
        refuse_unsafe_store(settings)
    except UnsafeStore as error:
        sys.exit(str(error))


@celeryd_after_setup.connect
def _note_beginning(sender: str, **_: Any) -> None:  # noqa: ANN401
    """Do not begin for ever with what ends this process."""
    incoming.note_beginning(celery_app, worker=sender)


@worker_init.connect
def _sum_up_earlier_runs(**_: Any) -> None:  # noqa: ANN401
    """Keep what ended processes have counted in one file."""
    tidy()


@worker_init.connect
def _start_watchdog(**_: Any) -> None:  # noqa: ANN401
    """Build what all tasks share, and end the process should a piece of work be stuck."""
    this_process().watchdog.start(end_process)


@worker_init.connect
def _load_exchanges(**_: Any) -> None:  # noqa: ANN401
    """Let no order wait for what speaks to its exchange."""
    load_exchanges(this_process().ports)


@worker_init.connect
def _start_messenger(**_: Any) -> None:  # noqa: ANN401
    """Have people told what happens, in a thread that nothing waits for."""
    this_process().messenger.start()


@worker_shutdown.connect
def _finish(**_: Any) -> None:  # noqa: ANN401
    """Begin with nothing more; what this cuts off is looked up or sent again by others."""
    if not this_process().crews.close(FINISH_SECONDS):
        _log.warning("work_left_to_sweep", error="the process ends")
