"""A small HTTP proxy: it passes requests on, opens tunnels, and can fail at both."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.servers import serving
from tests.support.tls import join

LOGIN = "me:not-to-be-seen"


class Proxy(ThreadingHTTPServer):
    """Lets in who knows the login.

    Attributes:
        asked: method and target of every request that it was asked to pass on.
        says: what it says to whoever asks for anything, in place of doing it; empty is nothing.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.says: bytes | None = None

    @property
    def url(self) -> str:
        """Where it is, with the login."""
        return f"http://{LOGIN}@127.0.0.1:{self.server_port}"

    def where(self, host: str, port: int) -> tuple[str, int]:
        """Return where a host is that somebody wants a tunnel to."""
        return host, port

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that went away is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _may_pass(self) -> bool:
        proxy = self.server
        assert isinstance(proxy, Proxy)
        proxy.asked.append(f"{self.command} {self.path}")
        said = proxy.says
        if said is None:
            login = f"Basic {b64encode(LOGIN.encode()).decode()}"
            if self.headers.get("Proxy-Authorization") == login:
                return True
            said = b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n"
        self.wfile.write(said)
        self.close_connection = True
        return False

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._may_pass():
            return
        target = urlsplit(self.path)
        headers = {k: v for k, v in self.headers.items() if not k.startswith("Proxy-")}
        onward = HTTPConnection(str(target.hostname), target.port)
        try:
            onward.request(self.command, f"{target.path}?{target.query}", body, headers)
            answer = onward.getresponse()
            content = answer.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            onward.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 - the names are the library's

    def do_CONNECT(self) -> None:
        """Open a tunnel."""
        if not self._may_pass():
            return
        proxy = self.server
        assert isinstance(proxy, Proxy)
        host, _, port = self.path.partition(":")
        self.close_connection = True
        address = proxy.where(host, int(port))
        with suppress(OSError), socket.create_connection(address) as inside:
            self.send_response(200)
            self.end_headers()
            join(self.connection, inside)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def running_proxy() -> Iterator[Proxy]:
    """Serve on a free loopback port."""
    proxy = Proxy()
    with serving(proxy):
        yield proxy
