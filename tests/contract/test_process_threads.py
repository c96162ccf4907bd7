"""What the threads of one worker process share, used by all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest
import redis

from app.domain.account import ApiClient
from app.domain.enums import Dialect, Side
from app.domain.errors import StoreUnavailable
from app.domain.identifiers import AccountId, Currency
from app.domain.status import OrderStatus
from app.store.core.clock import RedisClock
from app.store.core.ids import RedisIds
from app.store.core.registry import LIFE_SECONDS, RedisRegistry
from tests.support.builders import must
from tests.support.interleaving import THREADS, at_once
from tests.support.paper_world import PaperWorld


def test_no_id_is_handed_out_twice(client: redis.Redis) -> None:
    ids = RedisIds(client)

    def drawn(number: int) -> list[int]:
        hand_out = ids.latest if number % 2 else ids.fresh
        return [one.id for _ in range(20) for one in hand_out(AccountId(1), 3)]

    found = [one for row in at_once(drawn) if isinstance(row, list) for one in row]

    assert len(found) == len(set(found)) == THREADS * 60


def test_time_goes_forward_for_all_threads(client: redis.Redis) -> None:
    clock = RedisClock(client)
    clock.server_ms()

    def looks(_: int) -> list[int]:
        return [clock.server_ms() for _ in range(200)]

    for row in at_once(looks):
        assert isinstance(row, list)
        assert row == sorted(row)


class Seconds:
    """A monotonic clock that lets another thread act when it is asked for the second time."""

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        self.now += LIFE_SECONDS * 2
        self.looks += 1
        if self.looks == 2:
            self.meanwhile()
        return self.now


def test_a_registry_never_goes_back_to_what_it_knew_before(client: redis.Redis) -> None:
    """One thread is about to look when another has looked, and then the store is away."""
    seconds = Seconds()
    registry, other = RedisRegistry(client, seconds), RedisRegistry(client)
    key = ApiClient(dialect=Dialect.POLONIEX, key="k1", secret="sealed")  # noqa: S106 - sealed
    registry.put_client(key)

    def meanwhile() -> None:
        other.put_client(replace(key, enabled=False))
        registry.refresh()
        registry.refresh = Mock(side_effect=StoreUnavailable("away"))  # type: ignore[method-assign]

    seconds.meanwhile, seconds.looks = meanwhile, 0
    with pytest.raises(StoreUnavailable):
        registry.client(key.dialect, key.key)

    assert not must(registry.known_client(key.dialect, key.key)).enabled


def test_orders_of_one_paper_account_lose_no_money(world: PaperWorld) -> None:
    orders = [world.order(Side.BUY, "0.001") for _ in range(THREADS * 2)]

    def placed(number: int) -> list[OrderStatus]:
        mine = orders[number::THREADS]
        return [world.spot.place(one).status for one in mine]

    told = at_once(placed)

    assert told == [[OrderStatus.FILLED] * 2] * THREADS
    view = world.spot.view()
    assert view.balances[Currency("BTC")].total == Decimal("0.5") + Decimal("0.032")
    assert view.balances[Currency("USDT")].total == 10_000 - Decimal("0.032") * 50_000
