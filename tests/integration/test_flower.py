"""Flower as it is started, in an environment that others have filled, and the question after it."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

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


@pytest.mark.parametrize("given", [None, "", "  ", "short"])
def test_flower_does_not_start_without_a_password_that_can_be_one(
    tmp_path: Path, given: str | None
) -> None:
    environ = {**os.environ, "HOOKFILL_DATA_DIR": str(tmp_path)}
    environ.pop("HOOKFILL_FLOWER_PASSWORD", None)
    if given is not None:
        environ["HOOKFILL_FLOWER_PASSWORD"] = given
    command = [sys.executable, *FLOWER.split()]

    ended = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 1
    assert "HOOKFILL_FLOWER_PASSWORD" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_user_of_flower_has_a_default(tmp_path: Path) -> None:
    password = "at least sixteen"  # noqa: S105  made up
    port = free_port()
    environ = {
        **os.environ,
        "HOOKFILL_DATA_DIR": str(tmp_path),
        "HOOKFILL_FLOWER_PORT": str(port),
        "HOOKFILL_FLOWER_PASSWORD": password,
    }
    environ.pop("HOOKFILL_FLOWER_USER", None)
    with (
        running_server(tmp_path / "redis", QUICK) as server,
        flower({**environ, "BROKER_URL": f"{server.url}/1"}, tmp_path / "flower.log"),
    ):
        eventually(
            lambda: asked("flower", environ).returncode == 0,
            told=(tmp_path / "flower.log").read_text,
        )
        url = f"http://127.0.0.1:{port}/"
        statuses = [
            requests.get(url, auth=auth, timeout=20).status_code
            for auth in (("hookfill", password), ("hookfill", ""), None)
        ]

    assert statuses == [200, 401, 401]


@pytest.mark.parametrize(
    ("environ", "bound"),
    [
        ({}, "127.0.0.1:8000"),
        ({"PORT": "5000"}, "0.0.0.0:5000"),
        ({"PORT": "5000", "HOOKFILL_FAST": "1"}, "127.0.0.1:5000"),
        ({"PORT": "5000", "HOOKFILL_BIND": "127.0.0.1:9000"}, "127.0.0.1:9000"),
        ({"PORT": "tcp://10.0.0.1:80"}, "127.0.0.1:8000"),
    ],
)
def test_the_web_listens_where_a_platform_expects_it(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], bound: str
) -> None:
    for name in ("PORT", "HOOKFILL_BIND", "HOOKFILL_FAST"):
        monkeypatch.delenv(name, raising=False)
    for name, text in environ.items():
        monkeypatch.setenv(name, text)

    assert runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))["bind"] == bound
    host, port, _ = runpy.run_path(str(ROOT / "deploy" / "healthy.py"))["question"]("web")
    assert f"{host}:{port}" == bound.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  as it is bound
