"""Servers for the contract suites: one that pretends, and a real one where there is a binary."""

from collections.abc import Iterator

import fakeredis
import pytest
import redis

from tests.contract.paper_world import PaperWorld
from tests.contract.store import Store


@pytest.fixture
def real_client(redis_server: str) -> Iterator[redis.Redis]:
    """A client of an empty real server."""
    with redis.Redis.from_url(redis_server, decode_responses=True, protocol=2) as client:
        client.flushall()
        yield client


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
def client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """A client of an empty server; each test runs with a pretended and a real one."""
    if request.param == "real":
        yield request.getfixturevalue("real_client")
        return
    with fakeredis.FakeRedis(decode_responses=True) as fake:
        yield fake


@pytest.fixture
def world(client: redis.Redis) -> PaperWorld:
    """The whole paper venue over the client, with two accounts and a price."""
    return PaperWorld(client).opened()


@pytest.fixture
def store(client: redis.Redis) -> Store:
    """The parts of the store over the client."""
    return Store(client)
