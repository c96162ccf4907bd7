"""A TCP relay to a server: it can cut a connection, hold it or crumble it, at any byte."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.servers import serving


class Way:
    """One direction of all connections."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._room: int | None = None
        self._cuts = False
        self._piece = 65_536
        self.passed = 0

    def cut_after(self, count: int) -> None:
        """Pass on so many bytes more, and end the connection that has further ones."""
        self._set(count, cuts=True)

    def hold_after(self, count: int) -> None:
        """Pass on so many bytes more, and keep further ones until `go_on`."""
        self._set(count, cuts=False)

    def crumble(self) -> None:
        """Pass on byte by byte."""
        self._piece = 1

    def go_on(self) -> None:
        """Pass on everything again, and what was kept."""
        self._set(None, cuts=False)

    def _set(self, room: int | None, *, cuts: bool) -> None:
        with self._changed:
            self._room, self._cuts, self.passed = room, cuts, 0
            self._changed.notify_all()

    def copy(self, source: socket.socket, target: socket.socket) -> None:
        """Pass on what comes, until either end closes."""
        with suppress(OSError):
            while data := source.recv(self._piece):
                while data:
                    now = self._allowed(data)
                    if not now:
                        return
                    target.sendall(now)
                    data = data[len(now) :]

    def _allowed(self, data: bytes) -> bytes:
        """Return what may pass of this, as soon as anything may; nothing at a cut."""
        with self._changed:
            if not self._cuts:
                self._changed.wait_for(lambda: self._room != 0)
            now = data if self._room is None else data[: self._room]
            if self._room is not None:
                self._room -= len(now)
            self.passed += len(now)
            return now


class Relay(socketserver.ThreadingTCPServer):
    """Passes on to a server on this machine.

    Attributes:
        asked: the way to the server.
        answered: the way back.
    """

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Through)
        self.onward = ("127.0.0.1", port)
        self.asked, self.answered = Way(), Way()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Through(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        relay = self.server
        assert isinstance(relay, Relay)
        with suppress(OSError), socket.create_connection(relay.onward) as inside:
            ways = (relay.asked, self.request, inside), (relay.answered, inside, self.request)
            threads = [threading.Thread(target=self._copy, args=way, daemon=True) for way in ways]
            for one in threads:
                one.start()
            for one in threads:
                one.join()

    def _copy(self, way: Way, source: socket.socket, target: socket.socket) -> None:
        way.copy(source, target)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_relay(port: int) -> Iterator[Relay]:
    """Relay to a port of this machine from a free one."""
    relay = Relay(port)
    with serving(relay):
        yield relay
        relay.asked.go_on()
        relay.answered.go_on()
