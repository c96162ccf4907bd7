"""One suite for every venue: the paper venue, and real exchanges through ccxt over real sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import (
    Market,
    OrderType,
    PositionMode,
    PositionSide,
    PriceSource,
    ReasonCode,
    Side,
    TimeInForce,
)
from app.domain.errors import (
    CannotAsk,
    InsufficientFunds,
    NotFound,
    OutcomeUnknown,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.frozen import PlacedOrder
from app.domain.identifiers import ClientOrderId, Currency, EpochMs, Symbol, VenueName, VenueOrderId
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.domain.venue_traits import AdapterClass
from app.exchanges.capabilities import Capabilities
from app.exchanges.profiles import LookUp
from app.venues import traits_of
from tests.support.builders import must
from tests.support.exchanges.faults import Call
from tests.support.paper_world import USDT
from tests.support.servers import fresh_client
from tests.support.venue_world import (
    ExchangeWorld,
    PaperVenueWorld,
    VenueWorld,
    mode_at,
    running_world,
)

WORLDS = [
    ("paper", Market.SPOT),
    ("paper", Market.USDM),
    ("paper", Market.COINM),
    ("binance", Market.SPOT),
    ("binance", Market.USDM),
    ("binance", Market.COINM),
    ("binance_testnet", Market.SPOT),
    ("binance_testnet", Market.USDM),
    ("binance_testnet", Market.COINM),
    ("bybit", Market.SPOT),
    ("bybit", Market.USDM),
    ("bybit", Market.COINM),
    ("bybit_testnet", Market.SPOT),
    ("bybit_testnet", Market.USDM),
    ("bybit_testnet", Market.COINM),
    ("poloniex", Market.SPOT),
    # Known to ccxt alone: a manual adapter, which speaks as Binance does.
    ("binanceus", Market.SPOT),
    ("binanceusdm", Market.USDM),
]


@pytest.fixture(params=WORLDS, ids=lambda one: f"{one[0]}-{one[1]}")
def world(request: pytest.FixtureRequest) -> Iterator[VenueWorld]:
    name, market = request.param
    if name == "paper":
        yield PaperVenueWorld(fresh_client(), market)
        return
    with running_world(name, market) as running:
        yield running


def resting(world: VenueWorld) -> tuple[Order, OrderReport]:
    order = world.order(price=world.low)
    report = world.venue.place(order)
    return replace(order, venue_order_id=report.venue_order_id), report


def named(order: Order, report: OrderReport) -> Order:
    """The order as it is known once the venue has answered."""
    return replace(order, venue_order_id=report.venue_order_id)


def needs_look_up(world: VenueWorld) -> None:
    """Leave out venues that cannot be asked by client order id, nor fenced by a time stamp."""
    if isinstance(world, ExchangeWorld) and world.profile.adapter_class is AdapterClass.MANUAL:
        pytest.skip("a person must see what became of it; see test_manual_venue")


def spending(world: VenueWorld, amount: str) -> Order:
    """A market buy that says what it spends."""
    return replace(world.order(), quantity=Decimal(0), amount=Decimal(amount))


def test_it_tells_the_rules_of_what_is_traded(world: VenueWorld) -> None:
    found = must(world.venue.instrument(world.symbol))

    steps = {Market.SPOT: Decimal("0.00001"), Market.USDM: Decimal("0.001")}
    assert found.quantity_step == steps.get(world.market, Decimal(1))
    assert found.price_step == Decimal("0.01")
    is_paper = isinstance(world, PaperVenueWorld)
    assert found.min_notional == (5 if world.market is not Market.COINM else int(is_paper))
    assert world.venue.instrument(Symbol("DOGE/USDT")) is None


def test_it_tells_the_prices(world: VenueWorld) -> None:
    world.price(world.symbol, "1234.5")

    found = must(world.venue.quote(world.symbol))

    assert (found.bid, found.ask, found.last) == (Decimal("1234.5"),) * 3


def test_a_market_order_fills_and_is_found_again(world: VenueWorld) -> None:
    order = world.order()

    placed = world.venue.place(order)

    assert placed.status is OrderStatus.FILLED
    assert placed.filled_quantity == world.size("0.1")
    assert placed.average_price == Decimal(50_000 if world.market is Market.SPOT else 2_000)
    found = must(world.venue.find(named(order, placed)))
    assert (found.status, found.venue_order_id) == (OrderStatus.FILLED, placed.venue_order_id)
    assert {one.trade_id for one in found.fills} == {one.trade_id for one in placed.fills}


def test_a_market_buy_may_say_what_it_spends(world: VenueWorld) -> None:
    order = spending(world, "1000")
    if world.market is not Market.SPOT:
        with pytest.raises(VenueRejected):
            world.venue.place(order)
        return

    placed = world.venue.place(order)

    assert placed.status is OrderStatus.FILLED
    assert placed.filled_quantity == Decimal("0.02")
    assert must(world.venue.find(named(order, placed))).filled_quantity == Decimal("0.02")


def test_an_amount_that_is_too_small_does_not_leave(world: VenueWorld) -> None:
    with pytest.raises(VenueRejected):
        world.venue.place(spending(world, "1"))

    assert world.count() == 0


def test_a_type_of_order_that_there_is_not_does_not_leave(
    world: VenueWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(world, PaperVenueWorld):
        pytest.skip("it takes them all")
    limits_only = Capabilities(
        order_types=frozenset({OrderType.LIMIT}), spends_amounts=False, lists_trades=True
    )
    monkeypatch.setattr("app.exchanges.exchange.capabilities_of", lambda *_: limits_only)

    with pytest.raises(VenueRejected, match="takes no MARKET orders"):
        world.venue.place(world.order())

    assert world.count() == 0


def test_a_limit_order_rests_until_its_price_comes(world: VenueWorld) -> None:
    order, placed = resting(world)

    world.price(world.symbol, world.low)
    found = must(world.venue.find(order))

    assert placed.status is OrderStatus.NEW
    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, world.size("0.1"))


def test_what_is_bought_is_there(world: VenueWorld) -> None:
    world.venue.place(world.order())

    view = world.venue.view()

    if world.market is Market.SPOT:
        assert view.available(USDT) == Decimal(5_000)
    else:
        assert view.position(world.symbol, PositionSide.LONG).size == world.size("0.1")
        assert view.position(world.symbol, PositionSide.SHORT).size == 0


def test_a_close_tells_that_nothing_is_left(world: VenueWorld) -> None:
    if world.market is Market.SPOT:
        pytest.skip("there are no positions")
    opened = world.venue.place(world.order())

    closed = world.venue.place(world.order(Side.SELL))

    assert (opened.position_after, closed.position_after) == (world.size("0.1"), Decimal(0))


def test_a_canceled_order_is_off(world: VenueWorld) -> None:
    order, _ = resting(world)

    canceled = world.venue.cancel(order)

    assert canceled.status is OrderStatus.CANCELED
    view = world.venue.view()
    assert view.available(world.purse) == view.balances[world.purse].total


def test_what_never_arrived_is_absent_and_cannot_be_canceled(world: VenueWorld) -> None:
    needs_look_up(world)
    order = world.order()

    assert world.venue.find(order) is None
    with pytest.raises((NotFound, VenueRejected)):
        world.venue.cancel(order)


def test_news_of_open_orders_come_together(world: VenueWorld) -> None:
    order, _ = resting(world)
    other = world.order(price="1000")
    world.venue.place(other)
    world.price(world.symbol, world.low)

    reports = world.venue.reports([order, other])

    assert reports[order.client_order_id].status is OrderStatus.FILLED
    told = reports.get(other.client_order_id)
    assert told is None or told.status is OrderStatus.NEW


def test_what_the_funds_do_not_cover_is_refused(world: VenueWorld) -> None:
    with pytest.raises(InsufficientFunds):
        world.venue.place(world.order(quantity="50"))

    assert world.count() == 0


def test_what_is_too_small_is_refused(world: VenueWorld) -> None:
    has_least_value = world.market is not Market.COINM
    order = world.order(quantity="0.001" if has_least_value else "0.0009", price="1000")

    with pytest.raises(
        VenueRejected, match=r"(?i)notional" if has_least_value else "lots|multiple"
    ):
        world.venue.place(order)


def test_an_unknown_symbol_is_refused(world: VenueWorld) -> None:
    order = replace(world.order(), symbol=Symbol("DOGE/USDT"))

    with pytest.raises(VenueRejected):
        world.venue.place(order)


def test_the_rest_of_an_ioc_order_is_canceled(world: VenueWorld) -> None:
    order = world.order(price=world.low, time_in_force=TimeInForce.IOC)

    placed = world.venue.place(order)

    assert placed.status is OrderStatus.CANCELED
    assert placed.filled_quantity == 0


def test_a_post_only_order_never_takes(world: VenueWorld) -> None:
    dear = "60000" if world.market is Market.SPOT else "2400"
    rests = world.venue.place(world.order(price=world.low, type=OrderType.LIMIT_MAKER))

    with pytest.raises(VenueRejected):
        world.venue.place(world.order(price=dear, type=OrderType.LIMIT_MAKER))

    assert rests.status is OrderStatus.NEW


def test_a_prepared_order_has_its_leverage(world: VenueWorld) -> None:
    if world.market is Market.SPOT:
        pytest.skip("spot has no leverage")

    order = world.order(quantity="0.5", leverage=10)
    instrument = must(world.venue.instrument(world.symbol))
    before = world.venue.view().available(world.purse)
    world.venue.prepare(order)
    world.venue.place(order)

    margin = instrument.worth(order.quantity, Decimal(2_000)) / 10
    assert world.venue.view().available(world.purse) <= before - margin


@pytest.mark.parametrize("word", ["accept_then_timeout", "accept_then_error"])
def test_what_is_lost_on_the_way_back_has_arrived(world: VenueWorld, word: str) -> None:
    needs_look_up(world)
    world.fault("place", word)
    order = world.order()

    with pytest.raises(OutcomeUnknown):
        world.venue.place(order)

    assert must(world.venue.find(order)).status is OrderStatus.FILLED
    assert world.count() == 1


@pytest.mark.parametrize("word", ["timeout", "error"])
def test_what_is_lost_on_the_way_leaves_it_open(world: VenueWorld, word: str) -> None:
    needs_look_up(world)
    world.fault("place", word)
    order = world.order()

    with pytest.raises(OutcomeUnknown):
        world.venue.place(order)

    assert world.venue.find(order) is None
    assert world.count() == 0


@pytest.mark.parametrize("word", ["accept_then_timeout", "accept_then_error"])
def test_a_cancel_without_an_answer_may_have_worked(world: VenueWorld, word: str) -> None:
    order, _ = resting(world)
    world.fault("cancel", word)

    with pytest.raises(OutcomeUnknown):
        world.venue.cancel(order)

    assert must(world.venue.find(order)).status is OrderStatus.CANCELED


def test_a_venue_may_hide_an_order(world: VenueWorld) -> None:
    order, _ = resting(world)
    world.fault("find", "not_found", "ok")

    assert world.venue.find(order) is None
    assert world.venue.find(order) is not None


# Orders that rest there until their price comes

#: All worlds that hold such orders, of positions in each position mode that they have. Of spot
#: markets where they lock coins it is `test_stops_of_coins.py`.
HOLDING = [
    (venue, market, mode)
    for venue, market in WORLDS
    if market in traits_of(VenueName(venue)).holds
    for mode in dict.fromkeys([mode_at(venue, market), PositionMode.ONEWAY])
    if market is not Market.SPOT or (venue, mode) == ("poloniex", PositionMode.HEDGE)
]


@pytest.fixture(params=HOLDING, ids="-".join)
def holding(request: pytest.FixtureRequest) -> Iterator[VenueWorld]:
    name, market, mode = request.param
    if name == "paper":
        yield PaperVenueWorld(fresh_client(), market, mode)
        return
    with running_world(name, market, position_mode=mode) as running:
        if market is Market.SPOT:
            running.holder.total["BTC"] = Decimal("0.0001")  # what the fee of the entry takes
        yield running


def held(world: VenueWorld) -> Decimal:
    if world.market is Market.SPOT:
        return world.venue.view().available(Currency("BTC"))
    return world.venue.view().position(world.symbol, PositionSide.LONG).size


def waiting(
    world: VenueWorld, level: str = "1900", quantity: str = "0.1", *, rises: bool = False
) -> Order:
    """A stop that rests, of a long that is there."""
    if rises:
        needs_both_ways(world)
    world.venue.place(world.order())
    order = world.stop(level, quantity=quantity, rises=rises)
    return named(order, world.venue.place(order))


def needs_both_ways(world: VenueWorld) -> None:
    """Leave out venues that hold stops against a position alone, and no take-profits."""
    if isinstance(world, ExchangeWorld) and world.profile.stops_protect_only:
        pytest.skip("which way the price must go is told by the side there")


def needs_legs(world: VenueWorld) -> None:
    """Leave out markets without positions."""
    if world.market is Market.SPOT:
        pytest.skip("there are no positions")


def taken_off(world: VenueWorld, order: Order) -> OrderReport:
    """How an order has ended that was to be canceled, as whoever wants it gone learns it."""
    try:
        return world.venue.cancel(order)
    except (NotFound, VenueRejected):
        return must(world.venue.find(order))


def falls_to_the_leg(world: VenueWorld) -> bool:
    """Tell whether a venue refuses what closes more than there is, rather than shrink it."""
    if world.market is Market.SPOT:
        return True
    return world.account.venue.startswith("binance") and world.position_mode is PositionMode.HEDGE


def test_a_stop_rests_until_its_price_comes(holding: VenueWorld) -> None:
    holding.venue.place(holding.order())
    order = holding.stop("1900")

    placed = holding.venue.place(order)
    holding.price(holding.symbol, holding.at("1900.01"))
    found = must(holding.venue.find(named(order, placed)))

    assert (placed.status, placed.filled_quantity) == (OrderStatus.NEW, Decimal(0))
    assert (found.status, found.venue_order_id) == (OrderStatus.NEW, placed.venue_order_id)
    assert held(holding) == holding.size("0.1")


@pytest.mark.parametrize(("level", "rises"), [("1900", False), ("2100", True)])
def test_a_stop_fills_when_its_price_comes(holding: VenueWorld, level: str, *, rises: bool) -> None:
    order = waiting(holding, level, rises=rises)

    holding.price(holding.symbol, holding.at(level))
    found = must(holding.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, order.quantity)
    assert (found.average_price, found.venue_order_id) == (
        Decimal(holding.at(level)),
        order.venue_order_id,
    )
    assert sum(one.quantity for one in found.fills) == order.quantity
    charges = isinstance(holding, ExchangeWorld)  # play money pays no fees unless that is set
    assert (found.fees.get(holding.purse, Decimal(0)) > 0) is charges
    left = None if holding.market is Market.SPOT else Decimal(0)
    assert (found.position_after, held(holding)) == (left, Decimal(0))


@pytest.mark.parametrize(("level", "rises"), [("2100", True), ("1900", False)])
def test_a_stop_closes_a_short(holding: VenueWorld, level: str, *, rises: bool) -> None:
    needs_legs(holding)
    short = holding.order(Side.SELL, reduce_only=False)
    leg = short.position_side and PositionSide.SHORT
    holding.venue.place(replace(short, position_side=leg))
    order = holding.stop(level, Side.BUY, rises=rises)

    placed = holding.venue.place(order)
    holding.price(holding.symbol, holding.at(level))
    found = must(holding.venue.find(named(order, placed)))

    assert (placed.status, found.status) == (OrderStatus.NEW, OrderStatus.FILLED)
    assert holding.venue.view().position(holding.symbol, PositionSide.SHORT).size == 0


def test_stops_of_a_leg_leave_the_other_one_alone(holding: VenueWorld) -> None:
    needs_legs(holding)
    if holding.position_mode is PositionMode.ONEWAY:
        pytest.skip("there is one position")
    short = replace(holding.order(Side.SELL, reduce_only=False), position_side=PositionSide.SHORT)
    holding.venue.place(short)
    waiting(holding)

    holding.price(holding.symbol, holding.at("1900"))

    view = holding.venue.view()
    assert view.position(holding.symbol, PositionSide.SHORT).size == short.quantity
    assert held(holding) == 0


def test_news_of_stops_come_with_those_of_orders(holding: VenueWorld) -> None:
    fires = waiting(holding)
    rests = holding.stop("1000")
    other, _ = resting(holding)
    holding.venue.place(rests)
    before = holding.venue.reports([fires, rests, other])

    holding.price(holding.symbol, holding.at("1900"))
    # Nothing of the position is left for the other one, and what that means is the venue's affair.
    after = holding.venue.reports([fires, other])

    told = [one.status for one in before.values()]
    assert told in ([], [OrderStatus.NEW] * 3)
    assert after[fires.client_order_id].status is OrderStatus.FILLED
    assert after[fires.client_order_id].filled_quantity == fires.quantity
    assert other.client_order_id not in after or not after[other.client_order_id].filled_quantity


def test_a_canceled_stop_never_fires(holding: VenueWorld) -> None:
    order = waiting(holding)

    canceled = holding.venue.cancel(order)
    holding.price(holding.symbol, holding.at("1800"))
    found = must(holding.venue.find(order))

    assert canceled.status is OrderStatus.CANCELED
    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, Decimal(0))
    assert held(holding) == holding.size("0.1")


def test_a_cancel_that_comes_too_late_tells_of_the_fill(holding: VenueWorld) -> None:
    order = waiting(holding)
    holding.price(holding.symbol, holding.at("1900"))

    report = taken_off(holding, order)

    assert (report.status, report.filled_quantity) == (OrderStatus.FILLED, order.quantity)


def test_a_stop_that_never_arrived_is_absent(holding: VenueWorld) -> None:
    order = holding.stop("1900")

    assert holding.venue.find(order) is None
    with pytest.raises((NotFound, VenueRejected)):
        holding.venue.cancel(order)


@pytest.mark.parametrize("word", ["accept_then_timeout", "accept_then_error"])
def test_a_stop_whose_answer_is_lost_is_found(holding: VenueWorld, word: str) -> None:
    holding.venue.place(holding.order())
    holding.fault("place", word)
    order = holding.stop("1900")

    with pytest.raises(OutcomeUnknown):
        holding.venue.place(order)

    assert must(holding.venue.find(order)).status is OrderStatus.NEW
    assert holding.count() == 2


def test_a_stop_whose_answer_is_lost_may_have_fired_since(holding: VenueWorld) -> None:
    holding.venue.place(holding.order())
    holding.fault("place", "accept_then_timeout")
    order = holding.stop("1900")
    with pytest.raises(OutcomeUnknown):
        holding.venue.place(order)

    holding.price(holding.symbol, holding.at("1900"))
    found = must(holding.venue.find(order))

    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, order.quantity)


@pytest.mark.parametrize("word", ["timeout", "error"])
def test_a_stop_that_is_lost_on_the_way_is_not_there(holding: VenueWorld, word: str) -> None:
    holding.venue.place(holding.order())
    holding.fault("place", word)
    order = holding.stop("1900")

    with pytest.raises(OutcomeUnknown):
        holding.venue.place(order)

    assert holding.venue.find(order) is None
    assert holding.count() == 1


@pytest.mark.parametrize("word", ["accept_then_timeout", "accept_then_error"])
def test_a_cancel_of_a_stop_without_an_answer_may_have_worked(
    holding: VenueWorld, word: str
) -> None:
    order = waiting(holding)
    holding.fault("cancel", word)

    with pytest.raises(OutcomeUnknown):
        holding.venue.cancel(order)

    assert must(holding.venue.find(order)).status is OrderStatus.CANCELED


@pytest.mark.parametrize(("level", "rises"), [("2000", False), ("2000", True), ("1900", True)])
def test_a_stop_whose_price_has_come_already_is_refused(
    holding: VenueWorld, level: str, *, rises: bool
) -> None:
    holding.venue.place(holding.order())
    if rises:
        needs_both_ways(holding)

    with pytest.raises(VenueRejected) as refused:
        holding.venue.place(holding.stop(level, rises=rises))

    assert refused.value.code is ReasonCode.WOULD_TRIGGER
    assert (holding.count(), held(holding)) == (1, holding.size("0.1"))


def test_a_stop_off_the_tick_is_refused(holding: VenueWorld) -> None:
    holding.venue.place(holding.order())

    with pytest.raises(VenueRejected) as refused:
        holding.venue.place(holding.stop("1900.001"))

    assert refused.value.code is ReasonCode.AGAINST_RULES
    assert holding.count() == 1


def test_one_stop_more_than_may_rest_is_refused(holding: VenueWorld) -> None:
    if not isinstance(holding, ExchangeWorld):
        pytest.skip("as many as anybody wants may rest on paper")
    waiting(holding)
    holding.exchange.stops.most = 1

    with pytest.raises(VenueRejected) as refused:
        holding.venue.place(holding.stop("1800"))

    assert refused.value.code is ReasonCode.VENUE_REJECTED
    assert holding.count() == 2


def test_a_stop_for_more_than_there_is_never_turns_the_position(holding: VenueWorld) -> None:
    if isinstance(holding, PaperVenueWorld) and holding.position_mode is PositionMode.HEDGE:
        with pytest.raises(VenueRejected) as refused:
            waiting(holding, quantity="0.3")
        assert refused.value.code is ReasonCode.WOULD_NOT_REDUCE
        return
    order = waiting(holding, quantity="0.3")

    holding.price(holding.symbol, holding.at("1900"))
    found = must(holding.venue.find(order))

    if falls_to_the_leg(holding):
        assert (found.status, found.filled_quantity) == (OrderStatus.REJECTED, Decimal(0))
        assert must(found.reason).code is ReasonCode.VENUE_REJECTED
        assert held(holding) == holding.size("0.1")
        return
    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, holding.size("0.1"))
    view = holding.venue.view()
    assert not [one for one in view.positions.values() if one.size]


def test_a_stop_outlives_its_position_and_then_comes_to_nothing(holding: VenueWorld) -> None:
    order = waiting(holding)

    holding.venue.place(holding.order(Side.SELL))
    holding.price(holding.symbol, holding.at("1900"))
    found = must(holding.venue.find(order))

    assert found.filled_quantity == 0
    assert found.status in {OrderStatus.REJECTED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
    assert found.reason is not None
    view = holding.venue.view()
    assert not [one for one in view.positions.values() if one.size]


def test_a_market_that_holds_no_stops_is_sent_none(world: VenueWorld) -> None:
    if not isinstance(world, ExchangeWorld):
        pytest.skip("the paper venue sends nothing")
    if world.market in traits_of(world.account.venue).holds:
        pytest.skip("it holds them")

    with pytest.raises(VenueRejected, match="holds no order in"):
        world.venue.place(world.stop("1900"))

    assert (world.count(), world.gateway.counted(Call.PLACE)) == (0, 0)


def test_a_price_that_a_venue_does_not_compare_is_refused(holding: VenueWorld) -> None:
    with pytest.raises(VenueRejected):
        holding.venue.place(holding.stop("1900", source=PriceSource.BID))

    assert holding.count() == 0


def test_a_stop_that_stands_is_listed_as_one_order_of_ours(holding: VenueWorld) -> None:
    order = waiting(holding)

    found = standing(holding)

    assert (found.client_order_id, found.venue_order_id) == (
        order.client_order_id,
        order.venue_order_id,
    )
    assert (found.symbol, found.side, found.price) == (order.symbol, order.side, None)
    assert (found.quantity, found.filled_quantity) == (order.quantity, Decimal(0))
    assert "(stop)" in found.sentence()
    assert must(holding.venue.find_standing(found)).status is OrderStatus.NEW


def test_a_stop_that_stands_can_be_canceled_by_the_venues_own_id(holding: VenueWorld) -> None:
    waiting(holding)
    found = standing(holding)

    holding.venue.cancel_standing(found)

    assert must(holding.venue.find_standing(found)).status is OrderStatus.CANCELED
    assert holding.venue.standing([holding.symbol]) == []


def test_a_stop_that_stood_and_has_fired_is_found_so(holding: VenueWorld) -> None:
    waiting(holding)
    found = standing(holding)
    holding.price(holding.symbol, holding.at("1900"))

    ending = must(holding.venue.find_standing(found))

    assert (ending.status, ending.filled_quantity) == (OrderStatus.FILLED, found.quantity)
    assert holding.venue.standing([holding.symbol]) == []


def test_a_stop_that_was_placed_is_listed_once_in_all_its_life(holding: VenueWorld) -> None:
    since_ms = int(time.time() * 1000) - 60_000 if isinstance(holding, ExchangeWorld) else 0
    order = waiting(holding)

    def listed() -> list[tuple[Decimal, bool, VenueOrderId | None]]:
        found = placed_since(holding, since_ms)
        assert len(found) == 2  # that and the entry
        return [
            (one.filled_quantity, one.is_open, one.venue_order_id)
            for one in found
            if one.client_order_id == order.client_order_id
        ]

    before = listed()
    holding.price(holding.symbol, holding.at("1900"))
    after = listed()

    assert before == [(Decimal(0), True, order.venue_order_id)]
    assert after == [(order.quantity, False, order.venue_order_id)]


# What is open there, whoever placed it


def standing(world: VenueWorld) -> VenueOrder:
    (found,) = world.venue.standing([world.symbol])
    return found


def test_it_lists_what_is_open_whoever_placed_it(world: VenueWorld) -> None:
    order, report = resting(world)

    found = standing(world)

    assert (found.client_order_id, found.venue_order_id) == (
        order.client_order_id,
        report.venue_order_id,
    )
    assert (found.symbol, found.side, found.price) == (order.symbol, order.side, order.price)
    assert (found.quantity, found.filled_quantity) == (order.quantity, Decimal(0))
    assert must(world.venue.find_standing(found)).status is OrderStatus.NEW


def test_what_is_listed_can_be_canceled_by_the_venues_own_id(world: VenueWorld) -> None:
    resting(world)
    found = standing(world)

    world.venue.cancel_standing(found)

    ending = must(world.venue.find_standing(found))
    assert (ending.status, ending.filled_quantity) == (OrderStatus.CANCELED, Decimal(0))
    assert world.venue.standing([world.symbol]) == []


def test_what_was_listed_and_has_filled_is_found_so(world: VenueWorld) -> None:
    resting(world)
    found = standing(world)
    world.price(world.symbol, world.low)

    ending = must(world.venue.find_standing(found))

    assert (ending.status, ending.filled_quantity) == (OrderStatus.FILLED, found.quantity)


def test_a_listed_order_that_never_was_is_not_found(world: VenueWorld) -> None:
    resting(world)
    never = replace(
        standing(world),
        client_order_id=ClientOrderId("nobody"),
        venue_order_id=VenueOrderId("999999"),
    )

    assert world.venue.find_standing(never) is None
    with pytest.raises((NotFound, VenueRejected)):
        world.venue.cancel_standing(never)


def test_a_cancel_of_a_listed_order_without_an_answer_may_have_arrived(world: VenueWorld) -> None:
    resting(world)
    found = standing(world)
    world.fault("cancel", "accept_then_error")

    with pytest.raises(OutcomeUnknown):
        world.venue.cancel_standing(found)

    assert must(world.venue.find_standing(found)).status is OrderStatus.CANCELED


# What was placed there since a moment


def listing_is_known(world: VenueWorld) -> None:
    """Leave out exchanges of which nothing is known but what ccxt knows."""
    if isinstance(world, ExchangeWorld) and world.profile.adapter_class is AdapterClass.MANUAL:
        pytest.skip("see test_a_venue_that_is_known_to_ccxt_alone_lists_nothing")


def placed_since(world: VenueWorld, since_ms: int) -> list[PlacedOrder]:
    """Ask until everything is told, as whoever needs it does."""
    found: list[PlacedOrder] = []
    while True:
        placed = world.venue.placed(world.symbol, EpochMs(since_ms))
        found += placed.orders
        if placed.until_ms is None:
            return found
        assert placed.until_ms > since_ms
        since_ms = placed.until_ms


def test_it_lists_what_was_placed_open_and_closed(world: VenueWorld) -> None:
    listing_is_known(world)
    since_ms = int(time.time() * 1000) - 60_000 if isinstance(world, ExchangeWorld) else 0
    filled = world.order(quantity="0.01")
    world.venue.place(filled)
    open_order, _ = resting(world)
    canceled, _ = resting(world)
    world.venue.cancel(canceled)

    found = {one.client_order_id: one for one in placed_since(world, since_ms)}

    assert found.keys() == {one.client_order_id for one in (filled, open_order, canceled)}
    one = found[filled.client_order_id]
    assert (one.symbol, one.side) == (filled.symbol, filled.side)
    assert (one.quantity, one.filled_quantity) == (filled.quantity, filled.quantity)
    assert {name for name, one in found.items() if one.is_open} == {open_order.client_order_id}


def test_a_venue_that_is_known_to_ccxt_alone_lists_nothing(world: VenueWorld) -> None:
    if not isinstance(world, ExchangeWorld) or world.profile.adapter_class is AdapterClass.FULL:
        pytest.skip("how it lists orders is known")

    with pytest.raises(CannotAsk):
        world.venue.placed(world.symbol, EpochMs(1))


DAY_MS = 86_400_000


def test_it_pages_through_time_and_numbers_and_misses_nothing(world: VenueWorld) -> None:
    listing_is_known(world)
    if not isinstance(world, ExchangeWorld):
        pytest.skip("the paper venue has no pages")
    now_ms = int(time.time() * 1000)
    world.venue.place(world.order())
    (made,) = world.holder.orders
    world.holder.orders.clear()
    # One every hour for three weeks, and more within minutes than one answer lists.
    burst = 1_300 if world.account.venue.startswith("binance") else 120
    gap_ms, apart = 700, 1
    if world.market is Market.COINM:  # of which Binance lists a tenth, for four times the cost
        burst, gap_ms, apart = 120, 60_000, 6
    moments = [now_ms - hour * 3_600_000 for hour in range(21 * 24, 1, -apart)]
    moments += [now_ms - 10 * DAY_MS + number * gap_ms for number in range(burst)]
    for number, at_ms in enumerate(sorted(moments)):
        ticket = replace(made.ticket, client_id=f"c{number}")
        one = replace(made, id=number + 1, ticket=ticket, created_ms=at_ms, updated_ms=at_ms)
        world.holder.orders.append(one)
    since_ms = now_ms - 15 * DAY_MS + 1_800_000  # not when one was placed: clocks differ
    wanted = {one.ticket.client_id for one in world.holder.orders if one.created_ms >= since_ms}

    found = {str(one.client_order_id) for one in placed_since(world, since_ms)}

    assert found == wanted


def test_a_list_of_what_was_placed_that_does_not_come_says_nothing(world: VenueWorld) -> None:
    listing_is_known(world)
    if not isinstance(world, ExchangeWorld):
        pytest.skip("the paper venue is always there")
    world.venue.instrument(world.symbol)
    world.fault("list", *["error"] * 4)
    world.fault("other", *["error"] * 4)

    with pytest.raises(VenueUnavailable):
        world.venue.placed(world.symbol, EpochMs(int(time.time() * 1000)))


# Faults that only real exchanges have


@pytest.fixture
def real(world: VenueWorld) -> ExchangeWorld:
    if not isinstance(world, ExchangeWorld):
        pytest.skip("the paper venue answers in our own words")
    return world


@pytest.mark.parametrize(
    "word", ["accept_then_cut", "accept_then_garbage", "accept_then_empty", "cut", "garbage"]
)
def test_no_answer_that_makes_no_sense_is_believed(real: ExchangeWorld, word: str) -> None:
    needs_look_up(real)
    real.fault("place", word)
    order = real.order()

    with pytest.raises(OutcomeUnknown):
        real.venue.place(order)

    assert (real.venue.find(order) is not None) is word.startswith("accept")
    assert real.count() == int(word.startswith("accept"))


@pytest.mark.parametrize("word", ["error", "garbage", "cut", "timeout"])
def test_a_question_without_a_good_answer_is_no_answer(real: ExchangeWorld, word: str) -> None:
    order, _ = resting(real)
    real.fault("find", word)

    with pytest.raises(VenueUnavailable):
        real.venue.find(order)


def test_a_ban_is_no_arrival_and_keeps_everybody_away(real: ExchangeWorld) -> None:
    real.plan.retry_after_seconds = 60
    real.fault("place", "ban")

    with pytest.raises(VenueUnavailable):
        real.venue.place(real.order())
    asked = len(real.gateway.log)
    with pytest.raises(VenueUnavailable):
        real.venue.place(real.order())

    assert len(real.gateway.log) == asked
    assert real.count() == 0


def test_a_repeat_is_asked_about(real: ExchangeWorld) -> None:
    needs_look_up(real)
    order, _ = resting(real)

    with pytest.raises(OutcomeUnknown):
        real.venue.place(order)

    assert real.exchange.repeats == [order.client_order_id]


def test_a_request_that_was_held_up_is_refused_by_the_venue(real: ExchangeWorld) -> None:
    """A process that slept after its claim sends the time of the claim, not that of waking up."""
    needs_look_up(real)
    real.venue.view()
    long_ago = real.clock.server_ms() - real.profile.receive_window_ms - 1_000
    order = replace(real.order(), lease_until_ms=EpochMs(long_ago + 30_000))

    with pytest.raises(VenueUnavailable):
        real.venue.place(order)

    assert real.count() == 0


def test_a_clock_that_is_off_is_allowed_for(real: ExchangeWorld) -> None:
    real.exchange.clock_skew_ms = 90_000

    assert real.venue.place(real.order()).status is OrderStatus.FILLED


def test_fills_come_in_parts(real: ExchangeWorld) -> None:
    real.exchange.fill_share = Decimal("0.4")
    order = real.order(price="60000" if real.market is Market.SPOT else "2400")

    first = real.venue.place(order)
    real.exchange.fill_more(real.holder)
    second = must(real.venue.find(named(order, first)))

    part = real.size("0.04")
    assert (first.status, first.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, part)
    assert (second.status, len(second.fills)) == (OrderStatus.FILLED, 2)
    assert {one.trade_id for one in first.fills} < {one.trade_id for one in second.fills}


def test_an_exchange_that_tells_of_no_order_is_asked_for_its_list(real: ExchangeWorld) -> None:
    resting(real)
    found = standing(real)
    real.fault("find", "not_found", "not_found")

    assert must(real.venue.find_standing(found)).status is OrderStatus.NEW


def test_a_list_that_cannot_be_read_says_nothing_about_an_order(real: ExchangeWorld) -> None:
    resting(real)
    found = standing(real)
    real.fault("find", "not_found")
    real.fault("list", "error")

    with pytest.raises(VenueUnavailable):
        real.venue.find_standing(found)


def test_a_quantity_off_the_lot_is_not_left_to_the_venue(real: ExchangeWorld) -> None:
    with pytest.raises(VenueRejected, match="lots are"):
        real.venue.place(real.order(quantity="0.1000001"))

    assert real.gateway.counted(Call.PLACE) == 0


def test_trades_that_are_listed_late_are_told_by_a_later_look(real: ExchangeWorld) -> None:
    real.plan.trades_lag_ms = 3_600_000
    order = real.order()

    early = real.venue.place(order)
    known = replace(
        order,
        status=early.status,
        filled_quantity=early.filled_quantity,
        venue_order_id=early.venue_order_id,
    )
    real.plan.trades_lag_ms = 0
    late = must(real.venue.find(known))

    assert (early.status, early.fills, early.lists_fills) == (OrderStatus.FILLED, (), True)
    assert (late.status, late.filled_quantity) == (early.status, early.filled_quantity)
    assert sum(one.quantity for one in late.fills) == early.filled_quantity
    assert late.fees


def test_what_has_all_its_trades_is_not_asked_for_them_again(real: ExchangeWorld) -> None:
    order = real.order()
    placed = real.venue.place(order)
    known = replace(
        order,
        status=placed.status,
        filled_quantity=placed.filled_quantity,
        fills=placed.fills,
        venue_order_id=placed.venue_order_id,
    )
    asked = real.gateway.counted(Call.OTHER)

    real.venue.find(known)

    assert real.gateway.counted(Call.OTHER) == asked


# Proof of absence

EVERYWHERE = frozenset({"order", "openOrders", "allOrders", "myTrades"})


def unknown_for(real: ExchangeWorld, order: Order, ms: int) -> Order:
    """The order when its outcome has been unknown for so long."""
    since_ms = EpochMs(real.clock.server_ms() - ms)
    return replace(order, status=OrderStatus.UNKNOWN, unknown_since_ms=since_ms)


def at_binance(real: ExchangeWorld) -> None:
    if real.profile.look_up is not LookUp.ORIGINAL_ID:
        pytest.skip("it has one place for each order, or is asked in all of them always")


@pytest.mark.parametrize("place", sorted(EVERYWHERE))
def test_no_order_is_absent_while_any_place_tells_of_it(real: ExchangeWorld, place: str) -> None:
    at_binance(real)
    rests = real.low if place == "openOrders" else None
    order = real.order(price=rests)
    placed = real.venue.place(order)
    real.plan.hides = EVERYWHERE - {place}

    found = must(real.venue.find(unknown_for(real, order, real.ports.policy.venue_grace_ms)))

    assert (found.status, found.venue_order_id) == (placed.status, placed.venue_order_id)


def test_other_places_are_asked_only_when_their_answer_counts(real: ExchangeWorld) -> None:
    at_binance(real)
    order = real.order()
    real.venue.view()
    asked = len(real.gateway.log)

    early = real.venue.find(unknown_for(real, order, real.ports.policy.venue_grace_ms - 5_000))
    one = len(real.gateway.log) - asked
    late = real.venue.find(unknown_for(real, order, real.ports.policy.venue_grace_ms))
    all_of_them = len(real.gateway.log) - asked - one

    assert (early, late) == (None, None)
    assert (one, all_of_them) == (1, 4)
