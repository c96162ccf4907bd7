"""Stops that simulated exchanges hold beyond ours: they act when nobody here can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import count

import pytest

from app.domain.commands import Action
from app.domain.decision import EntryName
from app.domain.enums import AccountState, Market, PositionMode, PositionSide, ReasonCode, Side
from app.domain.errors import VenueBusy
from app.domain.exits import ExitRules
from app.domain.identifiers import Symbol
from app.domain.market import Position
from app.domain.order import Order
from app.domain.request.signal import RequestStatus, Signal
from app.domain.smart_order import SmartOrder
from app.domain.status import OPEN, OrderStatus
from app.exchanges import parse
from app.exchanges.parse import Json
from app.services.following.follow import poll_orders, poll_stops
from app.services.following.guards import LOOKS_APART_MS, look_at_guards
from app.services.placing.switched_off import end_all_of
from app.services.watching.watch import watch_prices
from tests.support.builders import a_command, fixed, must, percent
from tests.support.exchanges.books import INVERSE, LINEAR, Ticket, Why
from tests.support.exchanges.books import Order as Listed
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.stops import waiting
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY

BOTH = ExitRules(beyond_percent=Decimal(3))
HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
PLACES = [
    ("binance", Market.USDM, HEDGE),
    ("binance", Market.USDM, ONEWAY),
    ("bybit", Market.USDM, HEDGE),
    ("bybit", Market.USDM, ONEWAY),
    ("bybit", Market.COINM, ONEWAY),
]


@pytest.fixture(params=PLACES, ids="-".join)
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


def open_guarded(rig: VenueRig, size: str = "0.4") -> Signal:
    """Open a long at 2,000, with a stop at 1,900, so that the exchange holds one at 1,843."""
    enter = a_command(Action.OPEN_LONG, size=fixed(f"{rig.size(size)}"), stop_loss=Decimal(1_900))
    signal = rig.run(enter, exits=BOTH)
    rig.poll()
    return signal


def resting(rig: VenueRig) -> list[Listed]:
    """Return what waits for its price at the exchange."""
    return waiting(rig.exchange.accounts[KEY])


def held(rig: VenueRig) -> Decimal:
    positions = rig.exchange.accounts[KEY].positions.values()
    return sum((abs(one.quantity) for one in positions), Decimal(0))


def sold(rig: VenueRig) -> Decimal:
    """Return what has been sold at the exchange in all."""
    orders = rig.exchange.accounts[KEY].orders
    return sum((one.filled for one in orders if one.ticket.side == "SELL"), Decimal(0))


def goes_to(rig: VenueRig, price: str) -> None:
    """Let the price go there, and let time pass."""
    rig.exchange.set_price(rig.symbol, price)
    pass_time(rig)


def pass_time(rig: VenueRig) -> None:
    for _ in range(3):
        rig.clock.advance(LOOKS_APART_MS)
        rig.poll()
        while not has_looked(rig):
            rig.clock.advance(1_000)
        rig.settle(step_ms=500)


def has_looked(rig: VenueRig) -> bool:
    """Look at the position that is guarded, unless the exchange wants no question yet."""
    try:
        look_at_guards(rig.account.id, rig.ports)
    except VenueBusy:
        return False
    return True


def of_venue(rig: VenueRig) -> tuple[SmartOrder, list[Order]]:
    """Return the newest guard that the exchange was to hold, and its orders."""
    *_, guard = [one for one in rig.smart_orders() if one.at_venue]
    return guard, [one for one in rig.orders() if one.parent_id == guard.id]


def names(rig: VenueRig, guard: SmartOrder) -> list[str]:
    return rig.events(guard.id)


def by_hand(rig: VenueRig, stop: Listed) -> None:
    """Take a stop off at the exchange, as a person does."""
    rig.exchange.stops.cancel(rig.exchange.accounts[KEY], stop)


def reduce_by_hand(rig: VenueRig, size: str) -> None:
    """Sell so much of the position at the exchange, as a person does."""
    account = rig.exchange.accounts[KEY]
    kind = INVERSE if rig.account.market is Market.COINM else LINEAR
    ticket = Ticket(
        client_id=f"by-hand-{rig.clock.server_ms()}",
        market=rig.exchange.markets[rig.symbol, kind],
        side="SELL",
        type="MARKET",
        quantity=rig.size(size),
        leg="LONG" if account.hedged else "BOTH",
        reduce_only=not account.hedged,
    )
    rig.exchange.place(account, ticket)


def is_over(rig: VenueRig, signal: Signal) -> bool:
    """Tell whether nothing is left: no position, no stop, nothing live, and nothing doubled."""
    live = [one for one in rig.orders() if one.is_live]
    guards = [one for one in rig.smart_orders() if one.is_live]
    ended = rig.signal(signal.id).status is RequestStatus.DONE
    return ended and not (held(rig) or resting(rig) or live or guards or rig.exchange.repeats)


def test_it_rests_as_large_as_the_position(rig: VenueRig) -> None:
    signal = open_guarded(rig)

    (stop,) = resting(rig)
    assert must(stop.ticket.stop).level == Decimal(1_843)
    assert (stop.ticket.quantity, stop.ticket.side) == (rig.size("0.4"), "SELL")
    guard, (order,) = of_venue(rig)
    assert (order.status, order.client_order_id) == (OrderStatus.NEW, stop.ticket.client_id)
    assert guard.is_resting
    assert rig.signal(signal.id).is_protecting


def test_ours_fires_and_takes_it_off(rig: VenueRig) -> None:
    signal = open_guarded(rig)

    goes_to(rig, "1890")

    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")
    guard, _ = of_venue(rig)
    assert EntryName.ALERT not in names(rig, guard)


def test_a_price_that_leaps_over_both_sells_once(rig: VenueRig) -> None:
    signal = open_guarded(rig)

    goes_to(rig, "1700")

    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_it_fires_while_nobody_is_here(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    placed = rig.gateway.counted(Call.PLACE)
    rig.publisher.waiting.clear()

    rig.exchange.set_price(rig.symbol, "1840")  # every process of ours is dead
    flat = held(rig) == 0
    rig.clock.advance(600_000)
    pass_time(rig)

    assert flat
    assert is_over(rig, signal)
    assert rig.gateway.counted(Call.PLACE) == placed  # nothing more is sent
    guard, (order,) = of_venue(rig)
    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, rig.size("0.4"))
    assert must(order.average_price) == Decimal(1_840)
    assert sum(one.quantity for one in order.fills) == rig.size("0.4")
    assert EntryName.TRIGGERED in names(rig, guard)
    why = must(rig.signal(signal.id).reason).code
    assert why in {ReasonCode.SIBLING_FILLED, ReasonCode.POSITION_CLOSED}  # whichever comes first


@pytest.mark.parametrize("is_seen_first", [False, True])
@pytest.mark.parametrize("part", [None, "0.1"])
def test_what_is_left_of_a_shared_leg_is_not_sold_for_it(
    rig: VenueRig, part: str | None, *, is_seen_first: bool
) -> None:
    """It fired while nobody was here, and the first that is seen is its price."""
    signal = open_guarded(rig)
    other = a_command(Action.OPEN_LONG, size=fixed(f"{rig.size('0.3')}"), stop_loss=Decimal(1_500))
    rig.run(other, exits=BOTH)
    rig.poll()
    if part is not None:
        rig.exchange.depth.append(rig.size(part))
    rig.publisher.waiting.clear()
    rig.exchange.set_price(rig.symbol, "1840")
    rig.clock.advance(600_000)

    if is_seen_first:
        poll_stops(rig.account.id, rig.ports)
    watch_prices(rig.account.feed, rig.ports)
    rig.drain()
    for _ in range(3):
        pass_time(rig)

    assert held(rig) == rig.size("0.3")
    assert sold(rig) == rig.size("0.4")
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_it_is_asked_about_in_the_rounds_of_guards_alone(rig: VenueRig) -> None:
    """An account may have it for days, and an exchange bounds how often one address asks."""
    open_guarded(rig)
    rig.gateway.log.clear()

    poll_orders(rig.account.id, rig.ports)
    asked_by_polls = list(rig.gateway.log)
    look_at_guards(rig.account.id, rig.ports)

    assert asked_by_polls == []
    assert len(rig.gateway.log) == 2  # for stops, and for positions
    assert rig.ports.live.with_open_orders([rig.account.id]) == set()
    assert rig.ports.live.with_guards([rig.account.id]) == {rig.account.id}


def test_it_is_followed_as_any_order_while_it_fills(rig: VenueRig) -> None:
    open_guarded(rig)
    rig.exchange.fill_share = Decimal("0.5")
    rig.exchange.set_price(rig.symbol, "1840")
    look_at_guards(rig.account.id, rig.ports)
    in_part = of_venue(rig)[1][-1]
    rig.exchange.fill_more(rig.exchange.accounts[KEY])
    poll_orders(rig.account.id, rig.ports)

    assert in_part.status is OrderStatus.PARTIALLY_FILLED
    assert of_venue(rig)[1][-1].status is OrderStatus.FILLED


def test_a_close_takes_it_off(rig: VenueRig) -> None:
    signal = open_guarded(rig)

    rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))
    pass_time(rig)

    assert is_over(rig, signal)
    assert EntryName.ALERT not in names(rig, of_venue(rig)[0])


def test_nothing_is_opened_before_the_stop_of_what_was_closed_is_gone(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    rig.wire.plan.plan(Call.CANCEL, *[Fault.CUT] * 3)
    rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))

    deep = Decimal(1_500)
    enter = a_command(Action.OPEN_LONG, size=fixed(f"{rig.size('0.3')}"), stop_loss=deep)
    opened = rig.run(enter, exits=BOTH)
    beyond = [one for one in resting(rig) if must(one.ticket.stop).level == Decimal(1_843)]
    assert not (held(rig) and beyond)
    pass_time(rig)
    rig.exchange.set_price(rig.symbol, "1840")

    assert rig.signal(signal.id).status is RequestStatus.DONE
    assert rig.signal(opened.id).is_protecting
    assert held(rig) == rig.size("0.3")


def test_a_stop_that_cannot_be_taken_off_holds_up_nothing_for_ever(rig: VenueRig) -> None:
    open_guarded(rig)
    rig.wire.plan.plan(Call.CANCEL, *[Fault.CUT] * 500)
    rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))

    opened = rig.run(a_command(Action.OPEN_LONG, size=fixed(f"{rig.size('0.3')}")), exits=BOTH)
    rig.settle(rounds=10, step_ms=3_000)

    assert rig.signal(opened.id).status is RequestStatus.DONE
    assert held(rig) == rig.size("0.3")


def test_a_cancel_takes_it_off_and_leaves_the_position(rig: VenueRig) -> None:
    signal = open_guarded(rig)

    rig.accept(a_command(Action.CANCEL_ALL), futures=True)
    pass_time(rig)

    assert rig.signal(signal.id).status is RequestStatus.DONE
    assert (held(rig), resting(rig)) == (rig.size("0.4"), [])


def test_what_is_closed_in_part_is_guarded_for_the_rest(rig: VenueRig) -> None:
    signal = open_guarded(rig)

    rig.run(a_command(Action.CLOSE_LONG, size=percent("50")))
    pass_time(rig)
    half, (stop,) = held(rig), resting(rig)
    rig.exchange.set_price(rig.symbol, "1840")

    assert half == rig.size("0.2")
    assert stop.ticket.quantity == half
    assert held(rig) == 0
    pass_time(rig)
    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


@pytest.mark.parametrize("hindrance", ["refused", "halted", "lost"])
def test_while_the_one_for_the_rest_does_not_rest_the_old_one_stays(
    rig: VenueRig, hindrance: str
) -> None:
    signal = open_guarded(rig)
    reduce_by_hand(rig, "0.2")
    if hindrance == "refused":
        rig.exchange.says_no.extend([Why.STOPS] * 50)
    elif hindrance == "halted":
        rig.state(AccountState.HALT)
    else:
        rig.wire.plan.plan(Call.PLACE, *[Fault.CUT] * 50)
    pass_time(rig)
    (old,) = resting(rig)
    rig.exchange.says_no.clear()
    rig.wire.plan.clear()
    rig.state(AccountState.RUN)
    rig.clock.advance(60_000)
    pass_time(rig)

    (new,) = resting(rig)
    assert (old.ticket.quantity, new.ticket.quantity) == (rig.size("0.4"), rig.size("0.2"))
    goes_to(rig, "1890")
    assert is_over(rig, signal)


def test_a_wick_that_nobody_here_sees_closes_all(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    rig.exchange.depth.extend([rig.size("0.1"), *[Decimal(0)] * 4])
    rig.exchange.set_price(rig.symbol, "1840")
    rig.exchange.set_price(rig.symbol, "2000")

    rig.poll()
    rig.clock.advance(LOOKS_APART_MS)
    look_at_guards(rig.account.id, rig.ports)
    pass_time(rig)

    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_a_position_that_is_shown_late_makes_it_no_smaller(
    rig: VenueRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, until_ms = parse.positions_of, rig.clock.server_ms() + 1_000

    def late(
        rows: Iterable[Json], markets: Mapping[str, Json], market: Market
    ) -> Mapping[tuple[Symbol, PositionSide], Position]:
        shown = told(rows, markets, market)
        if rig.clock.server_ms() >= until_ms:
            return shown
        small = rig.size("0.1")
        return {leg: replace(one, size=small, available=small) for leg, one in shown.items()}

    monkeypatch.setattr(parse, "positions_of", late)
    signal = open_guarded(rig)
    pass_time(rig)

    (stop,) = resting(rig)
    assert stop.ticket.quantity == rig.size("0.4")
    assert rig.signal(signal.id).is_protecting


def test_who_took_it_off_once_is_not_called_when_the_position_goes(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    (first,) = resting(rig)
    by_hand(rig, first)
    pass_time(rig)

    reduce_by_hand(rig, "0.4")
    pass_time(rig)

    assert is_over(rig, signal)
    assert names(rig, of_venue(rig)[0]).count(EntryName.ALERT) == 1


def test_who_takes_it_off_by_hand_is_answered_once(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    (first,) = resting(rig)

    by_hand(rig, first)
    pass_time(rig)
    (second,) = resting(rig)
    alerts = names(rig, of_venue(rig)[0]).count(EntryName.ALERT)
    by_hand(rig, second)
    pass_time(rig)

    assert second.ticket.client_id != first.ticket.client_id
    assert alerts == 1
    assert resting(rig) == []
    assert names(rig, of_venue(rig)[0]).count(EntryName.ALERT) == 2
    assert rig.signal(signal.id).is_only_here
    goes_to(rig, "1890")
    assert is_over(rig, signal)


@pytest.mark.parametrize("why", [Why.STOPS, Why.TICK])
def test_one_that_is_refused_is_asked_for_again_and_ours_is_there(rig: VenueRig, why: Why) -> None:
    rig.exchange.says_no.extend([None, *[why] * 6])
    signal = open_guarded(rig)
    rig.settle(rounds=12, step_ms=1_000)

    guard, orders = of_venue(rig)
    refused = [one for one in orders if one.status is OrderStatus.REJECTED]
    assert len(refused) == 6
    assert names(rig, guard).count(EntryName.ALERT) == 1
    rig.clock.advance(60_000)
    pass_time(rig)
    (stop,) = resting(rig)
    assert stop.ticket.quantity == rig.size("0.4")
    goes_to(rig, "1890")
    assert is_over(rig, signal)


def test_one_that_never_rests_holds_ours_up_in_nothing(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    (stop,) = resting(rig)
    by_hand(rig, stop)
    rig.exchange.stops.most = 0
    pass_time(rig)

    goes_to(rig, "1890")
    rig.clock.advance(60_000)
    pass_time(rig)

    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR, Fault.CUT])
def test_an_answer_that_is_lost_doubles_nothing(rig: VenueRig, fault: Fault) -> None:
    enter = a_command(Action.OPEN_LONG, size=fixed(f"{rig.size('0.4')}"), stop_loss=Decimal(1_900))
    rig.wire.plan.plan(Call.PLACE, Fault.OK, fault)
    signal = rig.run(enter, exits=BOTH)
    _, (order,) = of_venue(rig)
    assert order.status is OrderStatus.UNKNOWN
    # Whose order is unknown holds up nobody in the lane.
    assert rig.run(a_command(Action.CLOSE_LONG, size=percent("25"))).status is RequestStatus.DONE

    rig.resolved(order)
    pass_time(rig)

    assert len(resting(rig)) == 1
    goes_to(rig, "1890")
    assert is_over(rig, signal)


def test_a_cancel_whose_answer_is_lost_is_asked_again(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    rig.wire.plan.plan(Call.CANCEL, Fault.ACCEPT_THEN_CUT)

    goes_to(rig, "1890")
    pass_time(rig)

    assert is_over(rig, signal)


def test_it_fires_in_part(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    rig.exchange.depth.append(rig.size("0.1"))

    rig.exchange.set_price(rig.symbol, "1840")  # nobody is here
    left = held(rig)
    pass_time(rig)

    assert left == rig.size("0.3")
    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_a_short_is_guarded_from_above(rig: VenueRig) -> None:
    enter = a_command(Action.OPEN_SHORT, size=fixed(f"{rig.size('0.4')}"), stop_loss=Decimal(2_100))
    signal = rig.run(enter, exits=BOTH)
    rig.poll()
    (stop,) = resting(rig)
    assert must(stop.ticket.stop).level == Decimal(2_163)

    rig.exchange.set_price(rig.symbol, "2164")
    flat = held(rig) == 0
    pass_time(rig)

    assert flat
    assert is_over(rig, signal)
    bought = [one for one in rig.orders() if one.side is Side.BUY and one.filled_quantity]
    assert len(bought) == 1


def close_half(rig: VenueRig) -> None:
    rig.run(a_command(Action.CLOSE_LONG, size=percent("50")))


@pytest.mark.parametrize("call", [Call.PLACE, Call.CANCEL])
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ACCEPT_THEN_CUT])
def test_an_answer_that_is_lost_while_it_is_replaced(
    rig: VenueRig, call: Call, fault: Fault
) -> None:
    signal = open_guarded(rig)
    close_half(rig)

    rig.wire.plan.plan(call, fault)
    for _ in range(8):
        rig.clock.advance(15_000)
        pass_time(rig)

    (stop,) = resting(rig)
    assert stop.ticket.quantity == rig.size("0.2")
    goes_to(rig, "1890")
    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


@pytest.mark.parametrize("number", range(1, 14, 2))
def test_it_fires_while_it_is_replaced(rig: VenueRig, number: int) -> None:
    """The price leaps while the n-th request of that, or its answer, is on its way."""
    signal = open_guarded(rig)
    close_half(rig)
    left = count(number, -1)

    def leap() -> None:
        if next(left) == 0:
            rig.exchange.set_price(rig.symbol, "1840")

    rig.wire.plan.on_the_way = leap
    pass_time(rig)
    rig.wire.plan.clear()
    rig.exchange.set_price(rig.symbol, "1840")
    for _ in range(3):
        rig.clock.advance(15_000)
        pass_time(rig)

    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_an_account_that_is_switched_off_leaves_none_there(rig: VenueRig) -> None:
    signal = open_guarded(rig)

    rig.registry.put_account(replace(rig.account, enabled=False))
    end_all_of(rig.account.id, rig.ports)
    pass_time(rig)

    assert resting(rig) == []
    assert rig.signal(signal.id).status is RequestStatus.DONE
    assert held(rig) == rig.size("0.4")  # HALT is the switch that keeps things


FIRST = replace(BOTH, venue_first=True)


def open_first(rig: VenueRig) -> Signal:
    """Open a long whose stop the exchange holds at 1,900, and ours lies at 1,843."""
    enter = a_command(Action.OPEN_LONG, size=fixed(f"{rig.size('0.4')}"), stop_loss=Decimal(1_900))
    signal = rig.run(enter, exits=FIRST)
    rig.poll()
    return signal


def test_where_the_exchange_goes_first_it_acts_alone(rig: VenueRig) -> None:
    signal = open_first(rig)
    placed = rig.gateway.counted(Call.PLACE)

    goes_to(rig, "1890")

    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")
    assert rig.gateway.counted(Call.PLACE) == placed


def test_what_it_does_not_hold_is_held_here(rig: VenueRig) -> None:
    rig.exchange.stops.most = 0
    signal = open_first(rig)
    (fallen,) = [one for one in rig.smart_orders() if one.falls_back]
    waits_here = fallen.is_only_here

    goes_to(rig, "1890")

    assert waits_here
    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_one_that_hangs_on_its_way_to_the_market_is_outrun(rig: VenueRig) -> None:
    signal = open_first(rig)
    rig.exchange.stops.stalled = True

    goes_to(rig, "1890")
    hangs = held(rig)
    goes_to(rig, "1840")  # ours
    flat = held(rig) == 0
    rig.exchange.stops.stalled = False
    goes_to(rig, "1840")

    assert (hangs, flat) == (rig.size("0.4"), True)
    assert sold(rig) == rig.size("0.4")
    assert is_over(rig, signal)


def open_with_profit(rig: VenueRig) -> Signal:
    """Open a long whose stop and take-profit the exchange holds, at 1,900 and 2,200."""
    levels = {"stop_loss": Decimal(1_900), "take_profit": Decimal(2_200)}
    enter = a_command(Action.OPEN_LONG, size=fixed(f"{rig.size('0.4')}"), **levels)
    signal = rig.run(enter, exits=FIRST)
    rig.poll()
    return signal


def levels_at(rig: VenueRig) -> list[Decimal]:
    """Return for what the exchange waits, the lowest first."""
    return sorted(must(one.ticket.stop).level for one in resting(rig))


def test_where_the_exchange_goes_first_it_takes_the_profit(rig: VenueRig) -> None:
    signal = open_with_profit(rig)
    at_first, placed = levels_at(rig), rig.gateway.counted(Call.PLACE)

    goes_to(rig, "2210")

    assert at_first == [1_900, 2_200]
    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")
    assert rig.gateway.counted(Call.PLACE) == placed


def test_it_takes_the_profit_while_nobody_is_here(rig: VenueRig) -> None:
    signal = open_with_profit(rig)
    rig.publisher.waiting.clear()
    placed = rig.gateway.counted(Call.PLACE)

    rig.exchange.set_price(rig.symbol, "2210")
    at_once = held(rig)
    rig.exchange.set_price(rig.symbol, "2000")  # the price is back before anybody looks
    rig.clock.advance(600_000)
    for _ in range(3):
        pass_time(rig)

    assert at_once == 0
    assert is_over(rig, signal)
    assert rig.gateway.counted(Call.PLACE) == placed
    taken = [one for one in rig.smart_orders() if one.filled_quantity]
    assert [one.filled_quantity for one in taken] == [rig.size("0.4")]


def test_a_profit_that_is_taken_in_part_goes_on_at_the_market(rig: VenueRig) -> None:
    signal = open_with_profit(rig)
    rig.exchange.depth.append(rig.size("0.1"))

    goes_to(rig, "2210")
    pass_time(rig)

    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_a_position_that_becomes_smaller_has_both_as_large_as_it_is(rig: VenueRig) -> None:
    signal = open_with_profit(rig)
    rig.run(a_command(Action.CLOSE_LONG, size=percent("50")))
    pass_time(rig)

    assert levels_at(rig) == [1_900, 2_200]
    assert {one.ticket.quantity for one in resting(rig)} == {rig.size("0.2")}
    goes_to(rig, "2210")
    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_a_close_takes_both_off(rig: VenueRig) -> None:
    signal = open_with_profit(rig)

    rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))
    pass_time(rig)

    assert is_over(rig, signal)


@pytest.mark.parametrize("left", ["stop", "profit"])
def test_what_is_placed_without_an_answer_is_there_once(rig: VenueRig, left: str) -> None:
    lost = [Fault.ACCEPT_THEN_CUT] if left == "stop" else [Fault.OK, Fault.ACCEPT_THEN_CUT]
    rig.wire.plan.plan(Call.PLACE, Fault.OK, *lost)
    signal = open_with_profit(rig)
    for _ in range(3):
        pass_time(rig)

    assert levels_at(rig) == [1_900, 2_200]
    goes_to(rig, "2210")
    assert is_over(rig, signal)


def test_a_profit_whose_price_has_come_already_waits_here(rig: VenueRig) -> None:
    """The entry has filled beyond it, so that the exchange would not hold it."""

    def rise() -> None:
        if held(rig):
            rig.exchange.set_price(rig.symbol, "2210")

    rig.wire.plan.on_the_way = rise
    signal = open_with_profit(rig)
    for _ in range(3):
        pass_time(rig)

    assert Why.HAS_RISEN in rig.exchange.refused
    assert is_over(rig, signal)
    assert sold(rig) == rig.size("0.4")


def test_nothing_of_it_is_open_when_all_is_over(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    goes_to(rig, "1890")

    assert is_over(rig, signal)
    account = rig.exchange.accounts[KEY]
    assert not [one for one in account.orders if one.status in OPEN]
