"""Stops where an exchange keeps them apart from orders, and makes another order of each: Binance.

What every venue that holds stops must do is in `test_venue.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest

from app.domain.enums import Market, PositionMode, PriceSource, ReasonCode, Side
from app.domain.errors import OutcomeUnknown, VenueRejected, VenueUnavailable
from app.domain.identifiers import EpochMs, Symbol
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.exchanges.stops import waiting_stops
from app.store.memory.venue_budget import Urgency
from tests.support.builders import must
from tests.support.exchanges.faults import Call
from tests.support.venue_world import ExchangeWorld, running_world

WORLDS = [
    (venue, mode)
    for venue in ("binance", "binance_testnet")
    for mode in (PositionMode.HEDGE, PositionMode.ONEWAY)
]


@pytest.fixture(params=WORLDS, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    venue, mode = request.param
    with running_world(venue, Market.USDM, position_mode=mode) as running:
        yield running


@pytest.fixture(params=[False, True], ids=["an id of its own", "the id of the stop"])
def bears_id(request: pytest.FixtureRequest, world: ExchangeWorld) -> bool:
    """Whether the order that is made of a stop bears its client order id: both have been told."""
    world.exchange.stops.bear_ids = request.param
    bears: bool = request.param
    return bears


def waiting(world: ExchangeWorld, level: str = "1900") -> Order:
    world.venue.place(world.order())
    order = world.stop(level)
    placed = world.venue.place(order)
    return replace(order, status=placed.status, venue_order_id=placed.venue_order_id)


def half_filled(world: ExchangeWorld) -> Order:
    """A stop that has fired, and whose order still stands with a part of it."""
    order = waiting(world)
    world.exchange.fill_share = Decimal("0.4")
    world.price(world.symbol, "1900")
    return order


DAY_MS = 86_400_000
PART, WHOLE = Decimal("0.04"), Decimal("0.1")


def test_a_stop_only_ever_reduces(world: ExchangeWorld) -> None:
    world.venue.place(world.order())
    world.venue.place(replace(world.stop("1900"), reduce_only=False))

    (stop,) = world.holder.stops
    in_hedge = world.position_mode is PositionMode.HEDGE
    assert stop.ticket.leg == ("LONG" if in_hedge else "BOTH")
    assert stop.ticket.closes_leg is in_hedge
    assert stop.ticket.reduce_only is not in_hedge


@pytest.mark.usefixtures("bears_id")
def test_what_a_stop_has_filled_is_that_of_the_order_made_of_it(world: ExchangeWorld) -> None:
    order = half_filled(world)

    first = must(world.venue.find(order))
    world.exchange.fill_more(world.holder)
    second = must(world.venue.find(order))

    assert (first.status, first.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, PART)
    assert (second.status, second.filled_quantity) == (OrderStatus.FILLED, WHOLE)
    assert [sum(one.quantity for one in told.fills) for told in (first, second)] == [PART, WHOLE]
    assert {first.venue_order_id, second.venue_order_id} == {order.venue_order_id}


@pytest.mark.usefixtures("bears_id")
def test_the_order_made_of_a_stop_is_canceled_as_the_stop(world: ExchangeWorld) -> None:
    order = half_filled(world)

    report = world.venue.cancel(order)

    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELED, PART)
    assert must(world.venue.find(order)).status is OrderStatus.CANCELED


@pytest.mark.usefixtures("bears_id")
def test_the_order_made_of_a_stop_is_no_strangers_and_no_second_one(world: ExchangeWorld) -> None:
    order = half_filled(world)

    (standing,) = world.venue.standing([world.symbol])
    placed = world.venue.placed(world.symbol, EpochMs(int(time.time() * 1000) - 60_000)).orders

    assert standing.client_order_id == order.client_order_id
    assert (standing.quantity, standing.filled_quantity) == (WHOLE, PART)
    found = {one.client_order_id: one.filled_quantity for one in placed}
    assert (found[order.client_order_id], len(placed)) == (PART, 2)
    world.venue.cancel_standing(standing)
    ending = must(world.venue.find_standing(standing))
    assert (ending.status, ending.filled_quantity) == (OrderStatus.CANCELED, PART)


def test_more_stops_than_an_answer_lists_are_listed_in_turn(world: ExchangeWorld) -> None:
    waiting(world)
    now_ms = int(time.time() * 1000)
    (stop,) = world.holder.stops
    world.holder.stops[:] = [
        replace(
            stop,
            id=number,
            ticket=replace(stop.ticket, client_id=f"s{number}"),
            created_ms=now_ms - 5 * DAY_MS + number * 60_000,
        )
        for number in range(1_100)
    ]
    since_ms: int | None = now_ms - 6 * DAY_MS
    found = set()
    while since_ms is not None:
        placed = world.venue.placed(world.symbol, EpochMs(since_ms))
        found |= {one.client_order_id for one in placed.orders}
        since_ms = placed.until_ms

    assert found >= {f"s{number}" for number in range(1_100)}


def test_a_stop_that_is_listed_on_after_it_has_fired_stands_no_more(world: ExchangeWorld) -> None:
    world.exchange.stops.lists_fired = True
    order = half_filled(world)
    (first,) = world.venue.standing([world.symbol])
    world.exchange.fill_more(world.holder)

    assert (first.client_order_id, first.filled_quantity) == (order.client_order_id, PART)
    assert world.venue.standing([world.symbol]) == []


def test_an_order_with_the_number_of_a_stop_is_not_that_stop(world: ExchangeWorld) -> None:
    world.venue.place(world.order(price=world.low))
    (plain,) = world.venue.standing([world.symbol])

    assert must(world.venue.find_standing(plain)).status is OrderStatus.NEW
    assert world.venue.find_standing(replace(plain, is_stop=True)) is None


def test_news_of_a_stop_whose_order_stands_come_with_the_list(world: ExchangeWorld) -> None:
    order = half_filled(world)

    report = world.venue.reports([order])[order.client_order_id]

    assert (report.status, report.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, PART)


def test_a_stop_that_fired_after_the_span_is_listed_with_its_fill(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.price(world.symbol, "1900")
    now_ms = int(time.time() * 1000)
    (stop,) = world.holder.stops
    world.holder.stops[0] = replace(stop, created_ms=now_ms - 8 * DAY_MS)

    first = world.venue.placed(world.symbol, EpochMs(now_ms - 9 * DAY_MS))

    (found,) = first.orders
    assert must(first.until_ms) < now_ms - DAY_MS
    assert (found.client_order_id, found.filled_quantity) == (order.client_order_id, WHOLE)
    assert abs(found.placed_at_ms - (now_ms - 8 * DAY_MS)) < DAY_MS  # not when it fired


def test_a_stop_on_its_way_to_the_market_still_rests(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.exchange.stops.stalled = True
    world.price(world.symbol, "1900")

    found = must(world.venue.find(order))
    (standing,) = world.venue.standing([world.symbol])
    with pytest.raises(VenueRejected):
        world.venue.cancel(order)
    world.exchange.stops.stalled = False
    world.price(world.symbol, "1890")

    assert (found.status, found.filled_quantity) == (OrderStatus.NEW, Decimal(0))
    assert standing.client_order_id == order.client_order_id
    filled = must(world.venue.find(order))
    assert (filled.status, filled.average_price) == (OrderStatus.FILLED, Decimal(1890))


def test_a_stop_whose_order_is_not_shown_yet_still_rests(world: ExchangeWorld) -> None:
    order = half_filled(world)
    world.fault("find", "ok", "not_found")

    assert must(world.venue.find(order)).status is OrderStatus.NEW


def test_a_stop_that_is_over_and_whose_order_is_not_shown_may_have_filled(
    world: ExchangeWorld,
) -> None:
    order = waiting(world)
    world.price(world.symbol, "1900")
    world.fault("find", "ok", "not_found")

    with pytest.raises(VenueUnavailable, match="FINISHED"):
        world.venue.find(order)


def test_an_order_of_a_stop_that_cannot_be_asked_about_is_not_guessed(world: ExchangeWorld) -> None:
    order = half_filled(world)
    world.fault("find", "ok", "error")

    with pytest.raises(VenueUnavailable):
        world.venue.find(order)


def test_a_stop_that_the_venue_lets_go_has_expired(world: ExchangeWorld) -> None:
    order = waiting(world)
    world.holder.stops[0] = replace(world.holder.stops[0], status="EXPIRED")

    found = must(world.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.EXPIRED, Decimal(0))
    assert must(found.reason).code is ReasonCode.VENUE_REJECTED


def test_a_stop_rests_without_its_position_and_is_refused_at_its_price(
    world: ExchangeWorld,
) -> None:
    order = waiting(world)
    world.venue.place(world.order(Side.SELL))

    rests = must(world.venue.find(order))
    world.price(world.symbol, "1900")
    refused = must(world.venue.find(order))

    assert (rests.status, refused.status) == (OrderStatus.NEW, OrderStatus.REJECTED)
    assert refused.reason is not None


def test_a_repeat_of_a_stop_is_asked_about(world: ExchangeWorld) -> None:
    order = waiting(world)

    with pytest.raises(OutcomeUnknown):
        world.venue.place(order)

    assert world.exchange.repeats == [order.client_order_id]
    assert must(world.venue.find(order)).venue_order_id == order.venue_order_id
    assert world.count() == 2


def test_stops_are_refused_where_orders_go(world: ExchangeWorld) -> None:
    world.venue.view()
    asked = {
        "symbol": "ETHUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "stopPrice": "1900",
        "quantity": "0.1",
        "newClientOrderId": "plain",
    }

    with (
        pytest.raises(VenueRejected, match="-4120"),
        world.venue.exchange.changing(Urgency.ORDER) as api,
    ):
        api.fapiPrivatePostOrder(asked)

    assert world.count() == 0


def test_the_mark_price_fires_a_stop_of_its_own_alone(world: ExchangeWorld) -> None:
    world.venue.place(world.order())
    order = world.stop("1900", source=PriceSource.MARK)
    placed = world.venue.place(order)
    known = replace(order, venue_order_id=placed.venue_order_id)
    world.exchange.set_mark(world.symbol, "1950")
    world.price(world.symbol, "1890")

    before = must(world.venue.find(known))
    world.exchange.set_mark(world.symbol, "1900")
    after = must(world.venue.find(known))

    assert (before.status, after.status) == (OrderStatus.NEW, OrderStatus.FILLED)


def test_stops_are_listed_only_for_those_who_follow_some(world: ExchangeWorld) -> None:
    order = world.order(price=world.low)
    placed = world.venue.place(order)
    known = replace(order, venue_order_id=placed.venue_order_id)
    listed = world.gateway.counted(Call.LIST)

    world.venue.reports([known])

    assert world.gateway.counted(Call.LIST) == listed + 1


def test_who_follows_stops_alone_asks_for_nothing_else(world: ExchangeWorld) -> None:
    order = waiting(world)
    asked = len(world.gateway.log)

    assert world.venue.reports([order]) == {}

    assert world.gateway.log[asked:] == [(Call.LIST, "GET /fapi/v1/openAlgoOrders")]


@pytest.mark.parametrize(("count", "questions"), [(1, 1), (39, 39), (40, 1)])
def test_stops_are_asked_for_by_their_symbols_where_that_weighs_less(
    count: int, questions: int
) -> None:
    asked: list[str | None] = []

    class Api:
        def fetch_open_orders(self, symbol: str | None, *_: object) -> list[object]:
            asked.append(symbol)
            return []

    symbols = [Symbol(f"COIN{number}/USDT") for number in range(count)]

    assert waiting_stops(Api(), Mock(unified=str), symbols) == []

    assert len(asked) == questions
    assert (asked == [None]) is (questions < count)


# Proof of absence

EVERYWHERE = frozenset({"algoOrder", "openAlgoOrders", "allAlgoOrders"})


def unknown_for(world: ExchangeWorld, order: Order, ms: int) -> Order:
    since_ms = EpochMs(world.clock.server_ms() - ms)
    return replace(order, status=OrderStatus.UNKNOWN, unknown_since_ms=since_ms)


@pytest.mark.parametrize("place", sorted(EVERYWHERE))
def test_no_stop_is_absent_while_any_place_tells_of_it(world: ExchangeWorld, place: str) -> None:
    order = waiting(world)
    world.plan.hides = EVERYWHERE - {place}

    found = must(world.venue.find(unknown_for(world, order, world.ports.policy.venue_grace_ms)))

    assert (found.status, found.venue_order_id) == (OrderStatus.NEW, order.venue_order_id)


def test_no_stop_is_absent_while_an_order_bears_its_id(world: ExchangeWorld) -> None:
    world.exchange.stops.bear_ids = True
    order = waiting(world)
    world.price(world.symbol, "1900")
    world.plan.hides = EVERYWHERE

    found = must(world.venue.find(unknown_for(world, order, world.ports.policy.venue_grace_ms)))

    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, WHOLE)


def test_a_stop_that_no_place_tells_of_is_absent(world: ExchangeWorld) -> None:
    order = unknown_for(world, world.stop("1900"), world.ports.policy.venue_grace_ms)

    assert world.venue.find(order) is None
