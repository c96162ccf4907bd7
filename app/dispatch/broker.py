"""The Celery app as everybody who sends needs it: the broker, and how to reach it."""

from celery import Celery

#: Longer than any task may run (60 s) and than any countdown (20 s), by far.
VISIBILITY_TIMEOUT_SECONDS = 600

#: Opened one by one as they are needed. Flower asks the workers many things at once and holds two
#: for each; with fewer it waits for itself, for ever, and shows no task.
CONNECTIONS_MAX = 100

_TRANSPORT_OPTIONS = {
    "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
    "socket_timeout": 2,  # a frozen broker must not hold a publisher
    "max_retries": 0,  # nor must one that is away: what is not sent is left to the sweep
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}


def celery_for(broker_url: str) -> Celery:
    """Return an app that speaks JSON only and keeps no results: state is read from the record."""
    celery = Celery("hookfill", broker=broker_url, set_as_current=False)
    celery.conf.update(
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_publish_retry=False,
        broker_transport_options=dict(_TRANSPORT_OPTIONS),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        broker_pool_limit=CONNECTIONS_MAX,
        enable_utc=True,
        timezone="UTC",
    )
    return celery
