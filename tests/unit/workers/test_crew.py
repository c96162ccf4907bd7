"""The threads of each venue: who goes first, who waits, and that nobody waits for another venue."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from unittest.mock import Mock

import pytest

from tests.support.builders import an_id
from workers import crew as crew_module
from workers.crew import Crew, Crews, Rank, ceilings

SIZE = 4
PATIENCE = 20


class Works:
    """Pieces of work that last until they are let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let_go = threading.Event()
        self._changed = threading.Condition()

    def piece(self, name: str) -> Callable[[], None]:
        def run() -> None:
            with self._changed:
                self.begun.append(name)
                self._changed.notify_all()
            assert self.let_go.wait(PATIENCE)

        return run

    def await_begun(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.begun) >= count, PATIENCE)


@pytest.fixture
def works() -> Iterator[Works]:
    works = Works()
    yield works
    works.let_go.set()


@pytest.fixture
def crews() -> Crews:
    return Crews(lambda _: SIZE)


def hang(crew: Crew, works: Works, count: int, rank: Rank = Rank.ORDER) -> None:
    """Give a crew work that does not end."""
    for number in range(count):
        assert crew.offer((rank, number), works.piece(f"{rank}-{number}"), rank)


def test_pieces_of_one_venue_wait_side_by_side(crews: Crews, works: Works) -> None:
    hang(crews.of("slow"), works, 3)

    works.await_begun(3)


def test_a_venue_that_hangs_holds_up_no_other(crews: Crews, works: Works) -> None:
    for rank in Rank:
        hang(crews.of("hung"), works, 20, rank)
    works.await_begun(SIZE)
    done = threading.Event()

    crews.of("paper").offer("key", done.set)

    assert done.wait(PATIENCE)


def test_orders_leave_room_for_a_cancel(crews: Crews, works: Works) -> None:
    crew = crews.of("hung")
    hang(crew, works, 20)
    works.await_begun(ceilings(SIZE)[Rank.ORDER])

    hang(crew, works, 1, Rank.URGENT)

    works.await_begun(SIZE)
    assert works.begun[-1] == f"{Rank.URGENT}-0"


def test_polls_leave_room_for_orders(crews: Crews, works: Works) -> None:
    crew = crews.of("hung")
    hang(crew, works, 20, Rank.POLL)
    works.await_begun(ceilings(SIZE)[Rank.POLL])

    hang(crew, works, 20, Rank.ORDER)

    works.await_begun(ceilings(SIZE)[Rank.ORDER])
    assert sum(name.startswith(str(Rank.POLL)) for name in works.begun) == 1


def test_orders_and_polls_together_leave_room_for_a_cancel(crews: Crews, works: Works) -> None:
    crew = crews.of("hung")
    hang(crew, works, 20, Rank.ORDER)
    works.await_begun(ceilings(SIZE)[Rank.ORDER])
    hang(crew, works, 20, Rank.POLL)

    hang(crew, works, 1, Rank.URGENT)

    works.await_begun(SIZE)
    assert works.begun[-1] == f"{Rank.URGENT}-0"


def test_who_is_urgent_goes_first_and_the_rest_in_order(works: Works) -> None:
    crew = Crew("one", 1)
    hang(crew, works, 1)
    works.await_begun(1)
    for name in ("a", "b"):
        crew.offer(name, works.piece(name))
    crew.offer("urgent", works.piece("urgent"), Rank.URGENT)

    works.let_go.set()

    works.await_begun(4)
    assert works.begun[1:] == ["urgent", "a", "b"]


def test_what_waits_already_is_done_once(works: Works) -> None:
    crew = Crew("one", 1)
    hang(crew, works, 1)
    works.await_begun(1)

    assert crew.offer(an_id(7), works.piece("seven"))
    assert crew.offer(an_id(7), works.piece("seven"))
    crew.offer("last", works.piece("last"))
    works.let_go.set()

    works.await_begun(3)
    assert works.begun[1:] == ["seven", "last"]


def test_what_is_being_done_is_done_again(works: Works) -> None:
    """What woke it the second time may have come after the look."""
    crew = Crew("one", 1)
    crew.offer(an_id(7), works.piece("first"))
    works.await_begun(1)

    crew.offer(an_id(7), works.piece("second"))
    works.let_go.set()

    works.await_begun(2)
    assert works.begun == ["first", "second"]


def test_what_waits_is_raised_when_it_becomes_urgent(works: Works) -> None:
    crew = Crew("one", 1)
    hang(crew, works, 1)
    works.await_begun(1)
    for name in ("a", "b"):
        crew.offer(name, works.piece(name))

    crew.offer("b", works.piece("b"), Rank.URGENT)
    crew.offer("b", works.piece("b"), Rank.ORDER)
    works.let_go.set()

    works.await_begun(3)
    assert works.begun[1:] == ["b", "a"]


def test_who_comes_again_learns_that_it_waits_already(crews: Crews, works: Works) -> None:
    hang(crews.of("slow"), works, SIZE + 1)
    works.await_begun(ceilings(SIZE)[Rank.ORDER])
    waiting, begun, unknown = (Rank.ORDER, SIZE), (Rank.ORDER, 0), (Rank.ORDER, SIZE + 1)
    crews.of("paper").offer("idle", lambda: None)

    assert crews.await_already(waiting, Rank.ORDER)
    assert crews.await_already(waiting, Rank.POLL)
    assert not crews.await_already(waiting, Rank.URGENT), "it is to be raised"
    assert not crews.await_already(begun, Rank.ORDER), "what woke it may have come after its look"
    assert not crews.await_already(unknown, Rank.ORDER)


def test_what_nobody_will_begin_does_not_wait(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = Crew("one", 1)
    hang(crew, works, 1)
    works.await_begun(1)
    crew.offer("next", works.piece("next"))
    assert crew.awaits("next", Rank.ORDER)

    monkeypatch.setattr(crew, "_threads", 0)

    assert not crew.awaits("next", Rank.ORDER)


def test_what_finds_no_room_is_not_taken(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "WAITING_MAX", 2)
    crew = Crew("one", 1)
    hang(crew, works, 1)
    works.await_begun(1)

    taken = [crew.offer(number, works.piece("x")) for number in range(3)]

    assert taken == [True, True, False]
    assert crew.offer("other", works.piece("other"), Rank.URGENT)


def test_a_mistake_of_ours_costs_no_thread() -> None:
    crew = Crew("one", 1)
    done = threading.Event()

    crew.offer("mistake", Mock(side_effect=ZeroDivisionError))
    crew.offer("next", done.set)

    assert done.wait(PATIENCE)


def test_all_that_was_taken_is_done(crews: Crews) -> None:
    done: list[int] = []
    for number in range(500):
        crews.of(f"venue-{number % 3}").offer(number, partial(done.append, number))

    assert crews.finish(PATIENCE)
    assert sorted(done) == list(range(500))


def test_at_the_end_nothing_more_is_begun(crews: Crews, works: Works) -> None:
    crew = crews.of("slow")
    hang(crew, works, 20)
    works.await_begun(ceilings(SIZE)[Rank.ORDER])
    before = len(works.begun)

    assert not crews.close(0.05)
    works.let_go.set()

    assert crews.close(PATIENCE)
    assert not crew.offer("more", works.piece("more"))
    assert len(works.begun) == before


def test_prices_are_looked_at_before_orders_that_wait(works: Works) -> None:
    """A thousand entries wait for a slow exchange; no stop may wait for them."""
    crew = Crew("one", 1)
    hang(crew, works, 1)
    works.await_begun(1)
    crew.offer("order", works.piece("order"))
    crew.offer("prices", works.piece("prices"), Rank.PRICES)

    works.let_go.set()

    works.await_begun(3)
    assert works.begun[1:] == ["prices", "order"]


def test_a_thread_that_cannot_be_started_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crew("one", 2)
    done = threading.Event()

    refuse = Mock(side_effect=RuntimeError("can't start new thread"))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        taken = [crew.offer("key", done.set) for _ in range(5)]

    assert taken == [False] * 5
    assert crew.is_idle
    assert crew.offer("key", done.set)
    assert done.wait(PATIENCE)


def test_a_thread_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be no memory even for the words that say so."""
    crew = Crew("one", 1)
    died, done = threading.Event(), threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: died.set())

    monkeypatch.setattr(crew_module, "_log", Mock(exception=Mock(side_effect=MemoryError)))
    for name, piece in (("end", Mock(side_effect=SystemError)), ("next", done.set)):
        assert crew.offer(name, piece)
    assert died.wait(PATIENCE)

    assert crew.offer("next", done.set)
    assert done.wait(PATIENCE)
