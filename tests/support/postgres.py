"""A PostgreSQL server of our own for tests, where its programs are installed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

#: Where Debian and others put what is not on the path.
_FOLDERS = "/usr/lib/postgresql/*/bin"

#: A server starts within a second or two; the machines that run this are slow and shared.
START_SECONDS = 30.0


def find_postgres() -> Path | None:
    """Return the folder of `initdb` and `postgres`, or None if they are not installed."""
    folders = [str(one) for one in sorted(Path("/").glob(_FOLDERS.lstrip("/")), reverse=True)]
    found = shutil.which("initdb", path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    return None if found is None else Path(found).resolve().parent


@contextmanager
def running_postgres(programs: Path) -> Iterator[str]:
    """Start a server on a free loopback port, yield its URL, and stop it at the end.

    The server refuses to run for root, and so does `initdb`; there its own user runs it.

    Raises:
        LookupError: this is root, and there is no other user to run it.
    """
    user = _user()
    with tempfile.TemporaryDirectory(prefix="hookfill-postgres-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        make: list[str | Path] = [
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            "hookfill",
            "-A",
            "trust",
            "-N",
        ]
        subprocess.run(make, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command: list[str | Path] = [
            programs / "postgres",
            "-D",
            folder / "data",
            "-p",
            str(port),
            "-F",
        ]
        command += ["-k", folder, "-h", "127.0.0.1", "-c", "log_min_messages=panic"]
        with subprocess.Popen(command, user=user, cwd=folder, stderr=subprocess.DEVNULL) as server:
            try:
                url = f"postgresql://hookfill@127.0.0.1:{port}/postgres"
                _wait(url)
                yield url
            finally:
                server.send_signal(signal.SIGINT)  # at once, whoever is connected
                server.wait(START_SECONDS)


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError as error:
        raise LookupError("root cannot run a PostgreSQL server") from error


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")
