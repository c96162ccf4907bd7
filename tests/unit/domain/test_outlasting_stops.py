"""A stop that the venue holds beyond ours, for the time when nobody here can act."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.aggregate import decide
from app.domain.bracket import IDS_AT_VENUE
from app.domain.commands import Action
from app.domain.decision import Decision, EntryName
from app.domain.effects import EffectKind
from app.domain.enums import Direction, OrderType, PriceSource, ReasonCode, Side
from app.domain.events import (
    CancelRequested,
    OrderUpdated,
    PauseOver,
    PositionSeen,
    SmartOrderUpdated,
    TriggerFired,
)
from app.domain.exits import PAUSE_MAX_MS, ExitRules
from app.domain.order import Condition, Order
from app.domain.reason import Reason
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from tests.support.builders import LATER, REQUESTED, a_signal, a_turn, fixed, fresh_ids

BOTH = ExitRules(beyond_percent=Decimal(3))
GONE = Reason(ReasonCode.NO_POSITION, "nothing of ETH/USDT is left to close")
BY_HAND = Reason(ReasonCode.REQUESTED, "canceled at the venue")


def guarded(
    action: Action = Action.OPEN_LONG,
    levels: tuple[str | None, str | None] = ("2200", "1900"),
    exits: ExitRules = BOTH,
) -> Decision[Signal]:
    """What a signal decides when its entry of 0.5 has filled."""
    profit, loss = (None if level is None else Decimal(level) for level in levels)
    signal = a_signal(action, size=fixed("0.5"), take_profit=profit, stop_loss=loss, exits=exits)
    working = decide(signal, a_turn(signal))
    (entry,) = working.children
    assert isinstance(entry, Order)
    filled = replace(entry, status=OrderStatus.FILLED, filled_quantity=Decimal("0.5"))
    return decide(working.aggregate, news(filled))


def news(order: Order, **odd: object) -> OrderUpdated:
    now = replace(order, **odd)  # type: ignore[arg-type]  # by name
    return OrderUpdated(at_ms=LATER, order=now, new_ids=fresh_ids(700, order.account, 6))


def parts(decision: Decision[Signal]) -> tuple[list[SmartOrder], SmartOrder, Order]:
    """Return ours, the stop that the venue holds, and its order."""
    guards = [one for one in decision.children if isinstance(one, SmartOrder)]
    (outlasting,) = [one for one in guards if one.at_venue and one.is_stop_loss]
    return [one for one in guards if not one.at_venue], outlasting, order_of(outlasting, decision)


def order_of(guard: SmartOrder, decision: Decision[Signal]) -> Order:
    orders = [one for one in decision.children if isinstance(one, Order)]
    (order,) = [one for one in orders if one.parent_id == guard.id]
    return order


def resting() -> tuple[SmartOrder, Order]:
    """Return one that rests at the venue, and its order."""
    _, outlasting, order = parts(guarded())
    order = replace(order, status=OrderStatus.NEW)
    return decide(outlasting, news(order)).aggregate, order


def told(signal: Signal, child: SmartOrder) -> Signal:
    return decide(signal, SmartOrderUpdated(at_ms=LATER, smart_order=child)).aggregate


def names(decision: Decision[SmartOrder]) -> list[EntryName]:
    return [one.name for one in decision.entries]


@pytest.mark.parametrize(
    ("action", "levels", "level", "direction", "side"),
    [
        (Action.OPEN_LONG, ("2200", "1900"), "1843", Direction.FALLING, Side.SELL),
        (Action.OPEN_LONG, (None, "1900"), "1843", Direction.FALLING, Side.SELL),
        (Action.OPEN_SHORT, ("1800", "2100"), "2163", Direction.RISING, Side.BUY),
    ],
)
def test_the_venue_holds_a_stop_beyond_ours(
    action: Action,
    levels: tuple[str | None, str | None],
    level: str,
    direction: Direction,
    side: Side,
) -> None:
    decision = guarded(action, levels)

    ours, outlasting, order = parts(decision)
    assert [one.trigger.level for one in ours] == [Decimal(one) for one in levels if one]
    expected = Condition(level=Decimal(level), direction=direction, source=PriceSource.LAST)
    assert order.condition == expected
    assert (order.type, order.side, order.quantity) == (OrderType.MARKET, side, Decimal("0.5"))
    assert order.reduce_only
    assert order.fits_held
    assert (order.parent_id, outlasting.order_id) == (outlasting.id, order.id)
    assert [one.kind for one in order.owed()] == [EffectKind.PLACE]
    # The trigger book here knows nothing of it.
    assert outlasting.owed() == ()
    assert outlasting.is_live
    assert decision.aggregate.working == {one.id for one in (*ours, outlasting)}


@pytest.mark.parametrize(
    ("levels", "exits"), [(("2200", "1900"), ExitRules()), (("2200", None), BOTH)]
)
def test_where_there_is_none_to_hold_the_venue_holds_none(
    levels: tuple[str | None, str | None], exits: ExitRules
) -> None:
    children = guarded(levels=levels, exits=exits).children

    assert children
    assert not [one for one in children if isinstance(one, Order) or one.at_venue]


@pytest.mark.parametrize(
    ("action", "loss", "percent", "level"),
    [
        (Action.OPEN_LONG, "1899.99", "3", "1842.99"),  # 1842.9903 is no step: never nearer
        (Action.OPEN_SHORT, "2100.01", "3", "2163.02"),  # 2163.0103
        (Action.OPEN_LONG, "1900", "0.1", "1898.10"),
    ],
)
def test_it_lies_on_a_step_and_no_nearer(
    action: Action, loss: str, percent: str, level: str
) -> None:
    decision = guarded(action, (None, loss), ExitRules(beyond_percent=Decimal(percent)))

    _, _, order = parts(decision)
    assert order.condition is not None
    assert order.condition.level == Decimal(level)


def test_a_stop_beyond_which_there_is_no_price_stands_alone() -> None:
    (alone,) = guarded(levels=(None, "0.01"), exits=ExitRules(beyond_percent=Decimal(50))).children

    assert isinstance(alone, SmartOrder)
    assert not alone.at_venue


def test_it_holds_up_nobody_in_its_lane() -> None:
    _, _, order = parts(guarded())
    unknown = replace(order, status=OrderStatus.UNKNOWN)

    assert unknown.is_in_flight
    assert not unknown.holds_lane
    assert replace(unknown, condition=None).holds_lane


def test_no_entry_waits_for_a_price_at_its_venue() -> None:
    _, _, order = parts(guarded())

    with pytest.raises(ValueError, match="when last reaches 1843"):
        replace(order, reduces=False)


# The venue goes first

FIRST = replace(BOTH, venue_first=True)


def test_where_the_venue_goes_first_ours_lies_beyond_its_stop() -> None:
    ours, held, order = parts(guarded(levels=("2200", "1900.009"), exits=FIRST))

    assert [one.trigger.level for one in ours] == [Decimal(2_266), Decimal("1843.00")]
    assert order.condition is not None
    assert order.condition.level == Decimal("1900.00")
    assert held.falls_back


def refused(reason: Reason, status: OrderStatus = OrderStatus.REJECTED) -> Decision[SmartOrder]:
    """What becomes of one that its venue does not hold."""
    _, held, order = parts(guarded(exits=FIRST))
    return decide(held, news(order, status=status, reason=reason))


@pytest.mark.parametrize(
    "code", [ReasonCode.AGAINST_RULES, ReasonCode.WOULD_TRIGGER, ReasonCode.VENUE_REJECTED]
)
def test_what_it_does_not_hold_waits_here_and_a_person_is_told(code: ReasonCode) -> None:
    fallen = refused(Reason(code, "no"))

    here = fallen.aggregate
    assert names(fallen) == [EntryName.ALERT]
    assert (here.is_waiting, here.at_venue, here.is_only_here) == (True, False, True)
    # At the level of the stop-loss, which may have come already.
    assert [one.kind for one in here.owed()] == [EffectKind.ARM]
    assert (here.trigger.level, here.trigger.looks_now) == (Decimal(1_900), True)
    fired = decide(
        here, TriggerFired(at_ms=LATER, tick=1, prices={}, new_ids=fresh_ids(800, here.account))
    )
    (order,) = fired.children
    assert isinstance(order, Order)
    assert order.condition is None


def test_a_position_that_is_shown_late_is_asked_for_once_more() -> None:
    once = refused(GONE)

    assert once.aggregate.is_resting
    assert once.aggregate.goes_on_at_ms is not None


def test_what_is_taken_off_twice_waits_here() -> None:
    first = refused(BY_HAND, OrderStatus.CANCELED).aggregate
    again = decide(first, PauseOver(at_ms=LATER, new_ids=fresh_ids(800, first.account)))
    (new,) = again.children
    assert isinstance(new, Order)

    second = decide(again.aggregate, news(new, status=OrderStatus.CANCELED, reason=BY_HAND))

    assert second.aggregate.is_waiting
    assert names(second) == [EntryName.ALERT]


def test_one_that_waits_here_is_held_by_the_venue_for_another_size() -> None:
    decision = guarded(exits=FIRST)
    _, first, _ = parts(decision)

    smaller = seen(decision.aggregate, "0.2")

    _, second, order = parts(smaller)
    assert smaller.aggregate.leaving == {first.id, profits(decision).id}
    assert (order.quantity, second.falls_back) == (Decimal("0.2"), True)


# Its price comes


def test_its_fill_ends_the_others() -> None:
    decision = guarded()
    ours, outlasting, order = parts(decision)

    filled = decide(
        outlasting, news(order, status=OrderStatus.FILLED, filled_quantity=Decimal("0.5"))
    )

    assert names(filled) == [EntryName.TRIGGERED, EntryName.FILLED, EntryName.CLOSED]
    assert filled.aggregate.status is SmartOrderStatus.TRIGGERED
    assert filled.aggregate.is_filled
    assert not filled.aggregate.is_live
    signal = told(decision.aggregate, filled.aggregate)
    assert signal.withdrawing == {one.id for one in ours}
    assert signal.reason is not None
    assert signal.reason.code is ReasonCode.SIBLING_FILLED


def test_what_it_leaves_goes_at_the_market() -> None:
    outlasting, order = resting()

    part = decide(
        outlasting, news(order, status=OrderStatus.EXPIRED, filled_quantity=Decimal("0.2"))
    )
    waits = part.aggregate
    assert waits.goes_on_at_ms is not None
    again = decide(waits, PauseOver(at_ms=LATER, new_ids=fresh_ids(800, order.account)))

    (rest,) = again.children
    assert isinstance(rest, Order)
    assert (rest.quantity, rest.condition) == (Decimal("0.3"), None)


# It cannot rest


def test_a_refusal_is_tried_again_and_told_once() -> None:
    outlasting, order = resting()
    refusal = Reason(ReasonCode.AGAINST_RULES, "too many stop orders")
    alerts, pauses = 0, []
    for number in range(12):
        decision = decide(outlasting, news(order, status=OrderStatus.REJECTED, reason=refusal))
        alerts += names(decision).count(EntryName.ALERT)
        outlasting = decision.aggregate
        assert outlasting.is_live
        assert outlasting.goes_on_at_ms is not None
        # No exit fails: ours is there. But it is there alone.
        assert not outlasting.exit_fails
        assert outlasting.is_only_here
        pauses.append(outlasting.goes_on_at_ms - LATER)
        again = decide(
            outlasting, PauseOver(at_ms=LATER, new_ids=fresh_ids(900 + number, order.account))
        )
        (new,) = again.children
        assert isinstance(new, Order)
        assert new.client_order_id != order.client_order_id
        assert new.condition == order.condition
        outlasting, order = again.aggregate, new

    assert alerts == 1
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_MAX_MS
    taken = decide(outlasting, news(order, status=OrderStatus.NEW)).aggregate
    assert not taken.is_only_here


def test_that_it_finds_no_position_is_neither_its_end_nor_ours() -> None:
    """A venue may show a new one late; that it is gone, whoever has it finds out."""
    decision = guarded()
    ours, outlasting, order = parts(decision)
    for number in range(3):
        waits = decide(outlasting, news(order, status=OrderStatus.REJECTED, reason=GONE)).aggregate
        again = decide(
            waits, PauseOver(at_ms=LATER, new_ids=fresh_ids(800 + number, order.account))
        )
        (new,) = again.children
        assert isinstance(new, Order)
        outlasting, order = again.aggregate, new

    assert outlasting.is_resting
    signal = told(decision.aggregate, outlasting)
    assert not signal.withdrawing
    assert signal.working == {outlasting.id, *(one.id for one in ours)}


def test_who_takes_it_off_by_hand_is_answered_once() -> None:
    outlasting, order = resting()

    first = decide(outlasting, news(order, status=OrderStatus.CANCELED, reason=BY_HAND))
    assert names(first) == [EntryName.DEFERRED]
    again = decide(first.aggregate, PauseOver(at_ms=LATER, new_ids=fresh_ids(800, order.account)))
    (new,) = again.children
    assert isinstance(new, Order)
    assert new.condition == order.condition
    back = decide(again.aggregate, news(new, status=OrderStatus.NEW))
    assert [(one.name, one.reason) for one in back.entries] == [(EntryName.ALERT, BY_HAND)]
    assert names(decide(back.aggregate, news(new, status=OrderStatus.NEW))) == []
    second = decide(back.aggregate, news(new, status=OrderStatus.CANCELED, reason=BY_HAND))

    assert names(second) == [EntryName.ALERT, EntryName.CLOSED]
    assert second.aggregate.status is SmartOrderStatus.CANCELED
    assert not second.aggregate.is_live
    assert second.children == ()


def test_what_its_venue_takes_off_with_the_position_calls_nobody() -> None:
    outlasting, order = resting()
    first = decide(outlasting, news(order, status=OrderStatus.CANCELED, reason=BY_HAND))
    again = decide(first.aggregate, PauseOver(at_ms=LATER, new_ids=fresh_ids(800, order.account)))
    (new,) = again.children
    assert isinstance(new, Order)

    found = decide(again.aggregate, news(new, status=OrderStatus.REJECTED, reason=GONE))

    assert EntryName.ALERT not in names(found)


@pytest.mark.parametrize("code", [ReasonCode.POSITION_CLOSED, ReasonCode.TIME_IN_FORCE])
def test_what_nobody_has_taken_off_calls_nobody(code: ReasonCode) -> None:
    outlasting, order = resting()
    outlasting = replace(outlasting, taken_off=1)

    ended = decide(outlasting, news(order, status=OrderStatus.CANCELED, reason=Reason(code, "no")))

    assert names(ended) == [EntryName.DEFERRED]
    assert ended.aggregate.taken_off == 1


# It is to go


def test_a_cancel_waits_for_the_end_of_its_order() -> None:
    outlasting, order = resting()

    going = decide(outlasting, CancelRequested(at_ms=LATER, reason=REQUESTED))
    assert going.aggregate.is_live
    assert names(going) == [EntryName.CANCEL_REQUESTED]
    over = decide(
        going.aggregate,
        news(order, status=OrderStatus.CANCELED, cancel_requested=True, reason=REQUESTED),
    )

    assert over.aggregate.status is SmartOrderStatus.CANCELED
    assert not over.aggregate.is_live
    assert over.children == ()


def test_a_cancel_that_comes_too_late_tells_the_fill() -> None:
    outlasting, order = resting()
    going = decide(outlasting, CancelRequested(at_ms=LATER, reason=REQUESTED)).aggregate

    filled = decide(going, news(order, status=OrderStatus.FILLED, filled_quantity=Decimal("0.5")))

    assert filled.aggregate.is_filled
    assert filled.aggregate.filled_quantity == Decimal("0.5")


def test_a_cancel_between_two_orders_ends_it_at_once() -> None:
    outlasting, order = resting()
    waits = decide(outlasting, news(order, status=OrderStatus.CANCELED, reason=BY_HAND)).aggregate

    over = decide(waits, CancelRequested(at_ms=LATER, reason=REQUESTED)).aggregate

    assert not over.is_live
    assert over.owed() == ()
    assert over.status is SmartOrderStatus.CANCELED


def test_it_goes_with_the_stop_that_it_lies_beyond() -> None:
    decision = guarded()
    (profit, loss), outlasting, _ = parts(decision)

    signal = told(decision.aggregate, replace(profit, status=SmartOrderStatus.CANCELED))
    assert not signal.withdrawing
    signal = told(signal, replace(loss, status=SmartOrderStatus.CANCELED))

    assert signal.withdrawing == {outlasting.id}
    done = told(signal, replace(outlasting, status=SmartOrderStatus.CANCELED))
    assert (done.status, done.stage) == (RequestStatus.DONE, Stage.PROTECTED)


@pytest.mark.parametrize("of_ours", [0, 1])
def test_the_fill_of_ours_takes_it_off(of_ours: int) -> None:
    decision = guarded()
    ours, outlasting, _ = parts(decision)
    filled = replace(
        ours[of_ours],
        status=SmartOrderStatus.TRIGGERED,
        order_status=OrderStatus.FILLED,
        filled_quantity=Decimal("0.5"),
    )

    signal = told(decision.aggregate, filled)

    assert signal.withdrawing == {outlasting.id, ours[1 - of_ours].id}
    assert signal.is_protecting


def test_what_is_told_late_to_have_filled_has_one_of_its_own() -> None:
    decision = guarded()
    _, first, _ = parts(decision)
    (entry_id,) = decision.aggregate.filled_by
    signal = decision.aggregate
    working = decide(
        a := a_signal(
            Action.OPEN_LONG,
            size=fixed("0.5"),
            take_profit=Decimal(2200),
            stop_loss=Decimal(1900),
            exits=BOTH,
        ),
        a_turn(a),
    )
    (entry,) = working.children
    assert isinstance(entry, Order)
    assert entry.id == entry_id
    more = news(entry, status=OrderStatus.FILLED, filled_quantity=Decimal("0.7"))

    again = decide(signal, more)

    _, second, order = parts(again)
    assert order.quantity == Decimal("0.2")
    assert set(again.aggregate.at_venue) == {first.id, second.id}


def test_what_buys_may_not_rest_at_its_venue_unless_it_guards() -> None:
    outlasting, _ = resting()

    with pytest.raises(ValueError, match="can't rest"):
        replace(outlasting, side=Side.BUY, reduce_only=False)


# The position becomes smaller, or larger


def seen(signal: Signal, size: str, number: int = 900) -> Decision[Signal]:
    """What comes of two looks."""
    once = look(signal, size, number)
    return once if once.ignored else look(once.aggregate, size, number)


def look(signal: Signal, size: str, number: int = 900) -> Decision[Signal]:
    found = Decimal(size)
    new_ids = fresh_ids(number, signal.account, IDS_AT_VENUE) if signal.misfits(found) else ()
    return decide(
        signal,
        PositionSeen(at_ms=LATER, begun_ms=LATER, size=found, shown_late_ms=2_000, new_ids=new_ids),
    )


def test_what_is_left_of_the_position_is_what_the_venue_holds_a_stop_for() -> None:
    decision = guarded()
    ours, first, _ = parts(decision)

    smaller = seen(decision.aggregate, "0.2")

    _, second, order = parts(smaller)
    assert order.quantity == Decimal("0.2")
    assert [one.name for one in smaller.entries] == [EntryName.PROTECTED]
    signal = smaller.aggregate
    assert not signal.withdrawing
    assert signal.working == {first.id, second.id, *(one.id for one in ours)}
    assert seen(signal, "0.2").ignored is not None
    # The new one is there before the old one is asked to go.
    signal = told(signal, replace(second, order_status=OrderStatus.NEW))
    assert signal.withdrawing == {first.id}
    signal = told(signal, replace(first, status=SmartOrderStatus.CANCELED))
    assert signal.is_protecting
    assert not (signal.withdrawing & signal.working)
    assert signal.at_venue == {second.id: Decimal("0.2")}

    larger = seen(signal, "0.7", 950)
    _, third, order = parts(larger)
    assert order.quantity == Decimal("0.5")  # the rest is somebody else's
    assert larger.aggregate.held_at_venue == {third.id: Decimal("0.5")}
    rests = told(larger.aggregate, replace(third, order_status=OrderStatus.NEW))
    assert rests.withdrawing == {second.id}


def test_what_rests_stays_until_what_takes_its_place_does() -> None:
    decision = guarded()
    _, first, _ = parts(decision)
    smaller = seen(decision.aggregate, "0.2")
    _, second, _ = parts(smaller)

    smallest = seen(smaller.aggregate, "0.1", 950)

    _, third, _ = parts(smallest)
    assert smallest.aggregate.withdrawing == {second.id}  # it was never heard to rest
    assert smallest.aggregate.held_at_venue == {third.id: Decimal("0.1")}
    rests = told(smallest.aggregate, replace(third, order_status=OrderStatus.NEW))
    assert rests.withdrawing == {first.id, second.id}


def test_where_what_takes_its_place_comes_to_nothing_it_is_what_is_held() -> None:
    decision = guarded()
    _, first, _ = parts(decision)
    smaller = seen(decision.aggregate, "0.2")
    _, second, _ = parts(smaller)

    signal = told(smaller.aggregate, replace(second, status=SmartOrderStatus.CANCELED))

    assert signal.held_at_venue == {first.id: Decimal("0.5")}
    assert not signal.withdrawing
    assert seen(signal, "0.2", 950).children  # it is tried again


def test_nothing_takes_the_place_of_one_whose_price_has_come() -> None:
    decision = guarded()
    _, outlasting, _ = parts(decision)
    fired = replace(
        outlasting,
        status=SmartOrderStatus.TRIGGERED,
        order_status=OrderStatus.CANCELED,
        filled_quantity=Decimal("0.2"),
        goes_on_at_ms=LATER,
    )

    signal = told(decision.aggregate, fired)

    assert seen(signal, "0.3").ignored is not None
    assert outlasting.id not in signal.withdrawing


def test_one_that_was_too_small_does_not_end_what_guards_the_rest() -> None:
    decision = guarded()
    ours, first, _ = parts(decision)
    _, second, _ = parts(smaller := seen(decision.aggregate, "0.2"))
    signal = told(smaller.aggregate, replace(second, order_status=OrderStatus.NEW))
    signal = told(signal, replace(first, status=SmartOrderStatus.CANCELED))
    _, third, _ = parts(larger := seen(signal, "0.5", 950))
    fired = replace(
        second,
        status=SmartOrderStatus.TRIGGERED,
        order_status=OrderStatus.FILLED,
        filled_quantity=Decimal("0.2"),
    )

    signal = told(larger.aggregate, fired)

    assert signal.is_protecting
    assert not signal.withdrawing & {third.id, *(one.id for one in ours)}


def test_who_cancels_ours_is_not_told_that_it_is_there_alone() -> None:
    decision = guarded()
    (_, loss), outlasting, _ = parts(decision)
    signal = told(decision.aggregate, replace(loss, status=SmartOrderStatus.CANCELED))

    signal = told(signal, replace(outlasting, status=SmartOrderStatus.CANCELED))

    assert signal.is_protecting  # by its take-profit
    assert not signal.is_only_here


@pytest.mark.parametrize("size", ["0.5", "0.9", "0"])
def test_a_stop_that_fits_stays(size: str) -> None:
    signal = guarded().aggregate

    assert seen(signal, size).children == ()


def test_nothing_is_held_anew_that_somebody_has_taken_off() -> None:
    decision = guarded()
    _, outlasting, _ = parts(decision)
    assert not decision.aggregate.is_only_here

    signal = told(decision.aggregate, replace(outlasting, status=SmartOrderStatus.CANCELED))

    assert signal.is_only_here
    assert seen(signal, "0.2").ignored is not None


def test_one_that_fires_while_it_is_replaced_ends_the_others() -> None:
    decision = guarded()
    ours, first, _ = parts(decision)
    smaller = seen(decision.aggregate, "0.2")
    _, second, _ = parts(smaller)
    fired = replace(
        first,
        status=SmartOrderStatus.TRIGGERED,
        order_status=OrderStatus.FILLED,
        filled_quantity=Decimal("0.5"),
    )

    signal = told(smaller.aggregate, fired)

    assert signal.withdrawing >= {second.id, *(one.id for one in ours)}


def test_a_size_that_one_look_shows_alone_changes_nothing() -> None:
    signal = guarded().aggregate

    for size in ("0.4", "0.3", "0.2", "0.1"):  # ours is closing it piece by piece
        once = look(signal, size)
        assert once.children == ()
        signal = once.aggregate

    assert not signal.leaving
    assert look(signal, "0.1").children


def in_two_parts() -> tuple[Signal, list[SmartOrder], list[SmartOrder], list[SmartOrder]]:
    """Return a signal whose entry has filled 0.2, and then 0.3 more; its pairs, and its stops."""
    wanted = a_signal(
        Action.OPEN_LONG,
        size=fixed("0.5"),
        take_profit=Decimal(2_200),
        stop_loss=Decimal(1_900),
        exits=BOTH,
    )
    working = decide(wanted, a_turn(wanted))
    (entry,) = working.children
    assert isinstance(entry, Order)
    ended = {"status": OrderStatus.CANCELED}
    first = decide(working.aggregate, news(entry, **ended, filled_quantity=Decimal("0.2")))
    more = replace(entry, status=OrderStatus.CANCELED, filled_quantity=Decimal("0.5"))
    late = OrderUpdated(at_ms=LATER, order=more, new_ids=fresh_ids(800, entry.account, 6))
    second = decide(first.aggregate, late)
    (pair_1, stop_1, _), (pair_2, stop_2, _) = parts(first), parts(second)
    return second.aggregate, pair_1, pair_2, [stop_1, stop_2]


def test_one_that_takes_the_place_of_several_is_for_all_their_pairs() -> None:
    signal, pair_1, pair_2, stops = in_two_parts()
    smaller = seen(signal, "0.4", 950)
    _, shared, order = parts(smaller)
    assert order.quantity == Decimal("0.4")
    signal = told(smaller.aggregate, replace(shared, order_status=OrderStatus.NEW))
    assert signal.withdrawing == {one.id for one in stops}
    for one in stops:
        signal = told(signal, replace(one, status=SmartOrderStatus.CANCELED))

    by_ours = told(signal, filled_whole(pair_1[1], "0.2"))
    by_the_venue = told(signal, filled_whole(shared, "0.4"))

    # What the other pair needs, too, stays; and nothing of ours does where the venue closed it all.
    assert by_ours.withdrawing == {pair_1[0].id}
    assert by_the_venue.withdrawing == {one.id for one in (*pair_1, *pair_2)}
    last = told(told(by_ours, canceled(pair_1[0])), filled_whole(pair_2[1], "0.3"))
    assert last.withdrawing >= {pair_2[0].id, shared.id}


def canceled(guard: SmartOrder) -> SmartOrder:
    return replace(guard, status=SmartOrderStatus.CANCELED)


def filled_whole(guard: SmartOrder, quantity: str) -> SmartOrder:
    return replace(
        guard,
        status=SmartOrderStatus.TRIGGERED,
        order_status=OrderStatus.FILLED,
        filled_quantity=Decimal(quantity),
    )


# Take-profits, where the venue goes first


def profits(decision: Decision[Signal]) -> SmartOrder:
    """Return the take-profit that the venue holds."""
    guards = [one for one in decision.children if isinstance(one, SmartOrder)]
    (profit,) = [one for one in guards if one.at_venue and not one.is_stop_loss]
    return profit


@pytest.mark.parametrize(
    ("action", "levels", "at_venue", "ours", "direction"),
    [
        (Action.OPEN_LONG, ("2200.001", None), "2200.01", "2266.01", Direction.RISING),
        (Action.OPEN_LONG, ("2200", "1900"), "2200", "2266", Direction.RISING),
        (Action.OPEN_SHORT, ("1800.001", "2100"), "1800.00", "1746.00", Direction.FALLING),
    ],
)
def test_where_the_venue_goes_first_it_holds_the_take_profit_too(
    action: Action,
    levels: tuple[str | None, str | None],
    at_venue: str,
    ours: str,
    direction: Direction,
) -> None:
    decision = guarded(action, levels, FIRST)

    held = profits(decision)
    order = order_of(held, decision)
    expected = Condition(level=Decimal(at_venue), direction=direction, source=PriceSource.LAST)
    assert order.condition == expected
    assert (order.reduce_only, order.quantity) == (True, Decimal("0.5"))
    guards = [one for one in decision.children if isinstance(one, SmartOrder)]
    (here,) = [one for one in guards if not (one.at_venue or one.is_stop_loss)]
    assert here.trigger.level == Decimal(ours)
    assert held.falls_back
    assert not held.is_only_here  # it protects nothing


def test_each_kind_is_replaced_by_its_own_when_that_rests() -> None:
    decision = guarded(exits=FIRST)
    _, stop, _ = parts(decision)
    profit = profits(decision)

    smaller = seen(decision.aggregate, "0.2")

    _, other_stop, order = parts(smaller)
    other_profit = profits(smaller)
    assert order.quantity == order_of(other_profit, smaller).quantity == Decimal("0.2")
    assert smaller.aggregate.leaving == {stop.id, profit.id}
    signal = told(smaller.aggregate, replace(other_profit, order_status=OrderStatus.NEW))
    assert signal.withdrawing == {profit.id}
    assert signal.leaving == {stop.id}
    signal = told(signal, replace(other_stop, order_status=OrderStatus.NEW))
    assert signal.withdrawing == {profit.id, stop.id}
    assert signal.held_at_venue == dict.fromkeys([other_stop.id, other_profit.id], Decimal("0.2"))
    for one in (stop, profit):
        signal = told(signal, replace(one, status=SmartOrderStatus.CANCELED))
    assert signal.profits == {other_profit.id}
    assert signal.is_protecting
    assert not signal.misfits(Decimal("0.2"))


def test_a_kind_of_which_the_venue_holds_none_is_not_replaced() -> None:
    decision = guarded(exits=FIRST)
    signal = decision.aggregate
    for one in (REQUESTED, BY_HAND):
        signal = told(
            signal, replace(profits(decision), status=SmartOrderStatus.CANCELED, reason=one)
        )

    smaller = seen(signal, "0.2")

    assert [one.is_stop_loss for one in smaller.children if isinstance(one, SmartOrder)] == [True]
    assert len(smaller.children) == 2


def test_one_that_came_to_nothing_leaves_those_of_its_kind_that_it_was_to_replace() -> None:
    decision = guarded(exits=FIRST)
    smaller = seen(decision.aggregate, "0.2")
    profit, other = profits(decision), profits(smaller)

    signal = told(smaller.aggregate, replace(other, status=SmartOrderStatus.CANCELED))

    _, stop, _ = parts(decision)
    assert signal.leaving == {stop.id}
    assert profit.id in signal.held_at_venue


@pytest.mark.parametrize("are_stops", [True, False])
def test_who_wants_one_of_ours_gone_wants_that_of_the_venue_gone_too(*, are_stops: bool) -> None:
    decision = guarded(exits=FIRST)
    ours, stop, _ = parts(decision)
    (mine,) = [one for one in ours if one.is_stop_loss is are_stops]

    signal = told(
        decision.aggregate, replace(mine, status=SmartOrderStatus.CANCELED, reason=REQUESTED)
    )

    assert signal.withdrawing == {stop.id if are_stops else profits(decision).id}


def test_the_take_profit_of_the_venue_takes_all_others_along() -> None:
    decision = guarded(exits=FIRST)
    profit = profits(decision)
    order = replace(order_of(profit, decision), status=OrderStatus.FILLED)
    filled = decide(
        profit, news(order, filled_quantity=Decimal("0.5"), average_price=Decimal(2_200))
    )

    signal = told(decision.aggregate, filled.aggregate)

    others = {one.id for one in decision.children if isinstance(one, SmartOrder)} - {profit.id}
    assert signal.withdrawing == signal.working == others


# What is told late


def test_one_that_waits_here_and_had_filled_whole_fires_no_more() -> None:
    waits = refused(Reason(ReasonCode.TIME_IN_FORCE, "nobody bought"), OrderStatus.CANCELED)
    _, held, order = parts(guarded(exits=FIRST))
    assert waits.aggregate.is_waiting
    late = {"filled_quantity": Decimal("0.5"), "average_price": Decimal(1_900)}

    told_late = decide(waits.aggregate, news(order, status=OrderStatus.CANCELED, **late)).aggregate

    assert told_late.is_filled
    assert told_late.status is SmartOrderStatus.TRIGGERED
    assert not told_late.is_live
    assert not told_late.is_waiting
    assert told_late.id == held.id


def test_one_that_fires_while_it_is_replaced_is_known_to_those_beside_it() -> None:
    decision = guarded()
    ours, first, order = parts(decision)
    smaller = seen(decision.aggregate, "0.2")
    sold = {"filled_quantity": Decimal("0.5"), "average_price": Decimal(1_840)}
    fired = decide(first, news(order, status=OrderStatus.FILLED, **sold)).aggregate

    signal = told(smaller.aggregate, fired)

    (stop,) = [one for one in ours if one.is_stop_loss]
    assert first.id in signal.beside(stop.id)
    assert first.id not in signal.leaving
