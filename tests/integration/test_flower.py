"""Flower as it is started, in an environment that others have filled, and the question after it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.supervisor.tcp_ports import free_port
from tests.support.processes import eventually
from tests.support.servers import QUICK, running_server, serving

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
#: Nobody answers there.
PROXIES = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:9")
FLOWER = "-m celery -A workers.light_app flower --conf=deploy/flower.conf.py"


def asked(process: str, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Ask as a container does."""
    command = [sys.executable, "deploy/healthy.py", process]
    return subprocess.run(
        command, env={**environ, **PROXIES}, cwd=ROOT, capture_output=True, text=True, check=False
    )


@contextmanager
def flower(environ: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run Flower by the line of the Procfile."""
    with (
        log.open("wb") as said,
        subprocess.Popen(
            [sys.executable, *FLOWER.split()], env=environ, cwd=ROOT, stdout=said, stderr=said
        ) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def test_flower_obeys_our_settings_and_no_foreign_variable(tmp_path: Path) -> None:
    with running_server(tmp_path / "redis", QUICK) as server:
        environ = {
            **os.environ,
            "BROKER_URL": f"{server.url}/1",
            "HOOKFILL_DATA_DIR": str(tmp_path),
            "HOOKFILL_FLOWER_PORT": str(free_port()),
            "HOOKFILL_FLOWER_URL_PREFIX": "/watch/",
            "HOOKFILL_FLOWER_USER": "hookfill",
            "HOOKFILL_FLOWER_PASSWORD": "at least sixteen",
            "FLOWER_PORT": "tcp://10.0.0.1:5555",
            "FLOWER_URL_PREFIX": "elsewhere",
            "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
        }
        log = tmp_path / "flower.log"
        with flower(environ, log):
            eventually(lambda: asked("flower", environ).returncode == 0, told=log.read_text)
        assert not (tmp_path / "secret.key").exists()  # it needs none


class Answers(BaseHTTPRequestHandler):
    """Well at one path alone."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_health_is_asked_where_the_server_listens() -> None:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    port = server.server_port
    everywhere = {"HOOKFILL_BIND": f"0.0.0.0:{port}"}
    with serving(server):
        assert asked("web", everywhere).returncode == 0
        refused = asked("flower", {"HOOKFILL_FLOWER_PORT": str(port)})
    silent = asked("web", everywhere)

    assert (refused.returncode, refused.stderr) == (1, "/healthcheck answers 404\n")
    assert silent.returncode == 1
    assert "Traceback" not in silent.stderr
