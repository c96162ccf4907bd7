"""The Celery app as everybody who sends needs it: the broker, and how to reach it."""

import ssl
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from celery import Celery
from kombu.utils.url import parse_url

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


def celery_for(broker_url: str, prefix: str = "") -> Celery:
    """Return an app that speaks JSON only and keeps no results: state is read from the record.

    Args:
        broker_url: as it is set, which is as the store's client reads it.
        prefix: what every key and every channel at the broker begins with.
    """
    celery = Celery("hookfill", broker=_as_kombu_writes(broker_url), set_as_current=False)
    celery.conf.update(
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_publish_retry=False,
        broker_use_ssl=_tls(broker_url),
        broker_transport_options={**_TRANSPORT_OPTIONS, "global_keyprefix": prefix},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        broker_pool_limit=CONNECTIONS_MAX,
        enable_utc=True,
        timezone="UTC",
    )
    return celery


def _as_kombu_writes(url: str) -> str:
    """Return the URL in the words of Celery's library, which differ for Unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    query = dict(parse_qsl(parts.query))
    user = parts.username or ""
    password = unquote(parts.password or "") or query.get("password", "")
    login = f"{user}:{quote(password, safe='')}@" if user or password else ""
    return f"redis+socket://{login}{parts.path}?virtual_host={query.get('db', '0')}"


def _tls(url: str) -> dict[str, object] | None:
    """Return what counts for `rediss://`: it is verified, unless the URL says otherwise.

    Celery's library would trust anybody, where the store's client trusts nobody.
    """
    if not url.startswith("rediss:"):
        return None
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, **parse_url(url).get("ssl", {})}
