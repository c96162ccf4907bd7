"""Processes of one measurement: started, waited for, and stopped by their ids."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import defaultdict
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.load import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: The checkout: what is started is found from here.
ROOT = Path(__file__).parents[1]
#: A server that does not answer after this long will not.
START_SECONDS_MAX = 120.0
#: What is still alive this long after SIGTERM is killed.
STOP_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.05
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
#: Below the ports that Linux and macOS give to outgoing connections.
_SERVER_PORTS = range(20_000, 32_000)
_LOG_TAIL_CHARACTERS = 2_000
#: What somebody has set for a Hookfill of their own is not meant for one that is measured.
_FOREIGN = ("HOOKFILL_", "REDIS_", "BROKER_", "DATABASE_")


class DidNotStartError(Exception):
    """A process ended, or stayed silent, before it could be measured; carries its last words."""


class Running:
    """One process that leads a group of its own, so that its workers are reached too."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """The id of the leader."""
        return self._process.pid

    def wait_for_port(self, port: int) -> None:
        """Return when somebody listens.

        Raises:
            DidNotStartError: Nobody did, in time.
        """
        self._wait(partial(_listens, port), f"nothing listened on port {port}")

    def wait_for_answer(self, url: str) -> None:
        """Return when the URL answers 200.

        Raises:
            DidNotStartError: It did not, in time.
        """
        self._wait(partial(_answers, url), f"{url} did not answer 200")

    def stop(self) -> None:
        """End the group: politely, then not; whatever the leader left behind goes with it."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS_MAX)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _wait(self, is_so: Callable[[], bool], complaint: str) -> None:
        give_up_at = time.monotonic() + START_SECONDS_MAX
        while not is_so():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                words = self._log.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:]
                raise DidNotStartError(f"{complaint}; the last words of the process:\n{words}")
            time.sleep(_LOOK_SECONDS)


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Run a command, from the checkout, as long as the block lasts.

    Args:
        command: Program and arguments; nothing passes through a shell.
        environment: What it gets besides our own variables.
        log: Where its output goes.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our own commands)
            list(command),
            env={**_own_environment(), **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    child = Running(process, log)
    try:
        yield child
    finally:
        child.stop()


def cpu_seconds(pids: Mapping[str, int]) -> Mapping[str, float]:
    """Return name -> what it and those that it has started have used since their start."""
    used: defaultdict[str, float] = defaultdict(float)
    for name, pid in _members(pids):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[name] += sum(map(int, fields[11:13])) / _TICKS_A_SECOND
    return used


def memory_mb(pids: Mapping[str, int]) -> Mapping[str, float]:
    """Return name -> MB of it and of those that it has started, what is shared in part for each."""
    held: defaultdict[str, float] = defaultdict(float)
    for name, pid in _members(pids):
        with suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            held[name] += int(text.partition("\nPss:")[2].split()[0]) / 1024
    return held


def _members(pids: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield each process with the name of the one that has started it."""
    named = set(pids.values())
    for name, pid in pids.items():
        waiting = [pid]
        while waiting:
            one = waiting.pop()
            yield name, one
            with suppress(OSError):
                children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
                waiting += [child for child in map(int, children) if child not in named]


def free_port() -> int:
    """Return a loopback port that nobody uses, and that no outgoing connection will be given.

    A port that the kernel picks may be taken by a connection before the server has started.
    """
    while True:
        port = random.choice(_SERVER_PORTS)  # noqa: S311 (not a secret)
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return port


def _own_environment() -> dict[str, str]:
    return {name: one for name, one in os.environ.items() if not name.startswith(_FOREIGN)}


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _answers(url: str) -> bool:
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 (loopback)
        return bool(answer.status == 200)  # noqa: PLR2004 (HTTP)
    return False
