"""A venue that takes its time to tell what a size depends on, while others are at work."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.commands import Action
from app.domain.enums import AccountState, Side
from app.domain.identifiers import EpochMs, base_of, client_order_id
from app.domain.order import Order
from app.domain.request.signal import RequestStatus
from app.services.keeping.sweep import sweep
from app.services.placing.lane import PAPER_ASKING_MS, TURNS_WITHIN_MS, work_lane
from app.services.placing.place import place_order
from tests.support.builders import (
    BTC,
    BTC_SPOT,
    ETH,
    INSTALLATION,
    NOW,
    SPOT_ID,
    USDM_ID,
    a_command,
    a_view,
    an_id,
    an_order,
    fixed,
    percent,
)
from tests.support.clocks import nothing
from tests.support.rig import Rig, encounters, with_ids

BUY = a_command(size=fixed("0.1"))
SELL = a_command(Action.SELL, size=fixed("0.1"))
HALF = a_command(Action.SELL, size=percent("50"))
CLOSE_NOTHING = a_command(Action.CLOSE_LONG)
MINUTE_MS = 60_000


def the_exit(rig: Rig) -> Order:
    """Return the one order that came out of the lane."""
    (found,) = [one for one in rig.orders() if one.parent_id is not None]
    return found


@pytest.mark.parametrize("latency_ms", [0, 1_600, 9_000])
def test_an_exit_runs_however_long_its_venue_takes_to_answer(rig: Rig, latency_ms: int) -> None:
    rig.accept(a_command(Action.SELL, size=percent("10")))
    rig.venue.before_view = lambda: rig.clock.advance(3 * latency_ms)

    rig.drain()

    (sent,) = rig.venue.sent
    assert sent.quantity == Decimal("0.05")


def test_an_entry_for_which_the_venue_took_too_long_expires(rig: Rig) -> None:
    accepted = rig.accept(BUY)
    rig.venue.before_view = lambda: rig.clock.advance(MINUTE_MS + 1)

    rig.drain()

    assert rig.signal(accepted.id).status is RequestStatus.EXPIRED
    assert rig.orders() == []


def an_order_meanwhile(rig: Rig) -> None:
    """Let an order of the lane that takes no turn join those in flight, and end, at once."""
    rig.venue.after_call = nothing
    rig.put(an_order(id=an_id(900)))
    place_order(an_order(id=an_id(900)).id, rig.ports)


def test_what_the_venue_told_before_an_order_came_and_went_does_not_count(rig: Rig) -> None:
    """Nothing is in flight before and after; only the count tells."""
    rig.accept(a_command(Action.SELL, size=percent("50")))

    def spend(_: Order) -> None:
        rig.venue.after_place = lambda _: None
        rig.venue.account = a_view({"BTC": "0.1"})

    rig.venue.after_place = spend
    rig.venue.after_call = lambda: an_order_meanwhile(rig)  # right after the view was made

    rig.spot_lane()

    assert the_exit(rig).quantity == Decimal("0.05")


def test_what_the_venue_told_before_the_account_changed_does_not_count(rig: Rig) -> None:
    rig.accept(BUY)
    views: list[int] = []

    def change_it_once() -> None:
        views.append(1)
        if len(views) == 1:
            rig.registry.put_account(replace(rig.registry.account(SPOT_ID), group="another"))

    rig.venue.before_view = change_it_once

    rig.spot_lane()

    assert len(views) == 2
    assert len(rig.orders()) == 1


def test_an_exit_whose_account_is_halted_while_the_venue_is_asked_waits(rig: Rig) -> None:
    rig.accept(SELL)
    rig.venue.before_view = lambda: rig.state(AccountState.HALT)

    rig.spot_lane()

    assert rig.orders() == []


def test_who_comes_before_the_one_that_the_venue_is_asked_for_goes_first(rig: Rig) -> None:
    later = rig.accept(BUY)
    rig.publisher.waiting.clear()

    def an_earlier_one_comes() -> None:
        rig.venue.before_view = nothing
        signal = rig.signal(later.id)
        earlier = EpochMs(signal.due_at_ms - 1)
        rig.put(replace(signal, id=an_id(901), due_at_ms=earlier))

    rig.venue.before_view = an_earlier_one_comes

    rig.settle()

    assert [order.parent_id for order in rig.venue.sent] == [an_id(901), later.id]


def test_whoever_dies_while_the_venue_is_asked_holds_up_the_lane_for_seconds(rig: Rig) -> None:
    rig.accept(SELL)
    rig.ports.locks.acquire(f"lane:{SPOT_ID}:{BTC}", PAPER_ASKING_MS)  # by whoever is dead now

    rig.spot_lane()
    too_soon = len(rig.orders())
    rig.clock.advance(PAPER_ASKING_MS + 1)
    rig.spot_lane()

    assert too_soon == 0
    assert len(rig.orders()) == 1


def test_who_asked_for_longer_than_the_lock_holds_finds_the_turn_taken(rig: Rig) -> None:
    accepted = rig.accept(BUY)

    def another_takes_the_turn() -> None:
        rig.venue.before_view = nothing
        rig.clock.advance(PAPER_ASKING_MS + 1)
        rig.spot_lane()

    rig.venue.before_view = another_takes_the_turn

    rig.spot_lane()

    assert rig.signal(accepted.id).order_id == rig.order().id


def test_a_call_that_has_lasted_long_begins_no_further_turn(rig: Rig) -> None:
    ids = [rig.accept(CLOSE_NOTHING).id for _ in range(3)]
    rig.venue.before_view = lambda: rig.clock.advance(TURNS_WITHIN_MS + 1)

    work_lane(USDM_ID, ETH, rig.ports)

    assert rig.states(*ids).count(RequestStatus.EXECUTING) == 2


def test_an_order_that_only_takes_its_turn_asks_nothing(rig: Rig) -> None:
    rig.put(an_order(reduces=True, awaits_turn=True))
    rig.venue.before_view = Mock()

    rig.spot_lane()

    assert not rig.venue.before_view.called
    assert not rig.order().awaits_turn


# Orders that take no turn


def test_an_exit_is_sized_by_what_was_told_after_the_orders_before_it() -> None:
    """Another process carries out an order of the lane, wholly, after any step of the turn."""

    def prepared() -> Rig:
        rig = with_ids()
        rig.accept(HALF)
        rig.venue.after_place = lambda order: fill(rig, order)
        return rig

    def buy_meanwhile(rig: Rig) -> None:
        was_sized.append(len(rig.orders()) > 0)
        an_order_meanwhile(rig)

    was_sized: list[bool] = []
    for met in encounters(prepared, Rig.spot_lane, buy_meanwhile):
        met.settle()

        assert the_exit(met).quantity == Decimal("0.25" if was_sized[-1] else "0.5")
    assert set(was_sized) == {False, True}


def fill(rig: Rig, order: Order) -> None:
    """Let the account have what an order that was filled leaves; nobody sells what is not there."""
    held = rig.venue.account.available(base_of(BTC))
    held += order.quantity if order.side is Side.BUY else -order.quantity
    assert held >= 0, f"{order.quantity} sold, {-held} more than there was"
    rig.venue.account = a_view({"USDT": "100000", "BTC": str(held)})


# Any number of workers, any latency


@given(st.lists(st.integers(5, 60), min_size=1, max_size=3), st.data())
def test_exits_in_percent_of_what_is_held_all_run_and_each_sees_what_the_others_left(
    percents: list[int], data: st.DataObject
) -> None:
    rig = Rig()
    wanted = {
        rig.accept(a_command(Action.SELL, size=percent(str(one)))).id: Decimal(one)
        for one in percents
    }

    def arrives(order: Order) -> None:
        held = rig.venue.account.available(base_of(BTC))
        if order.parent_id is not None:
            assert order.quantity == BTC_SPOT.quantity(held * wanted[order.parent_id] / 100)
        fill(rig, order)

    rig.venue.after_place = arrives
    rig.venue.before_view = rig.venue.after_call = at_random(rig, data)
    rig.drain()
    rig.settle()

    assert set(rig.states(*wanted)) == {RequestStatus.DONE}
    assert all(order.is_closed for order in rig.orders())


def sell_before_all_others(rig: Rig) -> None:
    """Let an order that needs no sizing come to the head of the lane, and go through."""
    number = 900 + len(rig.orders())
    early = EpochMs(NOW - number)
    named = client_order_id(INSTALLATION, an_id(number))
    rig.put(
        an_order(
            id=an_id(number),
            client_order_id=named,
            side=Side.SELL,
            quantity=Decimal("0.01"),
            reduces=True,
            awaits_turn=True,
            due_at_ms=early,
        )
    )
    rig.spot_lane()
    rig.drain()


#: Things that others do while one worker waits for the venue.
DEEDS: list[Callable[[Rig], object]] = [
    sell_before_all_others,
    Rig.spot_lane,
    Rig.drain,
    lambda rig: sweep(rig.ports),
    lambda rig: rig.clock.advance(1_600),
    lambda rig: rig.clock.advance(9_000),
]


def at_random(rig: Rig, data: st.DataObject) -> Callable[[], None]:
    """Return what happens during a question: up to 6 deeds in all, then nothing any more."""
    left = [6]

    def meanwhile() -> None:
        if left[0]:
            left[0] -= 1
            data.draw(st.sampled_from(DEEDS))(rig)

    return meanwhile
