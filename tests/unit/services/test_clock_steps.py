"""Somebody sets the clock of the store's host.

An hour back, nothing stands still; an hour ahead, nothing has lasted that has just begun.
"""

from collections.abc import Callable

import pytest

from app.domain.aggregate import decide
from app.domain.commands import Action
from app.domain.errors import OutcomeUnknown, VenueUnavailable
from app.domain.events import CancelRequested
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus
from app.domain.status import OrderStatus
from app.services.keeping.sweep import sweep
from app.services.placing.cancel import cancel_order, request_cancel
from app.services.placing.place import place_order
from app.services.placing.resolve import resolve_order
from app.services.watching.watch import LEASE_MS, watch_prices
from tests.support.builders import (
    BTC,
    NOW,
    PAPER,
    REQUESTED,
    SPOT_ID,
    a_command,
    a_report,
    a_tick,
    an_order,
    an_order_in,
)
from tests.support.fakes import ThenSilent
from tests.support.rig import POLICY, Rig

HOUR_MS = 3_600_000
ORDER_ID = an_order().id
SILENCE = OutcomeUnknown("nobody answered")


def lost(rig: Rig) -> None:
    """Let the answer to a placement that never arrived be lost."""
    rig.put(an_order())
    rig.venue.place_script.append(SILENCE)
    place_order(ORDER_ID, rig.ports)


def work(rig: Rig, rounds: int, step_ms: int = 1_000) -> None:
    """Let a few seconds pass, with a sweep in each."""
    for _ in range(rounds):
        rig.clock.advance(step_ms)
        sweep(rig.ports)
        rig.drain()


# Back


@pytest.mark.parametrize("name", ["sweep", f"prices:{PAPER}", "orders:1"])
def test_a_lease_of_before_does_not_outlast_itself(rig: Rig, name: str) -> None:
    held = rig.ports.locks.acquire(name, LEASE_MS)
    rig.clock.step(-HOUR_MS)

    assert held is not None
    assert rig.ports.locks.acquire(name, LEASE_MS) == held + 1


def test_whoever_held_a_lane_and_died_holds_it_up_no_longer_than_a_lease(rig: Rig) -> None:
    assert rig.ports.locks.acquire(f"lane:{SPOT_ID}:{BTC}", LEASE_MS) is not None
    rig.clock.step(-HOUR_MS)

    assert rig.run(a_command()).status is RequestStatus.DONE


def test_prices_are_looked_at(rig: Rig) -> None:
    rig.ports.locks.acquire(f"prices:{PAPER}", LEASE_MS)
    rig.feed.ticks.append(a_tick())
    rig.clock.step(-HOUR_MS)

    watch_prices(PAPER, rig.ports)

    assert rig.feed.matched == [1]


def test_prices_of_before_do_not_count_as_fresh(rig: Rig) -> None:
    now_ms = rig.clock.server_ms()
    tick = a_tick()
    seen = dict.fromkeys(tick.quotes, now_ms)

    rig.clock.step(-HOUR_MS)

    stale = type(tick)(number=1, at_ms=now_ms, quotes=tick.quotes, seen_at_ms=seen)
    assert not stale.seen_within(POLICY.price_age_max_ms, rig.clock.server_ms()).quotes


def deferred(rig: Rig) -> None:
    """An order that did not arrive, and is to be sent again."""
    rig.put(an_order())
    rig.venue.place_script.append(VenueUnavailable("away"))
    place_order(ORDER_ID, rig.ports)


def claimed(rig: Rig) -> None:
    """An order whose worker died after its claim."""
    rig.put(an_order_in(OrderStatus.PLACING, lease_until_ms=EpochMs(NOW + POLICY.place_lease_ms)))


def wanted_gone(rig: Rig) -> None:
    """An open order whose cancel did not arrive, and is to be sent again."""
    rig.put(an_order())
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    place_order(ORDER_ID, rig.ports)
    request_cancel(ORDER_ID, REQUESTED, rig.ports)
    rig.venue.cancel_script.append(VenueUnavailable("away"))
    cancel_order(ORDER_ID, rig.ports)


@pytest.mark.parametrize(
    ("prepare", "status"),
    [
        (deferred, OrderStatus.FILLED),
        (claimed, OrderStatus.FILLED),
        (lost, OrderStatus.FILLED),
        (wanted_gone, OrderStatus.CANCELED),
    ],
)
def test_what_was_due_in_a_second_is_not_due_in_an_hour(
    rig: Rig, prepare: Callable[[Rig], None], status: OrderStatus
) -> None:
    prepare(rig)
    rig.publisher.waiting.clear()  # the messages are lost; the outbox has it all
    rig.clock.step(-HOUR_MS)

    work(rig, rounds=20)

    assert rig.order().status is status
    assert rig.venue.repeats == []


def test_an_exit_is_not_patient_for_an_hour(rig: Rig) -> None:
    rig.venue.find_script.extend([VenueUnavailable("away")] * 100)
    rig.venue.place_script.append(SILENCE)
    rig.run(a_command())
    exit_ = rig.run(a_command(Action.SELL))
    rig.clock.step(-HOUR_MS)

    work(rig, rounds=POLICY.lane_patience_ms // 1_000 + 5)

    assert rig.signal(exit_.id).status is RequestStatus.DONE


def test_a_worker_that_slept_while_the_clock_was_set_back_sends_nothing(rig: Rig) -> None:
    rig.put(an_order())
    asleep_ms = POLICY.place_lease_ms + 60_000

    def sleep() -> None:
        if rig.order().status is OrderStatus.PLACING:
            rig.undisturbed()
            rig.clock.advance(asleep_ms)
            rig.clock.step(-HOUR_MS)

    rig.redis.after_write = sleep
    place_order(ORDER_ID, rig.ports)

    assert rig.venue.sent == []


def test_what_is_written_down_does_not_go_back() -> None:
    order = an_order()
    event = CancelRequested(at_ms=EpochMs(NOW - HOUR_MS), reason=REQUESTED)

    decision = decide(order, event)

    assert decision.aggregate.updated_at_ms == order.updated_at_ms
    assert {entry.at_ms for entry in decision.entries} == {order.updated_at_ms}


def test_ids_rise(rig: Rig) -> None:
    before = rig.ports.ids.latest(SPOT_ID, 1)[0].id
    rig.clock.step(-HOUR_MS)

    assert rig.ports.ids.latest(SPOT_ID, 1)[0].id > before


def test_what_has_finished_is_archived(rig: Rig) -> None:
    rig.put(an_order_in(OrderStatus.FILLED))
    rig.clock.step(-HOUR_MS)

    assert rig.ports.archive_queue.finished(10) == [ORDER_ID]


# Ahead


def test_an_hour_of_the_clock_is_no_proof_that_an_order_is_absent(rig: Rig) -> None:
    """The venue has it, and does not show it yet."""
    rig.put(an_order())
    rig.venue.place_script.append(ThenSilent(a_report(), SILENCE))
    rig.venue.find_script.append(None)
    place_order(ORDER_ID, rig.ports)
    rig.clock.step(HOUR_MS)

    resolve_order(ORDER_ID, rig.ports)
    early = rig.order().status
    work(rig, rounds=5)

    assert early is OrderStatus.UNKNOWN
    assert rig.order().status is OrderStatus.FILLED
    assert rig.venue.repeats == []


def test_a_step_between_question_and_answer_is_no_proof_either(rig: Rig) -> None:
    lost(rig)
    rig.clock.advance(POLICY.unknown_grace_ms)
    rig.venue.before_find = lambda: rig.clock.step(HOUR_MS)

    resolve_order(ORDER_ID, rig.ports)

    assert rig.order().status is OrderStatus.UNKNOWN


def test_absence_is_proven_when_it_has_lasted_since_the_step(rig: Rig) -> None:
    lost(rig)
    rig.clock.step(HOUR_MS)
    rig.clock.advance(POLICY.unknown_grace_ms)

    resolve_order(ORDER_ID, rig.ports)

    assert rig.order().status is OrderStatus.PENDING_NEW


def test_a_claim_that_a_step_has_ended_is_not_used(rig: Rig) -> None:
    rig.put(an_order())

    def step() -> None:
        if rig.order().status is OrderStatus.PLACING:
            rig.undisturbed()
            rig.clock.step(HOUR_MS)

    rig.redis.after_write = step
    place_order(ORDER_ID, rig.ports)

    assert rig.venue.sent == []
