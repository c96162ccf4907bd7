"""The environment of the Makefile, made anew with the oldest pip that is promised."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]

#: Debian 12 has 23.0.1; what holds on this one must hold on all that came after it.
OLDEST_PIP = "23.0"

#: Names each imported module whose byte code is not on the disk.
WITHOUT_BYTE_CODE = """
import sys
from pathlib import Path
import app.bootstrap, app.cli, app.factory, app.supervisor.supervise, celery.bin.celery
cached = [(one.__name__, one.__spec__.cached) for one in list(sys.modules.values())
          if getattr(one, "__spec__", None) and one.__spec__.cached]
assert len(cached) > 500
print(*[name for name, path in cached if not Path(path).exists()])
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with everything, installed by `make` through the oldest pip."""
    venv = tmp_path_factory.mktemp("install") / "venv"
    made = make(venv, f"{venv}/bin/pip")
    assert made.returncode == 0, made.stderr
    older = run(venv, "-m", "pip", "install", "--quiet", f"pip=={OLDEST_PIP}")
    if older.returncode and not os.environ.get("CI"):
        pytest.skip(f"pip {OLDEST_PIP} could not be had: {older.stderr[-200:]}")
    assert older.returncode == 0, older.stderr
    installed = make(venv, f"{venv}/.dev")
    assert installed.returncode == 0, installed.stderr
    return venv


def make(venv: Path, target: str) -> "subprocess.CompletedProcess[str]":
    command = ["make", f"VENV={venv}", f"PYTHON={sys.executable}", target]
    return _ran(command)


def run(venv: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return _ran([str(venv / "bin" / "python"), *arguments])


def _ran(command: list[str]) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


def test_the_oldest_pip_installs_both_locks(environment: Path) -> None:
    assert f"pip {OLDEST_PIP} " in run(environment, "-m", "pip", "--version").stdout

    checked = run(environment, "-m", "pip", "check")

    assert checked.returncode == 0, checked.stdout


def test_a_start_finds_all_byte_code_made(environment: Path) -> None:
    found = run(environment, "-c", WITHOUT_BYTE_CODE)

    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == []
