"""Failures are counted by peer and name, for a while and in bounded memory."""

from app.store.memory.attempts import (
    FAILURES_MAX,
    LOOK_MS,
    PEER_FAILURES_MAX,
    WINDOW_MS,
    Attempts,
)
from app.store.memory.counts import COUNTS_MAX
from tests.support.clocks import FrozenClock

PEER = "192.0.2.1"
NAME = "api:somebody"


def _failed(attempts: Attempts, times: int = FAILURES_MAX) -> list[bool]:
    return [attempts.fail(PEER, NAME) for _ in range(times)]


def test_too_many_failures_must_wait_until_the_window_is_over() -> None:
    clock = FrozenClock()
    attempts = Attempts(clock.now_ms)

    assert _failed(attempts) == [False] * (FAILURES_MAX - 1) + [True]

    clock.advance(1_000)
    assert attempts.left_ms(PEER, NAME) == WINDOW_MS - 1_000
    assert not attempts.fail(PEER, NAME)
    assert attempts.left_ms(PEER, NAME) == WINDOW_MS - 1_000
    clock.advance(WINDOW_MS)
    assert attempts.left_ms(PEER, NAME) == 0
    assert not attempts.fail(PEER, NAME)


def test_other_peers_and_other_names_need_not_wait() -> None:
    attempts = Attempts(FrozenClock().now_ms)
    _failed(attempts)

    assert attempts.left_ms("192.0.2.2", NAME) == 0
    assert attempts.left_ms(PEER, "api:another") == 0


def test_a_peer_that_tries_many_names_must_wait_with_all_of_them() -> None:
    attempts = Attempts(FrozenClock().now_ms)

    for number in range(2 * PEER_FAILURES_MAX):
        attempts.fail(PEER, str(number))

    assert attempts.left_ms(PEER, "new") == WINDOW_MS
    assert len(attempts) == PEER_FAILURES_MAX + 1


def test_memory_is_bounded() -> None:
    attempts = Attempts(FrozenClock().now_ms)
    _failed(attempts)

    for number in range(COUNTS_MAX):
        attempts.fail(str(number), "x" * 100_000)

    assert len(attempts) == COUNTS_MAX
    assert attempts.left_ms(PEER, NAME) == 0  # forgotten


def test_what_is_over_is_forgotten() -> None:
    clock = FrozenClock()
    attempts = Attempts(clock.now_ms)
    for number in range(100):
        attempts.fail(str(number), NAME)

    clock.advance(WINDOW_MS)
    attempts.fail(PEER, NAME)

    assert len(attempts) == 2


def test_a_look_is_allowed_once_in_a_while() -> None:
    clock = FrozenClock()
    attempts = Attempts(clock.now_ms)

    assert [attempts.may_look() for _ in range(3)] == [True, False, False]
    clock.advance(LOOK_MS)
    assert attempts.may_look()
