"""The clock: the server's time for all processes, and business time that a test can move."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from app.domain.errors import StoreUnavailable
from app.domain.identifiers import EpochMs
from app.store.core import clock as clock_module
from app.store.core.clock import MovableClock, RedisClock
from tests.support.redis_store import server_ms


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

    old_ms = 0

    def time(self, **_: Any) -> Any:  # noqa: ANN401 - as the client's own
        answer = super().time()
        if not self.old_ms:
            self.old_ms = answer[0] * 1000 + answer[1] // 1000
            time.sleep(0.3)
        return answer


def test_a_process_that_stood_still_does_not_take_an_old_time_for_the_present_one(
    client: redis.Redis,
) -> None:
    sleeper = Sleeper(connection_pool=client.connection_pool)

    told = RedisClock(sleeper).server_ms()

    assert told >= sleeper.old_ms + 300


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


class Stepped(redis.Redis):
    """A client of a server whose clock somebody sets."""

    by_seconds: float = 0

    def time(self, **_: Any) -> Any:  # noqa: ANN401 - as the client's own
        seconds, micros = super().time()
        return divmod(int((seconds + self.by_seconds) * 1_000_000) + micros, 1_000_000)


class SteadyByHand:
    """The steady clock of this machine, turned by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1_000.0
        monkeypatch.setattr(clock_module, "steady_seconds", lambda: self.seconds)


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> SteadyByHand:
    return SteadyByHand(monkeypatch)


def stepped(client: redis.Redis) -> Stepped:
    return Stepped(connection_pool=client.connection_pool)


@pytest.mark.parametrize("by_seconds", [-3_600, 3_600])
def test_a_clock_that_was_set_is_followed_and_all_processes_know_it(
    client: redis.Redis, steady: SteadyByHand, by_seconds: int
) -> None:
    server = stepped(client)
    seeing, other = RedisClock(server), RedisClock(server)
    before, _ = seeing.server_ms(), other.server_ms()

    server.by_seconds = by_seconds
    steady.seconds += 2

    after = seeing.server_ms()
    assert abs(after - before - by_seconds * 1_000) < 30_000
    assert seeing.lasted_ms(before) < 30_000
    assert RedisClock(server).lasted_ms(EpochMs(0)) < 30_000, "one that has seen nothing of it"
    assert other.lasted_ms(EpochMs(0)) < 30_000


def test_a_clock_that_is_corrected_does_not_go_back(
    client: redis.Redis, steady: SteadyByHand
) -> None:
    server = stepped(client)
    clock = RedisClock(server)
    clock.server_ms()
    steady.seconds += 0.4
    before = clock.server_ms()

    server.by_seconds = 0.2  # while 0.6 s have passed
    steady.seconds += 0.2

    assert clock.server_ms() == before
    assert clock.lasted_ms(EpochMs(0)) > 1_000_000_000, "nobody has set it"


def test_one_measures_ahead_while_the_others_go_on_until_it_is_too_old(
    client: redis.Redis, steady: SteadyByHand
) -> None:
    class Asked(Stepped):
        times = 0
        meanwhile: Callable[[], object] = staticmethod(lambda: None)

        def time(self, **options: Any) -> Any:  # noqa: ANN401 - as the client's own
            self.times += 1
            self.meanwhile()
            return super().time(**options)

    server = Asked(connection_pool=client.connection_pool)
    clock = RedisClock(server)
    clock.server_ms()

    def others() -> None:
        server.meanwhile = lambda: None
        asked.append(server.times)
        clock.server_ms()  # as another thread does
        asked.append(server.times)
        steady.seconds += 0.3  # now it is too old, and the first one still has no answer
        clock.server_ms()
        asked.append(server.times)

    asked = list[int]()
    server.meanwhile = others
    steady.seconds += 0.9
    clock.server_ms()

    assert asked == [2, 2, 3]


def test_a_measurement_ahead_that_fails_harms_nobody_and_is_not_made_again_until_it_is_due(
    client: redis.Redis, steady: SteadyByHand
) -> None:
    class Gone(Stepped):
        is_there = True
        asked = 0

        def time(self, **options: Any) -> Any:  # noqa: ANN401 - as the client's own
            if not self.is_there:
                self.asked += 1
                raise StoreUnavailable("gone")
            return super().time(**options)

    server = Gone(connection_pool=client.connection_pool)
    clock = RedisClock(server)
    before = clock.server_ms()
    server.is_there = False
    steady.seconds += 0.9

    for _ in range(2):
        assert clock.server_ms() == before + 900
    assert server.asked == 1
    steady.seconds += 0.2
    with pytest.raises(StoreUnavailable):
        clock.server_ms()


def test_what_is_from_the_time_to_come_has_lasted_since_this_process_began(
    client: redis.Redis, steady: SteadyByHand
) -> None:
    """The clock was set back while nobody looked."""
    clock = RedisClock(client)
    ahead = EpochMs(clock.server_ms() + 3_600_000)

    steady.seconds += 20

    assert clock.lasted_ms(ahead) < 10_000_000
    assert clock.lasted_ms(EpochMs(clock.server_ms() + 5)) == 0


def test_the_steady_clock_runs(client: redis.Redis) -> None:
    clock = RedisClock(client)
    before = clock.steady_ms()

    time.sleep(0.002)

    assert clock.steady_ms() > before


def test_a_step_that_cannot_be_noted_is_no_error(client: redis.Redis, steady: SteadyByHand) -> None:
    class Full(Stepped):
        def set(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - as the client's own
            raise StoreUnavailable("used memory > maxmemory")

    server = Full(connection_pool=client.connection_pool)
    clock = RedisClock(server)
    before = clock.server_ms()
    server.by_seconds = 3_600
    steady.seconds += 2

    assert clock.server_ms() > before
    assert clock.lasted_ms(before) < 30_000


@pytest.mark.parametrize("by_seconds", [-3_600, 3_600])
def test_a_measurement_that_is_cut_short_hides_no_step(
    client: redis.Redis, steady: SteadyByHand, by_seconds: int
) -> None:
    """One answer comes too late to be believed, and the next never: a store that moves."""

    class Moving(Stepped):
        is_there = True

        def time(self, **options: Any) -> Any:  # noqa: ANN401 - as the client's own
            if self.is_there:
                return super().time(**options)
            steady.seconds += 0.2
            if steady.seconds > gone_at:
                raise StoreUnavailable("gone")
            return super().time(**options)

    server = Moving(connection_pool=client.connection_pool)
    clock = RedisClock(server)
    before = clock.server_ms()
    server.by_seconds, server.is_there = by_seconds, False
    steady.seconds += 1.1
    gone_at = steady.seconds + 0.3
    with pytest.raises(StoreUnavailable):
        clock.server_ms()

    server.is_there = True
    steady.seconds += 0.9

    assert abs(clock.server_ms() - before - by_seconds * 1_000) < 30_000
    assert clock.lasted_ms(before) < 30_000


def test_a_measurement_that_was_overtaken_by_that_of_another_thread_is_no_step(
    client: redis.Redis, steady: SteadyByHand
) -> None:
    """Its answer is from before the clock was set, and comes after the other thread's."""

    class Overtaken(Stepped):
        is_slow = False

        def time(self, **options: Any) -> Any:  # noqa: ANN401 - as the client's own
            answer = super().time(**options)
            if self.is_slow:
                self.is_slow, self.by_seconds = False, 3_600
                steady.seconds += 0.01
                clock.server_ms()  # as another thread: nobody waits for anybody here
            return answer

    server = Overtaken(connection_pool=client.connection_pool)
    clock = RedisClock(server)
    before = clock.server_ms()
    server.is_slow = True
    steady.seconds += 2

    after = clock.server_ms()

    assert after - before > 3_500_000
    assert clock.lasted_ms(before) < 30_000


def test_a_step_that_was_seen_is_not_forgotten_for_what_was_noted_before(
    client: redis.Redis, steady: SteadyByHand
) -> None:
    class Forgetful(Stepped):
        def set(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - as the client's own
            raise StoreUnavailable("used memory > maxmemory")

    server = Forgetful(connection_pool=client.connection_pool)
    clock = RedisClock(server)
    before = clock.server_ms()
    server.by_seconds = 3_600
    steady.seconds += 2
    clock.server_ms()

    steady.seconds += 2  # measured once more

    assert clock.lasted_ms(before) < 30_000
