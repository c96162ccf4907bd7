"""Stops that become orders under their own ids, as at Bybit; the rest is in `test_venue.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Market, PositionMode, PriceSource, ReasonCode, Side
from app.domain.errors import OutcomeUnknown, VenueRejected
from app.domain.order import Order
from app.domain.status import OrderStatus
from tests.support.builders import must
from tests.support.venue_world import ExchangeWorld, running_world

WORLDS = [
    (Market.USDM, PositionMode.HEDGE),
    (Market.USDM, PositionMode.ONEWAY),
    (Market.COINM, PositionMode.ONEWAY),
]


@pytest.fixture(params=WORLDS, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    market, mode = request.param
    with running_world("bybit", market, position_mode=mode) as running:
        yield running


def waiting(world: ExchangeWorld, source: PriceSource = PriceSource.LAST) -> Order:
    world.venue.place(world.order())
    order = world.stop("1900", source=source)
    placed = world.venue.place(order)
    return replace(order, status=placed.status, venue_order_id=placed.venue_order_id)


def test_a_stop_only_ever_reduces(world: ExchangeWorld) -> None:
    world.venue.place(world.order())
    world.venue.place(replace(world.stop("1900"), reduce_only=False))

    ticket = world.holder.orders[-1].ticket
    in_hedge = world.position_mode is PositionMode.HEDGE
    assert (ticket.leg, ticket.reduce_only) == ("LONG" if in_hedge else "BOTH", True)


def test_a_stop_goes_with_its_position(world: ExchangeWorld) -> None:
    order = waiting(world)

    world.venue.place(world.order(Side.SELL))
    found = must(world.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, Decimal(0))
    assert must(found.reason).code is ReasonCode.POSITION_CLOSED
    assert world.venue.standing([world.symbol]) == []


def test_a_stop_that_found_no_position_at_its_price_says_so(world: ExchangeWorld) -> None:
    order = waiting(world)
    (entry, stop) = world.holder.orders
    world.holder.orders[:] = [entry, replace(stop, status="CANCELED", reduces_nothing=True)]

    found = must(world.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, Decimal(0))
    assert must(found.reason).code is ReasonCode.POSITION_CLOSED


def test_a_stop_of_no_position_is_refused(world: ExchangeWorld) -> None:
    with pytest.raises(VenueRejected) as refused:
        world.venue.place(world.stop("1900"))

    assert refused.value.code is ReasonCode.WOULD_NOT_REDUCE
    assert world.count() == 0


def test_a_stop_that_has_fired_in_part_is_canceled_as_before(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.exchange.fill_share = Decimal("0.4")
    world.price(world.symbol, "1900")
    part = world.size("0.04")

    found = must(world.venue.find(order))
    (standing,) = world.venue.standing([world.symbol])
    report = world.venue.cancel(order)

    assert (found.status, found.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, part)
    assert (standing.client_order_id, standing.filled_quantity) == (order.client_order_id, part)
    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELED, part)


def test_a_stop_that_is_being_sent_to_the_market_still_rests(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.exchange.stops.stalled = True
    world.price(world.symbol, "1900")

    assert must(world.venue.find(order)).status is OrderStatus.NEW


def test_a_repeat_of_a_stop_is_asked_about(world: ExchangeWorld) -> None:
    order = waiting(world)

    with pytest.raises(OutcomeUnknown):
        world.venue.place(order)

    assert world.exchange.repeats == [order.client_order_id]
    assert world.count() == 2


def test_the_mark_price_fires_a_stop_of_its_own_alone(world: ExchangeWorld) -> None:
    order = waiting(world, PriceSource.MARK)
    world.exchange.set_mark(world.symbol, "1950")
    world.price(world.symbol, "1890")

    before = must(world.venue.find(order))
    world.exchange.set_mark(world.symbol, "1900")
    after = must(world.venue.find(order))

    assert (before.status, after.status) == (OrderStatus.NEW, OrderStatus.FILLED)
