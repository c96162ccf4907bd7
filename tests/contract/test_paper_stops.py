"""Stops that rest at the paper venue: they wait for a price, then they reduce at the market."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest
import redis

from app.domain.enums import (
    Direction,
    Market,
    PositionMode,
    PositionSide,
    PriceSource,
    ReasonCode,
    Side,
)
from app.domain.errors import (
    MalformedPayload,
    NotFound,
    OutcomeUnknown,
    StoreUnavailable,
    VenueRejected,
)
from app.domain.identifiers import Currency
from app.domain.order import Condition, Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.domain.trigger import protective_direction
from app.paper.feed import PaperFeed
from app.paper.paper_venue import PaperVenue
from app.paper.paper_venues import TRAITS
from tests.support.builders import a_quote, must
from tests.support.hooked_ledger import HookedLedger
from tests.support.paper_world import PaperWorld
from tests.support.venue_world import PaperVenueWorld

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
RISING, FALLING = Direction.RISING, Direction.FALLING
LAST, MARK = PriceSource.LAST, PriceSource.MARK
HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY

FUTURES = [(market, mode) for market in (Market.USDM, Market.COINM) for mode in PositionMode]

#: Four ways to leave a position that was opened at 2,000.
WAYS = [(leg, direction) for leg in PositionSide for direction in Direction]
LEVEL = {RISING: "2100", FALLING: "1900"}
SHORT_OF = {RISING: "2099.99", FALLING: "1900.01"}
BEYOND = {RISING: "2150", FALLING: "1850"}

GO_SILENT = Mock(side_effect=StoreUnavailable("no answer"))


class StopWorld(PaperVenueWorld):
    """A futures account whose positions have been opened at 2,000."""

    def open(self, leg: PositionSide = LONG, quantity: str = "0.1") -> None:
        """Open a position, or add to it."""
        side = Side.BUY if leg is LONG else Side.SELL
        self.venue.place(self.on(leg, side, quantity, reduce_only=False))

    def close(
        self, leg: PositionSide = LONG, quantity: str = "0.1", price: str | None = None
    ) -> None:
        """Close it, or part of it, at the market or at a limit."""
        self.venue.place(self.on(leg, leg_exit(leg), quantity, price, reduce_only=True))

    def stop_of(
        self,
        leg: PositionSide = LONG,
        level: str = "1900",
        direction: Direction | None = None,
        *,
        quantity: str = "0.1",
        source: PriceSource = LAST,
        **more: object,
    ) -> Order:
        """A stop of a leg like no other; without a direction it protects."""
        side = leg_exit(leg)
        condition = Condition(
            level=Decimal(level),
            direction=direction or protective_direction(side),
            source=source,
        )
        order = self.on(leg, side, quantity, reduce_only=True)
        return replace(order, reduces=True, condition=condition, **more)  # type: ignore[arg-type]  # fields by name

    def on(
        self, leg: PositionSide, side: Side, quantity: str, price: str | None = None, **more: object
    ) -> Order:
        has_legs = self.position_mode is HEDGE
        return self.order(side, quantity, price, position_side=leg if has_legs else None, **more)

    def held(self, leg: PositionSide = LONG) -> Decimal:
        return self.venue.view().position(self.symbol, leg).size

    def found(self, order: Order) -> OrderReport:
        return must(self.venue.find(order))

    def prices(self, **prices: str) -> None:
        """Set the prices of one tick, and let everything meet it."""
        self.world.desk.set_prices({"prices": {self.symbol: prices}})
        self.world.evaluate()

    def marked(self, last: str, mark: str) -> None:
        """Set the last price and the mark, and let everything meet the tick."""
        quote = replace(a_quote(last), mark=Decimal(mark))
        self.world.ports.prices.set({self.symbol: quote}, self.world.clock.now_ms())
        self.world.evaluate()

    def hooked(self, **hook: Callable[[], object]) -> PaperVenue:
        """The venue, with something that happens around its next commit."""
        ports = replace(self.world.ports, ledger=HookedLedger(self.world.client, **hook))
        return PaperVenue(self.account, ports)

    def refusal(self, order: Order) -> ReasonCode:
        """Why the venue refuses an order, of which nothing is left but its row."""
        resting = self.world.resting()
        with pytest.raises(VenueRejected) as caught:
            self.venue.place(order)
        assert self.found(order).status is OrderStatus.REJECTED
        assert self.world.resting() == resting
        return caught.value.code


def leg_exit(leg: PositionSide) -> Side:
    """The side that closes a leg."""
    return Side.SELL if leg is LONG else Side.BUY


@pytest.fixture(params=FUTURES, ids="-".join)
def at(request: pytest.FixtureRequest, client: redis.Redis) -> StopWorld:
    market, mode = request.param
    return StopWorld(client, market, mode)


@pytest.fixture
def hedged(client: redis.Redis) -> StopWorld:
    return StopWorld(client, Market.USDM, HEDGE)


def test_the_venue_says_which_stops_it_holds() -> None:
    held: Mapping[Market, object] = TRAITS.holds

    assert held == {Market.SPOT: {LAST}, Market.USDM: {LAST, MARK}, Market.COINM: {LAST, MARK}}


# It rests


def test_a_stop_rests_and_is_listed(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()

    placed = at.venue.place(order)

    assert (placed.status, placed.filled_quantity) == (OrderStatus.NEW, Decimal(0))
    assert at.found(order) == placed
    assert at.venue.reports([order]) == {order.client_order_id: placed}
    (standing,) = at.venue.standing([at.symbol])
    assert standing.client_order_id == order.client_order_id
    assert (standing.side, standing.quantity, standing.price) == (Side.SELL, order.quantity, None)
    listed = at.venue.placed(at.symbol, order.created_at_ms).orders
    assert [one.is_open for one in listed] == [False, True]
    assert at.symbol in at.world.feed.symbols()


def test_a_stop_binds_nothing_of_its_position(at: StopWorld) -> None:
    at.open()
    before = at.venue.view()

    at.venue.place(at.stop_of())
    at.venue.place(at.stop_of(level="1800"))

    assert at.venue.view() == before
    at.close()
    assert at.held() == 0


def test_a_stop_is_shown_with_what_it_waits_for(at: StopWorld) -> None:
    at.open()
    at.venue.place(at.stop_of(level="1900.00", source=MARK))

    ledger = at.world.desk.account(at.account)["ledger"]

    assert isinstance(ledger, list)
    assert [row["condition"] for row in ledger] == [None, "mark reaches 1900.00"]


def test_a_stop_is_there_after_a_restart(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)

    again = PaperWorld(at.world.client, at.world.clock, at.world.history)
    assert at.symbol in again.feed.symbols()
    again.price("1900", at.symbol)

    assert at.found(order).status is OrderStatus.FILLED


def test_the_position_mode_stays_while_a_stop_rests(at: StopWorld) -> None:
    at.open()
    at.venue.place(at.stop_of())
    other = ONEWAY if at.position_mode is HEDGE else HEDGE

    with pytest.raises(MalformedPayload):
        at.world.desk.set_account(at.account, {"position_mode": other.value})


def test_a_reset_forgets_stops(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)

    at.world.desk.set_account(at.account, {"reset": True})

    assert at.venue.find(order) is None
    assert at.world.resting() == 0


# It fires


@pytest.mark.parametrize(("leg", "direction"), WAYS)
def test_a_stop_fires_on_the_tick_that_reaches_it(
    at: StopWorld, leg: PositionSide, direction: Direction
) -> None:
    at.open(leg)
    order = at.stop_of(leg, LEVEL[direction], direction)
    at.venue.place(order)

    at.price(at.symbol, SHORT_OF[direction])
    assert at.found(order).status is OrderStatus.NEW
    at.price(at.symbol, LEVEL[direction])

    found = at.found(order)
    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, order.quantity)
    assert found.average_price == Decimal(LEVEL[direction])
    assert [fill.is_maker for fill in found.fills] == [False]
    assert found.position_after == at.held(leg) == at.held(leg.opposite) == 0
    assert at.world.reports.unread(at.account) == {order.client_order_id: found}
    assert at.world.resting() == 0
    assert at.venue.standing([at.symbol]) == []


@pytest.mark.parametrize(("leg", "direction"), WAYS)
def test_a_stop_that_the_price_jumps_over_takes_what_it_gets(
    hedged: StopWorld, leg: PositionSide, direction: Direction
) -> None:
    hedged.open(leg)
    order = hedged.stop_of(leg, LEVEL[direction], direction)
    hedged.venue.place(order)

    hedged.price(hedged.symbol, BEYOND[direction])

    assert hedged.found(order).average_price == Decimal(BEYOND[direction])


def test_a_stop_waits_for_the_last_price_and_takes_the_touch(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)

    at.prices(bid="1890", ask="1895", last="1901")
    assert at.found(order).status is OrderStatus.NEW
    at.prices(bid="1898", ask="1902", last="1900")

    assert at.found(order).average_price == 1_898


@pytest.mark.parametrize(("leg", "direction"), WAYS)
def test_a_stop_may_wait_for_the_mark(
    at: StopWorld, leg: PositionSide, direction: Direction
) -> None:
    at.open(leg)
    order = at.stop_of(leg, LEVEL[direction], direction, source=MARK)
    at.venue.place(order)

    at.marked(last=BEYOND[direction], mark=SHORT_OF[direction])
    assert at.found(order).status is OrderStatus.NEW
    at.marked(last="2000", mark=LEVEL[direction])

    assert at.found(order).average_price == 2_000


def test_the_mark_fires_no_stop_that_waits_for_the_last_price(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)

    at.marked(last="1950", mark="1800")

    assert at.found(order).status is OrderStatus.NEW


def test_where_no_mark_is_known_the_last_price_stands_in(at: StopWorld) -> None:
    at.open()
    order = at.stop_of(source=MARK)
    at.venue.place(order)

    at.price(at.symbol, "1900")

    assert at.found(order).status is OrderStatus.FILLED


def test_a_stop_leaves_the_other_leg_alone(hedged: StopWorld) -> None:
    hedged.open(LONG, "0.1")
    hedged.open(SHORT, "0.2")
    order = hedged.stop_of(LONG)
    hedged.venue.place(order)

    hedged.price(hedged.symbol, "1900")

    assert hedged.found(order).status is OrderStatus.FILLED
    assert (hedged.held(LONG), hedged.held(SHORT)) == (Decimal(0), Decimal("0.2"))


def test_one_tick_may_fire_the_stops_of_both_legs(hedged: StopWorld) -> None:
    hedged.open(LONG)
    hedged.open(SHORT)
    orders = [hedged.stop_of(LONG, "1900", FALLING), hedged.stop_of(SHORT, "1850", FALLING)]
    for order in orders:
        hedged.venue.place(order)

    hedged.price(hedged.symbol, "1850")

    assert {hedged.found(one).status for one in orders} == {OrderStatus.FILLED}
    assert hedged.held(LONG) == hedged.held(SHORT) == 0


def test_what_the_market_does_not_take_at_once_is_canceled(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    part = at.size("0.03")

    depth = [["1900", str(part)]]
    at.world.desk.set_prices({"prices": {at.symbol: {"last": "1900", "bids": depth}}})
    at.world.evaluate()

    found = at.found(order)
    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, part)
    assert must(found.reason).code is ReasonCode.TIME_IN_FORCE
    assert at.held() == at.size("0.07")
    assert at.world.resting() == 0


def test_levels_beyond_the_reach_of_doubles_still_decide_exactly(hedged: StopWorld) -> None:
    steps = {"market": "USDM", "price_step": "0.000000000000001", "quantity_step": "0.001"}
    hedged.world.desk.set_instruments({"instruments": [{"symbol": hedged.symbol, **steps}]})
    hedged.open()
    order = hedged.stop_of(level="1900.000000000000001")
    hedged.venue.place(order)

    hedged.price(hedged.symbol, "1900.000000000000002")
    assert hedged.found(order).status is OrderStatus.NEW
    hedged.price(hedged.symbol, "1900.000000000000001")

    assert hedged.found(order).status is OrderStatus.FILLED


# The position is another one by then


def test_a_stop_is_cut_down_to_what_is_left(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    at.close(quantity="0.04")

    at.price(at.symbol, "1900")

    found = at.found(order)
    assert (found.status, found.filled_quantity) == (OrderStatus.CANCELED, at.size("0.06"))
    assert must(found.reason).code is ReasonCode.NO_POSITION
    assert at.held(LONG) == at.held(SHORT) == 0


def test_a_stop_waits_on_for_a_position_that_was_closed_and_finds_nothing(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    at.close()
    assert len(at.venue.standing([at.symbol])) == 1

    at.price(at.symbol, "1900")

    found = at.found(order)
    assert (found.status, found.filled_quantity) == (OrderStatus.EXPIRED, Decimal(0))
    assert must(found.reason).code is ReasonCode.NO_POSITION
    assert at.held(LONG) == at.held(SHORT) == 0
    assert at.world.reports.unread(at.account) == {order.client_order_id: found}
    assert at.world.resting() == 0


def test_a_stop_reduces_a_position_that_was_opened_anew(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    at.close()
    at.open(quantity="0.15")

    at.price(at.symbol, "1900")

    assert at.found(order).status is OrderStatus.FILLED
    assert at.held() == at.size("0.05")


def test_a_stop_does_not_touch_a_position_that_has_turned(client: redis.Redis) -> None:
    at = StopWorld(client, Market.USDM, ONEWAY)
    at.open(LONG)
    order = at.stop_of(LONG)
    at.venue.place(order)
    at.open(SHORT, "0.3")

    at.price(at.symbol, "1900")

    assert at.found(order).status is OrderStatus.EXPIRED
    assert at.held(SHORT) == Decimal("0.2")


@pytest.mark.parametrize(
    ("first", "second", "direction"), [("1950", "1900", FALLING), ("2050", "2100", RISING)]
)
def test_the_stop_that_the_price_reaches_first_comes_first(
    at: StopWorld, first: str, second: str, direction: Direction
) -> None:
    at.open()
    late, early = (
        at.stop_of(level=second, direction=direction),
        at.stop_of(level=first, direction=direction),
    )
    at.venue.place(late)
    at.venue.place(early)

    at.price(at.symbol, second)

    assert at.found(early).status is OrderStatus.FILLED
    assert at.found(late).status is OrderStatus.EXPIRED


def test_limits_meet_a_tick_before_stops(at: StopWorld) -> None:
    at.open()
    stop = at.stop_of(level="2100", direction=RISING)
    at.venue.place(stop)
    at.close(price="2100")

    at.price(at.symbol, "2100")

    assert at.found(stop).status is OrderStatus.EXPIRED
    assert at.held() == 0


# It is taken off


def test_a_canceled_stop_fires_no_more(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    reason = Reason(ReasonCode.SIBLING_FILLED, "the other one filled")

    canceled = at.venue.cancel(replace(order, reason=reason))
    at.price(at.symbol, "1900")

    assert canceled == at.found(order)
    assert (canceled.status, canceled.reason) == (OrderStatus.CANCELED, reason)
    assert at.held() == at.size("0.1")
    assert at.world.resting() == 0


def test_a_stop_that_stands_can_be_taken_off_by_whoever_sees_it(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    (standing,) = at.venue.standing([])

    at.venue.cancel_standing(standing)

    assert must(at.venue.find_standing(standing)).status is OrderStatus.CANCELED
    assert at.world.resting() == 0


def test_to_cancel_what_has_fired_tells_how_it_ended(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    at.price(at.symbol, "1900")

    assert at.venue.cancel(order).status is OrderStatus.FILLED
    with pytest.raises(NotFound):
        at.venue.cancel(at.stop_of())


def test_a_stop_that_fires_while_it_is_canceled_has_fired(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    venue = at.hooked(before=lambda: at.price(at.symbol, "1900"))

    report = venue.cancel(order)

    assert report.status is OrderStatus.FILLED
    assert at.held() == 0


def test_a_stop_that_is_canceled_while_its_tick_is_met_stays_canceled(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    at.world.set_price("1900", at.symbol)

    matched_with(at, before=lambda: at.venue.cancel(order))

    assert at.found(order).status is OrderStatus.CANCELED
    assert at.held() == at.size("0.1")


# It is refused


@pytest.mark.parametrize("source", [LAST, MARK])
@pytest.mark.parametrize(("leg", "direction"), WAYS)
@pytest.mark.parametrize("price", [LEVEL, BEYOND], ids=["at its level", "beyond it"])
def test_what_would_trigger_at_once_is_refused(
    hedged: StopWorld,
    price: Mapping[Direction, str],
    leg: PositionSide,
    direction: Direction,
    source: PriceSource,
) -> None:
    hedged.open(leg)
    if source is MARK:
        hedged.marked(last="2000", mark=price[direction])
    else:
        hedged.marked(last=price[direction], mark="2000")

    refused = hedged.refusal(hedged.stop_of(leg, LEVEL[direction], direction, source=source))

    assert refused is ReasonCode.WOULD_TRIGGER
    assert hedged.held(leg) == hedged.size("0.1")


@pytest.mark.parametrize("level", ["1900.005", "0", "-1900"])
def test_a_level_off_its_step_is_refused(at: StopWorld, level: str) -> None:
    at.open()

    assert at.refusal(at.stop_of(level=level)) is ReasonCode.AGAINST_RULES


def test_a_level_may_be_farther_away_than_any_limit(at: StopWorld) -> None:
    at.open()

    assert at.venue.place(at.stop_of(level="1000")).status is OrderStatus.NEW


def test_a_stop_of_nothing_is_refused(at: StopWorld) -> None:
    assert at.refusal(at.stop_of()) is ReasonCode.WOULD_NOT_REDUCE


def test_a_stop_for_more_than_there_is_is_taken_as_any_close_is(at: StopWorld) -> None:
    at.open()
    order = at.stop_of(quantity="0.2")

    if at.position_mode is HEDGE:
        assert at.refusal(order) is ReasonCode.WOULD_NOT_REDUCE
        return
    at.venue.place(order)
    at.price(at.symbol, "1900")

    assert at.found(order).filled_quantity == at.size("0.1")
    assert at.held(LONG) == at.held(SHORT) == 0


def test_a_stop_that_could_open_something_is_refused(at: StopWorld) -> None:
    at.open(SHORT)
    leg = SHORT if at.position_mode is HEDGE else None
    opening = at.stop_of(LONG, reduce_only=False, position_side=leg)

    assert at.refusal(opening) is ReasonCode.VENUE_REJECTED


def test_a_stop_without_a_price_to_hold_it_against_is_refused(at: StopWorld) -> None:
    at.open()
    at.world.desk.set_prices({"prices": {at.symbol: None}})

    assert at.refusal(at.stop_of()) is ReasonCode.NO_PRICE


def test_a_stop_for_more_than_one_market_order_may_be_is_refused(at: StopWorld) -> None:
    at.open()
    shown = at.world.desk.instruments()["instruments"]
    assert isinstance(shown, list)
    most = {"max_market_quantity": str(at.size("0.05"))}
    at.world.desk.set_instruments({"instruments": [{**one, **most} for one in shown]})

    assert at.refusal(at.stop_of()) is ReasonCode.ABOVE_MAXIMUM


# Twice, at once, or stopped halfway


def test_the_same_stop_sent_twice_rests_once(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    first = at.venue.place(order)

    assert at.venue.place(order) == first
    assert at.world.resting() == 1
    rows = at.world.ledger.rows(at.account.id)
    assert [row.outcome for row in rows] == ["FILLED", "NEW", "DUPLICATE"]


def test_a_stop_that_is_sent_again_after_it_has_fired_does_nothing(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    at.price(at.symbol, "1900")
    at.price(at.symbol, "2000")
    at.open()

    again = at.venue.place(order)

    assert again.status is OrderStatus.FILLED
    assert at.world.resting() == 0
    at.price(at.symbol, "1900")
    assert at.held() == at.size("0.1")


def test_a_stop_does_not_meet_ticks_from_before_its_arrival(at: StopWorld) -> None:
    at.open()
    at.world.set_price("1900", at.symbol)
    at.world.set_price("2000", at.symbol)
    order = at.stop_of()
    at.venue.place(order)

    at.world.evaluate()

    assert at.found(order).status is OrderStatus.NEW


def test_a_tick_that_reaches_a_stop_while_it_is_placed_is_not_missed(at: StopWorld) -> None:
    """Otherwise it would rest with the price beyond it, and the tick would be over."""
    at.open()
    order = at.stop_of()
    venue = at.hooked(before=lambda: at.price(at.symbol, "1900"))

    with pytest.raises(VenueRejected) as caught:
        venue.place(order)

    assert caught.value.code is ReasonCode.WOULD_TRIGGER
    assert at.held() == at.size("0.1")
    assert at.world.resting() == 0


def test_a_tick_that_comes_and_goes_while_a_stop_is_placed_came_before_it(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()

    def come_and_go() -> None:
        at.price(at.symbol, "1900")
        at.price(at.symbol, "2000")

    report = at.hooked(before=come_and_go).place(order)

    assert report.status is OrderStatus.NEW
    assert at.world.resting() == 1
    at.price(at.symbol, "1900")
    assert at.found(order).status is OrderStatus.FILLED


def test_a_stop_whose_answer_was_lost_rests_and_fires(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()

    with pytest.raises(OutcomeUnknown):
        at.hooked(after=GO_SILENT).place(order)

    assert at.found(order).status is OrderStatus.NEW
    at.price(at.symbol, "1900")
    assert at.found(order).status is OrderStatus.FILLED


def test_a_planned_loss_of_the_answer_leaves_the_stop_there(at: StopWorld) -> None:
    at.open()
    order = at.stop_of()
    at.fault("place", "accept_then_timeout", "timeout")

    with pytest.raises(OutcomeUnknown):
        at.venue.place(order)
    lost = at.stop_of()
    with pytest.raises(OutcomeUnknown):
        at.venue.place(lost)

    assert at.found(order).status is OrderStatus.NEW
    assert at.venue.find(lost) is None


def test_to_meet_a_tick_twice_fills_nothing_twice(at: StopWorld) -> None:
    at.open(quantity="0.15")
    order = at.stop_of()
    at.venue.place(order)
    at.world.set_price("1900", at.symbol)
    tick = must(at.world.feed.next_tick([]))

    at.world.feed.match(tick)
    at.world.feed.match(tick)

    assert at.found(order).filled_quantity == at.size("0.1")
    assert at.held() == at.size("0.05")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stop_fires_once_though_the_process_dies_over_it(at: StopWorld, when: str) -> None:
    at.open(quantity="0.15")
    order = at.stop_of()
    at.venue.place(order)
    at.world.set_price("1900", at.symbol)

    with pytest.raises(StoreUnavailable):
        matched_with(at, **{when: GO_SILENT})
    done = at.found(order).filled_quantity
    at.world.evaluate()

    assert done == (0 if when == "before" else order.quantity)
    assert at.found(order).status is OrderStatus.FILLED
    assert at.held() == at.size("0.05")
    assert at.world.resting() == 0


def test_a_stop_of_a_placement_that_died_is_taken_out(at: StopWorld) -> None:
    """The process was killed after it entered the book and before it committed."""
    at.open()
    order = at.stop_of()
    at.venue.place(order)
    rows = at.world.ledger.load(at.account.id, [order.client_order_id]).orders
    at.world.desk.set_account(at.account, {"reset": True})
    at.world.ports.book.arrive(at.account.id, rows[order.client_order_id])
    assert at.world.resting() == 1

    at.price(at.symbol, "1900")

    assert at.world.resting() == 0
    assert at.venue.find(order) is None


def matched_with(at: StopWorld, **hook: Callable[[], object]) -> None:
    """Let orders meet the tick that waits, and something happen around the commit."""
    ports = replace(at.world.ports, ledger=HookedLedger(at.world.client, **hook))
    PaperFeed(ports).match(must(at.world.feed.next_tick([])))


@pytest.mark.integration
def test_two_workers_at_one_tick_fire_each_stop_once(real_client: redis.Redis) -> None:
    at = StopWorld(real_client, Market.USDM)
    at.open(quantity="0.5")
    orders = [at.stop_of(quantity="0.01") for _ in range(20)]
    for order in orders:
        at.venue.place(order)
    at.world.set_price("1900", at.symbol)
    tick = must(at.world.feed.next_tick([]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(at.world.feed.match, [tick] * 4))

    assert {at.found(one).status for one in orders} == {OrderStatus.FILLED}
    assert at.held() == Decimal("0.3")


@pytest.mark.integration
def test_one_stop_sent_by_many_at_once_rests_once(real_client: redis.Redis) -> None:
    at = StopWorld(real_client, Market.USDM)
    at.open()
    order = at.stop_of()

    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda _: at.venue.place(order), range(16)))

    assert len({report.venue_order_id for report in reports}) == 1
    assert at.world.resting() == 1


@pytest.mark.integration
def test_ticks_that_race_stops_leave_none_behind_the_market(real_client: redis.Redis) -> None:
    """Each one was refused, for it came too late, or it has fired."""
    at = StopWorld(real_client, Market.USDM)
    at.open(quantity="0.5")
    orders = [at.stop_of(quantity="0.001") for _ in range(60)]

    def placed(order: Order) -> ReasonCode | None:
        try:
            at.venue.place(order)
        except VenueRejected as error:
            return error.code
        return None

    with ThreadPoolExecutor(8) as pool:
        placements = [pool.submit(placed, order) for order in orders]
        for price in ("2000", "1900", "2001") * 5:
            at.price(at.symbol, price)
        refusals = [one.result() for one in placements]
    at.price(at.symbol, "1900")

    taken = refusals.count(None)
    assert taken + refusals.count(ReasonCode.WOULD_TRIGGER) == len(orders)
    assert at.held() == Decimal("0.5") - taken * Decimal("0.001")
    assert at.world.resting() == 0


# Coins


@pytest.fixture
def spot(client: redis.Redis) -> PaperVenueWorld:
    return PaperVenueWorld(client, Market.SPOT)


def a_sale(
    world: PaperVenueWorld,
    level: str = "45000",
    direction: Direction = FALLING,
    source: PriceSource = LAST,
    quantity: str = "0.1",
) -> Order:
    condition = Condition(level=Decimal(level), direction=direction, source=source)
    return world.order(Side.SELL, quantity, reduces=True, condition=condition)


def coins(world: PaperVenueWorld) -> Decimal:
    return world.venue.view().available(Currency("BTC"))


@pytest.mark.parametrize(("level", "direction"), [("45000", FALLING), ("55000", RISING)])
def test_the_coins_of_a_stop_are_kept_until_it_sells_them(
    spot: PaperVenueWorld, level: str, direction: Direction
) -> None:
    order = a_sale(spot, level, direction)

    spot.venue.place(order)
    assert coins(spot) == Decimal("0.4")
    spot.price(spot.symbol, level)

    found = must(spot.venue.find(order))
    assert (found.status, found.average_price) == (OrderStatus.FILLED, Decimal(level))
    balance = spot.venue.view().balances[Currency("BTC")]
    assert balance.total == balance.available == Decimal("0.4")


def test_a_canceled_stop_gives_its_coins_back(spot: PaperVenueWorld) -> None:
    order = a_sale(spot)
    spot.venue.place(order)

    spot.venue.cancel(order)

    assert coins(spot) == Decimal("0.5")
    assert spot.world.resting() == 0


def test_what_the_market_does_not_take_of_a_stop_is_free_again(spot: PaperVenueWorld) -> None:
    order = a_sale(spot)
    spot.venue.place(order)

    depth = {"last": "45000", "bids": [["45000", "0.03"]]}
    spot.world.desk.set_prices({"prices": {spot.symbol: depth}})
    spot.world.evaluate()

    assert must(spot.venue.find(order)).status is OrderStatus.CANCELED
    assert coins(spot) == Decimal("0.47")


def test_a_stop_whose_coins_somebody_has_taken_away_sells_nothing(spot: PaperVenueWorld) -> None:
    order = a_sale(spot)
    spot.venue.place(order)
    spot.world.desk.set_account(spot.account, {"balances": {"BTC": "0.05"}})

    spot.price(spot.symbol, "45000")

    found = must(spot.venue.find(order))
    assert (found.status, found.filled_quantity) == (OrderStatus.REJECTED, Decimal(0))
    assert must(found.reason).code is ReasonCode.INSUFFICIENT_FUNDS
    assert coins(spot) == Decimal("0.05")


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"quantity": "0.6"}, ReasonCode.INSUFFICIENT_FUNDS),
        ({"source": MARK}, ReasonCode.VENUE_REJECTED),
        ({"level": "50000"}, ReasonCode.WOULD_TRIGGER),
        ({"level": "1", "quantity": "0.1"}, ReasonCode.BELOW_MINIMUM),
    ],
)
def test_a_stop_of_coins_is_refused(
    spot: PaperVenueWorld, terms: Mapping[str, str], reason: ReasonCode
) -> None:
    order = a_sale(spot, **terms)  # type: ignore[arg-type]  # terms by name

    with pytest.raises(VenueRejected):
        spot.venue.place(order)

    assert must(must(spot.venue.find(order)).reason).code is reason
    assert coins(spot) == Decimal("0.5")
    assert spot.world.resting() == 0


def test_a_stop_that_buys_coins_is_refused(spot: PaperVenueWorld) -> None:
    order = replace(a_sale(spot, "55000", RISING), side=Side.BUY)

    with pytest.raises(VenueRejected) as caught:
        spot.venue.place(order)

    assert caught.value.code is ReasonCode.VENUE_REJECTED
