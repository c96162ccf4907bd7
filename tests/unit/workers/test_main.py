"""Workers and beat are started without what Celery's own command loads besides."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Starts what its arguments name, and prints what is loaded by then.
SCRIPT = """
import sys
from workers.__main__ import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules)
"""


def started(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**os.environ, "HOOKFILL_DATA_DIR": str(folder)},
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )


@pytest.mark.parametrize(
    ("name", "app"), [("worker", "workers.celery_app"), ("beat", "workers.light_app")]
)
def test_only_what_is_run_is_loaded(name: str, app: str, tmp_path: Path) -> None:
    ran = started(tmp_path, name, "--help")

    assert ran.returncode == 0, ran.stderr
    assert f"Usage: {name}" in ran.stdout
    loaded = ran.stdout.split()
    assert {f"celery.bin.{name}", app} <= set(loaded)
    assert {"celery.bin.celery", "celery.bin.shell", "flower", "tornado"}.isdisjoint(loaded)


@pytest.mark.parametrize("arguments", [(), ("shell",), ("worker.py",)])
def test_nothing_else_is_run(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ran = started(tmp_path, *arguments)

    assert ran.returncode == 1
    assert "usage: python -m workers worker|beat" in ran.stderr
