"""What ended processes have counted is kept in one file, and nothing of it is lost or doubled."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import Mock

import pytest
from prometheus_client import CollectorRegistry, multiprocess
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from structlog.testing import capture_logs

from app.metric_files import FOLDER, tidied, tidy

#: Ids that no process has.
NOBODY = range(2**22 + 1, 2**22 + 201)

COUNT = mmap_key("hits", "hits_total", ["by"], ["a"], "Hits.")
TIMES = [mmap_key("time", "time_bucket", ["le"], [le], "Time.") for le in ("1.0", "+Inf")]
TIME = mmap_key("time", "time_sum", [], [], "Time.")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def counted(folder: Path, kind: str, pid: object, keys: Iterable[str], value: float = 1.0) -> Path:
    file = folder / f"{kind}_{pid}.db"
    values = MmapedDict(str(file))
    for key in keys:
        values.write_value(key, value, 0.0)
    values.close()
    return file


def values_in(folder: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))
    return {
        f"{one.name}{one.labels}": one.value for each in registry.collect() for one in each.samples
    }


def test_the_ended_leave_one_file_of_a_kind_and_every_value(folder: Path) -> None:
    for pid in (*NOBODY, os.getpid()):
        counted(folder, "counter", pid, [COUNT], 2.0)
        counted(folder, "histogram", pid, [*TIMES, TIME], 0.5)
    before = values_in(folder)

    for _ in range(2):
        with tidied():
            assert values_in(folder) == before

    assert before["hits_total{'by': 'a'}"] == 402.0
    assert len(list(folder.glob("*.db"))) == 4
    assert len(list(folder.iterdir())) == 5


def test_who_has_stopped_while_at_it_stops_nobody_else(folder: Path) -> None:
    counted(folder, "counter", NOBODY[0], [COUNT])

    with tidied():
        counted(folder, "counter", NOBODY[1], [COUNT])
        tidy()  # as another process would
        assert values_in(folder)["hits_total{'by': 'a'}"] == 2.0
        assert (folder / f"counter_{NOBODY[1]}.db").exists()


def test_one_that_ended_before_it_counted_is_no_obstacle(folder: Path) -> None:
    (folder / f"counter_{NOBODY[0]}.db").touch()

    tidy()

    assert values_in(folder) == {}


def test_what_was_stopped_before_the_new_sum_counts_is_undone(folder: Path) -> None:
    counted(folder, "counter", "ended", [COUNT], 5.0)
    counted(folder, "counter", NOBODY[0], [COUNT]).rename(folder / f"counter_{NOBODY[0]}.aside")
    counted(folder, "counter", NOBODY[1], [COUNT])
    counted(folder, "counter", "new", [COUNT], 7.0).rename(folder / "counter_ended.new")

    tidy()

    assert list(values_in(folder).values()) == [7.0]


def test_what_was_stopped_after_the_new_sum_counts_is_done(folder: Path) -> None:
    counted(folder, "counter", "ended", [COUNT], 7.0)
    counted(folder, "counter", NOBODY[0], [COUNT]).rename(folder / f"counter_{NOBODY[0]}.aside")

    tidy()

    assert list(values_in(folder).values()) == [7.0]
    assert not list(folder.glob("*.aside"))


def test_many_may_sum_up_at_once(folder: Path) -> None:
    code = """
from app.metric_files import tidy
from prometheus_client import Counter
Counter("hits", "Hits.", ["by"]).labels("a").inc()
for _ in range(20):
    tidy()
"""
    words = [sys.executable, "-c", code]
    processes = [subprocess.Popen(words) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4

    tidy()
    assert values_in(folder)["hits_total{'by': 'a'}"] == 4.0
    assert len(list(folder.glob("*.db"))) == 1


def test_where_nothing_can_be_locked_the_files_stay_and_that_is_said_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(folder, "counter", NOBODY[0], [COUNT], 2.0)
    monkeypatch.setattr(fcntl, "flock", Mock(side_effect=OSError(errno.ENOLCK, "no locks")))

    with capture_logs() as told:
        for _ in range(3):
            tidy()

    assert values_in(folder)["hits_total{'by': 'a'}"] == 2.0
    assert [one["event"] for one in told] == ["metric_files_not_locked"]
