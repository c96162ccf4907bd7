"""A PostgreSQL server of our own for tests, where its programs are installed."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from app.supervisor.tcp_ports import free_port
from tests.support.processes import eventually

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
        make: list[str | Path] = [programs / "initdb", "-D", folder / "data"]
        make += ["-U", "hookfill", "-A", "trust", "-N"]
        subprocess.run(make, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        command: list[str | Path] = [programs / "postgres", "-D", folder / "data", "-F"]
        command += ["-p", str(port), "-k", folder, "-h", "127.0.0.1"]
        command += ["-c", "log_min_messages=panic"]
        with subprocess.Popen(command, user=user, cwd=folder, stderr=subprocess.DEVNULL) as server:
            try:
                url = f"postgresql://hookfill@127.0.0.1:{port}/postgres"
                eventually(lambda: _answers(url), START_SECONDS)
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


def _answers(url: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False
