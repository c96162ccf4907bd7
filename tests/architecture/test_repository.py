"""What the files say of themselves is true on any machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Put together here, so that this file does not hold what it looks for.
FOREIGN = [
    "pypi" + ".org",
    "files." + "pythonhosted",
    "/pypi" + "/simple",
    "--" + "index-url",
    "--" + "extra-index-url",
    "--" + "find-links",
    "--" + "trusted-host",
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/opt/" + "wheels",
    "/opt/" + "pypi",
]


@cache
def files() -> tuple[Path, ...]:
    """List what is in the repository, or would be after `git add --all`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(
        path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()
    )


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def pins(name: str) -> dict[str, str]:
    lines = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    return dict(lines)


@pytest.mark.parametrize("foreign", FOREIGN)
def test_no_file_knows_the_machine_it_was_written_on(foreign: str) -> None:
    found = [path for path in files() if foreign in path.read_text(errors="replace")]

    assert found == []


@pytest.mark.parametrize("path", ["README.md", "docs/performance.md", ".ci/run"])
def test_every_make_target_that_is_named_exists(path: str) -> None:
    text = (ROOT / path).read_text()
    named = set(re.findall(r"(?:^|`|\$ |exec )make ([a-z-]+)", text, re.MULTILINE))

    assert named
    assert named <= targets()


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()

    assert "make run" in text
    assert "make test" in text


def test_every_target_is_phony() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony
    assert set(phony[1].split()) == targets()


def test_the_development_lock_is_the_runtime_lock_and_more() -> None:
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")

    assert runtime
    assert runtime.items() < development.items()


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-dev.lock", "benchmarks/requirements.lock"]
)
def test_every_pin_has_a_hash(lock: str) -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]

    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=;! ]", text)[0] for text in project["dependencies"]}

    assert wanted <= pins("requirements.lock").keys()
