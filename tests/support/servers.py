"""Servers for tests: of the Redis protocol, shared and durable ones, and those in a thread."""

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path
from socketserver import BaseServer
from tempfile import TemporaryDirectory

import pytest
import redis

from app.supervisor.embedded_server import find_server
from app.supervisor.refusals import CannotStart
from app.supervisor.tcp_ports import free_port
from tests.support.processes import eventually

#: Databases of a server. The first is for whoever names it; the others are lent by turns.
DATABASES = 16

#: A server starts within milliseconds; the machines that run this are slow and shared.
START_SECONDS = 20.0


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Let a server of this process answer in a thread of its own, and close it at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], name="web")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


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
    port = free_port()
    command = [str(find_server(program)), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--dir", str(folder), *options]
    command += ["--maxmemory", "256mb", "--maxmemory-policy", "noeviction"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        server = Server(f"redis://127.0.0.1:{port}", process)
        try:
            eventually(lambda: _answers(server.url), START_SECONDS)
            yield server
        finally:
            process.kill()


def _answers(url: str) -> bool:
    with suppress(redis.RedisError), redis.Redis.from_url(url) as client:
        return bool(client.ping())
    return False


def fill(client: redis.Redis, spare_mb: int = 4) -> None:
    """Fill a server to the last byte and beyond, with what `make_room` takes away.

    Beyond, for the server itself may let go some buffer or other soon.

    Args:
        client: of the server.
        spare_mb: how far above what it holds `maxmemory` is set first.
    """
    used = int(client.info("memory")["used_memory"])
    client.config_set("maxmemory", used + spare_mb * 2**20)
    number = 0
    for size in (50_000, 1_000, 1):
        with suppress(redis.exceptions.OutOfMemoryError):
            while True:
                client.set(f"{FILLING}{number}", "x" * size)
                number += 1
    client.eval(_BEYOND, 1, f"{FILLING}{number}", "x" * 2**20)


def make_room(client: redis.Redis) -> None:
    """Take away what `fill` has filled a server with."""
    for key in client.scan_iter(f"{FILLING}*", count=1_000):
        client.delete(key)


_BEYOND = "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], ARGV[1])"

#: What the keys begin with that `fill` makes.
FILLING = "filling:"


class SharedServer:
    """The one server of a test process, started when it is first needed.

    It is asked over a socket of this machine, some million times; over TCP each question takes
    twice as long.
    """

    def __init__(self) -> None:
        self._running = ExitStack()
        self._turns = cycle(range(1, DATABASES))
        self._started = cache(self._start)
        self._pool = cache(self._connections)

    def url(self, database: int = 0) -> str:
        """Return the address of a database of it."""
        socket, _ = self._started()
        return f"unix://{socket}?db={database}"

    def tcp_url(self, client: redis.Redis) -> str:
        """Return the address of the database of one of its clients, for who knows no sockets."""
        _, url = self._started()
        return f"{url}/{client.connection_pool.connection_kwargs['db']}"

    def fresh(self) -> redis.ConnectionPool:
        """Return connections to an empty database. As many loans later it is somebody else's."""
        pool = self._pool(next(self._turns))
        redis.Redis(connection_pool=pool).flushdb()
        return pool

    def stop(self) -> None:
        """End it, if it was ever started."""
        self._running.close()

    def _start(self) -> tuple[Path, str]:
        folder = Path(self._running.enter_context(TemporaryDirectory(prefix="hookfill-tests-")))
        socket = folder / "socket"
        options = (*QUICK, "--unixsocket", str(socket))
        try:
            server = self._running.enter_context(running_server(folder, options))
        except CannotStart:
            if os.environ.get("CI"):
                pytest.fail("there is no Redis-protocol server")
            pytest.skip("there is no Redis-protocol server")
        return socket, server.url

    def _connections(self, database: int) -> redis.ConnectionPool:
        pool = redis.ConnectionPool.from_url(self.url(database), decode_responses=True, protocol=2)
        self._running.callback(pool.disconnect)
        return pool


SHARED = SharedServer()


def fresh_client() -> redis.Redis:
    """Return a client of an empty database of the shared server."""
    return redis.Redis(connection_pool=SHARED.fresh())
