"""Store and broker by a Unix socket, and by TLS, through all that connects to them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kombu.exceptions import OperationalError

from app.dispatch.broker import celery_for
from app.domain.errors import StoreUnavailable
from app.settings import ServerUrl, Settings
from app.store.core.connection import connect
from app.store.core.server_check import check_server
from tests.support.processes import eventually
from tests.support.servers import DURABLE, QUICK, running_server, serving
from tests.support.tls import Tunnel, a_certificate

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
KEY = "A" * 43 + "="
PASSWORD = "p@ss/w:rd?&"  # noqa: S105  made up
QUOTED = "p%40ss%2Fw%3Ard%3F%26"


@pytest.fixture(scope="module", params=["", f":{QUOTED}@", f"&password={QUOTED}"])
def store_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server with a socket, without and with a password in either place of the URL."""
    login: str = request.param
    folder = tmp_path_factory.mktemp("s")
    path = folder / "r.sock"
    options = [*DURABLE, "--unixsocket", str(path)]
    with running_server(folder, options) as server:
        if login:
            with connect(f"{server.url}/0", 5) as client:
                client.config_set("requirepass", PASSWORD)
        user, query = (login, "") if login.endswith("@") else ("", login)
        yield f"unix://{user}{path}?db=2{query}"


def test_the_store_is_reached_by_a_socket(store_url: str) -> None:
    check_server(store_url)
    with connect(store_url, 5) as client:
        client.set("somewhere", "1")
        assert "db2" in client.info("keyspace")
        client.delete("somewhere")


def test_the_broker_is_the_database_behind_the_store(store_url: str) -> None:
    broker_url = ServerUrl(store_url).next_database()
    with (
        celery_for(broker_url) as celery,
        celery.connection() as connection,
        connection.SimpleQueue("somebody") as queue,
        connect(broker_url, 5) as client,
    ):
        queue.put("something")
        assert client.llen("somebody") == 1
        assert "db3" in client.info("keyspace")
        assert queue.get(timeout=5).payload == "something"


@pytest.mark.parametrize("store_url", [f"&password={QUOTED}"], indirect=True)
def test_a_worker_is_found_through_a_socket(store_url: str) -> None:
    settings = Settings.from_environment({"HOOKFILL_SECRET_KEY": KEY, "REDIS_URL": store_url})
    environ = {**os.environ, "HOOKFILL_SECRET_KEY": KEY, "REDIS_URL": store_url}
    # As the supervisor and compose pass it on: Celery reads this variable, too.
    environ["BROKER_URL"] = settings.broker_url
    command = "-m workers worker -Q orders --without-gossip --without-mingle"
    with (
        subprocess.Popen([sys.executable, *command.split()], env=environ, cwd=ROOT) as worker,
        celery_for(settings.broker_url) as celery,
    ):
        try:
            eventually(lambda: celery.control.ping(timeout=0.5))
        finally:
            worker.kill()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_certificate(tmp_path_factory.mktemp("tls") / "both.pem")


@pytest.fixture(scope="module")
def tls_url(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("plain"), QUICK) as server:
        onward = urlsplit(server.url)
        tunnel = Tunnel(certificate, (str(onward.hostname), int(onward.port or 0)))
        with serving(tunnel):
            yield f"rediss://127.0.0.1:{tunnel.server_address[1]}/1"


def store_refusal(url: str) -> str:
    """Return why the store is not reached, or nothing."""
    with connect(url, 5) as client:
        try:
            client.ping()
        except StoreUnavailable as error:
            return str(error)
        return ""


def broker_refusal(url: str) -> str:
    """Return why the broker is not reached, or nothing."""
    with celery_for(url) as celery, celery.connection() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=5)
        except OperationalError as error:
            return str(error)
        return ""


@pytest.mark.parametrize("refusal", [store_refusal, broker_refusal])
def test_a_server_must_show_a_certificate_that_is_trusted(
    refusal: Callable[[str], str], tls_url: str, certificate: Path
) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(tls_url)
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(f"{tls_url}?ssl_check_hostname=false")
    assert refusal(f"{tls_url}?ssl_ca_certs={certificate}") == ""
    assert refusal(f"{tls_url}?ssl_cert_reqs=none") == ""
