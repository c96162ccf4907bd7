"""Real Redis-protocol servers for tests, durable or quick."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from app.supervisor.embedded_server import find_server

#: A server starts within milliseconds; the machines that run this are slow and shared.
START_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    """A running server. `url` has no database."""

    url: str
    process: "subprocess.Popen[bytes]"


#: What Hookfill asks of a server that shall keep orders.
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
#: For tests that never restart their server.
QUICK = ("--appendonly", "no")


@contextmanager
def running_server(
    folder: Path, options: Sequence[str] = DURABLE, *, program: str = ""
) -> Iterator[Server]:
    """Start a server on a free loopback port, and stop it at the end; see `find_server`."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(find_server(program)), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--dir", str(folder), *options]
    command += ["--maxmemory", "256mb", "--maxmemory-policy", "noeviction"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        server = Server(f"redis://127.0.0.1:{port}", process)
        try:
            _wait(server)
            yield server
        finally:
            process.kill()


def _wait(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(server.url) as client:
        while time.monotonic() < deadline:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.05)
            else:
                return
    raise AssertionError("the server did not start")
