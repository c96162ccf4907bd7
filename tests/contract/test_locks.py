"""Locks: short leases with fencing tokens."""

import threading

import pytest
import redis

from app.store.coordination.locks import RedisLocks
from app.store.core import keys
from tests.support.builders import must
from tests.support.redis_store import server_ms, wait_past

MINUTE_MS = 60_000


@pytest.fixture
def locks(client: redis.Redis) -> RedisLocks:
    return RedisLocks(client)


def test_a_lock_is_held_by_one(locks: RedisLocks) -> None:
    assert locks.acquire("sweep", MINUTE_MS) == 1
    assert locks.acquire("sweep", MINUTE_MS) is None
    assert locks.acquire("prices:paper", MINUTE_MS) == 1


def test_a_lock_that_nobody_wants_for_long_is_forgotten(
    locks: RedisLocks, client: redis.Redis
) -> None:
    locks.acquire("sweep", MINUTE_MS)

    assert MINUTE_MS < client.pttl(f"{keys.LOCK}sweep") <= MINUTE_MS + 86_400_000


def test_a_released_lock_is_free_and_its_token_rises(locks: RedisLocks) -> None:
    first = must(locks.acquire("sweep", MINUTE_MS))

    locks.release("sweep", first)

    assert locks.acquire("sweep", MINUTE_MS) == first + 1


def test_a_lease_runs_out(locks: RedisLocks, client: redis.Redis) -> None:
    first = must(locks.acquire("sweep", 5))

    wait_past(server_ms(client) + 5, client)

    assert locks.acquire("sweep", MINUTE_MS) == first + 1


def test_a_lease_from_before_the_clock_was_set_back_has_run_out(
    locks: RedisLocks, client: redis.Redis
) -> None:
    first = must(locks.acquire("sweep", MINUTE_MS))

    client.hset(keys.LOCK + "sweep", "until", server_ms(client) + 3_600_000)

    assert locks.acquire("sweep", MINUTE_MS) == first + 1


def test_a_lease_is_as_long_as_its_holder_wanted(locks: RedisLocks) -> None:
    locks.acquire("sweep", MINUTE_MS)

    assert locks.acquire("sweep", 1) is None


def test_who_lost_the_lock_cannot_release_that_of_another(
    locks: RedisLocks, client: redis.Redis
) -> None:
    first = must(locks.acquire("sweep", 1))
    wait_past(server_ms(client) + 1, client)
    locks.acquire("sweep", MINUTE_MS)

    locks.release("sweep", first)

    assert locks.acquire("sweep", MINUTE_MS) is None


def test_a_lock_that_nobody_held_can_be_released(locks: RedisLocks, client: redis.Redis) -> None:
    locks.release("sweep", 1)

    assert not client.exists(keys.LOCK + "sweep")


@pytest.mark.integration
def test_of_many_at_once_one_gets_the_lock(real_client: redis.Redis) -> None:
    locks = RedisLocks(real_client)
    start = threading.Barrier(8)
    tokens: list[int | None] = []

    def take() -> None:
        start.wait()
        tokens.append(locks.acquire("sweep", MINUTE_MS))

    takers = [threading.Thread(target=take) for _ in range(8)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()

    assert [token for token in tokens if token is not None] == [1]
