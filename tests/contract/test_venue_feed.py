"""The prices of simulated exchanges as ticks, and how old they are."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.domain.enums import Market
from app.domain.market import Tick
from tests.support.builders import must
from tests.support.venue_world import ExchangeWorld, running_world

WORLDS = [
    ("binance", Market.SPOT),
    ("binance", Market.USDM),
    ("bybit", Market.USDM),
    ("poloniex", Market.SPOT),
]

#: Where the time of the prices is told.
TELLS = {"binance", "poloniex"}

OLD_MS = 120_000

#: By how much the clock of a venue may be measured wrong.
OFF_MS = 1_000


@pytest.fixture(params=WORLDS, ids=lambda one: f"{one[0]}-{one[1]}")
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    with running_world(*request.param) as running:
        yield running


def look(world: ExchangeWorld) -> Tick:
    time.sleep(0.002)  # the lease of an earlier look is over by then
    return must(world.clients.feed(world.account.feed).next_tick([world.symbol]))


def age_ms(world: ExchangeWorld, tick: Tick) -> int:
    return world.clock.server_ms() - tick.seen_at_ms[world.symbol]


def test_prices_are_as_old_as_the_question_for_them(world: ExchangeWorld) -> None:
    asked_ms = world.clock.server_ms()

    tick = look(world)

    assert asked_ms - 1_000 < tick.seen_at_ms[world.symbol] <= tick.number
    assert tick.number - tick.seen_at_ms[world.symbol] < 5_000


def test_a_venue_that_tells_old_prices_is_believed(world: ExchangeWorld) -> None:
    world.plan.price_age_ms = OLD_MS
    is_told = world.account.venue in TELLS

    tick = look(world)

    assert (age_ms(world, tick) >= OLD_MS - OFF_MS) is is_told
    assert (world.clients.feed(world.account.feed).newest(world.symbol) is None) is is_told


def test_the_clock_of_the_venue_is_allowed_for(world: ExchangeWorld) -> None:
    world.exchange.clock_skew_ms = -OLD_MS

    assert age_ms(world, look(world)) < 5_000


def test_what_moves_is_new_whatever_time_is_told(world: ExchangeWorld) -> None:
    """Some exchanges tell when the last trade was, and a touch moves without one."""
    world.plan.price_age_ms = OLD_MS
    look(world)
    world.price(world.symbol, "1234")

    moved = look(world)
    stands = look(world)

    assert age_ms(world, moved) < 5_000
    assert (age_ms(world, stands) >= OLD_MS - OFF_MS) is (world.account.venue in TELLS)
