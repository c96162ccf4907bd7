"""An address that fails too often must wait; others need not."""

import pytest

from app.admin.attempts import ADDRESSES_MAX, FAILURES_MAX, WINDOW_MS, Attempts
from app.domain.errors import RateLimited
from tests.support.clocks import FrozenClock


def _failed(attempts: Attempts, address: str, times: int = FAILURES_MAX) -> None:
    for _ in range(times):
        attempts.check(address)
        attempts.fail(address)


def test_too_many_failures_must_wait_until_the_window_is_over() -> None:
    clock = FrozenClock()
    attempts = Attempts(clock.now_ms)
    _failed(attempts, "192.0.2.1")

    clock.advance(1_000)
    with pytest.raises(RateLimited) as caught:
        attempts.check("192.0.2.1")
    assert caught.value.retry_after_ms == WINDOW_MS - 1_000

    clock.advance(WINDOW_MS)
    attempts.check("192.0.2.1")
    attempts.fail("192.0.2.1")
    attempts.check("192.0.2.1")


def test_others_need_not_wait() -> None:
    attempts = Attempts(FrozenClock().now_ms)
    _failed(attempts, "192.0.2.1")

    attempts.check("192.0.2.2")


def test_a_success_forgets_the_failures() -> None:
    attempts = Attempts(FrozenClock().now_ms)
    _failed(attempts, "192.0.2.1", FAILURES_MAX - 1)

    attempts.succeed("192.0.2.1")

    _failed(attempts, "192.0.2.1", FAILURES_MAX - 1)
    attempts.check("192.0.2.1")


def test_memory_is_bounded() -> None:
    attempts = Attempts(FrozenClock().now_ms)
    _failed(attempts, "first")

    for number in range(ADDRESSES_MAX):
        attempts.fail(str(number))

    attempts.check("first")  # forgotten
