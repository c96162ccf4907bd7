"""What a caller has asked for, and its venue holds: one order ever, whose end that tells."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.aggregate import decide
from app.domain.decision import Decision
from app.domain.effects import EffectKind
from app.domain.enums import Direction, ReasonCode, Side, SmartOrderType
from app.domain.events import (
    CancelRequested,
    OrderUpdated,
    PairGone,
    SmartOrderUpdated,
    TimerDue,
    TriggerFired,
)
from app.domain.identifiers import AggregateId, EpochMs, VenueOrderId
from app.domain.order import Condition, Order
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.smart_order_placing import resting
from app.domain.status import OrderStatus
from app.store.core.indexes import left_by
from tests.support.builders import LATER, NOW, REQUESTED, a_stop, fresh_ids, must

S, Ends = SmartOrderStatus, OrderStatus
HALF, WHOLE = Decimal("0.25"), Decimal("0.5")
BY_HAND = Reason(ReasonCode.REQUESTED, "canceled at the venue")
NO_BOOK = Reason(ReasonCode.TIME_IN_FORCE, "the rest could not be filled at once")
NO = Reason(ReasonCode.VENUE_REJECTED, "more than may rest")
OLD = Reason(ReasonCode.TOO_OLD, "its price did not come")
DISABLED = Reason(ReasonCode.ACCOUNT_DISABLED, "the account is switched off")
CANCEL = CancelRequested(at_ms=LATER, reason=REQUESTED)
AT_VENUE = VenueOrderId("77")


def a_sale(**odd: object) -> SmartOrder:
    """A sale of 0.5 when the price falls to 55,000."""
    trigger = replace(a_stop().trigger, direction=Direction.FALLING, level=Decimal(55_000))
    return a_stop(side=Side.SELL, trigger=trigger, **odd)


def new(**odd: object) -> tuple[SmartOrder, Order]:
    """A sale of 0.5 that is on its way to its venue, and its order."""
    smart = a_sale(at_venue=True, falls_back=True, **odd)
    return resting(smart, fresh_ids(600, smart.account)[0], NOW)


def heard(smart: SmartOrder, order: Order, **odd: object) -> Decision[SmartOrder]:
    """Let it hear how an order is now."""
    now = replace(order, **odd)  # type: ignore[arg-type]  # by name
    new_ids = fresh_ids(700, smart.account, 4)
    return decide(smart, OrderUpdated(at_ms=LATER, order=now, new_ids=new_ids))


def at_rest() -> tuple[SmartOrder, Order]:
    """One that rests at its venue."""
    smart, order = new()
    rests = replace(order, status=Ends.NEW, venue_order_id=AT_VENUE)
    return heard(smart, rests).aggregate, rests


def going(smart: SmartOrder) -> SmartOrder:
    return decide(smart, CANCEL).aggregate


def kinds(smart: SmartOrder) -> list[EffectKind]:
    return [one.kind for one in smart.owed()]


def names(decision: Decision[SmartOrder]) -> list[str]:
    return [one.name.value for one in decision.entries]


def test_its_order_waits_at_the_venue_for_the_price_of_its_trigger() -> None:
    smart, order = new()

    expected = Condition(level=Decimal(55_000), direction=Direction.FALLING)
    assert order.condition == expected
    assert (order.quantity, order.reduces, order.fits_held) == (WHOLE, True, False)
    assert (smart.order_id, smart.is_live, smart.is_only_here) == (order.id, True, True)
    assert (kinds(smart), [one.kind for one in order.owed()]) == ([], [EffectKind.PLACE])


@pytest.mark.parametrize(
    "odd",
    [
        {"side": Side.BUY},
        {"type": SmartOrderType.STOP_LIMIT, "price": Decimal(54_900)},
    ],
)
def test_what_buys_or_has_a_limit_cannot_rest(odd: dict[str, object]) -> None:
    smart, _ = new()

    with pytest.raises(ValueError, match="can't rest"):
        replace(smart, **odd)  # type: ignore[arg-type]  # by name


def test_that_it_rests_is_told_once() -> None:
    smart, order = new()
    rests = replace(order, status=Ends.NEW)

    first = heard(smart, rests)
    second = heard(first.aggregate, rests)

    assert (names(first), names(second)) == (["armed"], [])
    assert (first.aggregate.rests, first.aggregate.is_only_here) == (True, False)


def test_a_price_that_comes_here_is_none_of_its_affairs() -> None:
    smart, _ = at_rest()
    fired = TriggerFired(
        at_ms=LATER, tick=3, prices={"": Decimal(55_000)}, new_ids=fresh_ids(800, smart.account)
    )

    assert decide(smart, fired).ignored


def test_a_pair_that_is_gone_is_the_venues_affair() -> None:
    smart, _ = at_rest()

    assert decide(smart, PairGone(at_ms=LATER, reason=NO)).ignored


@pytest.mark.parametrize("is_going", [False, True])
def test_a_fill_triggers_it_and_its_rest_is_a_persons_affair(*, is_going: bool) -> None:
    smart, order = at_rest()
    smart = going(smart) if is_going else smart

    part = heard(smart, order, status=Ends.PARTIALLY_FILLED, filled_quantity=HALF)
    over = heard(part.aggregate, order, status=Ends.CANCELED, reason=NO_BOOK, filled_quantity=HALF)
    whole = heard(part.aggregate, order, status=Ends.FILLED, filled_quantity=WHOLE)

    assert (part.aggregate.status, names(part)) == (S.TRIGGERED, ["triggered"])
    assert (over.aggregate.filled_quantity, names(over)) == (HALF, ["alert", "filled", "closed"])
    assert (whole.aggregate.filled_quantity, names(whole)) == (WHOLE, ["filled", "closed"])
    assert [one.aggregate.is_live for one in (over, whole)] == [False, False]
    assert over.children + whole.children == ()


def test_a_fill_that_is_all_there_is_to_hear_triggers_and_ends_it() -> None:
    smart, order = new()

    over = heard(smart, order, status=Ends.FILLED, filled_quantity=WHOLE)

    assert (over.aggregate.status, names(over)) == (S.TRIGGERED, ["triggered", "filled", "closed"])


#: How its order ends with nothing filled, whether it was at the venue, and what becomes of it:
#: wanted, or while it is being taken off; each with what its timeline says first.
ENDS = [
    (Ends.REJECTED, NO, True, (S.FAILED, "alert"), (S.FAILED, "alert")),
    (Ends.REJECTED, NO, False, (S.PENDING_NEW, "alert"), (S.CANCELED, "canceled")),
    (Ends.DENIED, NO, False, (S.PENDING_NEW, "alert"), (S.CANCELED, "canceled")),
    (Ends.DENIED, DISABLED, False, (S.CANCELED, "canceled"), (S.CANCELED, "canceled")),
    (Ends.EXPIRED, NO, True, (S.PENDING_NEW, "alert"), (S.CANCELED, "canceled")),
    (Ends.CANCELED, BY_HAND, True, (S.CANCELED, "alert"), (S.CANCELED, "canceled")),
    (Ends.CANCELED, None, True, (S.CANCELED, "alert"), (S.CANCELED, "canceled")),
    (Ends.CANCELED, NO_BOOK, True, (S.TRIGGERED, "alert"), (S.TRIGGERED, "alert")),
]


@pytest.mark.parametrize(("status", "reason", "was_there", "wanted", "unwanted"), ENDS)
@pytest.mark.parametrize("is_going", [False, True])
def test_how_it_ends_with_an_order_that_has_filled_nothing(
    status: OrderStatus,
    reason: Reason | None,
    wanted: tuple[SmartOrderStatus, str],
    unwanted: tuple[SmartOrderStatus, str],
    *,
    was_there: bool,
    is_going: bool,
) -> None:
    smart, order = at_rest() if was_there else new()
    smart = going(smart) if is_going else smart

    over = heard(smart, order, status=status, reason=reason, cancel_requested=is_going)

    assert (over.aggregate.status, names(over)[0]) == (unwanted if is_going else wanted)
    assert over.children == ()
    falls_back = over.aggregate.status is S.PENDING_NEW
    assert over.aggregate.is_live is falls_back
    assert over.aggregate.at_venue is not falls_back
    assert kinds(over.aggregate) == ([EffectKind.ARM] if falls_back else [])


def test_a_cancel_is_owed_until_the_venue_has_spoken() -> None:
    smart, order = at_rest()

    asked = decide(smart, CANCEL)

    assert (asked.aggregate.status, names(asked)) == (S.PENDING_CANCEL, ["cancel_requested"])
    assert kinds(asked.aggregate) == [EffectKind.WITHDRAW]
    assert (asked.aggregate.is_live, asked.aggregate.is_only_here) == (True, False)
    assert decide(asked.aggregate, CANCEL).ignored
    over = heard(
        asked.aggregate, order, status=Ends.CANCELED, reason=DISABLED, cancel_requested=True
    )
    assert (over.aggregate.status, over.aggregate.reason) == (S.CANCELED, REQUESTED)


def test_one_whose_order_a_person_cancels_here_calls_nobody() -> None:
    smart, order = at_rest()

    over = heard(smart, order, status=Ends.CANCELED, reason=REQUESTED, cancel_requested=True)

    assert (over.aggregate.status, names(over)) == (S.CANCELED, ["canceled", "closed"])


def test_one_that_is_too_old_is_taken_off_first() -> None:
    smart, order = at_rest()
    smart = replace(smart, expires_at_ms=LATER)

    asked = decide(smart, TimerDue(at_ms=LATER)).aggregate
    over = heard(asked, order, status=Ends.CANCELED, reason=OLD, cancel_requested=True)

    assert kinds(smart) == [EffectKind.TIMER]
    assert (asked.status, kinds(asked)) == (S.PENDING_CANCEL, [EffectKind.WITHDRAW])
    assert (over.aggregate.status, names(over)) == (S.EXPIRED, ["expired", "closed"])


# What is told after the end


def test_a_sale_that_is_told_after_the_cancel_calls_a_person() -> None:
    smart, order = at_rest()
    off = heard(going(smart), order, status=Ends.CANCELED, cancel_requested=True).aggregate

    late = heard(off, order, status=Ends.FILLED, filled_quantity=WHOLE)

    assert (late.aggregate.status, late.aggregate.filled_quantity) == (S.CANCELED, WHOLE)
    assert names(late) == ["late_fill", "alert"]


def test_a_sale_by_what_was_refused_calls_a_person_after_the_cancel() -> None:
    smart, order = new()
    here = heard(smart, order, status=Ends.DENIED, reason=NO).aggregate
    off = decide(here, CANCEL).aggregate

    late = heard(off, order, status=Ends.FILLED, filled_quantity=WHOLE)

    assert (late.aggregate.status, late.aggregate.filled_quantity) == (S.CANCELED, WHOLE)
    assert names(late) == ["late_fill", "alert"]


def test_a_sale_by_what_was_refused_ends_the_waiting_here() -> None:
    smart, order = new()
    here = replace(heard(smart, order, status=Ends.DENIED, reason=NO).aggregate, armed=True)

    late = heard(here, order, status=Ends.FILLED, filled_quantity=WHOLE)

    after = late.aggregate
    assert (after.status, after.order_id, after.is_live) == (S.TRIGGERED, order.id, False)
    assert kinds(after) == [EffectKind.DISARM]


def test_a_sale_by_what_was_refused_counts_beside_the_one_from_here() -> None:
    smart, order = new()
    here = heard(smart, order, status=Ends.DENIED, reason=NO).aggregate
    fired = TriggerFired(
        at_ms=LATER, tick=3, prices={"": Decimal(55_000)}, new_ids=fresh_ids(800, smart.account)
    )
    placed = decide(here, fired)
    (second,) = placed.children
    assert isinstance(second, Order)
    assert second.condition is None

    one = heard(placed.aggregate, second, status=Ends.FILLED, filled_quantity=HALF)
    both = heard(one.aggregate, order, status=Ends.FILLED, filled_quantity=HALF)

    assert both.aggregate.filled_quantity == WHOLE
    assert both.aggregate.order_id == second.id
    assert both.children == ()


# Another one takes its place


def successor(*, proceeds: bool = False, at_venue: bool = True) -> SmartOrder:
    old, _ = new()
    return replace(
        a_sale(at_venue=at_venue, falls_back=at_venue),
        id=AggregateId(old.id + 64),
        succeeds=old.id,
        proceeds=proceeds,
    )


def told(smart: SmartOrder, status: SmartOrderStatus) -> Decision[SmartOrder]:
    old, order = new()
    ended = replace(old, status=status, order_status=Ends.CANCELED)
    new_ids = fresh_ids(900, order.account)
    return decide(smart, SmartOrderUpdated(at_ms=LATER, smart_order=ended, new_ids=new_ids))


@pytest.mark.parametrize("at_venue", [False, True])
def test_it_is_held_until_the_old_one_is_off(*, at_venue: bool) -> None:
    held = successor(at_venue=at_venue)

    begun = told(held, S.CANCELED)

    assert (held.is_held, held.is_live, held.is_waiting, held.is_resting) == (
        True,
        True,
        False,
        False,
    )
    assert kinds(held) == []
    assert (begun.aggregate.is_resting, begun.aggregate.is_waiting) == (at_venue, not at_venue)
    assert len(begun.children) == at_venue
    assert kinds(begun.aggregate) == ([] if at_venue else [EffectKind.ARM])
    assert told(begun.aggregate, S.CANCELED).ignored


@pytest.mark.parametrize("status", [S.TRIGGERED, S.FAILED, S.EXPIRED])
@pytest.mark.parametrize("proceeds", [False, True])
def test_where_the_old_one_ends_otherwise_it_comes_to_nothing(
    status: SmartOrderStatus, *, proceeds: bool
) -> None:
    over = told(successor(proceeds=proceeds), status).aggregate

    assert over.status is (S.PENDING_NEW if proceeds else S.REJECTED)
    assert proceeds or must(over.reason).code is ReasonCode.NOT_REPLACED


def test_news_of_an_old_one_that_lives_begins_nothing() -> None:
    held = successor()
    old, _ = at_rest()
    live = SmartOrderUpdated(at_ms=LATER, smart_order=old, new_ids=fresh_ids(900, old.account))

    assert decide(held, live).ignored


@pytest.mark.parametrize("event", [CANCEL, TimerDue(at_ms=EpochMs(LATER + 1))])
def test_what_is_held_ends_at_once(event: CancelRequested | TimerDue) -> None:
    over = decide(replace(successor(), expires_at_ms=LATER), event).aggregate

    assert (over.is_live, over.is_pending) == (False, False)


def test_what_is_replaced_gives_its_caller_id_up() -> None:
    smart, order = at_rest()

    asked = decide(smart, replace(CANCEL, replaced_by=AggregateId(9))).aggregate
    fired = heard(asked, order, status=Ends.FILLED, filled_quantity=WHOLE).aggregate

    assert (asked.replaced_by, asked.holds_caller_id) == (AggregateId(9), False)
    assert left_by(asked) == left_by(fired)
    assert str(must(left_by(asked)).value).endswith(" free")
