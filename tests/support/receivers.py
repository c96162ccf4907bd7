"""Where messages arrive: a webhook of somebody's, and Telegram as the whole world sees it."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.proxy import Proxy
from tests.support.servers import serving
from tests.support.tls import Tunnel, a_certificate

#: Whom messages go to, as apprise writes it.
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop_qrst/12315544"


class Received(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Its body."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receiver(ThreadingHTTPServer):
    """Takes in whatever comes.

    Attributes:
        received: every request, in order, whatever was answered.
        answers: statuses of the next answers; then 200.
        goes_on: while it is cleared, requests are taken in and not answered.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.answers: deque[int] = deque()
        self.goes_on = threading.Event()
        self.goes_on.set()

    @property
    def address(self) -> str:
        """Where it is, without a scheme."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def texts(self) -> list[str]:
        """What a person reads: of Telegram's messages."""
        return [one.json["text"] for one in self.received if one.path.endswith("/sendMessage")]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that went away is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        receiver.received.append(Received(self.path, dict(self.headers.items()), body))
        receiver.goes_on.wait(60)
        status = receiver.answers.popleft() if receiver.answers else 200
        answer = b'{"ok": true, "result": {}}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Serve on a free loopback port."""
    receiver = Receiver()
    with serving(receiver):
        try:
            yield receiver
        finally:
            receiver.goes_on.set()


class _World(Proxy):
    """A proxy behind which any host is one and the same tunnel."""

    def __init__(self, tunnel: Tunnel) -> None:
        super().__init__()
        self.tunnel = tunnel

    def where(self, host: str, port: int) -> tuple[str, int]:
        """Return where a host is."""
        del host, port
        return "127.0.0.1", int(self.tunnel.server_address[1])


@contextmanager
def running_telegram(folder: Path) -> Iterator[tuple[Receiver, Mapping[str, str]]]:
    """Serve as api.telegram.org; yield it, and the environment of whoever is to believe that."""
    certificate = a_certificate(folder / "telegram.pem", "api.telegram.org")
    with running_receiver() as receiver:
        tunnel = Tunnel(certificate, ("127.0.0.1", receiver.server_port))
        world = _World(tunnel)
        with serving(tunnel), serving(world):
            yield receiver, {"HTTPS_PROXY": world.url, "REQUESTS_CA_BUNDLE": str(certificate)}
