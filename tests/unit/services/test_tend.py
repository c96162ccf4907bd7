"""What an aggregate owes is done: its news read, its turn taken, its trigger armed."""

import pytest

from app.domain.commands import Action
from app.domain.effects import EffectKind
from app.domain.enums import PositionSide, ReasonCode
from app.domain.errors import NotFound, VenueRejected, VenueUnavailable
from app.domain.request.signal import RequestStatus, Stage
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.ports.ledger import Change
from app.services.perform import perform
from app.services.placing.cancel import request_cancel
from app.services.watching.watch import watch_prices
from tests.support.builders import (
    ETH,
    PAPER,
    REQUESTED,
    USDM_ID,
    a_command,
    a_signal,
    a_smart_order,
    a_tick,
    a_view,
    an_id,
    an_order,
    an_order_in,
    fixed,
)
from tests.support.rig import Rig, deaths, encounters

LONG = PositionSide.LONG
HOLDING = a_view({"USDT": "1000"}, {LONG: "0.5"})
FLAT = a_view({"USDT": "1000"})
OWNER = a_smart_order().id


def armable() -> Rig:
    """A rig with a stop that wants to be armed."""
    rig = Rig()
    rig.venue.account = HOLDING
    rig.put(a_smart_order())
    return rig


def tend_owner(rig: Rig) -> None:
    perform(OWNER, rig.ports)


def test_an_unknown_id_is_said_to_be_unknown(rig: Rig) -> None:
    with pytest.raises(NotFound):
        perform(an_id(), rig.ports)


def test_a_trigger_is_armed_and_known_to_be() -> None:
    rig = armable()

    tend_owner(rig)

    stop = rig.smart_order()
    assert stop.armed
    assert set(rig.ports.book.symbols(PAPER)) == {ETH}
    assert rig.ports.outbox.owed() == []


def test_a_stop_whose_position_is_gone_is_not_armed() -> None:
    rig = armable()
    rig.venue.account = FLAT

    tend_owner(rig)

    stop = rig.smart_order()
    assert stop.status is SmartOrderStatus.CANCELED
    assert stop.reason is not None
    assert stop.reason.code is ReasonCode.POSITION_CLOSED
    assert set(rig.ports.book.symbols(PAPER)) == set()


def test_a_trigger_that_guards_no_leg_is_armed_without_a_look(rig: Rig) -> None:
    rig.venue.account = FLAT
    rig.put(a_smart_order(position_side=None))

    tend_owner(rig)

    assert rig.smart_orders()[0].armed


def test_a_trigger_that_is_not_wanted_any_more_is_taken_out() -> None:
    rig = armable()
    tend_owner(rig)
    armed = rig.ports.ledger.load(OWNER)
    canceled = a_smart_order(status=SmartOrderStatus.CANCELED, armed=True, reason=REQUESTED)
    rig.ports.ledger.commit([Change(armed, canceled)])

    tend_owner(rig)

    assert not rig.smart_orders()[0].armed
    assert set(rig.ports.book.symbols(PAPER)) == set()


def test_a_venue_that_cannot_be_read_leaves_the_arming_to_the_next_try() -> None:
    rig = armable()
    rig.venue.view_script.append(VenueUnavailable("away"))

    with pytest.raises(VenueUnavailable):
        tend_owner(rig)
    rig.settle()

    assert rig.smart_orders()[0].armed


def test_whoever_dies_while_arming_leaves_it_armed_in_the_end() -> None:
    for rig in deaths(armable, tend_owner):
        rig.settle()

        assert rig.smart_orders()[0].armed
        assert set(rig.ports.book.symbols(PAPER)) == {ETH}


def test_a_trigger_that_was_armed_by_a_dead_worker_goes_with_its_cancel() -> None:
    for rig in deaths(armable, tend_owner):
        request_cancel(OWNER, REQUESTED, rig.ports)
        rig.settle()

        assert rig.smart_orders()[0].status is SmartOrderStatus.CANCELED
        assert set(rig.ports.book.symbols(PAPER)) == set()


def test_two_who_arm_at_once_arm_once() -> None:
    for rig in encounters(armable, tend_owner, tend_owner):
        rig.settle()

        assert rig.smart_orders()[0].armed
        assert set(rig.ports.book.symbols(PAPER)) == {ETH}


def test_a_cancel_that_meets_the_arming_leaves_nothing_in_the_book() -> None:
    def cancel(rig: Rig) -> None:
        request_cancel(OWNER, REQUESTED, rig.ports)

    for rig in encounters(armable, tend_owner, cancel):
        rig.settle()

        assert rig.smart_orders()[0].status is SmartOrderStatus.CANCELED
        assert set(rig.ports.book.symbols(PAPER)) == set()


# News


def test_news_of_a_child_is_read_once(rig: Rig) -> None:
    signal = rig.run(a_command(size=fixed("0.1")))

    assert signal.status is RequestStatus.DONE
    assert rig.ports.ledger.with_news(signal.id)[1] == {}
    version = rig.ports.ledger.load(signal.id).version
    perform(signal.id, rig.ports)
    assert rig.ports.ledger.load(signal.id).version == version


def test_news_that_means_nothing_is_read_all_the_same(rig: Rig) -> None:
    parent = a_signal(id=an_id(1), status=RequestStatus.DONE)
    rig.put(parent)
    rig.put(an_order(id=an_id(2), parent_id=parent.id))
    stored = rig.ports.ledger.load(an_id(2))
    filled = an_order_in(OrderStatus.FILLED, id=an_id(2), parent_id=parent.id)
    rig.ports.ledger.commit([Change(stored, filled)])

    perform(parent.id, rig.ports)

    assert rig.ports.ledger.with_news(parent.id)[1] == {}
    assert rig.ports.outbox.owed() == []
    assert rig.signal(parent.id) == parent


def test_an_order_has_nothing_to_tend(rig: Rig) -> None:
    rig.put(an_order())

    perform(an_order().id, rig.ports)

    assert rig.order() == an_order()
    assert [effect.kind for effect in rig.ports.outbox.owed()] == [EffectKind.PLACE]


def test_a_scheduled_signal_has_nothing_to_tend(rig: Rig) -> None:
    accepted = rig.accept(a_command(delay_ms=5_000))

    perform(accepted.id, rig.ports)

    assert rig.signal(accepted.id).status is RequestStatus.SCHEDULED


def test_children_that_are_not_wanted_are_asked_to_go(rig: Rig) -> None:
    child = a_smart_order(parent_id=an_id(1, USDM_ID))
    rig.put(child)
    signal = a_signal(
        Action.OPEN_LONG,
        stage=Stage.PROTECTED,
        working=frozenset({child.id}),
        withdrawing=frozenset({child.id}),
        reason=REQUESTED,
    )
    rig.put(signal)

    perform(signal.id, rig.ports)

    gone = rig.smart_order()
    assert gone.status is SmartOrderStatus.CANCELED
    assert gone.reason == REQUESTED


def test_a_protective_order_that_the_venue_refuses_is_placed_again(rig: Rig) -> None:
    rig.venue.account = HOLDING
    rig.run(a_command(Action.OPEN_LONG, size=fixed("0.5"), stop_loss=fixed("1900").value))
    rig.venue.place_script.extend([VenueRejected("no")] * 2)

    rig.feed.ticks.append(a_tick(last="1900"))
    watch_prices(PAPER, rig.ports)
    rig.settle(step_ms=500)

    statuses = [order.status for order in rig.orders()]
    assert statuses == [
        OrderStatus.FILLED,
        OrderStatus.REJECTED,
        OrderStatus.REJECTED,
        OrderStatus.FILLED,
    ]
