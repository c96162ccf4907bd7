"""What is different where the money is real: grace, two answers of absence, holding back, polls."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.domain.enums import Mode
from app.domain.errors import CannotAsk, NotFound, OutcomeUnknown, VenueBusy, VenueUnavailable
from app.domain.identifiers import VenueName
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.ports.policy import Policy
from app.services.following.follow import look_at_account, poll_orders
from app.services.placing.cancel import cancel_order, request_cancel
from app.services.placing.place import place_order
from app.services.placing.resolve import resolve_order
from app.store.memory.venue_memory import RedisVenueMemory
from tests.support.builders import (
    REQUESTED,
    SPOT,
    a_report,
    an_id,
    an_order,
    an_order_in,
    client_id,
)
from tests.support.rig import Rig, deaths, encounters

ORDER_ID = an_order().id
REAL = Policy()


@pytest.fixture
def rig() -> Rig:
    return a_real_rig()


def a_real_rig() -> Rig:
    rig = Rig()
    rig.registry.put_account(replace(SPOT, venue=VenueName("binance"), mode=Mode.LIVE))
    rig.ports = replace(rig.ports, policy=REAL)
    return rig


def lost(rig: Rig) -> None:
    rig.put(an_order())
    rig.venue.place_script.append(OutcomeUnknown("nobody answered"))
    place_order(ORDER_ID, rig.ports)


def asked(rig: Rig, after_ms: int) -> Order:
    rig.clock.advance(after_ms)
    resolve_order(ORDER_ID, rig.ports)
    return rig.order()


def test_a_claim_is_leased_for_as_long_as_a_venue_may_take(rig: Rig) -> None:
    rig.put(an_order())
    rig.venue.before_view = lambda: None
    place_order(ORDER_ID, rig.ports)

    assert rig.venue.sent[0].lease_until_ms == rig.clock.server_ms() + REAL.venue_place_lease_ms


def test_nothing_is_claimed_where_this_release_knows_no_such_venue(rig: Rig) -> None:
    rig.put(an_order())
    place_order(ORDER_ID, rig.ports)  # so that its symbol is vouched for
    other = an_order(id=an_id(77), client_order_id=client_id(an_id(77)))
    rig.put(other)
    rig.ports.venues.of = Mock(side_effect=NotFound("nobody knows it"))  # type: ignore[method-assign]

    with pytest.raises(NotFound):
        place_order(other.id, rig.ports)

    left = rig.order(other.id)
    assert (left.status, left.attempts) == (OrderStatus.PENDING_NEW, 0)


def test_absence_must_be_told_twice_and_apart(rig: Rig) -> None:
    lost(rig)

    early = asked(rig, REAL.venue_grace_ms - 1)
    first = asked(rig, 1)
    again = asked(rig, REAL.venue_absence_ms - 1)
    second = asked(rig, 1)

    states = [one.status for one in (early, first, again, second)]
    assert states == [OrderStatus.UNKNOWN] * 3 + [OrderStatus.PENDING_NEW]
    assert early.absent_since_ms is None
    assert first.absent_since_ms is not None
    assert second.absent_since_ms is None


def test_somebody_asks_as_soon_as_an_answer_can_prove_something(rig: Rig) -> None:
    lost(rig)
    since = rig.clock.server_ms()

    order = asked(rig, 20_000)

    assert order.next_action_at_ms == since + REAL.venue_grace_ms


def test_an_order_that_shows_up_between_the_two_answers_is_adopted(rig: Rig) -> None:
    lost(rig)
    order = asked(rig, REAL.venue_grace_ms)
    rig.venue.ledger[order.client_order_id] = a_report(OrderStatus.NEW)

    found = asked(rig, REAL.venue_absence_ms)

    assert found.status is OrderStatus.NEW
    assert found.absent_since_ms is None


def test_a_failed_question_between_them_proves_nothing_and_costs_nothing(rig: Rig) -> None:
    lost(rig)
    first = asked(rig, REAL.venue_grace_ms)
    rig.venue.find_script.append(VenueBusy("too many requests"))

    failed = asked(rig, REAL.venue_absence_ms)

    assert failed.status is OrderStatus.UNKNOWN
    assert failed.absent_since_ms == first.absent_since_ms


def test_what_was_held_back_counts_as_no_attempt(rig: Rig) -> None:
    rig.put(an_order())
    for _ in range(8):
        rig.venue.place_script.append(VenueBusy("banned", 5_000))
        place_order(ORDER_ID, rig.ports)
        waiting = rig.order()
        assert (waiting.status, waiting.attempts) == (OrderStatus.PENDING_NEW, 0)
        assert waiting.next_action_at_ms == rig.clock.server_ms() + 5_000
        rig.clock.advance(5_000)

    place_order(ORDER_ID, rig.ports)

    assert rig.order().status is OrderStatus.FILLED


def test_an_order_that_cannot_be_asked_about_waits_for_a_person(rig: Rig) -> None:
    lost(rig)
    rig.venue.find_script.append(CannotAsk("it has no look-up"))

    order = asked(rig, 2_000)

    assert order.needs_person
    assert order.owed() == ()


def test_a_cancel_that_finds_nothing_is_tried_again_while_the_venue_may_hide_it(rig: Rig) -> None:
    order = an_order_in(OrderStatus.NEW)
    rig.put(replace(order, lease_until_ms=rig.clock.server_ms()))
    request_cancel(order.id, REQUESTED, rig.ports)

    cancel_order(order.id, rig.ports)
    hidden = rig.order()
    rig.clock.advance(REAL.venue_grace_ms)
    cancel_order(order.id, rig.ports)

    assert hidden.status is OrderStatus.NEW
    assert rig.order().status is OrderStatus.CANCELED


def an_open_order() -> Rig:
    rig = a_real_rig()
    order = an_order_in(OrderStatus.NEW)
    rig.put(order)
    rig.venue.ledger[order.client_order_id] = a_report(OrderStatus.FILLED)
    return rig


def test_a_poll_tells_open_orders_what_became_of_them() -> None:
    rig = an_open_order()

    poll_orders(SPOT.id, rig.ports)

    assert rig.order().status is OrderStatus.FILLED
    poll_orders(SPOT.id, rig.ports)
    assert rig.order().status is OrderStatus.FILLED


def test_a_venue_that_does_not_tell_what_an_account_has_is_asked_about_its_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = an_open_order()
    RedisVenueMemory(rig.redis, rig.clock).want_view(SPOT.id)
    silent = Mock(side_effect=VenueUnavailable("balances cannot be read"))
    monkeypatch.setattr(rig.venue, "view", silent)

    with pytest.raises(VenueUnavailable):
        look_at_account(SPOT.id, rig.ports)

    assert rig.order().status is OrderStatus.FILLED


def test_a_poll_may_die_anywhere() -> None:
    for rig in deaths(an_open_order, lambda rig: poll_orders(SPOT.id, rig.ports)):
        rig.clock.advance(60_000)

        poll_orders(SPOT.id, rig.ports)

        assert rig.order().status is OrderStatus.FILLED


def test_two_polls_at_once_are_one() -> None:
    def poll(rig: Rig) -> None:
        poll_orders(SPOT.id, rig.ports)

    for rig in encounters(an_open_order, poll, poll):
        assert rig.order().status is OrderStatus.FILLED
        assert rig.events(ORDER_ID).count("filled") == 1


def test_a_poll_of_nobody() -> None:
    rig = Rig()

    with pytest.raises(NotFound):
        poll_orders(type(SPOT.id)(99), rig.ports)
