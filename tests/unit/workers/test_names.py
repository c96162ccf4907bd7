"""A worker's name is its own, where that can be seen to."""

import errno
import fcntl
from pathlib import Path
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from workers import names
from workers.names import own_name


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_taken", [])


def test_the_second_of_a_name_has_another_one(tmp_path: Path) -> None:
    assert [own_name("worker@here", tmp_path) for _ in range(3)] == [
        "worker@here",
        "worker-2@here",
        "worker-3@here",
    ]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO])
def test_where_nothing_can_be_locked_it_stays_as_it_is_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", Mock(side_effect=OSError(code, "no locks")))

    with capture_logs() as told:
        name = own_name("worker@here", tmp_path)

    assert (name, [one["event"] for one in told]) == ("worker@here", ["worker_names_not_locked"])


def test_where_nothing_can_be_written_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert own_name("worker@here", tmp_path / "file" / "workers") == "worker@here"
