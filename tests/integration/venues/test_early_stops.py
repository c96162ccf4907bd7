"""Stops that simulated exchanges hold for what has filled of an entry whose rest still works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action
from app.domain.enums import Market, PositionMode
from app.domain.exits import ExitRules
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.services.following.guards import LOOKS_APART_MS, look_at_guards
from app.services.keeping.archive import archive
from app.services.placing.cancel import request_cancel
from tests.support.builders import REQUESTED, a_command, fixed, must, percent
from tests.support.exchanges.books import OPEN
from tests.support.exchanges.books import Order as Listed
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.stops import waiting
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY

BOTH = ExitRules(beyond_percent=Decimal(3))
VENUE_FIRST = replace(BOTH, venue_first=True)
PLACES = [
    ("binance", Market.USDM, PositionMode.HEDGE),
    ("binance", Market.USDM, PositionMode.ONEWAY),
    ("bybit", Market.USDM, PositionMode.HEDGE),
    ("bybit", Market.COINM, PositionMode.ONEWAY),
]


@pytest.fixture(params=PLACES, ids="-".join)
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


def offered(rig: VenueRig, price: str, size: str) -> None:
    """Let so much be for sale at a price, and no more."""
    asks = [[price, f"{rig.size(size)}"]]
    rig.exchange.set_book(rig.symbol, price, price, price, asks=asks)


def pass_time(rig: VenueRig, looks: int = 3) -> None:
    for _ in range(looks):
        rig.clock.advance(LOOKS_APART_MS)
        rig.poll()
        look_at_guards(rig.account.id, rig.ports)
        rig.settle(step_ms=500)


def bid_filled(rig: VenueRig, size: str, exits: ExitRules = BOTH) -> Signal:
    """Bid for 0.4 at 1,990 with a stop at 1,900, and let so much of that fill."""
    offered(rig, "1990", size)
    command = a_command(
        Action.OPEN_LONG,
        size=fixed(f"{rig.size('0.4')}"),
        limit_price=Decimal(1_990),
        stop_loss=Decimal(1_900),
    )
    signal = rig.run(command, exits=exits)
    rig.poll()
    rig.poll()
    return rig.signal(signal.id)


def opened_beside(rig: VenueRig) -> None:
    """Open 1 more of the same leg, without any stop: nothing of ours may close that."""
    rig.exchange.set_price(rig.symbol, "2000")
    enter = a_command(Action.OPEN_LONG, size=fixed(f"{rig.size('1')}"))
    rig.run(enter)
    rig.poll()


def held(rig: VenueRig) -> Decimal:
    positions = rig.exchange.accounts[KEY].positions.values()
    return sum((one.quantity for one in positions), Decimal(0))


def resting(rig: VenueRig) -> list[Listed]:
    return waiting(rig.exchange.accounts[KEY])


def bids(rig: VenueRig) -> list[Listed]:
    orders = rig.exchange.accounts[KEY].orders
    return [one for one in orders if one.status in OPEN and one.ticket.side == "BUY"]


def is_over(rig: VenueRig, signal: Signal) -> bool:
    """Tell whether nothing is left, and nothing was doubled."""
    live = {one.id for one in rig.orders() if one.is_live}
    guards = {one.id for one in rig.smart_orders() if one.is_live}
    ended = rig.signal(signal.id).status is RequestStatus.DONE
    return ended and not (
        held(rig) or resting(rig) or bids(rig) or live or guards or rig.exchange.repeats
    )


def test_it_rests_for_the_part_that_has_filled(rig: VenueRig) -> None:
    signal = bid_filled(rig, "0.1")

    (stop,) = resting(rig)
    assert stop.ticket.quantity == rig.size("0.1")
    assert must(stop.ticket.stop).level == Decimal(1_843)
    assert (signal.stage, signal.is_protecting) == (Stage.WORKING, True)
    assert len(bids(rig)) == 1


def test_it_grows_with_the_entry(rig: VenueRig) -> None:
    bid_filled(rig, "0.1")

    offered(rig, "1990", "0.2")
    pass_time(rig)

    (stop,) = resting(rig)
    assert stop.ticket.quantity == held(rig) == rig.size("0.3")
    assert len(bids(rig)) == 1


def test_the_whole_entry_has_one_stop(rig: VenueRig) -> None:
    signal = bid_filled(rig, "0.1")

    offered(rig, "1990", "5")
    pass_time(rig)

    (stop,) = resting(rig)
    assert stop.ticket.quantity == held(rig) == rig.size("0.4")
    assert rig.signal(signal.id).stage is Stage.PROTECTED
    ours = [one for one in rig.smart_orders() if not one.at_venue]
    assert [one.quantity for one in ours] == [rig.size("0.4")]


def test_a_cancel_leaves_what_has_filled_guarded_without_a_gap(rig: VenueRig) -> None:
    signal = bid_filled(rig, "0.1")
    (before,) = resting(rig)

    request_cancel(signal.id, REQUESTED, rig.ports)
    rig.drain()
    pass_time(rig)

    assert [one.ticket.client_id for one in resting(rig)] == [before.ticket.client_id]
    assert bids(rig) == []
    assert rig.signal(signal.id).stage is Stage.PROTECTED


def test_it_fires_while_nobody_is_here_and_the_entry_goes(rig: VenueRig) -> None:
    signal = bid_filled(rig, "0.1")
    rig.publisher.waiting.clear()

    offered(rig, "1840", "0")  # every process of ours is dead
    flat = held(rig) == 0
    rig.clock.advance(600_000)
    pass_time(rig, 5)

    assert flat
    assert is_over(rig, signal)
    sales = [one for one in rig.exchange.accounts[KEY].orders if one.ticket.side == "SELL"]
    assert sum(one.filled for one in sales) == rig.size("0.1")


def test_what_fills_while_it_fires_is_guarded(rig: VenueRig) -> None:
    signal = bid_filled(rig, "0.1")
    rig.publisher.waiting.clear()

    offered(rig, "1840", "0.1")  # the bid takes that first, and the stop sells 0.1 of 0.2
    left = held(rig)
    pass_time(rig, 5)

    assert left == rig.size("0.1")
    assert is_over(rig, signal)


def test_who_closes_the_position_leaves_no_stop_of_it(rig: VenueRig) -> None:
    signal = bid_filled(rig, "0.1")

    rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))
    pass_time(rig)

    assert not held(rig)
    assert resting(rig) == []
    assert len(bids(rig)) == 1
    offered(rig, "1990", "0.1")
    pass_time(rig)
    (stop,) = resting(rig)
    assert stop.ticket.quantity == held(rig) == rig.size("0.1")
    assert rig.signal(signal.id).stage is Stage.WORKING


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ACCEPT_THEN_CUT])
def test_an_answer_to_it_that_is_lost_doubles_nothing(rig: VenueRig, fault: Fault) -> None:
    offered(rig, "1990", "0.1")
    signal = bid_filled(rig, "0")
    rig.wire.plan.plan(Call.PLACE, fault)

    offered(rig, "1990", "0.1")
    pass_time(rig, 6)

    (stop,) = resting(rig)
    assert stop.ticket.quantity == held(rig) == rig.size("0.1")
    assert rig.exchange.repeats == []
    assert rig.signal(signal.id).is_protecting


@pytest.mark.parametrize("is_archived", [False, True])
def test_what_it_has_sold_of_a_shared_leg_is_never_sold_again(
    rig: VenueRig, *, is_archived: bool
) -> None:
    """The rest of the bid fills, the price falls through the stop and is back, all unseen."""
    opened_beside(rig)
    signal = bid_filled(rig, "0.1")
    rig.publisher.waiting.clear()
    offered(rig, "1990", "5")
    rig.exchange.set_price(rig.symbol, "1840")
    rig.exchange.set_price(rig.symbol, "2000")
    pass_time(rig, 6)
    if is_archived:
        for _ in range(3):
            archive(rig.ports)
            rig.clock.advance(rig.ports.policy.history_after_ms + 1)
        pass_time(rig)

    rig.exchange.set_price(rig.symbol, "1899")
    pass_time(rig, 8)

    assert held(rig) == rig.size("1")
    assert rig.signal(signal.id).status is RequestStatus.DONE
    assert resting(rig) == []


@pytest.mark.parametrize("size", ["0", "0.1", "5"])
def test_stops_that_the_venue_refuses_close_what_the_entry_has_opened(
    rig: VenueRig, size: str
) -> None:
    """They wait here, the first and the one that takes its place, for the same price."""
    opened_beside(rig)
    rig.exchange.stops.most = 0
    signal = bid_filled(rig, "0.1", VENUE_FIRST)
    offered(rig, "1990", size)
    pass_time(rig)

    offered(rig, "1899", "0")
    pass_time(rig, 6)

    assert held(rig) == rig.size("1")
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_one_that_waits_here_goes_on_through_a_thin_book(rig: VenueRig) -> None:
    rig.exchange.stops.most = 0
    signal = bid_filled(rig, "0.2", VENUE_FIRST)
    rig.exchange.depth.extend([rig.size("0.1"), *[Decimal(0)] * 6])

    offered(rig, "1899", "0")
    pass_time(rig, 3)
    rig.exchange.depth.clear()
    pass_time(rig, 6)

    assert is_over(rig, signal)


def test_what_others_have_closed_of_it_is_not_counted_again(rig: VenueRig) -> None:
    bid_filled(rig, "0.1")
    rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))
    pass_time(rig)
    opened_beside(rig)

    offered(rig, "1990", "0.1")
    pass_time(rig)

    (stop,) = resting(rig)
    assert stop.ticket.quantity == rig.size("0.1")
