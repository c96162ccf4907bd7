"""run.json is what docs/api.md says it is."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from app.supervisor.run_file import Run, write_run_file

RUN = Run(
    base_url="http://127.0.0.1:8000",
    flower_url="http://127.0.0.1:5555",
    flower_user="hookfill",
    flower_password="hidden-1",  # noqa: S106  made up
    redis_url="redis://:hidden-2@127.0.0.1:1/0",
    broker_url="redis://:hidden-3@127.0.0.1:1/1",
    admin_token="hidden-4",  # noqa: S106  made up
    pids={"supervisor": 1, "web": 2},
    demo={"apisify": {"apikey": "a", "secret": "hidden-5"}},
)


def test_the_file_holds_the_run(tmp_path: Path) -> None:
    write_run_file(tmp_path / "run.json", RUN)

    found = json.loads((tmp_path / "run.json").read_text())
    assert found.keys() == {
        "base_url", "flower_url", "flower_user", "flower_password", "redis_url", "broker_url",
        "admin_token", "pids", "demo",
    }  # fmt: skip
    assert found["pids"] == {"supervisor": 1, "web": 2}
    assert found["demo"]["apisify"] == {"apikey": "a", "secret": "hidden-5"}


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    write_run_file(tmp_path / "run.json", RUN)

    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600


def test_it_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_run_file(path, RUN)
    before = path.stat().st_ino

    write_run_file(path, replace(RUN, pids={}))

    assert path.stat().st_ino != before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.mkdir()  # nothing can be put in its place

    with pytest.raises(OSError, match=r"run\.json"):
        write_run_file(path, RUN)

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", range(1, 6))
def test_a_run_shows_no_secrets(number: int) -> None:
    assert f"hidden-{number}" not in repr(RUN)
