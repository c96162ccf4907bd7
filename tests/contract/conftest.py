"""Servers for the contract suites: one that pretends, the bundled one, an installed Redis."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import fakeredis
import pytest
import redis

from app.store.core.sharded import ShardedClient
from tests.support.paper_world import PaperWorld
from tests.support.redis_store import Store
from tests.support.servers import QUICK, running_server
from tests.support.spread import spread_over


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


@pytest.fixture(scope="session")
def further_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The addresses of two more bundled servers."""
    with ExitStack() as running:
        folders = [tmp_path_factory.mktemp("further") for _ in range(2)]
        servers = [running.enter_context(running_server(one, QUICK)) for one in folders]
        yield [server.url for server in servers]


@pytest.fixture
def spread_client(redis_server: str, further_servers: list[str]) -> Iterator[ShardedClient]:
    """A client of three empty servers, over which the shards are spread."""
    with spread_over([redis_server, *further_servers]) as client:
        for server in client.servers:
            server.flushall()
        yield client


@pytest.fixture(
    params=["fake", "real", pytest.param("installed", marks=pytest.mark.integration), "spread"]
)
def client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """A client of an empty store: a pretended server, both real kinds, and three servers."""
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
