"""Whether TradingView can reach an installation: what is seen from here, and what is said of it."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.admin import reach
from app.admin.reach import Seen, findings, judged, look
from app.domain.finding import Grade
from tests.support.servers import serving
from tests.support.tls import Tunnel, a_certificate

GOOD = Seen(addresses=("203.0.114.7",), days_left=60, is_ours=True, took_ms=80)
URL = "https://hooks.example.com"


class Healthy(ThreadingHTTPServer):
    """Answers as it is told to."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.says: bytes = json.dumps({"status": "ok"}).encode()
        self.pause = 0.0

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        healthy = self.server
        assert isinstance(healthy, Healthy)
        time.sleep(healthy.pause)
        self.send_response(200)
        self.send_header("Content-Length", str(len(healthy.says)))
        self.end_headers()
        self.wfile.write(healthy.says)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def healthy() -> Iterator[Healthy]:
    server = Healthy()
    with serving(server):
        yield server


def said(url: str, seen: Seen) -> list[tuple[str, Grade]]:
    return [(one.message, one.grade) for one in judged(urlsplit(url), seen)]


def test_what_is_as_it_should_be_gets_one_good_word() -> None:
    words = "hooks.example.com:443 answers over IPv4 within 80 ms, its certificate ends in 60 days"

    assert said(URL, GOOD) == [(words, Grade.OK)]


@pytest.mark.parametrize(
    ("url", "seen", "words", "grade"),
    [
        (f"{URL}:8443", GOOD, "never 8443", Grade.ERROR),
        ("http://hooks.example.com", GOOD, "not encrypted", Grade.WARNING),
        (URL, Seen(failure="no name"), "has no IPv4 address: no name", Grade.ERROR),
        (
            URL,
            Seen(addresses=("192.168.1.5",), is_ours=True, days_left=60),
            "nobody outside can reach 192.168.1.5",
            Grade.ERROR,
        ),
        (
            URL,
            Seen(addresses=("127.0.0.1",), is_ours=True, days_left=60),
            "nobody outside can reach 127.0.0.1",
            Grade.ERROR,
        ),
        (
            URL,
            Seen(addresses=GOOD.addresses, untrusted="self-signed certificate"),
            "is not trusted: self-signed certificate",
            Grade.ERROR,
        ),
        (
            URL,
            Seen(addresses=GOOD.addresses, failure="timed out"),
            "does not answer from here: timed out",
            Grade.WARNING,
        ),
        (
            URL,
            Seen(addresses=GOOD.addresses, days_left=60),
            "something else than Hookfill answers",
            Grade.ERROR,
        ),
        (
            URL,
            Seen(addresses=GOOD.addresses, days_left=13, is_ours=True),
            "ends in 13 days",
            Grade.WARNING,
        ),
        (
            URL,
            Seen(addresses=GOOD.addresses, days_left=60, is_ours=True, took_ms=2_500),
            "took 2500 ms",
            Grade.WARNING,
        ),
    ],
)
def test_what_is_wrong_is_said(url: str, seen: Seen, words: str, grade: Grade) -> None:
    ((message, told),) = said(url, seen)

    assert words in message
    assert told is grade


def test_without_an_address_nothing_is_looked_at() -> None:
    (found,) = findings("")

    assert (found.grade, found.fix != "") == (Grade.OK, True)


def test_a_name_that_leads_nowhere_is_told() -> None:
    seen = look(urlsplit("https://nowhere.invalid"))

    assert seen.addresses == ()
    assert seen.failure


def test_plain_http_is_looked_at(healthy: Healthy) -> None:
    url = urlsplit(f"http://127.0.0.1:{healthy.server_port}")
    good = look(url)
    healthy.says = b"<html>"
    other = look(url)

    assert (good.addresses, good.is_ours, good.days_left) == (("127.0.0.1",), True, None)
    assert other.is_ours is False


def test_a_certificate_is_looked_at(
    healthy: Healthy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = a_certificate(tmp_path / "pem")
    tunnel = Tunnel(certificate, ("127.0.0.1", healthy.server_port))
    with serving(tunnel):
        url = urlsplit(f"https://127.0.0.1:{tunnel.server_address[1]}")
        stranger = look(url)
        trust = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(ssl, "create_default_context", lambda: trust)
        known = look(url)

    assert "self-signed" in stranger.untrusted
    assert (known.is_ours, known.days_left, known.untrusted) == (True, 0, "")


def test_what_does_not_answer_in_time_is_no_answer(
    healthy: Healthy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "_TIMEOUT_SECONDS", 0.1)
    healthy.pause = 0.5

    assert look(urlsplit(f"http://127.0.0.1:{healthy.server_port}")).failure
