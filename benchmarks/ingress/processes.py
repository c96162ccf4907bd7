"""Processes of one measurement: started, waited for, paused, and stopped by their ids."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ingress.load import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The checkout: what is started is found from here.
ROOT = Path(__file__).parents[2]
#: A server that does not answer after this long will not.
START_SECONDS_MAX = 30.0
#: What is still alive this long after SIGTERM is killed.
STOP_SECONDS_MAX = 15.0
_LOOK_SECONDS = 0.05
#: Below the ports that Linux and macOS give to outgoing connections.
_SERVER_PORTS = range(20_000, 32_000)
_LOG_TAIL_CHARACTERS = 2_000


class DidNotStartError(Exception):
    """A process ended, or stayed silent, before it could be measured; carries its last words."""


class Running:
    """One process that leads a group of its own, so that its workers are reached too."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._give_up_at = time.monotonic() + START_SECONDS_MAX

    @property
    def pid(self) -> int:
        """The id of the leader."""
        return self._process.pid

    def pause(self) -> None:
        """Stop the whole group where it stands, so that it takes nothing from the other app."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let the group go on."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def wait_for_port(self, port: int) -> None:
        """Return when somebody listens.

        Raises:
            DidNotStartError: Nobody did, in time.
        """
        while not _listens(port):
            self._look_again(f"nothing listened on port {port}")

    def wait_for_answer(self, url: str) -> None:
        """Return when the URL answers 200.

        Raises:
            DidNotStartError: It did not, in time.
        """
        while not _answers(url):
            self._look_again(f"{url} did not answer 200")

    def stop(self) -> None:
        """End the group: politely, then not; whatever the leader left behind goes with it."""
        with suppress(ProcessLookupError):
            self.resume()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS_MAX)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _look_again(self, complaint: str) -> None:
        if self._process.poll() is None and time.monotonic() < self._give_up_at:
            time.sleep(_LOOK_SECONDS)
            return
        words = self._log.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:]
        raise DidNotStartError(f"{complaint}; the last words of the process:\n{words}")


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
            env={**os.environ, **environment},
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


def free_port() -> int:
    """Return a loopback port that nobody uses, and that no outgoing connection will be given.

    A port that the kernel picks may be taken by a connection before the server has started.
    """
    while True:
        port = random.choice(_SERVER_PORTS)  # noqa: S311 (not a secret)
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return port


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _answers(url: str) -> bool:
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 (loopback)
        return bool(answer.status == 200)  # noqa: PLR2004 (HTTP)
    return False
