"""The children of a run together: who starts, who died, who stops before whom."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.supervisor.children import Child, Program
from app.supervisor.crew import DEATHS_MAX, Crew
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Interrupted, Signals
from tests.support.processes import eventually, is_alive

pytestmark = pytest.mark.integration

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
#: Writes its own end into a file that all have in common.
TELLS = """
import pathlib, signal, sys, time
def end(*_):
    with open("ends", "a") as ends:
        ends.write(sys.argv[1] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(60)
"""
DIES = "import sys; sys.exit('no such setting')"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"

Make = Callable[..., Child]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def crew(said: list[str]) -> Iterator[Crew]:
    crew = Crew(said.append)
    yield crew
    with Signals() as signals:
        crew.stop(signals)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(name: str, code: str, patience_seconds: float = 20.0) -> Child:
        program = Program(
            name=name,
            command=(sys.executable, "-c", code, name),
            environment={},
            folder=tmp_path,
            log=tmp_path / f"{name}.log",
            patience_seconds=patience_seconds,
        )
        return Child(program)

    return make


def until_up(*children: Child) -> None:
    """Wait until these have said so, and thus hear signals."""
    eventually(lambda: all("up" in child.program.log.read_text() for child in children))


def test_everybody_is_started_and_known(crew: Crew, make: Make) -> None:
    web, worker = make("web", SLEEPS), make("worker", SLEEPS)

    crew.start([web, worker])

    assert crew.names() == {"web", "worker"}
    assert crew.pids() == {"web": web.pid, "worker": worker.pid}
    assert all(is_alive(pid) for pid in crew.pids().values())


def test_who_died_is_told_of_and_missing_until_the_next_start(
    crew: Crew, make: Make, said: list[str]
) -> None:
    crew.start([make("beat", DIES), make("web", SLEEPS)])

    deadline = time.monotonic() + 40
    while not said:
        assert time.monotonic() < deadline, "nobody has told of it"
        crew.tend()

    assert said[0].startswith("beat exited with code 1; it is started again. See ")
    assert said[0].endswith("beat.log")
    assert set(crew.pids()) == {"web"}


def test_a_start_that_cannot_succeed_ends_with_the_words_of_its_log(crew: Crew, make: Make) -> None:
    beat = make("beat", DIES)
    crew.start([beat])
    crew.check_start()

    deadline = time.monotonic() + 60
    while beat.deaths < DEATHS_MAX:
        assert time.monotonic() < deadline, "it does not die"
        crew.tend()
        if beat.deaths < DEATHS_MAX:
            crew.check_start()

    with pytest.raises(CannotStart, match=r"(?s)beat dies again and again.*no such setting"):
        crew.check_start()


def test_first_nothing_new_comes_in_and_the_store_is_last(
    crew: Crew, make: Make, tmp_path: Path
) -> None:
    names = ["redis", "worker", "worker-2", "web", "beat", "flower"]
    children = [make(name, TELLS) for name in names]
    crew.start(children)
    until_up(*children)

    with Signals() as signals:
        is_clean = crew.stop(signals)

    ends = (tmp_path / "ends").read_text().split()
    assert is_clean
    assert (ends[0], ends[-1]) == ("web", "redis")
    assert sorted(ends) == sorted(names)
    assert crew.pids() == {}


def test_who_does_not_listen_is_killed_and_does_not_hold_up_the_rest(
    crew: Crew, make: Make, tmp_path: Path
) -> None:
    web, redis = make("web", DEAF, patience_seconds=0.2), make("redis", TELLS)
    crew.start([redis, web])
    until_up(redis, web)
    pids = list(crew.pids().values())

    with Signals() as signals:
        assert crew.stop(signals)

    assert not any(is_alive(pid) for pid in pids)
    assert (tmp_path / "ends").read_text().split() == ["redis"]


def test_a_second_interrupt_kills_what_is_left(
    crew: Crew, make: Make, said: list[str], tmp_path: Path
) -> None:
    web, redis = make("web", DEAF), make("redis", TELLS)
    crew.start([redis, web])
    until_up(redis, web)
    pids = list(crew.pids().values())
    impatient = Mock(Signals)  # as soon as anybody is waited for, the end is asked for once more
    impatient.pause.side_effect = Interrupted

    is_clean = crew.stop(impatient)

    assert not is_clean
    assert said == ["Killing what is left."]
    assert not any(is_alive(pid) for pid in pids)
    assert not (tmp_path / "ends").exists()
