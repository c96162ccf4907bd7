"""Stops that rest on spot, at every venue that holds them: they keep the coins that they sell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Direction, Market, PriceSource, ReasonCode, Side
from app.domain.errors import InsufficientFunds, OutcomeUnknown, VenueRejected
from app.domain.identifiers import EpochMs, VenueName
from app.domain.order import Condition, Order
from app.domain.status import OrderStatus
from app.venues import traits_of
from tests.support.builders import must
from tests.support.exchanges.faults import Call
from tests.support.servers import fresh_client
from tests.support.venue_world import ExchangeWorld, PaperVenueWorld, VenueWorld, running_world

PLACES = ["paper", "binance", "binance_testnet"]


@pytest.fixture(params=PLACES)
def world(request: pytest.FixtureRequest) -> Iterator[VenueWorld]:
    """A venue whose account has 0.1 BTC, bought at 50,000, and no fees to pay."""
    assert Market.SPOT in traits_of(VenueName(request.param)).holds
    if request.param == "paper":
        paper = PaperVenueWorld(fresh_client(), Market.SPOT)
        paper.world.desk.set_account(paper.account, {"balances": {"BTC": "0"}})
        paper.venue.place(paper.order())
        yield paper
        return
    with running_world(request.param, Market.SPOT) as exchange:
        exchange.exchange.fee_rate = Decimal(0)
        exchange.venue.place(exchange.order())
        yield exchange


def stop(
    world: VenueWorld,
    level: str = "45000",
    quantity: str = "0.1",
    *,
    rises: bool = False,
    source: PriceSource = PriceSource.LAST,
) -> Order:
    direction = Direction.RISING if rises else Direction.FALLING
    condition = Condition(level=Decimal(level), direction=direction, source=source)
    return world.order(Side.SELL, quantity, condition=condition, reduces=True)


def waiting(world: VenueWorld) -> Order:
    order = stop(world)
    return replace(order, venue_order_id=world.venue.place(order).venue_order_id)


def coins(world: VenueWorld) -> tuple[Decimal, Decimal]:
    """What there is of the coin, and what of it is free."""
    view = world.venue.view()
    held = view.held(world.symbol, None)
    return held.size, held.available


def test_it_rests_and_keeps_its_coins(world: VenueWorld) -> None:
    order = stop(world)

    placed = world.venue.place(order)
    world.price(world.symbol, "45000.01")
    found = must(world.venue.find(order))

    assert (placed.status, placed.filled_quantity) == (OrderStatus.NEW, Decimal(0))
    assert (found.status, found.venue_order_id) == (OrderStatus.NEW, placed.venue_order_id)
    assert coins(world) == (Decimal("0.1"), Decimal(0))
    with pytest.raises(InsufficientFunds):
        world.venue.place(world.order(Side.SELL))


@pytest.mark.parametrize(("level", "rises"), [("45000", False), ("55000", True)])
def test_it_sells_when_its_price_comes(world: VenueWorld, level: str, *, rises: bool) -> None:
    order = stop(world, level, rises=rises)
    world.venue.place(order)

    world.price(world.symbol, level)
    found = must(world.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, Decimal("0.1"))
    assert found.average_price == Decimal(level)
    assert sum(one.quantity for one in found.fills) == Decimal("0.1")
    assert coins(world) == (Decimal(0), Decimal(0))


def test_what_it_finds_no_buyers_for_is_canceled_with_a_reason(world: VenueWorld) -> None:
    if not isinstance(world, ExchangeWorld):
        pytest.skip("see the depth of the paper venue")
    order = waiting(world)
    world.exchange.depth.append(Decimal("0.03"))

    world.price(world.symbol, "45000")
    found = must(world.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, Decimal("0.03"))
    assert must(found.reason).code is ReasonCode.TIME_IN_FORCE
    assert coins(world) == (Decimal("0.07"), Decimal("0.07"))


def test_one_that_was_canceled_never_sells(world: VenueWorld) -> None:
    order = waiting(world)

    canceled = world.venue.cancel(order)
    world.price(world.symbol, "40000")
    found = must(world.venue.find(order))

    assert (canceled.status, canceled.filled_quantity) == (OrderStatus.CANCELED, Decimal(0))
    assert found.status is OrderStatus.CANCELED
    assert canceled.reason is None or canceled.reason.code is ReasonCode.REQUESTED
    assert coins(world) == (Decimal("0.1"), Decimal("0.1"))


def test_news_of_it_come_with_those_of_orders(world: VenueWorld) -> None:
    order = waiting(world)
    before = world.venue.reports([order])

    world.price(world.symbol, "45000")
    after = world.venue.reports([order])

    assert [one.status for one in before.values()] in ([], [OrderStatus.NEW])
    assert after[order.client_order_id].filled_quantity == Decimal("0.1")


@pytest.mark.parametrize("word", ["accept_then_timeout", "accept_then_error"])
@pytest.mark.parametrize("fires", [False, True])
def test_one_whose_answer_is_lost_is_found(world: VenueWorld, word: str, *, fires: bool) -> None:
    world.fault("place", word)
    order = stop(world)

    with pytest.raises(OutcomeUnknown):
        world.venue.place(order)
    if fires:
        world.price(world.symbol, "45000")

    expected = OrderStatus.FILLED if fires else OrderStatus.NEW
    assert must(world.venue.find(order)).status is expected


@pytest.mark.parametrize("word", ["timeout", "error"])
def test_one_that_is_lost_on_the_way_is_not_there(world: VenueWorld, word: str) -> None:
    world.fault("place", word)
    order = stop(world)

    with pytest.raises(OutcomeUnknown):
        world.venue.place(order)

    assert world.venue.find(order) is None
    assert coins(world) == (Decimal("0.1"), Decimal("0.1"))


@pytest.mark.parametrize("word", ["accept_then_timeout", "accept_then_error"])
def test_a_cancel_without_an_answer_may_have_worked(world: VenueWorld, word: str) -> None:
    order = waiting(world)
    world.fault("cancel", word)

    with pytest.raises(OutcomeUnknown):
        world.venue.cancel(order)

    assert must(world.venue.find(order)).status is OrderStatus.CANCELED


@pytest.mark.parametrize(("level", "rises"), [("50000", False), ("50000", True), ("45000", True)])
def test_one_whose_price_has_come_already_is_refused(
    world: VenueWorld, level: str, *, rises: bool
) -> None:
    with pytest.raises(VenueRejected) as refused:
        world.venue.place(stop(world, level, rises=rises))

    assert refused.value.code is ReasonCode.WOULD_TRIGGER
    assert coins(world) == (Decimal("0.1"), Decimal("0.1"))


def test_one_off_the_tick_is_refused(world: VenueWorld) -> None:
    with pytest.raises(VenueRejected) as refused:
        world.venue.place(stop(world, "45000.001"))

    assert refused.value.code is ReasonCode.AGAINST_RULES


def test_one_for_more_than_there_is_is_refused(world: VenueWorld) -> None:
    with pytest.raises(InsufficientFunds):
        world.venue.place(stop(world, quantity="0.2"))


@pytest.mark.parametrize("source", [PriceSource.MARK, PriceSource.BID])
def test_it_waits_for_the_last_price_alone(world: VenueWorld, source: PriceSource) -> None:
    with pytest.raises(VenueRejected):
        world.venue.place(stop(world, source=source))

    assert world.count() == 1


def test_it_stands_as_one_order_of_ours(world: VenueWorld) -> None:
    order = waiting(world)

    (found,) = world.venue.standing([world.symbol])
    assert found.client_order_id == order.client_order_id
    assert (found.side, found.price, found.quantity) == (Side.SELL, None, Decimal("0.1"))
    assert "(stop)" in found.sentence()
    assert must(world.venue.find_standing(found)).status is OrderStatus.NEW

    world.venue.cancel_standing(found)

    assert must(world.venue.find_standing(found)).status is OrderStatus.CANCELED
    assert world.venue.standing([world.symbol]) == []


def test_it_is_listed_once_in_all_its_life(world: VenueWorld) -> None:
    since_ms = int(time.time() * 1000) - 60_000 if isinstance(world, ExchangeWorld) else 0
    order = waiting(world)

    def listed() -> list[tuple[Decimal, bool]]:
        found = world.venue.placed(world.symbol, EpochMs(since_ms)).orders
        assert len(found) == 2  # that and the entry
        own = [one for one in found if one.client_order_id == order.client_order_id]
        return [(one.filled_quantity, one.is_open) for one in own]

    before = listed()
    world.price(world.symbol, "45000")

    assert (before, listed()) == ([(Decimal(0), True)], [(Decimal("0.1"), False)])


def test_a_symbol_that_holds_none_is_sent_none() -> None:
    with running_world("binance", Market.SPOT) as world:
        markets = world.exchange.markets
        world.exchange.markets = {
            key: replace(market, holds_stops=False) for key, market in markets.items()
        }
        world.venue.place(world.order())

        with pytest.raises(VenueRejected):
            world.venue.place(stop(world, quantity="0.05"))

        assert world.gateway.counted(Call.PLACE) == 1
