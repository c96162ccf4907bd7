"""Prices meet the trigger book."""

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from app.domain.commands import Action
from app.domain.enums import PositionSide, Side
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus, Signal
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.domain.trigger import Firing
from app.services.watching.watch import LEASE_MS, watch_prices
from app.store.core import keys
from tests.support.builders import (
    BTC,
    ETH,
    PAPER,
    USDM_ID,
    a_command,
    a_quote,
    a_report,
    a_smart_order,
    a_tick,
    a_trigger,
    a_view,
    an_id,
    fixed,
)
from tests.support.rig import POLICY, Rig, deaths, encounters

LONG = PositionSide.LONG
ENTRY = a_command(
    Action.OPEN_LONG,
    size=fixed("0.5"),
    take_profit=fixed("2200").value,
    stop_loss=fixed("1900").value,
)


def entry_accepted() -> Rig:
    rig = Rig()
    rig.venue.account = a_view({"USDT": "1000"}, {LONG: "0.5"})
    rig.accept(ENTRY)
    return rig


def protected() -> Rig:
    """A rig with a long of half an ETH whose take-profit and stop-loss are armed."""
    rig = entry_accepted()
    rig.drain()
    return rig


def tick(rig: Rig, last: str, number: int = 1) -> None:
    rig.feed.ticks.append(a_tick(number, last=last))


def watch(rig: Rig) -> bool:
    return watch_prices(PAPER, rig.ports)


def the_signal(rig: Rig) -> Signal:
    (found,) = (one for one in rig.reader.newest(None) if isinstance(one, Signal))
    return found


def ended(rig: Rig) -> list[SmartOrderStatus]:
    return [one.status for one in rig.smart_orders()]


def test_a_protected_position_waits_in_the_book() -> None:
    rig = protected()

    assert [one.armed for one in rig.smart_orders()] == [True, True]
    assert set(rig.ports.book.symbols(PAPER)) == {ETH}
    assert rig.ports.outbox.owed() == []


def test_a_quiet_tick_is_evaluated_and_done() -> None:
    rig = protected()
    tick(rig, "2000")

    assert watch(rig)
    assert not watch(rig)
    assert rig.feed.matched == [1]
    assert set(rig.feed.asked) == {ETH}
    assert ended(rig) == [SmartOrderStatus.PENDING_NEW] * 2


@pytest.mark.parametrize(("price", "fires"), [("2200", 0), ("1900", 1), ("1000", 1)])
def test_a_price_that_is_reached_closes_the_position_and_ends_both(price: str, fires: int) -> None:
    rig = protected()
    tick(rig, price)

    watch(rig)
    rig.drain()

    expected = [SmartOrderStatus.CANCELED] * 2
    expected[fires] = SmartOrderStatus.TRIGGERED
    assert ended(rig) == expected
    assert the_signal(rig).status is RequestStatus.DONE
    assert [order.side for order in rig.venue.sent] == [Side.BUY, Side.SELL]
    assert rig.venue.sent[1].reduce_only
    assert rig.ports.book.fired(PAPER) == []
    assert rig.ports.outbox.owed() == []


def test_resting_orders_meet_the_tick_before_triggers_do() -> None:
    rig = protected()
    tick(rig, "1900")
    seen: list[list[Firing]] = []
    rig.feed.before_match = lambda: seen.append(list(rig.ports.book.fired(PAPER)))

    watch(rig)

    assert seen == [[]]


def test_what_one_tick_fires_is_handed_on_in_order_of_owners(rig: Rig) -> None:
    for number in (3, 1, 2):
        owner = an_id(number, USDM_ID)
        trigger = a_trigger(owner=owner, level=fixed(str(1_900 + number)).value)
        rig.put(a_smart_order(id=owner, trigger=trigger, armed=True))
        rig.ports.book.arm(trigger)
    tick(rig, "1800")

    watch(rig)

    parents = [order.parent_id for order in rig.orders()]
    assert parents == [an_id(number, USDM_ID) for number in (1, 2, 3)]


def test_ticks_are_evaluated_one_by_one_in_order() -> None:
    rig = protected()
    tick(rig, "2000", 1)
    tick(rig, "1950", 2)

    seen = [watch(rig), watch(rig), watch(rig)]

    assert seen == [True, True, False]
    assert rig.feed.matched == [1, 2]


# Prices that are too old


def aged(rig: Rig, last: str, age_ms: int) -> None:
    """Let the next tick have a price of this age."""
    seen = {ETH: EpochMs(rig.clock.server_ms() - age_ms)}
    rig.feed.ticks.append(replace(a_tick(1, last=last), seen_at_ms=seen))


@pytest.mark.parametrize(
    ("age_ms", "state"),
    [
        (POLICY.price_age_max_ms + 1, SmartOrderStatus.PENDING_NEW),
        (POLICY.price_age_max_ms, SmartOrderStatus.TRIGGERED),
    ],
)
def test_a_price_that_is_too_old_fires_nothing(age_ms: int, state: SmartOrderStatus) -> None:
    rig = protected()
    aged(rig, "1900", age_ms)

    watch(rig)
    rig.drain()

    assert state in ended(rig)
    assert len(rig.venue.sent) == (2 if state is SmartOrderStatus.TRIGGERED else 1)


def test_a_process_that_slept_between_its_question_and_the_book_fires_nothing() -> None:
    rig = protected()
    aged(rig, "1900", 0)
    rig.clock.advance(POLICY.price_age_max_ms + 1)

    watch(rig)

    assert ended(rig) == [SmartOrderStatus.PENDING_NEW] * 2
    assert rig.feed.matched == []


def test_one_old_price_does_not_hold_up_the_others() -> None:
    rig = protected()
    old = {BTC: EpochMs(0)}
    both = {BTC: a_quote("1"), ETH: a_quote("1900")}
    rig.feed.ticks.append(replace(a_tick(), quotes=both, seen_at_ms=old))

    watch(rig)
    rig.drain()

    assert SmartOrderStatus.TRIGGERED in ended(rig)


def test_the_age_of_prices_is_counted() -> None:
    rig = protected()
    before = _sample("hookfill_stale_prices_total"), _sample("hookfill_price_age_seconds_count")
    aged(rig, "1900", POLICY.price_age_max_ms + 1)

    watch(rig)

    after = _sample("hookfill_stale_prices_total"), _sample("hookfill_price_age_seconds_count")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]


def _sample(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"feed": PAPER}) or 0


def test_only_one_watches_at_a_time() -> None:
    rig = protected()
    tick(rig, "1900")
    token = rig.ports.locks.acquire(f"prices:{PAPER}", LEASE_MS)

    held = watch(rig)
    rig.clock.advance(LEASE_MS + 1)

    assert token is not None
    assert not held
    assert watch(rig)


def test_what_fired_and_was_not_handed_on_is_handed_on_later() -> None:
    rig = protected()
    rig.ports.book.fire(PAPER, a_tick(1, last="1900"))

    evaluated = watch(rig)
    rig.drain()

    assert not evaluated, "there was no tick"
    assert the_signal(rig).status is RequestStatus.DONE


def test_a_trigger_of_nobody_is_forgotten(rig: Rig) -> None:
    rig.ports.book.arm(a_trigger())
    tick(rig, "1800")

    watch(rig)

    assert rig.ports.book.fired(PAPER) == []


def test_a_trigger_of_a_newer_release_is_left_to_it_and_holds_up_nobody() -> None:
    rig = protected()
    rig.ports.book.arm(a_trigger(owner=an_id(1, USDM_ID)))
    rig.redis.hset(
        keys.AggregateKeys(an_id(1, USDM_ID)).record, mapping={"version": 1, "body": '{"s":2}'}
    )
    tick(rig, "1900")

    evaluated = watch(rig)
    rig.drain()

    assert evaluated
    (filled,) = (one for one in rig.smart_orders() if one.is_filled)
    assert filled.filled_quantity == fixed("0.5").value
    assert [one.owner for one in rig.ports.book.fired(PAPER)] == [an_id(1, USDM_ID)]


def test_a_trigger_of_something_else_is_forgotten(rig: Rig) -> None:
    signal = rig.run(a_command(Action.CLOSE_LONG))
    rig.ports.book.arm(a_trigger(owner=signal.id))
    tick(rig, "1800")

    watch(rig)

    assert rig.ports.book.fired(PAPER) == []
    assert rig.signal(signal.id) == signal


def test_a_price_that_comes_after_the_cancel_places_nothing() -> None:
    rig = protected()
    rig.ports.book.fire(PAPER, a_tick(1, last="1900"))
    rig.accept(a_command(Action.CANCEL_ALL), futures=True)
    rig.drain()

    watch(rig)
    rig.settle()

    assert ended(rig) == [SmartOrderStatus.CANCELED] * 2
    assert len(rig.venue.sent) == 1
    assert rig.ports.book.fired(PAPER) == []


def test_a_cancel_after_the_price_was_handed_on_takes_the_order_off() -> None:
    rig = protected()
    tick(rig, "1900")
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    watch(rig)
    rig.drain()

    rig.accept(a_command(Action.CANCEL_ALL), futures=True)
    rig.settle()

    assert [order.status for order in rig.orders()] == [OrderStatus.FILLED, OrderStatus.CANCELED]
    assert not any(one.is_live for one in rig.smart_orders())
    assert rig.ports.outbox.owed() == []


def test_a_position_that_is_closed_by_hand_takes_its_protection_along() -> None:
    rig = protected()
    rig.clock.advance(1)

    rig.run(a_command(Action.CLOSE_LONG))
    rig.drain()

    assert ended(rig) == [SmartOrderStatus.CANCELED] * 2
    assert set(rig.ports.book.symbols(PAPER)) == set()
    assert {one.status for one in rig.reader.newest(None) if isinstance(one, Signal)} == {
        RequestStatus.DONE
    }


def about_to_fire() -> Rig:
    rig = protected()
    tick(rig, "1900")
    return rig


def assert_closed_once(rig: Rig) -> None:
    assert the_signal(rig).status is RequestStatus.DONE
    assert len(rig.venue.ledger) == 2, "the entry and one exit"
    assert rig.venue.repeats == []
    assert rig.ports.book.fired(PAPER) == []
    assert set(rig.ports.book.symbols(PAPER)) == set()
    assert rig.ports.outbox.owed() == []


def test_whoever_dies_at_a_tick_leaves_one_exit_in_the_end() -> None:
    for rig in deaths(about_to_fire, Rig.watch_and_work):
        rig.clock.advance(LEASE_MS + 1)
        rig.watch_and_work()
        rig.settle()

        assert_closed_once(rig)


def test_two_who_watch_at_once_make_one_exit() -> None:
    for rig in encounters(about_to_fire, Rig.watch_and_work, Rig.watch_and_work):
        rig.watch_and_work()
        rig.settle()

        assert_closed_once(rig)


def test_two_who_watch_at_once_after_a_lost_lease_make_one_exit() -> None:
    def meanwhile(rig: Rig) -> None:
        rig.clock.advance(LEASE_MS + 1)
        rig.watch_and_work()

    for rig in encounters(about_to_fire, Rig.watch_and_work, meanwhile):
        rig.clock.advance(LEASE_MS + 1)
        rig.watch_and_work()
        rig.settle()

        assert_closed_once(rig)


def test_whoever_dies_anywhere_between_webhook_and_stop_leaves_one_of_each() -> None:
    for rig in deaths(entry_accepted, Rig.drain):
        rig.settle()
        tick(rig, "1900")
        rig.watch_and_work()
        rig.settle()

        assert_closed_once(rig)


# How long it takes from a tick to the venue's answer


def placements() -> tuple[float, float]:
    """Return how many placements were timed, and the seconds of them all."""
    name, labels = "hookfill_tick_to_placement_seconds", {"venue": str(PAPER)}
    found = [REGISTRY.get_sample_value(f"{name}_{part}", labels) for part in ("count", "sum")]
    return found[0] or 0, found[1] or 0


def test_the_time_from_the_tick_to_the_answer_is_measured() -> None:
    rig = protected()
    before = placements()
    tick(rig, "1900")
    rig.venue.after_place = lambda _: rig.clock.advance(250)

    watch(rig)
    rig.drain()

    count, seconds = (now - then for now, then in zip(placements(), before, strict=True))
    assert (count, round(seconds, 3)) == (1, 0.25)
    assert [one.tick_at_ms for one in rig.orders()] == [None, a_tick().at_ms]


def test_an_order_that_no_trigger_has_brought_forth_is_not_measured() -> None:
    before = placements()

    protected()

    assert placements() == before


def test_what_is_handed_on_later_still_knows_its_tick() -> None:
    rig = protected()
    ports, fired = rig.ports, a_tick(1, last="1900")
    ports.book.begin(PAPER, fired)
    ports.book.fire(PAPER, fired)

    watch(rig)

    assert rig.orders()[-1].tick_at_ms == fired.at_ms


def test_what_an_older_tick_has_fired_does_not_take_the_time_of_a_newer_one() -> None:
    rig = protected()
    rig.ports.book.fire(PAPER, a_tick(1, last="1900"))
    rig.ports.book.begin(PAPER, a_tick(2))

    watch(rig)

    assert rig.orders()[-1].tick_at_ms is None
