"""One process at a time looks for what ails, for as long as it lives."""

from unittest.mock import Mock

import pytest

from app.channels.messenger import SLEPT_MS, TURN_MS, Turn
from app.services.telling.alarms import AlarmWatch
from tests.support.rig import Rig


class Process:
    """One that looks when it is its turn."""

    def __init__(self, rig: Rig) -> None:
        self.watch = Mock(AlarmWatch)
        self._turn = Turn(self.watch, rig.ports)

    def looks(self) -> bool:
        before = self.watch.look.call_count
        self._turn.look()
        return bool(self.watch.look.call_count > before)


@pytest.fixture
def processes(rig: Rig) -> list[Process]:
    return [Process(rig), Process(rig)]


def test_whoever_looks_goes_on_to_look(rig: Rig, processes: list[Process]) -> None:
    first, second = processes
    seen = []
    for _ in range(3):
        seen.append((first.looks(), second.looks()))
        rig.clock.advance(200)

    assert seen == [(True, False)] * 3
    first.watch.forget.assert_called_once_with()


def test_whoever_slept_gives_it_up_and_looks_at_everything_anew(
    rig: Rig, processes: list[Process]
) -> None:
    first, second = processes
    first.looks()
    rig.clock.advance(SLEPT_MS + 1)
    taken_over = second.looks()
    late = first.looks()
    rig.clock.advance(SLEPT_MS + 1)
    again = first.looks()

    assert (taken_over, late, again) == (True, False, True)
    assert first.watch.forget.call_count == 3


def test_a_turn_ends_and_begins_anew(rig: Rig, processes: list[Process]) -> None:
    first, _ = processes
    for _ in range(TURN_MS // 1_000 + 2):
        assert first.looks()
        rig.clock.advance(1_000)

    assert first.watch.forget.call_count == 2
