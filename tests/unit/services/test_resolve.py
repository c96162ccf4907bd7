"""An order of unknown outcome is asked about, until there is a definite answer."""

from contextlib import suppress
from functools import partial

import pytest

from app.domain.enums import ReasonCode
from app.domain.errors import (
    HookfillError,
    NotFound,
    OutcomeUnknown,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import EpochMs, OrderId
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.paper.paper_venue import PaperVenue
from app.services.keeping.sweep import sweep
from app.services.placing.cancel import request_cancel
from app.services.placing.place import place_order
from app.services.placing.resolve import LOOK_UP_LEASE_MS, resolve_order
from tests.support.builders import (
    NOW,
    REQUESTED,
    SPOT_ID,
    a_command,
    a_report,
    a_signal,
    an_order,
    an_order_in,
    client_id,
    fixed,
)
from tests.support.fakes import ThenSilent
from tests.support.paper_rig import PaperRig
from tests.support.rig import POLICY, Died, Rig, deaths, encounters

ORDER_ID = an_order().id
SILENCE = OutcomeUnknown("nobody answered")


def lost(*, arrived: bool, report: OrderStatus = OrderStatus.FILLED) -> Rig:
    """A rig with an order whose answer was lost, whether it had arrived or not."""
    rig = Rig()
    rig.put(an_order())
    answer = ThenSilent(a_report(report), SILENCE) if arrived else SILENCE
    rig.venue.place_script.append(answer)
    place_order(ORDER_ID, rig.ports)
    return rig


def lost_for_long(*, arrived: bool) -> Rig:
    """The same when the grace period is over."""
    rig = lost(arrived=arrived)
    rig.clock.advance(POLICY.unknown_grace_ms)
    return rig


def resolve(rig: Rig) -> Order:
    resolve_order(ORDER_ID, rig.ports)
    return rig.order()


@pytest.mark.parametrize("report", [OrderStatus.NEW, OrderStatus.FILLED, OrderStatus.CANCELED])
def test_what_the_venue_finds_is_adopted(report: OrderStatus) -> None:
    rig = lost(arrived=True, report=report)
    rig.clock.advance(POLICY.unknown_retry_ms)

    order = resolve(rig)

    assert order.status is report
    assert order.unknown_since_ms is None
    assert len(rig.venue.sent) == 1


def test_nobody_asks_before_it_is_time() -> None:
    rig = lost(arrived=True)

    order = resolve(rig)

    assert order.status is OrderStatus.UNKNOWN
    assert order.next_action_at_ms == NOW + POLICY.unknown_retry_ms


def test_no_such_order_proves_nothing_within_the_grace_period() -> None:
    rig = lost(arrived=False)
    rig.clock.advance(POLICY.unknown_grace_ms - 1)

    order = resolve(rig)

    assert order.status is OrderStatus.UNKNOWN
    assert order.next_action_at_ms > rig.clock.server_ms()


def test_no_such_order_after_the_grace_period_lets_it_be_sent_again() -> None:
    rig = lost_for_long(arrived=False)

    order = resolve(rig)

    assert order.status is OrderStatus.PENDING_NEW
    assert rig.events(ORDER_ID) == ["sent", "unknown", "absent"]


def test_an_answer_that_took_longer_than_the_grace_period_proves_nothing() -> None:
    rig = lost(arrived=False)
    rig.clock.advance(POLICY.unknown_grace_ms - 1)
    rig.venue.before_find = lambda: rig.clock.advance(POLICY.unknown_grace_ms)

    order = resolve(rig)

    assert order.status is OrderStatus.UNKNOWN


@pytest.mark.parametrize("error", [VenueUnavailable("away"), VenueRejected("bad key")])
def test_a_question_that_cannot_be_asked_is_asked_again(error: HookfillError) -> None:
    rig = lost_for_long(arrived=True)
    rig.venue.find_script.append(error)

    order = resolve(rig)

    assert order.status is OrderStatus.UNKNOWN
    assert order.next_action_at_ms > rig.clock.server_ms()


def test_questions_become_rarer() -> None:
    rig = lost(arrived=False)
    pauses = []
    for _ in range(6):
        rig.clock.advance(max(rig.order().next_action_at_ms - rig.clock.server_ms(), 0))
        rig.venue.find_script.append(VenueUnavailable("away"))
        before = rig.clock.server_ms()
        pauses.append(resolve(rig).next_action_at_ms - before)

    assert pauses == sorted(pauses)
    assert pauses[0] == POLICY.unknown_retry_ms
    assert pauses[-1] == POLICY.retry_max_ms


def test_a_lease_that_runs_is_left_alone() -> None:
    rig = Rig()
    rig.put(an_order_in(OrderStatus.PLACING, lease_until_ms=EpochMs(NOW + 1)))

    assert resolve(rig).status is OrderStatus.PLACING


def test_a_lease_that_ran_out_makes_the_outcome_unknown_before_anybody_is_asked() -> None:
    rig = Rig()
    rig.put(an_order_in(OrderStatus.PLACING, lease_until_ms=NOW))

    order = resolve(rig)

    assert order.status is OrderStatus.UNKNOWN
    assert order.unknown_since_ms == NOW
    assert order.reason is not None
    assert order.reason.code is ReasonCode.OUTCOME_UNKNOWN


def test_the_grace_period_begins_when_the_lease_has_ended() -> None:
    rig = Rig()
    rig.put(an_order_in(OrderStatus.PLACING, lease_until_ms=NOW))
    rig.clock.advance(10 * POLICY.unknown_grace_ms)
    resolve(rig)
    rig.clock.advance(POLICY.unknown_retry_ms)

    assert resolve(rig).status is OrderStatus.UNKNOWN


@pytest.mark.parametrize(
    "status", [one for one in OrderStatus if one not in {"PLACING", "UNKNOWN"}]
)
def test_what_is_known_is_not_asked_about(rig: Rig, status: OrderStatus) -> None:
    rig.put(an_order_in(status))

    assert resolve(rig).status is status


def test_what_waits_for_a_person_is_not_asked_about(rig: Rig) -> None:
    rig.put(an_order_in(OrderStatus.UNKNOWN, needs_person=True, next_action_at_ms=NOW))
    rig.venue.ledger[client_id(ORDER_ID)] = a_report()

    assert resolve(rig).status is OrderStatus.UNKNOWN


def test_what_is_no_order_is_left_alone(rig: Rig) -> None:
    rig.put(a_signal(id=ORDER_ID))

    resolve_order(ORDER_ID, rig.ports)

    assert rig.signal(ORDER_ID) == a_signal(id=ORDER_ID)


def test_an_unknown_id_is_said_to_be_unknown(rig: Rig) -> None:
    with pytest.raises(NotFound):
        resolve_order(ORDER_ID, rig.ports)


def test_a_cancel_that_came_meanwhile_is_carried_out_when_the_order_is_found() -> None:
    rig = lost(arrived=True, report=OrderStatus.NEW)
    request_cancel(ORDER_ID, REQUESTED, rig.ports)

    rig.settle()

    assert rig.order().status is OrderStatus.CANCELED
    assert rig.venue.ledger[client_id(ORDER_ID)].status is OrderStatus.CANCELED


def test_a_cancel_that_came_meanwhile_ends_an_order_that_never_arrived() -> None:
    rig = lost(arrived=False)
    request_cancel(ORDER_ID, REQUESTED, rig.ports)

    rig.settle()

    assert rig.order().status is OrderStatus.CANCELED
    assert rig.venue.sent == []


@pytest.mark.parametrize("arrived", [False, True])
def test_an_unknown_order_ends_as_one_order_at_the_venue(*, arrived: bool) -> None:
    rig = lost(arrived=arrived)

    rig.settle()

    assert rig.order().status is OrderStatus.FILLED
    assert len(rig.venue.ledger) == 1
    assert rig.venue.repeats == []


@pytest.mark.parametrize("arrived", [False, True])
def test_whoever_dies_while_asking_leaves_one_order_at_the_venue(*, arrived: bool) -> None:
    for rig in deaths(partial(lost_for_long, arrived=arrived), resolve):
        rig.settle()

        assert rig.order().status is OrderStatus.FILLED
        assert len(rig.venue.ledger) == 1
        assert rig.venue.repeats == []


@pytest.mark.parametrize("arrived", [False, True])
def test_of_two_who_ask_at_once_the_order_learns_once(*, arrived: bool) -> None:
    for rig in encounters(partial(lost_for_long, arrived=arrived), resolve, Rig.settle):
        rig.settle()

        assert rig.order().status is OrderStatus.FILLED
        assert len(rig.venue.ledger) == 1
        assert rig.venue.repeats == []


def lost_at_a_forgetful_venue() -> Rig:
    """A rig with an order that has not arrived, at a venue that forgets ids of closed orders."""
    rig = Rig()
    rig.venue.forgets_closed = True
    rig.put(an_order())
    rig.venue.place_script += [SILENCE, ThenSilent(a_report(), SILENCE)]
    place_order(ORDER_ID, rig.ports)
    rig.clock.advance(POLICY.unknown_grace_ms)
    return rig


def lose_it_again(rig: Rig) -> None:
    """What another worker does when the lease of whoever asks has run out: a whole further cycle.

    It proves that the order is absent, and sends it again; it is filled, and the answer is lost.
    """
    rig.clock.advance(LOOK_UP_LEASE_MS)
    resolve_order(ORDER_ID, rig.ports)
    place_order(ORDER_ID, rig.ports)


def test_a_proof_of_absence_that_comes_late_places_nothing_twice() -> None:
    for rig in encounters(lost_at_a_forgetful_venue, resolve, lose_it_again):
        rig.settle()

        filled = sum(one.filled_quantity for one in rig.venue.taken)
        assert rig.order().status is OrderStatus.FILLED
        assert filled == rig.order().filled_quantity == rig.order().quantity


def test_a_proof_of_absence_that_comes_late_finds_the_newer_placement_in_question() -> None:
    rig = lost_at_a_forgetful_venue()
    rig.after_step(2, lambda: lose_it_again(rig))  # the first step is the claim

    order = resolve(rig)

    assert (order.status, order.token) == (OrderStatus.UNKNOWN, 2)
    assert order.absent_since_ms is None


def test_whoever_asks_keeps_others_from_asking() -> None:
    rig = lost_for_long(arrived=False)
    asked: list[int] = []

    def ask_too() -> None:
        asked.append(1)
        if len(asked) == 1:
            resolve(rig)

    rig.venue.before_find = ask_too

    assert resolve(rig).status is OrderStatus.PENDING_NEW
    assert asked == [1]


def test_who_dies_while_asking_is_followed_by_another_when_the_lease_has_run_out() -> None:
    rig = lost(arrived=True)
    rig.clock.advance(POLICY.unknown_retry_ms)
    rig.die_after(2)
    with pytest.raises(Died):
        resolve(rig)
    rig.bury()

    assert resolve(rig).status is OrderStatus.UNKNOWN
    rig.clock.advance(POLICY.place_lease_ms)
    assert resolve(rig).status is OrderStatus.FILLED


# Paper: nothing arrives after its claim


@pytest.mark.parametrize("dies", [False, True])
def test_who_sleeps_on_the_way_to_paper_leaves_no_fill_that_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, *, dies: bool
) -> None:
    """It is asked about and canceled meanwhile; then the sleeper wakes, and dies perhaps."""
    rig = PaperRig()
    real = PaperVenue.place
    slept: list[OrderId] = []

    def place(venue: PaperVenue, order: Order) -> OrderReport:
        if slept:
            return real(venue, order)
        slept.append(order.id)
        request_cancel(order.id, REQUESTED, rig.ports)
        for _ in range(11):
            rig.clock.advance(1_000)
            sweep(rig.ports)
            rig.drain()
        try:
            return real(venue, order)
        finally:
            if dies:
                raise Died

    monkeypatch.setattr(PaperVenue, "place", place)
    with suppress(Died):
        rig.run(a_command(size=fixed("0.01")))
    rig.bury()
    rig.settle()

    (order,) = rig.orders()
    placed = rig.world.ports.ledger.load(SPOT_ID, [order.client_order_id]).orders
    assert order.status is OrderStatus.CANCELED
    assert order.filled_quantity == sum(one.filled_quantity for one in placed.values())
