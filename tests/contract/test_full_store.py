"""A server that is full to the last byte carries out all that is ours."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient, connect
from app.store.core.scripts import load_script
from tests.support.servers import QUICK, fill, running_server


@pytest.fixture(params=["", pytest.param("redis-server", marks=pytest.mark.integration)])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreClient]:
    """A client of a server that is full: the bundled one, and the machine's own Redis."""
    if request.param:
        request.getfixturevalue("installed_server")  # or skip
    with (
        running_server(tmp_path, QUICK, program=request.param) as server,
        connect(f"{server.url}/0", 5) as client,
        redis.Redis.from_url(server.url) as plain,
    ):
        client.hset("hash", mapping={"a": "1", "b": "2"})
        client.zadd("set", {"one": 1.5})
        fill(plain)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            plain.set("one more", "")
        yield client


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        (lambda client: client.set("new", "x" * 10_000), True),
        (lambda client: client.set("lease", 1, nx=True, px=60_000), True),
        (lambda client: client.hset("hash", "c", "3"), 1),
        (lambda client: client.hsetnx("hash", "a", "9"), False),
        (lambda client: client.zadd("set", {"two": 2}), 1),
        (lambda client: client.incr("count"), 1),
        (lambda client: client.rpush("list", "a", "b"), 2),
        (lambda client: load_script(client, "acquire.lua")(["lock"], [1_000]), ["ok", "1"]),
    ],
)
def test_every_write_of_ours_is_carried_out(
    full: StoreClient, act: Callable[[StoreClient], Any], answer: object
) -> None:
    assert act(full) == answer


@pytest.mark.parametrize("is_transaction", [True, False])
def test_many_commands_in_one_round_trip_are_answered_as_ever(
    full: StoreClient, *, is_transaction: bool
) -> None:
    with full.pipeline(transaction=is_transaction) as pipeline:
        pipeline.zrange("set", 0, -1, withscores=True)
        pipeline.set("new", "1", nx=True)
        pipeline.hgetall("hash")
        pipeline.get("nothing")
        pipeline.set("new", "2", nx=True)
        answers = pipeline.execute()

    assert answers == [[("one", 1.5)], True, {"a": "1", "b": "2"}, None, None]


def test_a_transaction_that_only_reads_is_carried_out(full: StoreClient) -> None:
    with full.pipeline(transaction=True) as pipeline:
        pipeline.hgetall("hash")
        pipeline.get("nothing")

        assert pipeline.execute() == [{"a": "1", "b": "2"}, None]


@pytest.mark.parametrize("is_transaction", [True, False])
def test_a_command_that_is_wrong_is_refused_all_the_same(
    full: StoreClient, *, is_transaction: bool
) -> None:
    with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
        full.hset("set", "a", "1")
    with full.pipeline(transaction=is_transaction) as pipeline:
        pipeline.set("new", "1")
        pipeline.hset("set", "a", "1")
        with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
            pipeline.execute()

    assert full.get("new") == "1"
