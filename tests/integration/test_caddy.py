"""deploy/Caddyfile, by the program itself: TLS in front, and requests as they were signed."""

from __future__ import annotations

import http.client
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple

import pytest

from app.supervisor.tcp_ports import free_port
from tests.support.deployment import DEPLOY
from tests.support.processes import eventually
from tests.support.servers import serving

PROGRAM = shutil.which("caddy")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="no caddy is installed"),
]

#: As a client has signed it: nothing of it may be written in another way.
TARGET = "/orders/a%2Fb/~x?symbol=BTC_USDT&b=%7E~&a=1%2C2,3&c=%e2%82%ac+d&empty=&=x"


class Asked(NamedTuple):
    """A request as it came to Hookfill."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Behind(ThreadingHTTPServer):
    """Stands where Hookfill would."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        behind = self.server
        assert isinstance(behind, Behind)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        behind.asked.append(Asked(self.command, self.path, headers, body))
        if self.path == "/dies":
            self.close_connection = True
            return
        if self.path == "/api/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b": one\n\n")
            self.wfile.flush()
            self.rfile.read(1)  # until whoever listens goes away
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names are the library's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Front(NamedTuple):
    """Caddy, and what is behind it."""

    https: int
    http: int
    trust: ssl.SSLContext
    behind: Behind

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, bytes]:
        """Return status and body of an answer."""
        connection = http.client.HTTPSConnection("localhost", self.https, context=self.trust)
        with closing(connection):
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("caddy")
    behind = Behind()
    https, plain, admin = (free_port("127.0.0.1") for _ in "123")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "CADDY_ADMIN": f"127.0.0.1:{admin}",
        "HOOKFILL_HTTP_PORT": str(plain),
        "HOOKFILL_HTTPS_PORT": str(https),
        "HOOKFILL_UPSTREAM": f"127.0.0.1:{behind.server_port}",
    }
    file = DEPLOY / "Caddyfile"
    log = folder / "log"
    with serving(behind), log.open("wb") as output:
        command = [str(PROGRAM), "run", "--config", str(file), "--adapter", "caddyfile"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            root = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            eventually(root.exists, told=log.read_text)
            trust = ssl.create_default_context(cafile=str(root))
            front = Front(https, plain, trust, behind)
            eventually(lambda: _answers(front), told=log.read_text)
            yield front
        finally:
            process.terminate()
            process.wait(20)


def _answers(front: Front) -> bool:
    try:
        return front.ask("GET", "/healthz")[0] == 200
    except OSError:
        return False


def last(front: Front) -> Asked:
    return front.behind.asked[-1]


def test_a_request_arrives_as_it_was_signed(front: Front) -> None:
    body = '{"size": "1", "note": "ä\n"}'.encode()
    answer = front.ask("POST", TARGET, body, {"Idempotency-Key": "one"})

    assert answer == (200, b"ok")
    assert (last(front).method, last(front).target, last(front).body) == ("POST", TARGET, body)
    assert last(front).headers["idempotency-key"] == "one"


def test_what_a_caller_claims_of_his_way_is_not_believed(front: Front) -> None:
    claims = {
        "X-Forwarded-For": "52.89.214.238",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "elsewhere.example",
    }
    front.ask("GET", "/", headers=claims)

    headers = last(front).headers
    assert headers["x-forwarded-for"] in {"127.0.0.1", "::1"}
    assert headers["x-forwarded-proto"] == "https"
    assert "x-forwarded-host" not in headers
    assert headers["host"] == f"localhost:{front.https}"


@pytest.mark.parametrize("name", ["X-Other", "Idempotency-Key"])
def test_a_request_that_may_have_been_taken_in_is_not_sent_again(front: Front, name: str) -> None:
    front.ask("GET", "/")  # so that there is a connection to be used again
    before = len(front.behind.asked)
    status, _ = front.ask("POST", "/dies", b"{}", {name: "one"})

    assert status == 502
    assert [one.target for one in front.behind.asked[before:]] == ["/dies"]


def test_events_go_out_at_once(front: Front) -> None:
    connection = http.client.HTTPSConnection("localhost", front.https, context=front.trust)
    with closing(connection):
        connection.request("GET", "/api/events")
        with connection.getresponse() as answer:
            assert answer.read(7) == b": one\n\n"


def test_plain_http_is_refused_and_not_sent_on(front: Front) -> None:
    before = len(front.behind.asked)
    with closing(http.client.HTTPConnection("localhost", front.http)) as connection:
        connection.request("POST", "/trading-signal/webhook", b'{"connectorToken": "secret"}')
        answer = connection.getresponse()
        answer.read()

    assert answer.status == 403
    assert answer.getheader("Location") is None
    assert len(front.behind.asked) == before


def test_metrics_stay_inside(front: Front) -> None:
    before = len(front.behind.asked)

    assert front.ask("GET", "/metrics")[0] == 404
    assert len(front.behind.asked) == before
