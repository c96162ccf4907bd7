"""What is the same for all who ask is made once for them, and so is what went wrong."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from app.domain.errors import StoreUnavailable
from app.web.shared import ANSWERS_MAX, KEPT_MS, Shared
from tests.support.clocks import FrozenClock
from tests.support.processes import eventually


class _Maker:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def test_an_answer_is_made_once_a_second() -> None:
    clock, make = FrozenClock(), _Maker()
    shared = Shared(clock.now_ms)

    assert [shared.get("key", make) for _ in range(3)] == [1, 1, 1]
    clock.advance(KEPT_MS - 1)
    assert shared.get("key", make) == 1
    clock.advance(1)
    assert shared.get("key", make) == 2


def test_an_answer_to_something_else_is_another_one() -> None:
    shared, make = Shared(FrozenClock().now_ms), _Maker()

    assert [shared.get(key, make) for key in ("a", "b", "a")] == [1, 2, 1]


def test_memory_is_bounded() -> None:
    shared, make = Shared(FrozenClock().now_ms), _Maker()

    for key in range(ANSWERS_MAX + 1):
        shared.get(key, make)

    assert shared.get(ANSWERS_MAX, make) == ANSWERS_MAX + 1
    assert shared.get(0, make) == ANSWERS_MAX + 2  # the oldest was forgotten


def test_what_is_over_is_forgotten() -> None:
    clock, make = FrozenClock(), _Maker()
    shared = Shared(clock.now_ms)
    for key in range(10):
        shared.get(key, make)

    clock.advance(KEPT_MS)
    shared.get("new", make)

    assert len(shared) == 1


def _asked_at_once(shared: Shared, make: Callable[[], object]) -> list[object]:
    """Return what four are told, of which the others come while the first waits for its answer."""
    begun, may_end = Event(), Event()

    def slowly() -> object:
        begun.set()
        may_end.wait(10)
        return make()

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(shared.get, "key", slowly)]
        begun.wait(10)
        answers += [threads.submit(shared.get, "key", slowly) for _ in range(3)]
        eventually(lambda: all(one.running() for one in answers))
        may_end.set()
        return [one.exception() or one.result() for one in answers]


def test_who_comes_meanwhile_waits_for_the_same_answer() -> None:
    make = _Maker()

    assert _asked_at_once(Shared(FrozenClock().now_ms), make) == [1, 1, 1, 1]


def test_all_who_wait_are_told_of_an_error_and_nobody_later() -> None:
    shared = Shared(FrozenClock().now_ms)
    away = StoreUnavailable("it stands still")

    def fail() -> None:
        raise away

    assert _asked_at_once(shared, fail) == [away] * 4
    assert shared.get("key", lambda: "back") == "back"


def test_what_ends_a_request_leaves_nobody_waiting() -> None:
    shared = Shared(FrozenClock().now_ms)

    def end() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        shared.get("key", end)
    assert shared.get("key", lambda: "next") == "next"
