"""Servers for the contract suites: one that pretends, the bundled one, an installed Redis."""

import shutil
from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest
import redis

from tests.support.paper_world import PaperWorld
from tests.support.redis_store import Store
from tests.support.servers import QUICK, running_server


class PretendedServer(fakeredis.FakeRedis):
    """Knows no flags of scripts, and is never full."""

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Carry out one command."""
        match args:
            case ("EVAL", text, *rest):
                args = ("EVAL", text.partition("\n")[2], *rest)
            case _:
                pass
        execute: Any = super().execute_command
        return execute(*args, **options)


@pytest.fixture
def real_client(redis_server: str) -> Iterator[redis.Redis]:
    """A client of an empty real server."""
    with redis.Redis.from_url(redis_server, decode_responses=True, protocol=2) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def installed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that runs the machine's own Redis; empty it before use."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server is installed")
    folder = tmp_path_factory.mktemp("installed")
    with running_server(folder, QUICK, program=program) as server:
        yield f"{server.url}/0"


@pytest.fixture
def installed_client(installed_server: str) -> Iterator[redis.Redis]:
    """A client of an empty server that runs the machine's own Redis."""
    with redis.Redis.from_url(installed_server, decode_responses=True, protocol=2) as client:
        client.flushall()
        yield client


@pytest.fixture(params=["fake", "real", pytest.param("installed", marks=pytest.mark.integration)])
def client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """A client of an empty server; each test runs with a pretended one and with both real kinds."""
    if request.param != "fake":
        yield request.getfixturevalue(f"{request.param}_client")
        return
    with PretendedServer(decode_responses=True) as fake:
        yield fake


@pytest.fixture
def world(client: redis.Redis) -> PaperWorld:
    """The whole paper venue over the client, with two accounts and a price."""
    return PaperWorld(client).opened()


@pytest.fixture
def store(client: redis.Redis) -> Store:
    """The parts of the store over the client."""
    return Store(client)
