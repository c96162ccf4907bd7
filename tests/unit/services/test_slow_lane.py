"""A venue that takes its time to tell what a size depends on, while others are at work."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.commands import Action
from app.domain.effects import EffectKind
from app.domain.enums import AccountState, PositionSide, ReasonCode, Side
from app.domain.errors import VenueRejected
from app.domain.identifiers import EpochMs, base_of, client_order_id
from app.domain.order import Order
from app.domain.request.signal import RequestStatus
from app.services.exclusive import ALIVE_MS
from app.services.keeping.sweep import sweep
from app.services.perform import carry_out
from app.services.placing.lane import LOOK_LASTS_MS, TURNS_WITHIN_MS, work_lane
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


@pytest.fixture(params=["paper", "exchange"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """A rig with accounts of play money, and one with accounts at an exchange."""
    made = Rig()
    if request.param == "exchange":
        made.go_live()
    return made


@pytest.fixture
def live_rig() -> Rig:
    """A rig with accounts at an exchange."""
    made = Rig()
    made.go_live()
    return made


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


def test_who_came_while_another_was_sized_is_woken_by_the_end_of_its_order(rig: Rig) -> None:
    first, second = rig.accept(BUY), None

    def come() -> None:
        nonlocal second
        rig.venue.before_view = nothing
        second = rig.accept(BUY)
        rig.spot_lane()  # goes away: the first one is asked for just now
        rig.publisher.waiting.clear()

    rig.venue.before_view = come
    rig.drain()

    assert second is not None
    assert rig.states(first.id, second.id) == [RequestStatus.DONE] * 2


def test_an_order_that_ends_before_its_lock_is_back_leaves_nobody_waiting(live_rig: Rig) -> None:
    """Whoever it wakes finds the lock held, and goes away; the holder has let an order go."""
    accepted = [live_rig.accept(BUY), live_rig.accept(BUY)]
    release = live_rig.ports.locks.release

    def late(name: str, token: int) -> bool:
        live_rig.ports.locks.release = release  # type: ignore[method-assign]
        live_rig.drain()  # another process sends the order, hears of its end, and wakes the next
        return release(name, token)

    live_rig.ports.locks.release = late  # type: ignore[method-assign]
    live_rig.publisher.waiting.clear()
    live_rig.spot_lane()
    live_rig.drain()

    assert live_rig.states(*(one.id for one in accepted)) == [RequestStatus.DONE] * 2


def test_an_exit_behind_one_that_pauses_is_woken_by_that(rig: Rig) -> None:
    """Both have waited long enough to go past each other."""
    rig.venue.account = a_view({"USDT": "1000"}, {PositionSide.LONG: "1"})
    half = a_command(Action.CLOSE_LONG, size=percent("50"))
    first, second = rig.accept(half), rig.accept(half)
    rig.clock.advance(rig.ports.policy.lane_patience_ms + 1)
    sweep(rig.ports)
    rig.publisher.waiting.clear()
    rig.venue.place_script.append(VenueRejected("not now", ReasonCode.INSUFFICIENT_FUNDS))

    carry_out(EffectKind.ADVANCE, first.id, rig.ports)
    while rig.publisher.waiting:
        effect = rig.publisher.waiting.popleft()
        if effect.due_at_ms <= rig.clock.server_ms():
            carry_out(effect.kind, effect.target, rig.ports)

    assert rig.signal(first.id).next_turn_ms > rig.clock.server_ms()
    assert rig.signal(second.id).order_id is not None


def test_who_had_the_lock_just_before_leaves_nothing_to_size(live_rig: Rig) -> None:
    accepted = live_rig.accept(BUY)
    acquire = live_rig.ports.locks.acquire

    def late(name: str, lease_ms: int, renewed_ms: int = 0) -> int | None:
        live_rig.ports.locks.acquire = acquire  # type: ignore[method-assign]
        live_rig.spot_lane()
        return acquire(name, lease_ms, renewed_ms)

    live_rig.ports.locks.acquire = late  # type: ignore[method-assign]
    live_rig.spot_lane()
    live_rig.drain()

    assert live_rig.states(accepted.id) == [RequestStatus.DONE]
    assert len(live_rig.venue.sent) == 1


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
        rig.clock.advance(LOOK_LASTS_MS + 1)
        earlier = EpochMs(signal.due_at_ms - 1)
        rig.put(replace(signal, id=an_id(901), due_at_ms=earlier))

    rig.venue.before_view = an_earlier_one_comes

    rig.settle()

    assert [order.parent_id for order in rig.venue.sent] == [an_id(901), later.id]


def test_whoever_dies_while_the_venue_is_asked_holds_up_the_lane_for_seconds(live_rig: Rig) -> None:
    live_rig.accept(SELL)
    live_rig.ports.locks.acquire(f"lane:{SPOT_ID}:{BTC}", ALIVE_MS)  # by whoever is dead now

    live_rig.spot_lane()
    too_soon = len(live_rig.orders())
    live_rig.clock.advance(ALIVE_MS + 1)
    live_rig.spot_lane()

    assert too_soon == 0
    assert len(live_rig.orders()) == 1


def test_who_asked_for_longer_than_the_lock_holds_finds_the_turn_taken(live_rig: Rig) -> None:
    accepted = live_rig.accept(BUY)

    def another_takes_the_turn() -> None:
        live_rig.venue.before_view = nothing
        live_rig.clock.advance(ALIVE_MS + 1)
        live_rig.spot_lane()

    live_rig.venue.before_view = another_takes_the_turn

    live_rig.spot_lane()

    assert live_rig.signal(accepted.id).order_id == live_rig.order().id


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
