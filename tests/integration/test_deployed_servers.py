"""The servers of `deploy/` let in whom they should, to do what they must."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import redis

from app.store.core.server_check import check_server
from app.supervisor.embedded_server import find_server
from app.supervisor.refusals import CannotStart
from tests.support.deployment import by_compose, by_file, lines_of_file, url_of
from tests.support.servers import Server

pytestmark = pytest.mark.integration

Run = Callable[[str, Path], AbstractContextManager[Server]]

#: Service of compose → who works there.
WORKS = {"redis": "store", "broker": "broker"}


@pytest.fixture(params=WORKS)
def service(request: pytest.FixtureRequest) -> str:
    service: str = request.param
    return service


@pytest.fixture(params=[by_compose, by_file])
def server(request: pytest.FixtureRequest, service: str, tmp_path: Path) -> Iterator[Server]:
    run: Run = request.param
    with run(service, tmp_path) as server:
        yield server


def allowed(url: str, *command: str) -> bool:
    """Tell whether a user may do this; it must not fail for any other reason."""
    with redis.Redis.from_url(url) as client:
        try:
            client.execute_command(*command)
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
            return False
    return True


def test_a_server_lets_in_whom_it_should(server: Server, service: str) -> None:
    worker, viewer = url_of(server, WORKS[service]), url_of(server, "viewer")
    stranger = f"{server.url}/0"

    assert allowed(worker, "SET", "key", "value")
    assert allowed(worker, "EVAL", "return redis.call('INCR', 'count')", "0")
    assert allowed(viewer, "GET", "key")
    for url, command in (
        (worker, "FLUSHALL"),
        (worker, "SHUTDOWN"),
        (worker, "CONFIG SET appendonly no"),
        (worker, "REPLICAOF 127.0.0.1 1"),
        (worker, "ACL LIST"),
        (viewer, "SET key other"),
        (viewer, "DEL key"),
        (viewer, "PUBLISH channel message"),
        (stranger, "GET key"),
        (stranger.replace("://", "://default:@"), "GET key"),
        (stranger.replace("://", "://viewer:wrong@"), "GET key"),
        (stranger.replace("://", "://:wrong@"), "GET key"),
    ):
        assert not allowed(url, *command.split()), command


def test_the_store_is_fit_to_keep_orders_in_the_eyes_of_its_user(tmp_path: Path) -> None:
    with by_compose("redis", tmp_path) as server:
        assert check_server(url_of(server, "store")) == ()


@pytest.mark.parametrize("named", ["", "redis-server"])
@pytest.mark.parametrize("run", [by_compose, by_file])
def test_the_store_has_after_a_start_what_it_had_before(
    run: Callable[[str, Path, Path], AbstractContextManager[Server]], named: str, tmp_path: Path
) -> None:
    try:
        program = find_server(named)
    except CannotStart as error:
        pytest.skip(str(error))
    both = "redis.call('SET', 'one', 1) redis.call('SET', 'other', 2)"
    with run("redis", tmp_path, program) as server:
        assert allowed(url_of(server, "store"), "EVAL", both, "0")

    with (
        run("redis", tmp_path, program) as server,
        redis.Redis.from_url(url_of(server, "store")) as client,
    ):
        assert client.exists("one", "other") == 2


def test_a_file_is_of_no_use_before_it_has_passwords(service: str, tmp_path: Path) -> None:
    file = tmp_path / "server.conf"
    file.write_text("\n".join([*lines_of_file(service), f"dir {tmp_path}", "port 0"]))

    ended = subprocess.run([find_server(), file], capture_output=True, timeout=20, check=False)

    assert ended.returncode != 0
    assert b"XXXX" in ended.stdout + ended.stderr
