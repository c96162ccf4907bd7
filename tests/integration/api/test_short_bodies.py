"""A body that ends before its announced length is refused, however much sense it makes."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from app.domain.enums import Dialect
from app.settings import Settings
from app.supervisor.tcp_ports import free_port
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import Caller
from tests.support.each_dialect import Sent, open_for_all, request_of
from tests.support.processes import eventually
from tests.support.servers import running_server
from tests.support.stack import CHECKOUT, START_SECONDS
from tests.support.three_commas import FORM_TYPE, JSON_TYPE

pytestmark = pytest.mark.integration

#: What each says, with status 400.
REFUSALS = {
    Dialect.CRYPTO_ARSENAL: b'"code": "invalid_json"',
    Dialect.APISIFY: b'"code": "invalid_json"',
    Dialect.POLONIEX: b'"code": 601',
    Dialect.THREE_COMMAS: b'"error": "invalid_request"',
    Dialect.HUMMINGBOT: b'"detail": "the body ended after',
}

#: Some of our own routes, which all read their bodies in one way; the last is a form.
OUR_OWN = (
    ("PUT", "/paper/prices", JSON_TYPE, b'{"prices": {"BTC/USDT": {"last": "50000"}}}'),
    ("PUT", "/api/accounts/demo", JSON_TYPE, b'{"group": "other"}'),
    ("POST", "/login", JSON_TYPE, f'{{"token": "{ADMIN_TOKEN}"}}'.encode()),
    ("POST", "/login", FORM_TYPE, f"token={ADMIN_TOKEN}".encode()),
)

_numbers = count(1)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of a web server, whose store is as durable as it asks."""
    with running_server(tmp_path / "redis") as server:
        yield {
            "REDIS_URL": server.url,
            "HOOKFILL_DATA_DIR": str(tmp_path),
            "HOOKFILL_ADMIN_TOKEN": ADMIN_TOKEN,
            "HOOKFILL_FAST": "1",
            "POLO_CLOCK_TOLERANCE_MS": "60000",
        }


@pytest.fixture
def settings(environment: Mapping[str, str]) -> Settings:
    return Settings.from_environment(environment)


@pytest.fixture
def host(demo: Caller, environment: Mapping[str, str], tmp_path: Path) -> Iterator[str]:
    """The web server as it is deployed."""
    open_for_all(demo)
    port = free_port()
    bound = {"HOOKFILL_BIND": f"127.0.0.1:{port}", "HOOKFILL_WEB_WORKERS": "1"}
    log = tmp_path / "web.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app.wsgi:app"],
            cwd=CHECKOUT,
            env={**os.environ, **environment, **bound},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            eventually(
                lambda: answers(port) or process.poll() is not None, START_SECONDS, log.read_text
            )
            assert process.poll() is None, log.read_text()
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        return b"200 OK" in told(f"127.0.0.1:{port}", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    except OSError:
        return False


def told(host: str, request: bytes) -> bytes:
    """Send bytes and nothing more, and return all that comes back."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def on_the_wire(method: str, one: Sent, host: str, framing: Mapping[str, str]) -> bytes:
    headers = {"Host": host, "Connection": "close", **one.headers, **framing}
    lines = [f"{method} {one.path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def sent(host: str, method: str, one: Sent, missing: int = 0) -> bytes:
    """Send a request that announces so many bytes more than it has."""
    framing = {"Content-Length": str(len(one.body) + missing)}
    return told(host, on_the_wire(method, one, host, framing) + one.body)


def test_a_body_that_is_cut_short_is_refused_by_everybody(host: str, api: Caller) -> None:
    for dialect, refusal in REFUSALS.items():
        for missing in (1, 100):
            answer = sent(host, "POST", request_of(dialect, next(_numbers), host), missing)
            assert answer.startswith(b"HTTP/1.1 400 "), (dialect, answer)
            assert refusal in answer.replace(b'":', b'": ').replace(b":  ", b": "), answer
        one = request_of(dialect, next(_numbers), host)
        chunk = f"{len(one.body):x}\r\n".encode() + one.body + b"\r\n"
        head = on_the_wire("POST", one, host, {"Transfer-Encoding": "chunked"})
        for ending in (b"", b"5\r\nabc", b"zz\r\n"):
            answer = told(host, head + chunk + ending)
            assert answer.startswith(b"HTTP/1.1 400 "), (dialect, ending, answer)

    assert api.rows() == []
    for dialect in REFUSALS:
        answer = sent(host, "POST", request_of(dialect, next(_numbers), host))
        assert answer.startswith(b"HTTP/1.1 20"), (dialect, answer)
    assert len(api.rows()) == len(REFUSALS)

    for method, path, kind, body in OUR_OWN:
        own = Sent(path, body, {**api.headers, "Content-Type": kind})
        answer = sent(host, method, own, missing=1)
        assert answer.startswith(b"HTTP/1.1 400 "), (path, answer)
        assert b"invalid_json" in answer
        assert sent(host, method, own)[9:12] in {b"200", b"303"}, path
