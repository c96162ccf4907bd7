"""The check for assertions that no test reaches finds one, and what is none is left alone."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "never_ran.py"
TESTS = """
import pytest

def test_planted():
    for number in {numbers}:
        assert number
    with pytest.raises(ValueError):
        int("x")

@pytest.mark.skipif({skip}, reason="planted")
def test_that_may_be_skipped():
    assert True

def test_that_ends_early():
    {early}
    print()

test_planted()
test_that_ends_early()
if not {skip}:
    test_that_may_be_skipped()
"""


def told_of(file: Path) -> tuple["subprocess.CompletedProcess[str]", list[int]]:
    """Run a file measured, and return what the check said, and the lines of it that it named."""
    folder = file.parent
    measured = [sys.executable, "-m", "coverage", "run", "--rcfile=", str(file)]
    subprocess.run(measured, cwd=folder, check=True, capture_output=True)
    command = [sys.executable, str(SCRIPT), ".coverage", "."]
    told = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    found = [line.split(":") for line in told.stdout.splitlines() if str(file) in line]
    assert all(name == str(file) for name, *_ in found)
    return told, [int(line) for _, line, *_ in found]


@pytest.mark.parametrize(
    ("numbers", "skip", "early", "dead"),
    [
        ("[1]", "False", "pass", []),
        ("[1]", "True", "pass", []),
        ("[]", "False", "pass", [6]),
        ("[1]", "False", "return", [16]),
    ],
)
def test_what_no_test_reaches_is_told(
    tmp_path: Path, numbers: str, skip: str, early: str, dead: list[int]
) -> None:
    file = tmp_path / "test_planted.py"
    file.write_text(TESTS.format(numbers=numbers, skip=skip, early=early))

    told, lines = told_of(file)

    assert lines == dead
    assert told.returncode == bool(dead)
    assert ("were skipped" in told.stdout) == (skip == "True")


HELPER = """
class Browser:
    def opens(self, page):
        assert page

    def closes(self, page):
        assert page

{use}
"""


@pytest.mark.parametrize(
    ("use", "dead"),
    [("", []), ("Browser().opens(1)", [7]), ("Browser().opens(1); Browser().closes(1)", [])],
)
def test_a_helper_that_nobody_uses_is_excused_as_a_whole(
    tmp_path: Path, use: str, dead: list[int]
) -> None:
    file = tmp_path / "browser.py"
    file.write_text(HELPER.format(use=use))

    assert told_of(file)[1] == dead
