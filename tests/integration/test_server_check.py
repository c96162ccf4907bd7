"""A real server is asked, and refused for each setting that would lose orders."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.domain.errors import StoreUnavailable, UnsafeStore
from app.store.core.server_check import check_server, is_ready
from app.supervisor.children import Child, Program
from app.supervisor.embedded_server import find_server
from app.supervisor.tcp_ports import free_port

pytestmark = pytest.mark.integration

SAFE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory": "64mb",
    "maxmemory-policy": "noeviction",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    child = Child(a_server(folder, port))
    child.start()
    url = f"redis://127.0.0.1:{port}/0"
    deadline = time.monotonic() + 40
    while not is_ready(url) and time.monotonic() < deadline:
        time.sleep(0.02)
    yield url
    child.kill()


def a_server(folder: Path, port: int, *options: str) -> Program:
    return Program(
        name="redis",
        command=(str(find_server()), "--port", str(port), "--save", "", *options),
        environment={},
        folder=folder,
        log=folder / "redis.log",
        patience_seconds=5,
    )


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(url) as client:
        configure(client, SAFE)
        yield client
        client.replicaof("NO", "ONE")
        configure(client, SAFE)


def configure(client: redis.Redis, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        client.config_set(name, value)


@pytest.mark.usefixtures("client")
def test_a_safe_server_is_accepted(url: str) -> None:
    assert check_server(url) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("appendfsync", "no"),
        ("no-appendfsync-on-rewrite", "yes"),
        ("maxmemory", "0"),
        ("maxmemory-policy", "allkeys-lru"),
    ],
)
def test_an_unsafe_setting_is_refused_with_its_fix(
    url: str, client: redis.Redis, name: str, value: str
) -> None:
    configure(client, {name: value})

    with pytest.raises(UnsafeStore, match=rf"^{name} was '{value}'.*CONFIG SET {name} "):
        check_server(url)


def test_the_loss_of_a_second_can_be_accepted(url: str, client: redis.Redis) -> None:
    configure(client, {"appendfsync": "everysec"})

    assert check_server(url, may_lose_a_second=True) == ()


def test_a_replica_is_refused(url: str, client: redis.Redis) -> None:
    client.replicaof("127.0.0.1", "1")

    with pytest.raises(UnsafeStore, match=r"^role was 'slave'"):
        check_server(url)


def test_a_server_that_hides_its_settings_is_accepted_with_warnings(
    url: str, client: redis.Redis
) -> None:
    client.acl_setuser(
        "guest", enabled=True, passwords=["+pw"], categories=["+@all"], commands=["-config"]
    )

    warnings = check_server(url.replace("//", "//guest:pw@"))

    client.acl_deluser("guest")
    assert [warning.split()[0] for warning in warnings] == [
        "appendfsync",
        "no-appendfsync-on-rewrite",
    ]


def test_a_cluster_is_refused(tmp_path: Path) -> None:
    port = free_port()
    child = Child(a_server(tmp_path, port, "--cluster-enabled", "yes"))
    child.start()
    url = f"redis://127.0.0.1:{port}/0"
    deadline = time.monotonic() + 40
    while not is_ready(url) and time.monotonic() < deadline:
        time.sleep(0.02)

    with pytest.raises(UnsafeStore, match="cluster_enabled was"):
        check_server(url)

    child.kill()


def test_a_server_that_does_not_answer_is_told() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"

    assert not is_ready(url)
    with pytest.raises(StoreUnavailable, match="could not be checked"):
        check_server(url)
