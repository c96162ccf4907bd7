"""So many at once, and the others wait a little."""

import time
from contextlib import ExitStack, suppress

import pytest

from app.domain.errors import TooBusy
from app.web.turns import Turns


def test_more_than_may_run_at_once_are_refused_after_a_while() -> None:
    turns = Turns(2, 0.05)

    with ExitStack() as held:
        held.enter_context(turns.turn())
        held.enter_context(turns.turn())
        begun = time.monotonic()
        with pytest.raises(TooBusy):
            held.enter_context(turns.turn())
        assert time.monotonic() - begun >= 0.05


def test_a_turn_ends_however_its_work_ends() -> None:
    turns = Turns(1, 0)

    with suppress(ValueError), turns.turn():
        raise ValueError
    with turns.turn():
        pass
