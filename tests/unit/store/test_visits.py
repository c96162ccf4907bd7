"""Whoever comes without credentials is counted, for a while and in bounded memory."""

from app.store.memory.visits import VISITS_MAX, WINDOW_MS, Visits
from tests.support.clocks import FrozenClock

PEER = "192.0.2.1"


def test_who_comes_too_often_must_wait_until_the_window_is_over() -> None:
    clock = FrozenClock()
    visits = Visits(clock.now_ms)

    assert {visits.come(PEER) for _ in range(VISITS_MAX)} == {0}
    clock.advance(1_000)
    assert [visits.come(PEER) for _ in range(3)] == [WINDOW_MS - 1_000] * 3
    clock.advance(WINDOW_MS - 1_000)
    assert visits.come(PEER) == 0


def test_other_peers_need_not_wait() -> None:
    visits = Visits(FrozenClock().now_ms)
    for _ in range(VISITS_MAX + 1):
        visits.come(PEER)

    assert visits.come("192.0.2.2") == 0
