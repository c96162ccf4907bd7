"""What must be known before an order takes nothing from an order that is ready."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domain.enums import Market
from app.domain.errors import VenueBusy
from app.exchanges.exchange import Exchange
from app.store.memory import venue_keys
from app.store.memory.venue_budget import BURST_SECONDS
from tests.support.exchanges.faults import Call
from tests.support.redis_store import server_ms
from tests.support.venue_world import ExchangeWorld, running_world

WORLDS = [
    ("binance", Market.SPOT),
    ("binance", Market.USDM),
    ("bybit", Market.SPOT),
    ("bybit", Market.USDM),
    ("poloniex", Market.SPOT),
]

#: Long enough for all threads to find that somebody asks.
LATENCY_SECONDS = 0.1


@pytest.fixture(params=WORLDS, ids=lambda one: f"{one[0]}-{one[1]}")
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    name, market = request.param
    with running_world(name, market, timeout_ms=20_000) as running:
        running.plan.latency_seconds = LATENCY_SECONDS
        yield running


@pytest.fixture
def spot() -> Iterator[ExchangeWorld]:
    with running_world("binance", Market.SPOT, timeout_ms=20_000) as running:
        yield running


def exchange_of(world: ExchangeWorld) -> Exchange:
    return world.clients.exchange(world.account)


def leave(world: ExchangeWorld, share: float) -> None:
    """Let so much of the budget be left, and no more until somebody takes of it."""
    with exchange_of(world).call() as line:
        most = 1000 / line.api.rateLimit * BURST_SECONDS
    pool = f"{world.account.hosts}:{world.ports.address}"
    ahead_ms = server_ms(world.redis) + 3_600_000
    world.redis.hset(venue_keys.budget(pool), mapping={"tokens": most * share, "at": ahead_ms})


def test_an_order_that_is_ready_goes_where_no_question_does(world: ExchangeWorld) -> None:
    order = world.order()
    world.venue.prepare(order)
    leave(world, 0.17)
    world.gateway.log.clear()

    with pytest.raises(VenueBusy):
        world.venue.view()
    with pytest.raises(VenueBusy):
        world.venue.placed(order.symbol, order.created_at_ms)
    with pytest.raises(VenueBusy):
        world.venue.find(order)  # before it is sent
    assert world.gateway.log == []
    world.venue.place(order)

    assert world.gateway.counted(Call.PLACE) == 1
    assert world.count() == 1


def test_a_freeze_while_a_request_waits_keeps_it_here(
    spot: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = spot.order()
    spot.venue.prepare(order)
    leave(spot, 0.17)
    spot.gateway.log.clear()

    def banned(_: int) -> None:
        with exchange_of(spot).call() as line:
            line.limited(60_000)

    monkeypatch.setattr(spot.clock, "sleep", banned)

    with pytest.raises(VenueBusy):
        spot.venue.place(order)

    assert spot.gateway.log == []
