"""The Procfile says which processes run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import GIVEN_TO
from app.supervisor.plan import CHECKOUT, environment_of_children, kind, programs
from app.supervisor.refusals import CannotStart


def test_the_procfile_of_the_repository_is_what_runs() -> None:
    names = [program.name for program in programs(CHECKOUT, {}, Path("logs"))]

    assert names == ["web", "worker", "worker-2", "beat", "flower"]


def test_a_line_is_run_as_it_stands_in_place_of_the_shell(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: A=1 serve --port $PORT\n")

    (web,) = programs(tmp_path, {"PORT": "1"}, Path("logs"))

    assert web.command == ("/bin/sh", "-c", "exec env A=1 serve --port $PORT")
    assert web.folder == tmp_path
    assert web.log == Path("logs/web.log")
    assert web.environment == {"PORT": "1"}


def test_workers_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("worker: a\nworker_polls: b\nworker_more: c\n# comment\n")

    found = programs(tmp_path, {}, Path("logs"))

    assert [program.name for program in found] == ["worker", "worker-2", "worker-3"]
    assert {kind(program.name) for program in found} == {"worker"}


def test_workers_get_more_time_to_stop_than_beat(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("worker: a\nbeat: b\n")

    worker, beat = programs(tmp_path, {}, Path("logs"))

    assert worker.patience_seconds > 10 > beat.patience_seconds


def test_a_folder_without_procfile_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="Procfile"):
        programs(tmp_path, {}, Path("logs"))


def test_each_process_sees_what_it_is_given_and_no_other_secret(tmp_path: Path) -> None:
    """The real lines run, with programs that say what they see."""
    for program in ("celery", "gunicorn", "python"):
        script = tmp_path / program
        script.write_text("#!/bin/sh\nexec env\n")
        script.chmod(0o755)
    everything = dict.fromkeys(GIVEN_TO, "s3cret") | {"PATH": f"{tmp_path}:{os.defpath}"}

    seen = {
        program.name: {
            line.partition("=")[0]
            for line in subprocess.check_output(
                program.command, env=program.environment, text=True
            ).splitlines()
        }
        for program in programs(CHECKOUT, everything, Path("logs"))
    }

    assert {name: names & GIVEN_TO.keys() for name, names in seen.items()} == {
        name: {one for one, kinds in GIVEN_TO.items() if kind(name) in kinds} for name in seen
    }
    assert seen.keys() == {"web", "worker", "worker-2", "beat", "flower"}


def test_children_find_the_scripts_of_this_environment_first() -> None:
    found = environment_of_children({"PATH": "/bin", "A": "1"}, {"A": "2"})

    assert found["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]
    assert found["A"] == "2"


def test_children_do_not_inherit_what_a_library_would_obey() -> None:
    found = environment_of_children({"FLOWER_PORT": "tcp://10.0.0.1:5555"}, {})

    assert "FLOWER_PORT" not in found
