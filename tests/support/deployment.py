"""The servers of `deploy/`, run as they would be there: by compose, or from their files."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from app.store.core.server_check import is_ready
from app.supervisor.embedded_server import find_server
from app.supervisor.tcp_ports import free_port
from tests.support.processes import eventually
from tests.support.servers import START_SECONDS, Server

DEPLOY = Path(__file__).parents[2] / "deploy"

#: User of a server of `deploy/` → the variable of its password, and a password.
PASSWORDS = {"store": "a" * 64, "broker": "b" * 64, "viewer": "c" * 64}
#: Service of compose.yaml → the file that says the same.
FILES = {"redis": "redis.conf", "broker": "broker.conf"}


def services() -> dict[str, Any]:
    """Return the services of compose.yaml by name."""
    content = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    found: dict[str, Any] = content["services"]
    return found


def lines_of_compose(service: str) -> list[str]:
    """Return the settings of a server as compose gives them to it, line by line."""
    shell, option, script = map(str, services()[service]["command"])
    first, *lines, last = script.splitlines()
    assert [shell, option, first, last] == ["sh", "-c", "exec redis-server - <<END", "END"]
    return lines


def lines_of_file(service: str) -> list[str]:
    """Return the settings of a server as its file has them, without remarks."""
    lines = (DEPLOY / FILES[service]).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@contextmanager
def by_compose(service: str, folder: Path, program: Path | None = None) -> Iterator[Server]:
    """Run a server as compose does, on a free port, beside which nothing is changed.

    Args:
        service: of compose.yaml.
        folder: where its data are, of a run before as well.
        program: the bundled one if none is given.
    """
    port = free_port()
    script = services()[service]["command"][2].replace("$$", "$")
    command = ["sh", "-c", script.replace("\nEND", f"\nport {port}\nEND")]
    with _running(command, port, folder, program) as server:
        yield server


@contextmanager
def by_file(service: str, folder: Path, program: Path | None = None) -> Iterator[Server]:
    """Run a server from its file, with passwords, on a free port; see `by_compose`."""
    port = free_port()
    lines = [_with_password(line) for line in lines_of_file(service)]
    (folder / "server.conf").write_text("\n".join([*lines, f"dir {folder}", f"port {port}", ""]))
    command = ["redis-server", str(folder / "server.conf")]
    with _running(command, port, folder, program) as server:
        yield server


def _with_password(line: str) -> str:
    word, user, *_ = line.split()
    password = PASSWORDS.get(user, "") if word == "user" else ""
    return line.replace("#XXXX", f"#{hashlib.sha256(password.encode()).hexdigest()}")


@contextmanager
def _running(command: list[str], port: int, folder: Path, program: Path | None) -> Iterator[Server]:
    link = folder / "redis-server"
    link.unlink(missing_ok=True)
    link.symlink_to(program or find_server())
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        **{f"{user.upper()}_PASSWORD": password for user, password in PASSWORDS.items()},
    }
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL
    ) as process:
        server = Server(f"redis://127.0.0.1:{port}", process)
        try:
            eventually(lambda: is_ready(url_of(server, "viewer")), START_SECONDS)
            yield server
        finally:
            process.kill()


def url_of(server: Server, user: str) -> str:
    """Return how a user of a server of `deploy/` reaches it."""
    return f"{server.url}/0".replace("://", f"://{user}:{PASSWORDS[user]}@")
