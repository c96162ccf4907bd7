"""What we put into a queue is what Celery and its kombu would put there."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from kombu import Connection, Consumer, Queue

from app.dispatch.broker import celery_for
from app.dispatch.celery_message import celery_message
from app.dispatch.routes import QueueName, TaskName
from app.store.coordination.queues import RedisQueues
from app.store.core.connection import connect
from tests.support.servers import SHARED, fresh_client
from workers.incoming import ours_of

PREFIX = "ours."
ABOUT = "buy 0.5 BTC/USDT market, account é"
#: Longer than a busy machine takes from one message to the other.
SECONDS = 60.0

#: Names of one message alone, and of who has sent it.
OWN = {"id", "root_id", "correlation_id", "delivery_tag", "reply_to", "origin"}
TIMES = {"eta", "expires"}
#: Celery repeats these of the headers where nobody reads them.
REPEATED = {"argsrepr", "kwargsrepr"}

WHEN: list[dict[str, float]] = [{}, {"countdown": 5.25}, {"expires": 2.5}]


@pytest.fixture
def broker() -> redis.Redis:
    return fresh_client()


@pytest.fixture
def queues(broker: redis.Redis) -> Iterator[RedisQueues]:
    with connect(SHARED.tcp_url(broker), SECONDS) as client:
        yield RedisQueues(client, PREFIX)


def taken(broker: redis.Redis) -> dict[str, Any]:
    """Take the one message that waits."""
    (text,) = broker.lrange(f"{PREFIX}{QueueName.ORDERS}", 0, -1)
    broker.delete(f"{PREFIX}{QueueName.ORDERS}")
    message: dict[str, Any] = json.loads(text)
    message["body"] = json.loads(b64decode(message["body"]))
    return message


@pytest.mark.parametrize("when", WHEN)
def test_it_is_what_celery_would_write(
    when: dict[str, float], broker: redis.Redis, queues: RedisQueues
) -> None:
    text = celery_message(TaskName.PLACE, QueueName.ORDERS, [1, 2], ABOUT, **when)
    assert queues.put([(QueueName.ORDERS, text)]) == [None]
    ours = taken(broker)
    with celery_for(SHARED.tcp_url(broker), PREFIX) as celery:
        send: Any = celery.send_task
        send(
            TaskName.PLACE,
            args=[[1, 2]],
            argsrepr=ABOUT,
            kwargsrepr="",
            queue=QueueName.ORDERS,
            retry=False,
            **when,
        )
    theirs = taken(broker)

    for part, omitted in (("headers", set[str]()), ("properties", REPEATED)):
        our, their = ours.pop(part), theirs.pop(part)
        assert our.keys() == their.keys() - omitted
        for name in our.keys() - OWN - TIMES:
            assert our[name] == their[name], name
        for name in our.keys() & TIMES:
            assert (our[name] is None) == (their[name] is None)
            if our[name] is not None:
                apart = datetime.fromisoformat(their[name]) - datetime.fromisoformat(our[name])
                assert timedelta() < apart < timedelta(seconds=SECONDS)
    assert ours == theirs


def test_kombu_reads_it_and_our_workers_find_all_in_it(
    broker: redis.Redis, queues: RedisQueues
) -> None:
    text = celery_message(TaskName.PLACE, QueueName.ORDERS, [1], ABOUT, countdown=9)
    queues.put([(QueueName.ORDERS, text)])
    url, options = SHARED.tcp_url(broker), {"global_keyprefix": PREFIX}
    found: list[Any] = []
    with Connection(url, transport_options=options) as connection:
        queue = Queue(QueueName.ORDERS)
        with Consumer(connection, [queue], callbacks=[lambda _, one: found.append(one)]):
            connection.drain_events(timeout=SECONDS)

    (message,) = found
    assert message.payload[0] == [[1]]
    message.ack()
    ours: Any = ours_of(json.loads(text), QueueName.ORDERS)
    headers = ours["headers"]
    assert (headers["task"], headers["argsrepr"]) == (TaskName.PLACE, ABOUT)
    assert datetime.fromisoformat(headers["eta"]) > datetime.now(UTC)


def test_each_of_several_goes_to_its_queue_and_is_taken_in_order(
    broker: redis.Redis, queues: RedisQueues
) -> None:
    queues.put([(QueueName.ORDERS, "1"), (QueueName.URGENT, "2"), (QueueName.ORDERS, "3")])

    assert [broker.rpop(f"{PREFIX}{QueueName.ORDERS}") for _ in range(2)] == ["1", "3"]
    assert broker.rpop(f"{PREFIX}{QueueName.URGENT}") == "2"


def test_what_a_broker_does_not_take_is_said_of_that_message(
    broker: redis.Redis, queues: RedisQueues
) -> None:
    broker.set(f"{PREFIX}{QueueName.URGENT}", "no list")

    first, second = queues.put([(QueueName.URGENT, "1"), (QueueName.ORDERS, "2")])

    assert "WRONGTYPE" in str(first)
    assert second is None


def test_a_broker_that_is_away_takes_none() -> None:
    with connect("redis://127.0.0.1:1/0", 2.0) as away:
        errors = RedisQueues(away).put([(QueueName.ORDERS, "1"), (QueueName.ORDERS, "2")])

    assert [isinstance(one, redis.ConnectionError) for one in errors] == [True, True]
