"""A trigger, then an order."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from app.domain.decision import Decision
from app.domain.effects import EffectKind
from app.domain.events import (
    CancelRequested,
    OrderUpdated,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
)
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_order import (
    PLACEMENTS_MAX,
    SmartOrder,
    SmartOrderState,
    direction_of,
)
from app.domain.status import CLOSED, OrderStatus
from app.domain.words import Direction, OrderType, ReasonCode, Side
from tests.builders import (
    LATER,
    REFUSED,
    REQUESTED,
    USDM_ID,
    a_smart_order,
    an_order,
    fresh_ids,
)

ARMED = TriggerArmed(at_ms=LATER)
DISARMED = TriggerDisarmed(at_ms=LATER)
FIRED = TriggerFired(at_ms=LATER, tick=3, new_ids=fresh_ids(account=USDM_ID))
CANCEL = CancelRequested(at_ms=LATER, reason=REQUESTED)


def kinds(smart_order: SmartOrder) -> list[EffectKind]:
    return [effect.kind for effect in smart_order.owed()]


def order_of(decision: Decision[SmartOrder]) -> Order:
    (child,) = decision.children
    assert isinstance(child, Order)
    return child


def heard(smart_order: SmartOrder, order: Order, **odd: object) -> Decision[SmartOrder]:
    """Let the smart order hear how an order is now."""
    now = replace(order, **odd)  # type: ignore[arg-type]  # by name
    new_ids = fresh_ids(700, USDM_ID)
    return smart_order.decide(OrderUpdated(at_ms=LATER, order=now, new_ids=new_ids))


def test_a_new_one_wants_to_be_armed() -> None:
    assert kinds(a_smart_order()) == [EffectKind.ARM]


def test_an_armed_one_owes_nothing_but_patience() -> None:
    decision = a_smart_order().decide(ARMED)

    assert kinds(decision.aggregate) == []
    assert [entry.name for entry in decision.entries] == ["armed"]
    assert decision.aggregate.decide(ARMED).ignored


def test_its_price_brings_forth_one_reducing_order() -> None:
    decision = a_smart_order(armed=True).decide(FIRED)

    fired, order = decision.aggregate, order_of(decision)
    assert fired.state is SmartOrderState.TRIGGERED
    assert kinds(fired) == []
    assert fired.is_live
    assert (order.type, order.side, order.quantity) == (
        OrderType.MARKET,
        Side.SELL,
        Decimal("0.5"),
    )
    assert order.reduce_only
    assert order.reduces
    assert (order.parent_id, fired.order_id) == (fired.id, order.id)


def test_a_limit_of_its_own_makes_a_limit_order() -> None:
    decision = a_smart_order(price=Decimal(1_890)).decide(FIRED)

    assert order_of(decision).type is OrderType.LIMIT


def test_a_price_that_comes_before_the_arming_is_known_counts() -> None:
    fired = a_smart_order().decide(FIRED).aggregate

    late = fired.decide(ARMED).aggregate

    assert late.state is SmartOrderState.TRIGGERED
    assert kinds(late) == [EffectKind.DISARM]


def test_a_price_that_comes_twice_brings_forth_one_order() -> None:
    fired = a_smart_order().decide(FIRED).aggregate

    assert fired.decide(FIRED).ignored


def test_a_canceled_one_is_taken_out_of_the_book() -> None:
    decision = a_smart_order(armed=True).decide(CANCEL)

    canceled = decision.aggregate
    assert canceled.state is SmartOrderState.CANCELED
    assert not canceled.is_live
    assert kinds(canceled) == [EffectKind.DISARM]
    assert kinds(canceled.decide(DISARMED).aggregate) == []


def test_one_that_nobody_has_said_to_be_armed_is_taken_out_all_the_same() -> None:
    assert kinds(a_smart_order().decide(CANCEL).aggregate) == [EffectKind.DISARM]


def test_a_price_that_comes_after_the_cancel_is_ignored() -> None:
    canceled = a_smart_order(armed=True).decide(CANCEL).aggregate

    assert canceled.decide(FIRED).ignored
    assert canceled.decide(CANCEL).ignored


# What becomes of its order


def a_fired_one(**odd: object) -> tuple[SmartOrder, Order]:
    decision = a_smart_order(**odd).decide(FIRED)
    return decision.aggregate, order_of(decision)


def test_it_lives_as_long_as_its_order() -> None:
    fired, order = a_fired_one()

    resting = heard(fired, order, status=OrderStatus.NEW).aggregate
    ends = [heard(fired, order, status=status).aggregate for status in CLOSED]

    assert resting.is_live
    assert [one.is_live for one in ends if one.order_id == order.id] == [False, False, False]


def test_a_filled_order_ends_it() -> None:
    fired, order = a_fired_one()

    decision = heard(fired, order, status=OrderStatus.FILLED, filled_quantity=Decimal("0.5"))

    assert decision.aggregate.is_filled
    assert not decision.aggregate.is_live
    assert decision.aggregate.filled_quantity == Decimal("0.5")
    assert [entry.name for entry in decision.entries] == ["filled", "closed"]


def test_an_order_that_filled_in_part_ends_it_without_being_filled() -> None:
    fired, order = a_fired_one()

    ended = heard(
        fired, order, status=OrderStatus.CANCELED, filled_quantity=Decimal("0.2")
    ).aggregate

    assert not ended.is_live
    assert not ended.is_filled


@pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.DENIED])
def test_a_protective_order_that_is_refused_is_placed_anew(status: OrderStatus) -> None:
    fired, order = a_fired_one()

    decision = heard(fired, order, status=status, reason=REFUSED)

    again = order_of(decision)
    assert again.id != order.id
    assert decision.aggregate.order_id == again.id
    assert decision.aggregate.is_live


def test_after_the_last_placement_a_person_is_told() -> None:
    fired, order = a_fired_one()
    tired = replace(fired, placements=PLACEMENTS_MAX)

    decision = heard(tired, order, status=OrderStatus.REJECTED, reason=REFUSED)

    assert decision.aggregate.state is SmartOrderState.FAILED
    assert decision.aggregate.reason == REFUSED
    assert [entry.name for entry in decision.entries] == ["alert", "closed"]


@pytest.mark.parametrize(
    ("status", "code", "reduce_only"),
    [
        (OrderStatus.REJECTED, ReasonCode.NO_POSITION, True),
        (OrderStatus.CANCELED, ReasonCode.REQUESTED, True),
        (OrderStatus.REJECTED, ReasonCode.VENUE_REJECTED, False),
    ],
)
def test_nothing_is_placed_anew_where_nothing_is_to_be_guarded(
    status: OrderStatus, code: ReasonCode, *, reduce_only: bool
) -> None:
    fired, order = a_fired_one(reduce_only=reduce_only)
    reason = Reason(code, "so it is")

    decision = heard(fired, order, status=status, reason=reason)

    assert decision.children == ()
    assert not decision.aggregate.is_live
    assert decision.aggregate.reason == reason


def test_news_of_another_order_is_ignored() -> None:
    fired, _ = a_fired_one()

    assert heard(fired, an_order(account=USDM_ID)).ignored


def test_a_cancel_finds_a_triggered_one_in_the_hands_of_its_order() -> None:
    fired, _ = a_fired_one()

    assert fired.decide(CANCEL).ignored


@pytest.mark.parametrize(("state", "armed"), list(product(SmartOrderState, [False, True])))
def test_the_book_is_told_exactly_what_it_does_not_know(
    state: SmartOrderState, *, armed: bool
) -> None:
    smart_order = a_smart_order(state=state, armed=armed, order_status=OrderStatus.FILLED)

    waits = state is SmartOrderState.PENDING_NEW
    expected = {(True, False): [EffectKind.ARM], (False, True): [EffectKind.DISARM]}
    assert kinds(smart_order) == expected.get((waits, armed), [])


def test_profits_lie_ahead_and_losses_behind() -> None:
    assert direction_of(Side.SELL, takes_profit=True) is Direction.RISING
    assert direction_of(Side.SELL, takes_profit=False) is Direction.FALLING
    assert direction_of(Side.BUY, takes_profit=True) is Direction.FALLING
    assert direction_of(Side.BUY, takes_profit=False) is Direction.RISING


def test_it_says_what_it_waits_for() -> None:
    assert a_smart_order().sentence() == "sell 0.5 ETH/USDT when last reaches 1900"
