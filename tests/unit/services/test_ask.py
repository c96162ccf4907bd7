"""Whoever asks a worker waits for what comes of it: not long, and not for a lost message."""

from itertools import pairwise

import pytest

from app.domain.effects import Effect, EffectKind
from app.services.ask import ask, wait_for
from tests.support.builders import an_id
from tests.support.rig import POLICY, Rig

WORK = Effect(kind=EffectKind.INSPECT, target=an_id())


class Look:
    """Looks, and keeps the times; finds something from the given one on, if ever."""

    def __init__(self, rig: Rig, from_ms: int = 2**40) -> None:
        self.times: list[int] = []
        self._rig = rig
        self._from_ms = from_ms

    def __call__(self) -> str | None:
        self.times.append(self._rig.clock.steady_ms())
        return "found" if self.times[-1] >= self._from_ms else None


def test_what_is_there_is_not_waited_for(rig: Rig) -> None:
    assert ask([WORK], Look(rig, 0), 5_000, rig.ports) == "found"

    assert (rig.clock.steady_ms(), rig.publisher.published) == (0, [WORK])


def test_what_comes_is_found_soon(rig: Rig) -> None:
    assert ask([WORK], Look(rig, 40), 5_000, rig.ports) == "found"

    assert rig.clock.steady_ms() == 40


@pytest.mark.parametrize("wait_ms", [0, 7, 5_000])
def test_nobody_waits_longer_and_the_end_is_looked_at(rig: Rig, wait_ms: int) -> None:
    look = Look(rig)

    assert ask([WORK], look, wait_ms, rig.ports) is None

    assert look.times[-1] == rig.clock.steady_ms() == wait_ms


def test_whoever_has_waited_long_looks_less_often(rig: Rig) -> None:
    look = Look(rig)

    ask([WORK], look, 5_000, rig.ports)

    pauses = [after - before for before, after in pairwise(look.times)][:-1]  # the last is cut
    assert (pauses[0], pauses[-1]) == (POLICY.look_ms, POLICY.look_max_ms)
    assert pauses == sorted(pauses)


def test_a_message_may_be_lost_each_second_anew(rig: Rig) -> None:
    told: list[int] = []

    def note() -> None:
        told.extend([rig.clock.steady_ms()] * (len(rig.publisher.published) - len(told)))

    rig.clock.while_asleep = note

    ask([WORK], Look(rig), 3_500, rig.ports)

    late_ms = [at_ms - number * POLICY.ask_again_ms for number, at_ms in enumerate(told)]
    assert len(told) == 4
    assert all(0 <= one <= 2 * POLICY.look_max_ms for one in late_ms)


def test_it_tells_whether_something_has_become_so(rig: Rig) -> None:
    assert wait_for(lambda: rig.clock.steady_ms() >= 100, 200, rig.ports)
    assert not wait_for(lambda: False, 200, rig.ports)
    assert rig.publisher.published == []
