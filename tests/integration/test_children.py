"""A child is restarted when it died, left alone when it was stopped, and ends with its family."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.supervisor.children import Child, Program
from app.supervisor.kernel import adopt_orphans
from tests.support.processes import eventually, is_alive

pytestmark = pytest.mark.integration


SLEEPS = "import time; time.sleep(60)"
#: Writes the id of a child of its own to the log, then waits.
HAS_A_CHILD = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {SLEEPS!r}]).pid, flush=True)
{SLEEPS}
"""
IGNORES_SIGTERM = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
{SLEEPS}
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []
    adopt_orphans()

    def start(code: str, patience_seconds: float = 5.0) -> Child:
        program = Program(
            name="child",
            command=(sys.executable, "-c", code),
            environment={},
            folder=tmp_path,
            log=tmp_path / "child.log",
            patience_seconds=patience_seconds,
        )
        children.append(Child(program))
        children[-1].start()
        return children[-1]

    yield start
    for child in children:
        child.kill()


def pid_of(child: Child) -> int:
    assert child.pid is not None
    return child.pid


def test_a_killed_child_is_started_again(started: Callable[..., Child]) -> None:
    child = started(SLEEPS)
    before = pid_of(child)

    os.kill(before, signal.SIGKILL)

    assert eventually(child.tend) == "was killed by SIGKILL"
    eventually(lambda: child.tend() or child.pid)
    assert child.pid != before


def test_a_child_that_ends_by_itself_is_started_again(started: Callable[..., Child]) -> None:
    child = started("raise SystemExit(3)")

    assert eventually(child.tend) == "exited with code 3"


def test_a_child_that_cannot_be_started_is_tried_again(
    started: Callable[..., Child], tmp_path: Path
) -> None:
    child = started(SLEEPS)
    (tmp_path / "child.log").unlink()
    (tmp_path / "child.log").mkdir()  # whatever keeps a log from being opened

    os.kill(pid_of(child), signal.SIGKILL)
    assert eventually(child.tend) == "was killed by SIGKILL"
    told = [eventually(child.tend), eventually(child.tend)]
    (tmp_path / "child.log").rmdir()

    assert all(each and "cannot be started" in each for each in told)
    assert child.deaths == 3
    eventually(lambda: child.tend() or child.pid)


def test_pauses_grow_with_each_death(started: Callable[..., Child]) -> None:
    child = started("raise SystemExit(3)")
    begin = time.monotonic()

    eventually(lambda: child.tend() is None and child.deaths == 3)

    assert time.monotonic() - begin >= 0.6


def test_a_stopped_child_is_left_alone(started: Callable[..., Child]) -> None:
    child = started(SLEEPS)
    before = pid_of(child)

    os.kill(before, signal.SIGSTOP)
    time.sleep(0.3)

    assert child.tend() is None
    assert child.pid == before


def test_a_stopped_child_can_be_ended(started: Callable[..., Child]) -> None:
    child = started(SLEEPS)
    os.kill(pid_of(child), signal.SIGSTOP)

    child.ask_to_stop()

    eventually(child.has_ended, seconds=2)


def test_what_a_killed_child_leaves_behind_is_killed(started: Callable[..., Child]) -> None:
    child = started(HAS_A_CHILD)
    grandchild = int(eventually(child.program.log.read_text))
    os.kill(pid_of(child), signal.SIGKILL)

    eventually(child.tend)

    assert not is_alive(grandchild)


def test_what_a_child_leaves_behind_when_it_ends_is_killed(started: Callable[..., Child]) -> None:
    child = started(HAS_A_CHILD)
    grandchild = int(eventually(child.program.log.read_text))

    child.ask_to_stop()
    eventually(child.has_ended)

    assert not is_alive(grandchild)


def test_a_child_that_does_not_listen_is_killed_when_patience_is_over(
    started: Callable[..., Child],
) -> None:
    child = started(IGNORES_SIGTERM, patience_seconds=0.3)
    pid = pid_of(child)
    eventually(child.program.log.read_text)

    child.ask_to_stop()

    assert not child.has_ended()
    eventually(child.has_ended)
    assert not is_alive(pid)


def test_a_child_that_was_asked_to_stop_is_not_started_again(started: Callable[..., Child]) -> None:
    child = started(SLEEPS)
    os.kill(pid_of(child), signal.SIGKILL)
    eventually(child.tend)

    child.ask_to_stop()
    time.sleep(0.3)

    assert child.tend() is None
    assert child.has_ended()
