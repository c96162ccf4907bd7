"""Measures webhooks while strangers hold connections, beside the same webhooks alone.

    python -m benchmarks.connections [--idle 5000] [--heads 1000] [--bodies 1000] [--seconds 20]

A whole `hookfill up` runs on loopback and in a temporary folder. A process of strangers holds so
many connections: idle ones (every other one has sent nothing, the rest wait after an answer),
those that send their headers a byte a second, and those that send a body so. Who is hung up on
comes back at once. Meanwhile webhooks come one after another, each over a connection of its own,
as TradingView sends them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import selectors
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.apps import hookfill_up
from benchmarks.load import HOST, percentile
from benchmarks.processes import DidNotStartError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.synchronize import Event

SECONDS_MAX = 120.0
CONNECTIONS_MAX = 15_000
#: TradingView gives up after three; who waits longer here has no answer.
ANSWER_SECONDS_MAX = 5.0

_PAUSE_SECONDS = 0.05
#: Strangers speak once a second, not all in the same moment.
_TURNS = 20
#: So many come in such a moment, at first.
_AT_ONCE = 50
_GATHER_SECONDS_MAX = 60.0
_RECEIVE_BYTES = 65_536
_FILES_BESIDE = 100

_HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
_NOTHING, _ASKED, _HALF_HEAD, _NO_BODY = range(4)
#: What a stranger says when it has connected, and a second later, and a second after that.
_WORDS = {
    _NOTHING: (b"", b""),
    _ASKED: (_HEAD + b"\r\n", b""),
    _HALF_HEAD: (_HEAD + b"X-Slow: ", b"a"),
    _NO_BODY: (
        b"POST /trading-signal/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        b" ",
    ),
}


@dataclass(slots=True)
class Webhooks:
    """What the senders of webhooks saw: milliseconds to a 200, and what else there was."""

    waits_ms: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def told(self, name: str) -> str:
        """Return a row of the table."""
        waits = sorted(self.waits_ms)
        figures = " | ".join(f"{percentile(waits, each):.1f}" for each in (50, 99, 100))
        return f"| {name} | {len(waits)} | {figures} | {dict(self.others) or 'none'} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if a webhook had no 200, or nothing started."""
    options = _options(arguments)
    files = options.idle + options.heads + options.bodies + _FILES_BESIDE
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files > allowed != resource.RLIM_INFINITY:
        print(f"{files} files are needed, {allowed} allowed", file=sys.stderr)
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, allowed))
    kinds = [_NOTHING, _ASKED] * (options.idle // 2)
    kinds += [_HALF_HEAD] * options.heads + [_NO_BODY] * options.bodies
    try:
        with (
            tempfile.TemporaryDirectory(prefix="hookfill-connections-") as folder,
            hookfill_up(Path(folder)) as app,
        ):
            app.prepare(lanes=1)
            requests = app.requests()
            webhooks(app.port, requests, seconds=2)
            alone = webhooks(app.port, requests, options.seconds)
            with strangers(app.port, kinds) as gathered:
                beside = webhooks(app.port, requests, options.seconds)
    except DidNotStartError as error:
        print(error, file=sys.stderr)
        return 1
    print("| webhooks | answered 200 | p50 ms | p99 ms | max ms | others |")
    print("| :--- | ---: | ---: | ---: | ---: | :--- |")
    print(alone.told("alone"))
    print(beside.told(f"beside {len(kinds)} strangers, gathered in {gathered:.0f} s"))
    return 1 if alone.others or beside.others else 0


def webhooks(port: int, requests: Iterator[bytes], seconds: float) -> Webhooks:
    """Send one after another, each over its own connection."""
    seen = Webhooks()
    end = time.perf_counter() + seconds
    for request in islice(requests, int(seconds / _PAUSE_SECONDS)):
        started = time.perf_counter()
        if started > end:
            break
        try:
            status = _status(port, request)
        except OSError as error:
            seen.others[type(error).__name__] += 1
            continue
        if status == b"200":
            seen.waits_ms.append((time.perf_counter() - started) * 1000)
        else:
            seen.others[status.decode()] += 1
        time.sleep(_PAUSE_SECONDS)
    return seen


def _status(port: int, request: bytes) -> bytes:
    with socket.create_connection((HOST, port), timeout=ANSWER_SECONDS_MAX) as connection:
        connection.sendall(request)
        return connection.recv(_RECEIVE_BYTES)[9:12] or b"closed"


@contextmanager
def strangers(port: int, kinds: Sequence[int]) -> Iterator[float]:
    """Keep one stranger of each of these kinds connected; yield how long they took to come."""
    spawning = multiprocessing.get_context("spawn")
    here, leave = spawning.Event(), spawning.Event()
    process = spawning.Process(target=_crowd, args=(port, kinds, here, leave), daemon=True)
    started = time.perf_counter()
    process.start()
    try:
        here.wait(_GATHER_SECONDS_MAX)
        yield time.perf_counter() - started
    finally:
        leave.set()
        process.join(ANSWER_SECONDS_MAX)
        process.kill()


def _crowd(port: int, kinds: Sequence[int], here: Event, leave: Event) -> None:
    """Come, say a byte a second, and come back when hung up on, until told to leave."""
    with selectors.DefaultSelector() as selector:
        crowd = _Crowd(port, selector)
        for number, kind in enumerate(kinds, start=1):
            crowd.come(kind)
            if number % _AT_ONCE == 0:
                crowd.listen(until=time.monotonic() + 1 / _TURNS)
        here.set()
        for turn in count():
            if leave.is_set():
                break
            for stranger in list(crowd.present)[turn % _TURNS :: _TURNS]:
                crowd.say(stranger, word=1)
            crowd.listen(until=time.monotonic() + 1 / _TURNS)
            for kind in crowd.gone():
                crowd.come(kind)


class _Crowd:
    """Strangers in one process, by their sockets."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self.present: dict[socket.socket, int] = {}
        self._port = port
        self._selector = selector
        self._gone: list[int] = []

    def come(self, kind: int) -> None:
        stranger = socket.socket()
        stranger.settimeout(0)
        with suppress(BlockingIOError):
            stranger.connect((HOST, self._port))
        self._selector.register(stranger, selectors.EVENT_READ, stranger)
        self.present[stranger] = kind
        self.say(stranger, word=0)

    def say(self, stranger: socket.socket, *, word: int) -> None:
        try:
            stranger.send(_WORDS[self.present[stranger]][word])
        except OSError:
            self._leave(stranger)

    def listen(self, until: float) -> None:
        """Take what is said to any of them, and see who is hung up on."""
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(timeout=left):
                stranger: socket.socket = key.data
                said = b""
                with suppress(OSError):
                    said = stranger.recv(_RECEIVE_BYTES)
                if not said:
                    self._leave(stranger)

    def gone(self) -> list[int]:
        """Return the kinds of those that were hung up on since this was last asked."""
        gone, self._gone = self._gone, []
        return gone

    def _leave(self, stranger: socket.socket) -> None:
        self._selector.unregister(stranger)
        stranger.close()
        self._gone.append(self.present.pop(stranger))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.connections", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--idle", type=int, default=5000, help="idle connections (5000)")
    parser.add_argument("--heads", type=int, default=1000, help="half headers (1000)")
    parser.add_argument("--bodies", type=int, default=1000, help="bodies that do not come (1000)")
    parser.add_argument("--seconds", type=float, default=20, help="length of each part (20)")
    options = parser.parse_args(arguments)
    if not 0 < options.seconds <= SECONDS_MAX:
        parser.error(f"at most {SECONDS_MAX:g} seconds")
    if options.idle + options.heads + options.bodies > CONNECTIONS_MAX:
        parser.error(f"at most {CONNECTIONS_MAX} connections")
    return options


if __name__ == "__main__":
    sys.exit(main())
