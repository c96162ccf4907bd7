"""The data folder belongs to one run, and is tidied before it."""

import fcntl
import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from app.supervisor import data_dir
from app.supervisor.data_dir import DataDir, last_lines, opened_log, shorten
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Signals


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "a" / "var", tmp_path / "b" / "logs")

    with Signals() as signals, folder.claimed(signals):
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert folder.logs.is_dir()
        assert folder.metrics.is_dir()
        assert folder.redis.is_dir()


def test_what_the_last_run_counted_and_told_is_gone(tmp_path: Path) -> None:
    folder = DataDir(tmp_path, tmp_path / "logs")
    folder.metrics.mkdir()
    (folder.metrics / "counter_1.db").touch()
    folder.run_file.touch()

    with Signals() as signals, folder.claimed(signals):
        assert list(folder.metrics.iterdir()) == []
        assert not folder.run_file.exists()


def test_a_log_that_has_become_long_begins_anew_under_its_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir, "LOG_BYTES_MAX", 10)
    log, aside = tmp_path / "web.log", tmp_path / "web.log.1"
    with opened_log(log) as writer:
        writer.write(b"0123456789")
        writer.flush()
        assert not shorten(log)
        writer.write(b"ab")
        writer.flush()

        assert shorten(log)
        assert (aside.read_bytes(), log.read_bytes()) == (b"0123456789ab", b"")
        assert stat.S_IMODE(aside.stat().st_mode) == 0o600
        writer.write(b"cd")
        writer.flush()

    assert log.read_bytes() == b"cd"


def test_without_room_for_a_copy_a_long_log_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_dir, "LOG_BYTES_MAX", 10)
    monkeypatch.setattr("app.supervisor.data_dir.shutil.copyfileobj", full)
    log = tmp_path / "web.log"
    log.write_bytes(b"0123456789ab")

    assert shorten(log)

    assert [one.name for one in tmp_path.iterdir()] == ["web.log"]
    assert log.read_bytes() == b""


def test_processes_that_were_left_over_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_dir, "LEFTOVER_SECONDS", 0.2)

    with (tmp_path / "children.lock").open("w") as held, Signals() as signals:
        fcntl.flock(held, fcntl.LOCK_EX)
        (tmp_path / "run.json").write_text('{"pids": {"web": 12, "redis": 13}}')
        with (
            pytest.raises(CannotStart, match=r"earlier run still use .*: web 12, redis 13"),
            DataDir(tmp_path, tmp_path / "logs").claimed(signals),
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

    with Signals() as signals, DataDir(tmp_path, tmp_path / "logs").claimed(signals):
        assert leftover.wait(40) == -signal.SIGKILL


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        Signals() as signals,
        pytest.raises(CannotStart, match="Choose another folder"),
        DataDir(tmp_path / "file" / "var", tmp_path / "logs").claimed(signals),
    ):
        pass


def test_the_end_of_a_log_is_a_few_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"{number}\n" for number in range(100)))

    assert last_lines(tmp_path / "a.log", 2) == "98\n99"
    assert last_lines(tmp_path / "none.log") == ""
