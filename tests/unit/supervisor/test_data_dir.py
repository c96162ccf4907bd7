"""The data folder belongs to one run, and is tidied before it."""

import fcntl
import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from app.supervisor import data_dir
from app.supervisor.data_dir import LOG_BYTES_MAX, DataDir, last_lines
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Signals


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "a" / "var")

    with Signals() as signals, folder.claimed(signals):
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert folder.logs.is_dir()
        assert folder.metrics.is_dir()
        assert folder.redis.is_dir()


def test_what_the_last_run_counted_and_told_is_gone(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    folder.metrics.mkdir()
    (folder.metrics / "counter_1.db").touch()
    folder.run_file.touch()

    with Signals() as signals, folder.claimed(signals):
        assert list(folder.metrics.iterdir()) == []
        assert not folder.run_file.exists()


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    folder.logs.mkdir()
    (folder.logs / "web.log").write_bytes(b"x" * (LOG_BYTES_MAX + 1))
    (folder.logs / "beat.log").write_text("short")

    with Signals() as signals, folder.claimed(signals):
        assert {log.name for log in folder.logs.iterdir()} == {"web.log.1", "beat.log"}


def test_processes_that_were_left_over_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir, "LEFTOVER_SECONDS", 0.2)

    with (tmp_path / "children.lock").open("w") as held, Signals() as signals:
        fcntl.flock(held, fcntl.LOCK_EX)
        (tmp_path / "run.json").write_text('{"pids": {"web": 12, "redis": 13}}')
        with (
            pytest.raises(CannotStart, match=r"earlier run still use .*: web 12, redis 13"),
            DataDir(tmp_path).claimed(signals),
        ):
            pass


def test_what_does_not_end_by_itself_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir, "LEFTOVER_SECONDS", 0.5)
    held = os.open(tmp_path / "children.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    leftover = subprocess.Popen(["/bin/sleep", "60"], pass_fds=[held])
    os.close(held)

    with Signals() as signals, DataDir(tmp_path).claimed(signals):
        assert leftover.wait(40) == -signal.SIGKILL


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        Signals() as signals,
        pytest.raises(CannotStart, match="Choose another folder"),
        DataDir(tmp_path / "file" / "var").claimed(signals),
    ):
        pass


def test_the_end_of_a_log_is_a_few_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"{number}\n" for number in range(100)))

    assert last_lines(tmp_path / "a.log", 2) == "98\n99"
    assert last_lines(tmp_path / "none.log") == ""
