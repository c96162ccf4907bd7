"""A lean, bounded HTTP load generator: one thread, raw sockets, closed loop.

Every connection sends its next request as soon as the last one was answered, so the
latency at 64 connections is mostly queueing, and a slow server is asked less often.
It speaks to loopback only, and stops by time, by count and by silence.

Run alone, it drives any running server:

    python -m benchmarks.load --port 8000 --body '{"log": "n@", "action": "buy"}'
"""

from __future__ import annotations

import argparse
import itertools
import json
import selectors
import socket
import sys
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The only place that is ever driven.
HOST = "127.0.0.1"
#: A request without an answer for this long is an error, and the run is near its end.
SILENCE_MAX_SECONDS = 5.0
#: Ends a run whose clock stands still; far above what one thread sends in a minute.
REQUESTS_MAX = 2_000_000
#: Stands in a body for the number that makes it unique; replaced by as many digits.
COUNTER_MARK = "@"
COUNTER_DIGITS = 10

_RECEIVE_BYTES = 65_536
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run saw.

    Attributes:
        connections: How many were open at a time.
        seconds: Length of the counted window.
        answered: 200 answers inside the window.
        latencies_ms: Of every 200 answer, sorted; a new connection's set-up is included.
        errors: What else happened (status or error name) -> how often.
    """

    connections: int
    seconds: float
    answered: int
    latencies_ms: tuple[float, ...]
    errors: dict[str, int]

    @property
    def per_second(self) -> float:
        """200 answers per second of the window."""
        return self.answered / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """Return the nearest-rank percentile of the latencies; NaN when there are none."""
        return percentile(self.latencies_ms, percent)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of sorted values; NaN when there are none."""
    if not ordered:
        return float("nan")
    rank = max(0, -int(-len(ordered) * percent // 100) - 1)
    return ordered[rank]


def requests_for(
    port: int, path: str, bodies: Sequence[str], numbers: Iterator[int]
) -> Iterator[bytes]:
    """Yield keep-alive POST requests, ready to send, no two with the same body.

    Args:
        port: Goes into the `Host` header.
        path: Request target.
        bodies: Taken in turn; each holds `COUNTER_MARK` once, where the running number goes.
        numbers: The running numbers.
    """
    halves = [_halves(port, path, body) for body in bodies]
    for number, (head, tail) in zip(numbers, itertools.cycle(halves), strict=False):
        yield head + b"%0*d" % (COUNTER_DIGITS, number) + tail


def paced(requests: Iterator[bytes], per_second: float) -> Iterator[bytes]:
    """Yield them so many a second, whether or not the earlier ones were answered in time."""
    begun = time.perf_counter()
    for number, request in enumerate(requests):
        time.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
        yield request


def drive(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Result:
    """Keep `connections` busy with `requests` for `seconds`, then wait for the last answers.

    Raises:
        OSError: Nobody listens on the port.
    """
    run = _Run(port, itertools.islice(requests, REQUESTS_MAX), seconds)
    try:
        for _ in range(connections):
            run.open()
        run.until_done()
    finally:
        run.close()
    return Result(
        connections=connections,
        seconds=seconds,
        answered=run.answered,
        latencies_ms=tuple(sorted(run.latencies_ms)),
        errors=dict(run.errors),
    )


@dataclass(slots=True, eq=False)
class _Connection:
    """One socket with at most one request on its way."""

    socket: socket.socket
    sent_at: float
    received: bytearray = field(default_factory=bytearray)


class _Run:
    """The state of one `drive`."""

    def __init__(self, port: int, requests: Iterator[bytes], seconds: float) -> None:
        self.answered = 0
        self.latencies_ms = array("d")
        self.errors: Counter[str] = Counter()
        self._port = port
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._end = time.perf_counter() + seconds

    def open(self) -> None:
        """Connect and send a first request; its latency starts before the connecting."""
        request = next(self._requests, None)
        now = time.perf_counter()
        if request is None or now >= self._end:
            return
        peer = socket.create_connection((HOST, self._port), timeout=SILENCE_MAX_SECONDS)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(request)
        peer.settimeout(0)
        self._selector.register(peer, selectors.EVENT_READ, _Connection(peer, now))

    def until_done(self) -> None:
        """Answer readiness with the next request until every connection has come to rest."""
        while self._selector.get_map():
            ready = self._selector.select(timeout=SILENCE_MAX_SECONDS)
            if not ready:
                self.errors["no answer"] += len(self._selector.get_map())
                return
            for key, _ in ready:
                self._receive(key.data)

    def close(self) -> None:
        """Close what is still open."""
        for key in list(self._selector.get_map().values()):
            self._drop(key.data)
        self._selector.close()

    def _receive(self, connection: _Connection) -> None:
        try:
            chunk = connection.socket.recv(_RECEIVE_BYTES)
        except OSError as error:
            chunk = b""
            self.errors[type(error).__name__] += 1
        else:
            if not chunk:
                self.errors["closed without an answer"] += 1
        if not chunk:
            self._replace(connection)
            return
        connection.received += chunk
        head, separator, body = connection.received.partition(_HEAD_END)
        head = head.lower()
        if separator and len(body) >= _content_length(head):
            self._count(connection, int(head[9:12]))
            self._go_on(connection, closing=b"connection: close" in head)

    def _count(self, connection: _Connection, status: int) -> None:
        now = time.perf_counter()
        if status != _OK:
            self.errors[str(status)] += 1
            return
        self.latencies_ms.append((now - connection.sent_at) * 1000)
        self.answered += now < self._end

    def _go_on(self, connection: _Connection, *, closing: bool) -> None:
        if closing:
            self._replace(connection)
            return
        connection.sent_at = time.perf_counter()
        request = next(self._requests, None)
        if request is None or connection.sent_at >= self._end:
            self._drop(connection)
            return
        connection.received.clear()
        connection.socket.send(request)

    def _replace(self, connection: _Connection) -> None:
        self._drop(connection)
        self.open()

    def _drop(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()


def _halves(port: int, path: str, body: str) -> tuple[bytes, bytes]:
    """Return the request up to the running number, and what follows it."""
    before, after = body.split(COUNTER_MARK)
    length = len((before + after).encode()) + COUNTER_DIGITS
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n{before}"
    )
    return head.encode(), after.encode()


def _content_length(head: bytearray) -> int:
    """Return the announced length of the body; the head is in lower case."""
    start = head.find(_LENGTH)
    if start < 0:
        return 0
    return int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0])


def main() -> None:
    """Drive one port and print the figures as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/trading-signal/webhook")
    parser.add_argument("--body", required=True, help=f"JSON with one {COUNTER_MARK} in it")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    # Another run within the window of deduplication must not repeat these bodies.
    first = time.time_ns() // 1_000 % 10**COUNTER_DIGITS
    requests = requests_for(
        arguments.port, arguments.path, [arguments.body], itertools.count(first)
    )
    result = drive(
        arguments.port, requests, connections=arguments.connections, seconds=arguments.seconds
    )
    figures = {
        "connections": result.connections,
        "per_second": round(result.per_second, 1),
        "p50_ms": round(result.percentile_ms(50), 3),
        "p99_ms": round(result.percentile_ms(99), 3),
        "errors": result.errors,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
