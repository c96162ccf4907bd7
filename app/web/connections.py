"""The web server's worker: who is slow is hung up on, and nobody takes the room of the others."""

import errno
import resource
import socket
from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext, suppress
from time import monotonic
from typing import Any, ClassVar, Final

from gunicorn import util
from gunicorn.workers.ggevent import GeventWorker

from app.unhurried import give_way

#: Files of a process besides its connections: those to the store, logs, counters, the history.
FILES_BESIDE: Final = 256
#: Connections that were hung up on and have not ended yet.
ENDING_MAX: Final = 128
#: Of a body that nobody wanted, and of an answer.
_PIECE_BYTES: Final = 64 * 1024
_LENGTH: Final = b"\r\nContent-Length: "


def room_for(connections: int) -> int:
    """Allow this process, and those it starts, the open files that so many connections need.

    Returns:
        For how many there are files: fewer, if the hard limit is too low.
    """
    beside = FILES_BESIDE + ENDING_MAX
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = connections + beside
    if hard != resource.RLIM_INFINITY:
        files = min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(1, files - beside)


class TooSlow(BaseException):
    """A request did not come whole in time.

    Not an Exception: it is nothing to the application, and passes through it to the worker.
    """


class TimedSocket:
    """A client's socket that receives until a deadline, however little comes at a time.

    Args:
        connection: the socket, of gevent.
        silent: those of this process that wait for their clients, the longest silent first.
        answer_seconds: in which the client takes a piece of what it is sent.
    """

    def __init__(
        self,
        connection: Any,  # noqa: ANN401
        silent: OrderedDict["TimedSocket", None],
        answer_seconds: float,
    ) -> None:
        self._connection = connection
        self._silent = silent
        self._answer_seconds = answer_seconds
        self._is_idle = self._is_over = False
        self._head = b""
        self._deadline = 0.0
        self._seconds_once_begun = 0.0

    def await_request(self, seconds: float, seconds_once_begun: float) -> None:
        """Allow so long for the first byte of a request, and then so long for its head."""
        self._is_idle = True
        self._deadline = monotonic() + seconds
        self._seconds_once_begun = seconds_once_begun

    def await_rest(self, seconds: float) -> None:
        """Allow so long for all that is still to come of a part: of the head, or the body."""
        self._is_idle = False
        self._deadline = monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """Receive some bytes; none at the end, and none if no request has begun in time.

        Raises:
            TooSlow: a request has begun, and this part of it did not come whole in time.
        """
        data = self._received(size)
        if data is None:
            if self._is_idle:
                return b""
            raise TooSlow
        if self._is_idle:
            self.await_rest(self._seconds_once_begun)
        return data

    def sendall(self, data: bytes) -> None:
        """Send all of it; the head of an answer that has a body goes out with that.

        The web server hands over the two one after the other, and to send twice is a tenth of what
        a small answer costs.

        Raises:
            TimeoutError: the client has not taken a piece in time.
        """
        if not self._head and _is_head_of_body(data):
            self._head = data
            return
        rest = memoryview(data)
        if self._head:
            first, rest = self._head + rest[:_PIECE_BYTES], rest[_PIECE_BYTES:]
            self._head = b""
            self._send(first)
        for at in range(0, len(rest), _PIECE_BYTES):
            self._send(rest[at : at + _PIECE_BYTES])

    def flush(self) -> None:
        """Send the head of an answer, if no body came."""
        self.sendall(b"")

    def hang_up(self) -> None:
        """End the connection for both sides; who waits for its client does so no longer."""
        with suppress(OSError):  # the client was faster
            self._connection.shutdown(socket.SHUT_RDWR)

    def end_if_idle(self) -> None:
        """Take no request any more but one that is here already; that one is answered."""
        if self._is_idle:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)

    def _send(self, piece: bytes | memoryview) -> None:
        self._silent[self] = None
        try:
            self._connection.sendall(piece)
        finally:
            self._silent.pop(self, None)

    def _received(self, size: int) -> bytes | None:
        """Return what came, or None at the deadline, and from then on."""
        if self._is_over:
            return None
        data = self._looked(size)  # what came while this process was busy is in time
        if data is None:
            data = self._awaited(size)
        else:
            give_way()  # or who sends without end would keep the process from all others
        return data

    def _awaited(self, size: int) -> bytes | None:
        self._silent[self] = None
        try:
            data = self._looked(size, self._deadline - monotonic())
        finally:
            self._silent.pop(self, None)
        self._is_over = data is None
        return data

    def _looked(self, size: int, seconds: float = 0.0) -> bytes | None:
        """Return what is there, or comes within a time, or None."""
        self._connection.settimeout(max(0.0, seconds))
        try:
            data: bytes = self._connection.recv(size)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            return b""  # hung up on
        finally:
            self._connection.settimeout(self._answer_seconds)
        return data

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Do all else as the socket does."""
        return getattr(self._connection, name)


def _is_head_of_body(data: bytes) -> bool:
    """Tell whether this is all of an answer but its body, of which it says how long it is."""
    return data.endswith(b"\r\n\r\n") and data.startswith(b"HTTP/1.") and _LENGTH in data


class PunctualWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves each connection by a green thread, and gives none of them more than its time.

    Attributes:
        head_seconds: for request line and headers, from the first byte; a new connection that
            sends nothing is hung up on after as long.
        body_seconds: for all of the body.
        answer_seconds: for a client to take a piece of its answer.
    """

    head_seconds: ClassVar[float] = 5.0
    body_seconds: ClassVar[float] = 10.0
    answer_seconds: ClassVar[float] = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._room = self.worker_connections
        self.worker_connections += ENDING_MAX
        self._open = 0
        self._silent: OrderedDict[TimedSocket, None] = OrderedDict()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:  # noqa: ANN401
        """Serve one connection; without room for it, hang up on the longest silent one."""
        if self._open >= self._room and self._silent:
            self._silent.popitem(last=False)[0].hang_up()
            _count("room")
        timed = TimedSocket(client, self._silent, self.answer_seconds)
        timed.await_request(self.head_seconds, self.head_seconds)
        self._open += 1
        try:
            super().handle(listener, timed, addr)
        finally:
            self._open -= 1

    def notify(self) -> None:
        """Tell that this process lives; one that is to end waits for nobody who asks nothing."""
        super().notify()
        if not self.alive:
            for each in tuple(self._silent):
                each.end_if_idle()

    def timeout_ctx(self) -> AbstractContextManager[None]:
        """Return what bounds the wait for a request: nothing more than its socket does."""
        return nullcontext()

    def handle_request(self, listener_name: Any, req: Any, sock: TimedSocket, addr: Any) -> None:  # noqa: ANN401
        """Answer one request, whose body need not be here yet."""
        sock.await_rest(self.body_seconds)
        try:
            try:
                super().handle_request(listener_name, req, sock, addr)
            finally:
                sock.flush()
        except TimeoutError as error:  # the answer is not taken
            raise StopIteration from error
        while not req.body.failed and req.body.read(_PIECE_BYTES):
            pass  # nobody wanted it
        if req.unreader.buf.getvalue():  # the next one has begun
            sock.await_rest(self.head_seconds)
        else:
            sock.await_request(self.cfg.keepalive, self.head_seconds)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ANN401
        """Answer what could not be served."""
        if not isinstance(exc, TooSlow):
            super().handle_error(req, client, addr, exc)
            return
        _count("slow")
        with suppress(OSError):  # it has gone
            util.write_error(client, 408, "Request Timeout", "The request did not come in time.")


def _count(reason: str) -> None:
    from app.metrics import HUNG_UP  # noqa: PLC0415 - it is loaded with the locks of gevent

    HUNG_UP.labels(reason=reason).inc()
