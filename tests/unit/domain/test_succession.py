"""An order that takes the place of another waits for its end, and for nothing else."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.aggregate import decide
from app.domain.enums import ReasonCode
from app.domain.events import CancelRequested, OrderUpdated, PlacementClaimed
from app.domain.identifiers import AggregateId, OrderId
from app.domain.order import Order, Succession
from app.domain.reason import Reason
from app.domain.status import CLOSED, OrderStatus
from tests.support.builders import NOW, an_order, must

OLD = an_order(id=OrderId(AggregateId(1)), quantity=Decimal(2), filled_quantity=Decimal("0.5"))
HELD = an_order(
    id=OrderId(AggregateId(2)),
    quantity=Decimal(1),
    succeeds=Succession(order_id=OLD.id),
    caller_id="new",
)


def after(held: Order, old: Order) -> Order:
    """Return the new order once it has heard how the old one is."""
    return decide(held, OrderUpdated(at_ms=NOW, order=old, new_ids=())).aggregate


def ended(status: OrderStatus) -> Order:
    filled = OLD.quantity if status is OrderStatus.FILLED else OLD.filled_quantity
    return replace(OLD, status=status, filled_quantity=filled)


def test_it_owes_nothing_and_nobody_may_send_it() -> None:
    claim = PlacementClaimed(at_ms=NOW, lease_until_ms=NOW)

    assert HELD.owed() == ()
    assert not HELD.is_in_flight
    assert decide(HELD, claim).ignored


@pytest.mark.parametrize("status", sorted(set(OrderStatus) - CLOSED))
def test_it_waits_while_the_old_one_lives(status: OrderStatus) -> None:
    assert after(HELD, ended(status)) == HELD


def test_when_the_old_one_is_off_it_goes() -> None:
    freed = after(HELD, ended(OrderStatus.CANCELED))

    assert (freed.is_held, freed.is_in_flight) == (False, True)
    assert (freed.status, freed.quantity) == (OrderStatus.PENDING_NEW, Decimal(1))
    assert after(freed, ended(OrderStatus.FILLED)) == freed


@pytest.mark.parametrize("status", sorted(CLOSED - {OrderStatus.CANCELED}))
def test_when_the_old_one_ends_otherwise_it_is_denied(status: OrderStatus) -> None:
    denied = after(HELD, ended(status))

    assert denied.status is OrderStatus.DENIED
    assert must(denied.reason).code is ReasonCode.NOT_REPLACED


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_unless_it_is_to_proceed(status: OrderStatus) -> None:
    proceeding = replace(HELD, succeeds=Succession(order_id=OLD.id, proceeds=True))

    freed = after(proceeding, ended(status))

    assert (freed.status, freed.is_held) == (OrderStatus.PENDING_NEW, False)


def test_it_may_be_for_what_the_old_one_leaves() -> None:
    taking = replace(HELD, succeeds=Succession(order_id=OLD.id, takes_rest=True))
    nothing_left = replace(ended(OrderStatus.CANCELED), filled_quantity=OLD.quantity)

    assert after(taking, ended(OrderStatus.CANCELED)).quantity == Decimal("1.5")
    assert after(taking, nothing_left).status is OrderStatus.DENIED


def test_the_end_of_another_order_is_nothing_to_it() -> None:
    stranger = replace(ended(OrderStatus.CANCELED), id=OrderId(AggregateId(3)))

    assert after(HELD, stranger) == HELD


def test_it_can_be_canceled_meanwhile() -> None:
    reason = Reason(ReasonCode.REQUESTED, "canceled by request")
    canceled = decide(HELD, CancelRequested(at_ms=NOW, reason=reason)).aggregate

    assert canceled.status is OrderStatus.CANCELED
    assert after(canceled, ended(OrderStatus.CANCELED)) == canceled


def test_one_that_is_being_replaced_gives_up_its_caller_id() -> None:
    resting = replace(OLD, status=OrderStatus.NEW, caller_id="mine")
    reason = Reason(ReasonCode.REPLACED, "replaced by order 2")
    event = CancelRequested(at_ms=NOW, reason=reason, replaced_by=HELD.id)

    leaving = decide(resting, event).aggregate

    assert resting.caller_id_scope is not None
    assert (leaving.replaced_by, leaving.caller_id_scope) == (HELD.id, None)
