"""What a worker takes from its queues: a task of ours and its list, and nothing else of a message.

Celery's consumer ends its process over a message that is not as Celery writes it, puts back what it
has not acknowledged, and so does the next one. Whoever reaches the broker could stop all work with
one message. Here a message is read for what `app.dispatch` writes, and made anew of just that; any
other is dropped. Against what nobody has thought of, the queues are emptied.

Nothing is lost by either: what a message stood for is owed still, and the sweep sends it again.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from queue import Empty
from typing import Any

import structlog
from celery import Celery
from celery.worker.control import Panel
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES, redis

from app import metrics
from app.dispatch.broker import VISIBILITY_TIMEOUT_SECONDS
from app.dispatch.routes import QueueName, TaskName

_log = structlog.get_logger()

#: A worker that begins more often within so many seconds is killed by what it is sent.
BEGINNINGS_MAX, BEGINNINGS_SECONDS = 3, 120

#: No countdown of ours is near it; what waited longer would be delivered twice.
_AHEAD_MAX = timedelta(seconds=VISIBILITY_TIMEOUT_SECONDS)
#: What is repeated of a fault at most.
_FAULT_WIDTH = 200
_QUEUES = frozenset(QueueName)
#: What Flower and checks of health ask a worker. Celery's other commands stop it, slow it down,
#: keep it from a queue or take much memory.
_COMMANDS = frozenset(
    {"active", "active_queues", "conf", "enable_events", "ping"}
    | {"registered", "reserved", "revoked", "scheduled", "stats"}
)
#: What ails the broker, which Celery sees to. The library counts among it what a message lacks.
_AILMENTS: tuple[type[Exception], ...] = tuple(
    {*redis.Transport.connection_errors, *redis.Transport.channel_errors, OperationalError, Empty}
    - {KeyError}
)


def use_in_this_process() -> None:
    """Let every connection to a broker that is opened from now on read its messages so.

    Of Celery's commands, which come by the broker too, the harmless ones are left.
    """
    path = f"{Transport.__module__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update(redis=path, rediss=path)
    for name in Panel.data.keys() - _COMMANDS:
        del Panel.data[name]


def note_beginning(celery: Celery, worker: str) -> None:
    """Note in the broker that a worker begins; if it does so again and again, empty the queues.

    Args:
        celery: whose broker it is.
        worker: its name, which the next one in its place will have, too.
    """
    try:
        with celery.connection_for_write() as connection:
            channel: Any = connection.default_channel
            # The library adds the prefix to those commands only that it uses itself.
            key = f"{channel.global_keyprefix}hookfill.begun.{worker}"
            beginnings = channel.client.incr(key)
            channel.client.expire(key, BEGINNINGS_SECONDS, nx=True)
            if beginnings > BEGINNINGS_MAX:
                _empty(channel, f"{worker} dies again and again")
    except _AILMENTS as error:
        _log.warning("broker_away", error=str(error))


class QoS(redis.QoS):
    """Puts back what nobody has acknowledged, which is the first thing that a connection writes."""

    def restore_visible(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - of the library
        """Put it back, or empty the queues: there is no room, or it is not as Celery writes it."""
        channel: Any = self.channel
        try:
            super().restore_visible(*args, **options)
        except channel.ResponseError as error:
            _empty(channel, str(error))
        except _AILMENTS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger may write
            _empty(channel, f"{type(error).__name__}: {error}")


class Channel(redis.Channel):
    """Reads on after what cannot be read; by then that is out of its queue."""

    QoS = QoS
    _lasting: Any = None

    def _create_client(self, asynchronous: bool = False) -> object:  # noqa: FBT001, FBT002 - of the library
        """Return the client of a pool: to make one for each command costs more than many of them.

        Any number of threads may use it, since it takes a connection of the pool for each command.
        """
        if asynchronous:
            return super()._create_client(asynchronous)  # type: ignore[misc]
        client = self._lasting
        if client is None or client.connection_pool is not self.pool:
            client = self._lasting = super()._create_client()  # type: ignore[misc]
        return client

    def _brpop_read(self, **options: Any) -> object:  # noqa: ANN401 - of the library
        with self._reading("queues"):
            return super()._brpop_read(**options)  # type: ignore[misc]

    def _receive(self) -> object:
        with self._reading("commands"):
            return super()._receive()  # type: ignore[misc]

    @contextmanager
    def _reading(self, source: str) -> Iterator[None]:
        try:
            yield
        except self.ResponseError as error:  # a queue is none, or there is no room to work
            _empty(self, str(error))
        except _AILMENTS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger may write
            metrics.DROPPED_MESSAGES.labels(source=source).inc()
            fault = f"{type(error).__name__}: {error}"[:_FAULT_WIDTH]
            _log.error("message_dropped", source=source, error=fault)


class Transport(redis.Transport):
    """Hands on what is ours of a message of a queue; what else comes is Celery's own."""

    Channel = Channel

    def _deliver(self, message: object, queue: str | None) -> None:
        if queue in _QUEUES:
            message = ours_of(message, str(queue))
        super()._deliver(message, queue)


def ours_of(message: Any, queue: str) -> dict[str, object]:  # noqa: ANN401 - anything may come
    """Return a message of what is ours in this one.

    Args:
        message: as it was in the queue, of JSON.
        queue: where it was.

    Raises:
        Exception: of any kind: it is not one of ours.
    """
    headers, properties = message["headers"], message["properties"]
    if message["content-type"] != "application/json" or properties["body_encoding"] != "base64":
        raise ValueError("it is not written in base64 of JSON")
    (values,), kwargs, _ = json.loads(base64.b64decode(message["body"], validate=True))
    if not isinstance(values, list) or kwargs:
        raise ValueError("its arguments are not one list")
    due = _time(headers.get("eta"))
    if due and due > datetime.now(UTC) + _AHEAD_MAX:
        raise ValueError(f"it is for {due}")
    name = _text(headers["id"])
    return {
        "body": base64.b64encode(json.dumps([[values], {}, {}]).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {
            "lang": "py",
            "task": str(TaskName(headers["task"])),
            "id": name,
            "root_id": name,
            "eta": _written(due),
            "expires": _written(_time(headers.get("expires"))),
            "argsrepr": _text(headers.get("argsrepr", "")),
            "kwargsrepr": "",
        },
        "properties": {
            "correlation_id": name,
            "delivery_tag": _text(properties["delivery_tag"]),
            "delivery_info": {"exchange": "", "routing_key": queue},
            "body_encoding": "base64",
            "priority": 0,
        },
    }


def _empty(channel: Any, why: str) -> None:  # noqa: ANN401 - the library has no types
    """Throw away all messages, those included that workers have in hand."""
    steps = channel.priority_steps
    lists = [channel._q_for_pri(queue, step) for queue in QueueName for step in steps]  # noqa: SLF001
    channel.client.delete(*lists, channel.unacked_key, channel.unacked_index_key)
    _log.error("queues_emptied", error=why[:_FAULT_WIDTH])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _time(value: object) -> datetime | None:
    """Return a time of UTC, if there is one."""
    if value is None:
        return None
    time = datetime.fromisoformat(_text(value))
    if time.utcoffset() != timedelta(0):
        raise ValueError(f"{value!r} is no time of UTC")
    return time


def _written(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
