import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from celery.worker.control import Panel
from kombu import Connection, Consumer, Queue
from kombu.message import Message

from app.dispatch.routes import QueueName
from app.supervisor.tcp_ports import free_port
from tests.support.hostile_messages import HOSTILE, a_message
from tests.support.processes import eventually
from tests.support.servers import QUICK, SHARED, fresh_client, running_server
from workers.incoming import BEGINNINGS_MAX, BEGINNINGS_SECONDS, note_beginning, ours_of

QUEUE = QueueName.ORDERS
OTHER = {"callbacks": [{"task": "hookfill.place"}], "chain": [4], "chord": 3}


@pytest.fixture
def broker() -> redis.Redis:
    return fresh_client()


@pytest.fixture
def url(broker: redis.Redis) -> str:
    return SHARED.tcp_url(broker)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with Connection(url, transport="workers.incoming:Transport") as connection:
        yield connection


def read(connection: Connection, *, count: int) -> list[Message]:
    """Return what a consumer gets of so many messages."""
    got: list[Message] = []
    queue = Queue(QUEUE, no_declare=True)
    with Consumer(connection, [queue], on_message=got.append):
        for _ in range(count):
            connection.drain_events(timeout=5)
    return got


def test_commands_share_a_client_as_long_as_its_connections_last(connection: Connection) -> None:
    channel: Any = connection.default_channel
    with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
        assert first is second

    channel._disconnect_pools()  # noqa: SLF001 - as the library does when the broker was away

    with channel.conn_or_acquire() as third:
        assert third is not first
        assert third.ping()


@pytest.mark.parametrize("wrong", HOSTILE)
def test_a_consumer_reads_on_after_a_message_that_is_not_ours(
    wrong: str, broker: redis.Redis, connection: Connection
) -> None:
    broker.lpush(QUEUE, HOSTILE[wrong])
    broker.lpush(QUEUE, json.dumps(a_message()))

    (message,) = read(connection, count=2)

    assert message.headers["task"] == "hookfill.canary"
    assert message.payload == [[["x"]], {}, {}]


def test_what_celery_sends_for_us_is_ours(
    url: str, broker: redis.Redis, connection: Connection
) -> None:
    del broker
    with Celery(broker=url) as celery:
        options: dict[str, Any] = {
            "countdown": 5,
            "expires": 9,
            "argsrepr": "buy",
            "kwargsrepr": "",
        }
        celery.send_task("hookfill.place", [["1", "2"]], queue=QUEUE, task_id="a", **options)

    (message,) = read(connection, count=1)

    assert message.payload == [[["1", "2"]], {}, {}]
    headers = message.headers
    assert (headers["id"], headers["argsrepr"]) == ("a", "buy")
    due, end = (datetime.fromisoformat(headers[name]) for name in ("eta", "expires"))
    assert timedelta() < due - datetime.now(UTC) < timedelta(seconds=5)
    assert timedelta(seconds=3) < end - due < timedelta(seconds=5)


def test_only_our_parts_of_a_message_reach_celery() -> None:
    message = a_message(([[7]], {}, OTHER), retries="x", timelimit=5, compression="zlib", shadow=[])
    message["properties"] |= {"reply_to": 5, "delivery_info": {"routing_key": "elsewhere"}}

    ours = json.dumps(ours_of(message, QUEUE))

    assert not [one for one in ("zlib", "timelimit", "reply_to", "elsewhere") if one in ours]


def test_a_broker_whose_queue_is_none_is_emptied(
    broker: redis.Redis, connection: Connection
) -> None:
    broker.set(QUEUE, "no list")
    broker.hset("unacked", "tag", "in hand")

    assert read(connection, count=1) == []

    assert not broker.exists(QUEUE, "unacked")


@pytest.mark.parametrize("is_reading", [True, False])
def test_a_broker_that_is_full_and_evicts_nothing_is_emptied(
    tmp_path: Path, *, is_reading: bool
) -> None:
    with (
        running_server(tmp_path, QUICK) as server,
        redis.Redis.from_url(server.url) as broker,
        Connection(server.url, transport="workers.incoming:Transport") as connection,
    ):
        consumer = Consumer(connection, [Queue(QUEUE, no_declare=True)], on_message=print)
        if is_reading:
            consumer.consume()
        broker.lpush(QUEUE, json.dumps(a_message()), *["x" * 100_000] * 100)
        full = 8 * 2**20
        broker.config_set("maxmemory", full)

        if is_reading:
            connection.drain_events(timeout=5)
        else:
            channel: Any = connection.default_channel
            channel.qos.restore_visible()

        assert not broker.exists(QUEUE)
        # The server frees in the background what is deleted, so that there is room a little later.
        eventually(lambda: broker.info("memory")["used_memory"] < full)
        assert broker.lpush(QUEUE, json.dumps(a_message()))


@pytest.mark.parametrize("entry", ["no JSON", "{}", "[1, 2]", '[{}, "", "orders"]'])
def test_what_a_stranger_says_was_never_acknowledged_is_thrown_away(
    entry: str, broker: redis.Redis, connection: Connection
) -> None:
    broker.hset("unacked", "tag", entry)
    broker.zadd("unacked_index", {"tag": 1})
    channel: Any = connection.default_channel

    channel.qos.restore_visible()

    assert not broker.exists("unacked", "unacked_index")


def test_a_worker_that_begins_again_and_again_empties_the_queues(
    url: str, broker: redis.Redis
) -> None:
    broker.lpush(QUEUE, "what kills")
    left: list[int] = []
    with Celery(broker=url) as celery:
        for _ in range(BEGINNINGS_MAX + 1):
            note_beginning(celery, "worker@here")
            note_beginning(celery, f"worker@there-{len(left)}")
            left.append(broker.llen(QUEUE))

    assert left == [1] * BEGINNINGS_MAX + [0]
    assert 0 < broker.ttl("hookfill.begun.worker@here") <= BEGINNINGS_SECONDS


def test_a_count_of_beginnings_that_was_left_without_an_end_gets_one(
    url: str, broker: redis.Redis
) -> None:
    broker.set("hookfill.begun.worker@here", BEGINNINGS_MAX)
    with Celery(broker=url) as celery:
        note_beginning(celery, "worker@here")

    assert 0 < broker.ttl("hookfill.begun.worker@here") <= BEGINNINGS_SECONDS


def test_a_worker_begins_though_the_broker_is_away() -> None:
    with Celery(broker=f"redis://127.0.0.1:{free_port()}/0") as celery:
        note_beginning(celery, "worker@here")


@pytest.mark.parametrize("command", ["shutdown", "cancel_consumer", "memdump", "rate_limit"])
def test_no_command_of_the_broker_stops_or_slows_a_worker(command: str) -> None:
    importlib.import_module("workers.celery_app")

    assert command not in Panel.data
    assert "ping" in Panel.data
