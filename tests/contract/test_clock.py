"""The clock: the server's time for all processes, and business time that a test can move."""

import time
from typing import Any

import redis

from app.store.clock import MovableClock, RedisClock
from tests.contract.store import server_ms


def test_server_time_is_never_ahead_of_the_server(client: redis.Redis) -> None:
    clock = RedisClock(client)

    for _ in range(50):
        told = clock.server_ms()
        assert told <= server_ms(client)


def test_server_time_is_not_far_behind_either(client: redis.Redis) -> None:
    clock = RedisClock(client)
    before = server_ms(client)

    told = clock.server_ms()

    assert told >= before
    assert clock.server_ms() >= told


class Sleeper(redis.Redis):
    """A client whose process stands still once, between its question and the answer."""

    sleep_seconds = 0.3

    def time(self, **_: Any) -> Any:  # noqa: ANN401 - as the client's own
        answer = super().time()
        time.sleep(self.sleep_seconds)
        self.sleep_seconds = 0
        return answer


def test_a_process_that_stood_still_does_not_take_an_old_time_for_the_present_one(
    client: redis.Redis,
) -> None:
    sleeper = Sleeper(connection_pool=client.connection_pool)

    told = RedisClock(sleeper).server_ms()

    assert server_ms(client) - told < 200


def test_business_time_is_the_servers(client: redis.Redis) -> None:
    clock = RedisClock(client)

    before = clock.server_ms()

    assert before <= clock.now_ms() <= server_ms(client)


def test_a_clock_that_nobody_moved_shows_the_servers_time(client: redis.Redis) -> None:
    clock = MovableClock(client)

    before = clock.server_ms()

    assert before <= clock.now_ms() <= server_ms(client)


def test_business_time_moves_for_all_processes(client: redis.Redis) -> None:
    MovableClock(client).advance(60_000)

    ahead = MovableClock(client).now_ms() - server_ms(client)

    assert 59_000 < ahead <= 60_000


def test_moves_add_up(client: redis.Redis) -> None:
    clock = MovableClock(client)
    clock.advance(60_000)
    clock.advance(-10_000)

    assert 49_000 < clock.now_ms() - server_ms(client) <= 50_000


def test_a_frozen_clock_stands_still_and_can_be_moved(client: redis.Redis) -> None:
    clock = MovableClock(client)

    told = [clock.freeze(1_000), clock.now_ms(), clock.advance(500), clock.now_ms()]

    assert told == [1_000, 1_000, 1_500, 1_500]


def test_server_time_cannot_be_moved(client: redis.Redis) -> None:
    clock = MovableClock(client)
    clock.freeze(1_000)

    assert abs(clock.server_ms() - server_ms(client)) < 1_000


def test_a_clock_that_was_moved_can_follow_the_server_again(client: redis.Redis) -> None:
    clock = MovableClock(client)
    clock.freeze(1_000)

    clock.follow_server()

    assert abs(clock.now_ms() - server_ms(client)) < 1_000
