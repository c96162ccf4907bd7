"""Locks: short leases with fencing tokens."""

import threading
from unittest.mock import Mock

import pytest
import redis

from app.domain.errors import StoreUnavailable
from app.store.coordination.locks import RedisLocks
from app.store.core import keys
from tests.support.builders import must
from tests.support.processes import eventually
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


def test_who_gives_it_back_is_told_whether_somebody_wanted_it(locks: RedisLocks) -> None:
    alone = must(locks.acquire("sweep", MINUTE_MS))
    told = [locks.release("sweep", alone)]
    wanted = must(locks.acquire("sweep", MINUTE_MS))
    locks.acquire("sweep", MINUTE_MS)
    told.append(locks.release("sweep", wanted))
    again = must(locks.acquire("sweep", MINUTE_MS))
    told.append(locks.release("sweep", again))

    assert told == [False, True, False]


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


# Renewed


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.coordination.locks.RENEWAL_SECONDS", 0.01)


def until_ms(client: redis.Redis) -> int:
    """Return until when the lease of the lane runs."""
    return int(client.hget(keys.LOCK + "lane", "until") or 0)


def nothing_is_renewed() -> bool:
    return all(one.name != "leases" for one in threading.enumerate())


@pytest.mark.usefixtures("_often")
def test_a_lease_is_renewed_until_it_is_given_back(locks: RedisLocks, client: redis.Redis) -> None:
    token = must(locks.acquire("lane", MINUTE_MS, 2 * MINUTE_MS))
    begun_ms = until_ms(client)

    eventually(lambda: until_ms(client) > begun_ms)
    locks.release("lane", token)

    eventually(nothing_is_renewed)
    assert until_ms(client) == 0


@pytest.mark.usefixtures("_often")
def test_a_lease_is_renewed_for_a_time_only(locks: RedisLocks) -> None:
    locks.acquire("lane", 1, 50)

    eventually(nothing_is_renewed)

    assert locks.acquire("lane", MINUTE_MS) == 2


@pytest.mark.usefixtures("_often")
def test_a_lease_that_another_one_has_by_now_is_not_renewed(
    locks: RedisLocks, client: redis.Redis
) -> None:
    locks.acquire("lane", MINUTE_MS, 2 * MINUTE_MS)
    client.hset(keys.LOCK + "lane", mapping={"token": 7, "until": 1})

    eventually(nothing_is_renewed)

    assert until_ms(client) == 1


@pytest.mark.usefixtures("_often")
def test_a_store_that_does_not_answer_for_a_while_ends_no_renewal(client: redis.Redis) -> None:
    locks = RedisLocks(client)
    token = must(locks.acquire("lane", MINUTE_MS, 2 * MINUTE_MS))
    renew = Mock(side_effect=[StoreUnavailable("away"), ["ok"], ["lost"]])
    locks._renew = renew  # noqa: SLF001

    eventually(nothing_is_renewed)

    assert renew.call_count == 3
    assert locks.release("lane", token) is False
