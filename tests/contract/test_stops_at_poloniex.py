"""Poloniex's smart orders: stops that hold no coins, and of which another order is made.

What every venue that holds stops must do is in `test_venue.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Market, ReasonCode, Side, TimeInForce
from app.domain.errors import OutcomeUnknown, VenueRejected, VenueUnavailable
from app.domain.identifiers import Currency, EpochMs
from app.domain.order import Order
from app.domain.status import OrderStatus
from tests.support.builders import must
from tests.support.exchanges.books import Order as Listed
from tests.support.exchanges.faults import Call
from tests.support.exchanges.poloniex import Poloniex
from tests.support.venue_world import ExchangeWorld, running_world

BTC = Currency("BTC")
LEVEL, BELOW = "47500", "47000"
PART, WHOLE = Decimal("0.04"), Decimal("0.1")
DAY_MS = 86_400_000


@pytest.fixture
def world() -> Iterator[ExchangeWorld]:
    with running_world("poloniex", Market.SPOT) as running:
        running.holder.total["BTC"] = WHOLE
        yield running


def waiting(world: ExchangeWorld, **more: object) -> Order:
    """A stop of all coins that rests at 47,500, which is 1,900 where one is 2,000."""
    order = replace(world.stop("1900"), **more)  # type: ignore[arg-type]  # by name
    placed = world.venue.place(order)
    return replace(order, status=placed.status, venue_order_id=placed.venue_order_id)


def half_filled(world: ExchangeWorld) -> Order:
    """A stop that has fired, and whose order still stands with a part of it."""
    order = waiting(world)
    world.exchange.fill_share = Decimal("0.4")
    world.price(world.symbol, LEVEL)
    return order


def made(world: ExchangeWorld) -> Listed:
    (found,) = world.holder.orders
    return found


def test_it_holds_no_coins_while_it_waits(world: ExchangeWorld) -> None:
    waiting(world)

    assert world.venue.view().available(BTC) == WHOLE


def test_the_time_in_force_is_that_of_the_order_made_of_it(world: ExchangeWorld) -> None:
    waiting(world, time_in_force=TimeInForce.FOK)

    world.price(world.symbol, LEVEL)

    assert made(world).ticket.time_in_force == "FOK"


@pytest.mark.parametrize("tells_objects", [False, True])
def test_what_it_has_filled_is_that_of_the_order_made_of_it(
    world: ExchangeWorld, *, tells_objects: bool
) -> None:
    assert isinstance(world.wire, Poloniex)
    world.wire.tells_objects = tells_objects
    order = half_filled(world)

    first = must(world.venue.find(order))
    world.exchange.fill_more(world.holder)
    second = must(world.venue.find(order))

    assert (first.status, first.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, PART)
    assert (second.status, second.filled_quantity) == (OrderStatus.FILLED, WHOLE)
    assert [sum(one.quantity for one in told.fills) for told in (first, second)] == [PART, WHOLE]
    assert {first.venue_order_id, second.venue_order_id} == {order.venue_order_id}
    assert str(made(world).id) != order.venue_order_id


def test_the_order_made_of_it_is_canceled_as_the_stop(world: ExchangeWorld) -> None:
    order = half_filled(world)

    report = world.venue.cancel(order)

    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELED, PART)
    assert must(world.venue.find(order)).status is OrderStatus.CANCELED


def test_the_order_made_of_it_is_no_strangers_and_no_second_one(world: ExchangeWorld) -> None:
    order = half_filled(world)

    (standing,) = world.venue.standing([world.symbol])
    world.exchange.fill_more(world.holder)
    (placed,) = world.venue.placed(world.symbol, EpochMs(int(time.time() * 1000) - 60_000)).orders

    assert (standing.client_order_id, standing.filled_quantity) == (order.client_order_id, PART)
    assert (placed.client_order_id, placed.venue_order_id, placed.filled_quantity) == (
        order.client_order_id,
        order.venue_order_id,
        WHOLE,
    )


def test_a_stop_whose_coins_are_gone_fails_at_its_price(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.venue.place(world.order(Side.SELL, "0.05"))

    rests = must(world.venue.find(order))
    world.price(world.symbol, LEVEL)
    failed = must(world.venue.find(order))

    assert (rests.status, failed.status) == (OrderStatus.NEW, OrderStatus.REJECTED)
    assert (failed.filled_quantity, failed.venue_order_id) == (Decimal(0), order.venue_order_id)
    assert "when its price came" in must(failed.reason).message
    with pytest.raises(VenueRejected):
        world.venue.cancel(order)


def test_a_stop_into_an_empty_book_has_fired(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.exchange.depth.append(Decimal(0))

    world.price(world.symbol, LEVEL)
    found = must(world.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, Decimal(0))
    assert must(found.reason).code is ReasonCode.TIME_IN_FORCE


def test_a_repeat_is_asked_about(world: ExchangeWorld) -> None:
    order = waiting(world)

    with pytest.raises(OutcomeUnknown):
        world.venue.place(order)

    assert world.exchange.repeats == [order.client_order_id]
    assert must(world.venue.find(order)).venue_order_id == order.venue_order_id
    assert world.count() == 1


def test_a_stop_above_the_price_does_not_leave(world: ExchangeWorld) -> None:
    world.price(world.symbol, BELOW)

    with pytest.raises(VenueRejected) as refused:
        waiting(world)

    assert refused.value.code is ReasonCode.WOULD_TRIGGER
    assert world.gateway.counted(Call.PLACE) == 0


def test_a_stop_that_waits_for_a_rise_does_not_leave(world: ExchangeWorld) -> None:
    with pytest.raises(VenueRejected, match="holds no order in SPOT"):
        world.venue.place(world.stop("2100", rises=True))

    assert world.gateway.counted(Call.PLACE) == 0


def test_one_that_fires_as_it_arrives_is_told_as_filled(world: ExchangeWorld) -> None:
    world.venue.quote(world.symbol)  # a moment ago it was above
    world.exchange.set_price(world.symbol, BELOW)

    order = waiting(world)

    assert order.status is OrderStatus.FILLED
    assert must(world.venue.find(order)).filled_quantity == WHOLE


def test_one_that_has_fired_is_found_though_its_look_up_forgets_it(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.price(world.symbol, LEVEL)
    world.plan.hides = frozenset({"smartorder"})

    found = must(world.venue.find(order))
    with pytest.raises(VenueRejected):
        world.venue.cancel(order)

    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, WHOLE)
    assert found.venue_order_id == order.venue_order_id


@pytest.mark.parametrize(
    ("state", "status"), [("EXPIRED", OrderStatus.CANCELED), ("REJECTED", OrderStatus.REJECTED)]
)
def test_the_states_of_the_order_made_of_it_are_understood(
    world: ExchangeWorld, state: str, status: OrderStatus
) -> None:
    order = waiting(world)
    world.exchange.depth.append(Decimal(0))
    world.price(world.symbol, LEVEL)
    world.holder.orders[:] = [replace(made(world), status=f"told as {state}")]

    assert must(world.venue.find(order)).status is status


def test_what_is_shown_late_is_not_guessed(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.price(world.symbol, LEVEL)
    world.plan.hides = frozenset({"triggeredOrder", "order"})

    with pytest.raises(VenueUnavailable, match="TRIGGERED"):
        world.venue.find(order)

    for one in ("triggeredOrder", "order"):
        world.plan.hides = frozenset({one})
        assert must(world.venue.find(order)).filled_quantity == WHOLE


@pytest.mark.parametrize("word", ["accept_then_empty", "accept_then_garbage"])
def test_an_answer_without_sense_is_no_proof_of_absence(world: ExchangeWorld, word: str) -> None:
    order = waiting(world)
    world.fault("find", word)

    with pytest.raises(VenueUnavailable):
        world.venue.find(order)


def test_a_stop_on_its_way_to_the_market_still_rests(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.exchange.stops.stalled = True
    world.price(world.symbol, LEVEL)

    assert must(world.venue.find(order)).status is OrderStatus.NEW


def test_a_cancel_that_is_refused_while_it_is_on_its_way_is_asked_again(
    world: ExchangeWorld,
) -> None:
    order = waiting(world)
    world.exchange.stops.stalled = True
    world.price(world.symbol, LEVEL)

    with pytest.raises(OutcomeUnknown):
        world.venue.cancel(order)


def test_a_stop_that_the_venue_lets_go_has_expired(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.holder.stops[0] = replace(world.holder.stops[0], status="EXPIRED")

    assert must(world.venue.find(order)).status is OrderStatus.EXPIRED


def test_stops_are_listed_only_for_those_who_follow_some(world: ExchangeWorld) -> None:
    order = waiting(world)
    asked = len(world.gateway.log)

    assert world.venue.reports([order]) == {}

    assert world.gateway.log[asked:] == [(Call.LIST, "GET /smartorders")]


def test_more_stops_than_an_answer_lists_are_listed_in_turn(world: ExchangeWorld) -> None:
    waiting(world)
    now_ms = int(time.time() * 1000)
    (stop,) = world.holder.stops
    world.holder.stops[:] = [
        replace(
            stop,
            id=number,
            ticket=replace(stop.ticket, client_id=f"s{number}"),
            status="DEACTIVATED",
            created_ms=now_ms - 5 * DAY_MS + number * 60_000,
            updated_ms=now_ms - 5 * DAY_MS + number * 60_000,
        )
        for number in range(250)
    ]
    since_ms: int | None = now_ms - 6 * DAY_MS
    found = set()
    while since_ms is not None:
        placed = world.venue.placed(world.symbol, EpochMs(since_ms))
        found |= {one.client_order_id for one in placed.orders}
        since_ms = placed.until_ms

    assert found >= {f"s{number}" for number in range(250)}


# Proof of absence

#: What tells of smart orders; what was made of one, orders tell.
PLACES = frozenset({"smartorder", "smartorders", "history"})


def unknown(world: ExchangeWorld, order: Order) -> Order:
    since_ms = EpochMs(world.clock.server_ms() - world.ports.policy.venue_grace_ms)
    return replace(order, status=OrderStatus.UNKNOWN, unknown_since_ms=since_ms)


@pytest.mark.parametrize(
    ("place", "has_fired"),
    [("smartorder", False), ("smartorders", False), ("history", True), ("order", True)],
)
def test_no_stop_is_absent_while_any_place_tells_of_it(
    world: ExchangeWorld, place: str, *, has_fired: bool
) -> None:
    order = waiting(world)
    if has_fired:
        world.price(world.symbol, LEVEL)
    world.plan.hides = PLACES - {place}

    found = must(world.venue.find(unknown(world, order)))

    assert found.status is (OrderStatus.FILLED if has_fired else OrderStatus.NEW)


def test_a_stop_that_no_place_tells_of_is_absent(world: ExchangeWorld) -> None:
    assert world.venue.find(unknown(world, world.stop("1900"))) is None
