"""A web process reads what workers have learned about an exchange, and asks it nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domain.enums import Market, PositionSide
from app.domain.errors import NotFound, VenueUnavailable
from app.domain.identifiers import Symbol, VenueName
from app.exchanges.remembered import RememberedVenue, RememberedVenues
from app.store.memory.venue_memory import RedisVenueMemory
from tests.support.builders import ETH
from tests.support.venue_world import ExchangeWorld, running_world


@pytest.fixture
def world() -> Iterator[ExchangeWorld]:
    with running_world("binance", Market.USDM) as running:
        yield running


@pytest.fixture
def web(world: ExchangeWorld) -> RememberedVenues:
    return RememberedVenues(world.ports)


def seen(world: ExchangeWorld, web: RememberedVenues) -> RememberedVenue:
    return web.of(world.account)


def test_before_a_worker_has_looked_nothing_is_known(
    world: ExchangeWorld, web: RememberedVenues
) -> None:
    venue = seen(world, web)

    assert venue.instrument(ETH) is None
    assert venue.quote(ETH) is None
    with pytest.raises(VenueUnavailable):
        venue.view()
    assert world.gateway.log == []


def test_what_a_worker_has_seen_is_shown(world: ExchangeWorld, web: RememberedVenues) -> None:
    world.venue.place(world.order())
    told = world.venue.view()
    quote = world.venue.quote(ETH)
    asked = len(world.gateway.log)

    venue = seen(world, web)

    assert venue.view() == told
    assert venue.view().position(ETH, PositionSide.LONG).size
    assert venue.quote(ETH) == quote
    assert venue.instrument(ETH) == world.venue.instrument(ETH)
    assert web.trading_rules(world.account).instruments() == [venue.instrument(ETH)]
    assert venue.instrument(Symbol("DOGE/USDT")) is None
    assert len(world.gateway.log) == asked


def test_what_is_old_is_wanted_anew(world: ExchangeWorld, web: RememberedVenues) -> None:
    memory = world.ports.memory
    assert isinstance(memory, RedisVenueMemory)
    with pytest.raises(VenueUnavailable):
        seen(world, web).view()

    wanted = memory.wanted()
    world.venue.view()

    assert list(wanted) == [world.account.id]
    assert list(memory.wanted()) == []


def test_it_places_nothing(world: ExchangeWorld, web: RememberedVenues) -> None:
    order = world.order()
    venue = seen(world, web)

    for ask in (venue.place, venue.cancel, venue.find):
        with pytest.raises(VenueUnavailable):
            ask(order)
    assert world.gateway.log == []


def test_a_venue_that_nobody_knows_is_refused(web: RememberedVenues) -> None:
    with pytest.raises(NotFound):
        web.feed(VenueName("nowhere:SPOT:live"))
