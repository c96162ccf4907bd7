"""Errors of the children reach the console, in few lines."""

import json
from pathlib import Path

import pytest

from app.supervisor.logbook import LINES_MAX, Logbook


def written(log: Path, **event: object) -> None:
    with log.open("a") as file:
        file.write(json.dumps(event) + "\n")


def test_a_new_error_is_one_short_line(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path)
    exception = "Traceback ...\nValueError: no such thing"
    written(tmp_path / "web.log", level="error", event="failed", account="a", exception=exception)

    assert list(logbook.news()) == ["web: failed account=a ValueError: no such thing"]
    assert list(logbook.news()) == []


def test_an_event_of_many_lines_is_one_line(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path)
    written(tmp_path / "beat.log", level="error", event="failed:\n  File x")

    assert list(logbook.news()) == ["beat: failed: File x"]


def test_what_is_old_or_unimportant_is_not_told(tmp_path: Path) -> None:
    written(tmp_path / "web.log", level="error", event="long ago")
    logbook = Logbook(tmp_path)
    written(tmp_path / "web.log", level="info", event="fine")
    (tmp_path / "redis.log").write_text("no JSON\n[1]\n")

    assert list(logbook.news()) == []


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path)
    line = json.dumps({"level": "critical", "event": "gone"})
    log = tmp_path / "worker.log"

    log.write_text(line[:10])
    assert list(logbook.news()) == []
    log.write_text(f"{line}\n")
    assert list(logbook.news()) == ["worker: gone"]


def test_a_long_log_is_put_aside_and_read_from_its_new_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.supervisor.data_dir.LOG_BYTES_MAX", 10)
    logbook = Logbook(tmp_path)
    log = tmp_path / "web.log"

    written(log, level="error", event="first")
    told = list(logbook.news())
    written(log, level="error", event="second")
    told += list(logbook.news())

    assert told == ["web: first", "web: second"]
    assert "second" in (tmp_path / "web.log.1").read_text()
    assert log.read_text() == ""


def test_a_flood_is_counted_and_not_repeated(tmp_path: Path) -> None:
    now = [0.0]
    logbook = Logbook(tmp_path, lambda: now[0])
    for number in range(LINES_MAX + 3):
        written(tmp_path / "web.log", level="error", event=f"failed {number}")

    assert len(list(logbook.news())) == LINES_MAX
    now[0] = 11.0
    assert list(logbook.news()) == [f"... and 3 more errors; see {tmp_path}"]


def test_a_log_that_cannot_be_read_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    logbook = Logbook(tmp_path)
    (tmp_path / "beat.log").mkdir()
    written(tmp_path / "web.log", level="error", event="failed")

    assert list(logbook.news()) == ["web: failed"]
