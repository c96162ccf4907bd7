"""Budgets: so many requests in a window, all of a caller's counted together or not at all."""

import pytest
import redis

from app.domain.errors import RateLimited
from app.ports.coordination import Budget
from app.store.coordination.rates import RedisRates
from app.store.core import keys

MANY = Budget(purpose="many", limit=5, window_ms=60_000)
FEW = Budget(purpose="few", limit=2, window_ms=10_000)


@pytest.fixture
def rates(client: redis.Redis) -> RedisRates:
    return RedisRates(client)


def test_a_budget_is_used_up(rates: RedisRates) -> None:
    rates.spend("ann", [FEW])
    rates.spend("ann", [FEW])

    with pytest.raises(RateLimited) as refused:
        rates.spend("ann", [FEW])

    assert 0 < refused.value.retry_after_ms <= FEW.window_ms
    rates.spend("bob", [FEW])


def test_a_window_from_before_the_clock_was_set_back_has_ended(
    rates: RedisRates, client: redis.Redis
) -> None:
    rates.spend("ann", [FEW])
    rates.spend("ann", [FEW])

    client.pexpire(keys.budget("ann", FEW.purpose), FEW.window_ms + 3_600_000)

    rates.spend("ann", [FEW])
    assert 0 < client.pttl(keys.budget("ann", FEW.purpose)) <= FEW.window_ms


def test_what_one_budget_refuses_counts_against_none(
    rates: RedisRates, client: redis.Redis
) -> None:
    for _ in range(4):
        try:
            rates.spend("ann", [MANY, FEW])
        except RateLimited:
            continue

    assert client.get(keys.budget("ann", MANY.purpose)) == "2"
    rates.spend("ann", [MANY])


def test_a_new_window_begins_with_its_first_request(rates: RedisRates, client: redis.Redis) -> None:
    rates.spend("ann", [FEW])
    key = keys.budget("ann", FEW.purpose)

    assert 0 < client.pttl(key) <= FEW.window_ms
    client.delete(key)
    rates.spend("ann", [FEW])
    assert client.get(key) == "1"
