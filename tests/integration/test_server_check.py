"""A real server is asked, and refused for each setting that would lose orders."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.domain.errors import StoreUnavailable, UnsafeStore
from app.store.core.server_check import check_server, is_ready
from app.supervisor.tcp_ports import free_port
from tests.support.servers import running_server

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
    with running_server(tmp_path_factory.mktemp("server")) as server:
        assert is_ready(server.url)
        yield f"{server.url}/0"


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
    options = ("--cluster-enabled", "yes")
    with (
        running_server(tmp_path, options) as server,
        pytest.raises(UnsafeStore, match="cluster_enabled was"),
    ):
        check_server(f"{server.url}/0")


def test_a_server_that_does_not_answer_is_told() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"

    assert not is_ready(url)
    with pytest.raises(StoreUnavailable, match="could not be checked"):
        check_server(url)
