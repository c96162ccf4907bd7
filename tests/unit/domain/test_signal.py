"""A signal: its delay, its turn, its order, and how it ends."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.aggregate import decide
from app.domain.commands import Action, LateExits, OnOpposite, SignalRules, Size
from app.domain.decision import Decision, EntryName
from app.domain.effects import EffectKind
from app.domain.enums import OrderType, PositionMode, PositionSide, ReasonCode, Side, TimeInForce
from app.domain.events import (
    CancelRequested,
    Executed,
    OrderUpdated,
    SmartOrderUpdated,
    TargetsCanceled,
    TimerDue,
    TurnDenied,
)
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.status import OrderStatus
from tests.support.builders import (
    LATER,
    NOW,
    REFUSED,
    REQUESTED,
    a_quote,
    a_signal,
    a_smart_order,
    a_turn,
    a_view,
    an_order,
    fixed,
    fresh_ids,
    notional,
    percent,
)

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
CANCEL = CancelRequested(at_ms=LATER, reason=REQUESTED)
REVERSE = SignalRules(leverage=5, on_opposite=OnOpposite.REVERSE)
MINUTE_MS = 60_000


def executed(signal: Signal, **odd: object) -> Decision[Signal]:
    return decide(signal, a_turn(signal, **odd))


def order_of(decision: Decision[Signal]) -> Order:
    (child,) = decision.children
    assert isinstance(child, Order)
    return child


def reason_of(decision: Decision[Signal]) -> ReasonCode | None:
    reason = decision.aggregate.reason
    return None if reason is None else reason.code


def heard(signal: Signal, order: Order) -> Decision[Signal]:
    """Let the signal hear how an order is now."""
    new_ids = fresh_ids(600, signal.account)
    return decide(signal, OrderUpdated(at_ms=LATER, order=order, new_ids=new_ids))


def ended(order: Order, status: OrderStatus, filled: str = "0", **odd: object) -> Order:
    return replace(order, status=status, filled_quantity=Decimal(filled), **odd)  # type: ignore[arg-type]  # by name


def filled(order: Order, **odd: object) -> Order:
    return ended(order, OrderStatus.FILLED, str(order.quantity), **odd)


# A turn in which the venue tells nothing

DENIED = TurnDenied(at_ms=LATER, reason=Reason(ReasonCode.CREDENTIALS_REFUSED, "wrong key"))


def test_a_turn_that_is_denied_ends_it_with_the_reason() -> None:
    decision = decide(a_signal(), DENIED)

    assert decision.aggregate.status is RequestStatus.DENIED
    assert reason_of(decision) is ReasonCode.CREDENTIALS_REFUSED
    assert decision.children == ()


def test_a_denial_that_comes_when_it_has_had_its_turn_means_nothing() -> None:
    working = executed(a_signal(size=fixed("0.1"))).aggregate

    assert decide(working, DENIED).ignored
    assert decide(decide(a_signal(), DENIED).aggregate, DENIED).ignored


# Delays


def test_a_delayed_signal_owes_its_timer_only() -> None:
    signal = a_signal(status=RequestStatus.SCHEDULED, due_at_ms=LATER)

    (owed,) = signal.owed()

    assert (owed.kind, owed.due_at_ms) == (EffectKind.TIMER, LATER)
    assert not signal.is_queued


def test_a_timer_is_never_early() -> None:
    signal = a_signal(status=RequestStatus.SCHEDULED, due_at_ms=LATER)

    early = decide(signal, TimerDue(at_ms=EpochMs(LATER - 1)))
    due = decide(signal, TimerDue(at_ms=LATER))

    assert early.ignored == "its timer came 1 ms early"
    assert due.aggregate.is_queued
    assert [entry.name for entry in due.entries] == ["due"]


def test_a_timer_that_comes_twice_finds_the_signal_released() -> None:
    signal = a_signal()

    assert decide(signal, TimerDue(at_ms=LATER)).ignored


# The turn


@pytest.mark.parametrize(
    ("action", "size", "side", "leg", "quantity"),
    [
        (Action.BUY, percent("50"), Side.BUY, None, "0.1"),
        (Action.BUY, None, Side.BUY, None, "0.198"),
        (Action.BUY, notional("100"), Side.BUY, None, "0.002"),
        (Action.SELL, percent("90"), Side.SELL, None, "0.45"),
        (Action.OPEN_LONG, percent("20"), Side.BUY, LONG, "0.5"),
        (Action.OPEN_SHORT, percent("100"), Side.SELL, SHORT, "2.475"),
    ],
)
def test_a_turn_brings_forth_one_market_order(
    action: Action, size: Size | None, side: Side, leg: PositionSide | None, quantity: str
) -> None:
    decision = executed(a_signal(action, size=size))

    order = order_of(decision)
    assert (order.side, order.position_side, order.type) == (side, leg, OrderType.MARKET)
    assert order.quantity == Decimal(quantity)
    assert not order.reduce_only
    # An exit keeps its place in the lane until nothing more is to be sent for it.
    assert decision.aggregate.stage is (Stage.CLOSING if order.reduces else Stage.WORKING)
    assert decision.aggregate.working == {order.id}


@pytest.mark.parametrize(
    ("action", "leg", "side"),
    [(Action.CLOSE_LONG, LONG, Side.SELL), (Action.CLOSE_SHORT, SHORT, Side.BUY)],
)
def test_a_close_only_reduces(action: Action, leg: PositionSide, side: Side) -> None:
    view = a_view(positions={leg: "0.5"})

    order = order_of(executed(a_signal(action, size=percent("50")), account=view))

    assert (order.side, order.position_side, order.quantity) == (side, leg, Decimal("0.25"))
    assert order.reduce_only
    assert order.reduces


def test_a_spot_sale_reduces_without_the_flag() -> None:
    order = order_of(executed(a_signal(Action.SELL)))

    assert order.reduces
    assert not order.reduce_only


def test_the_order_carries_what_the_signal_knows() -> None:
    signal = a_signal(Action.OPEN_LONG, size=fixed("0.5"), caller_id="Long")

    order = order_of(executed(signal))

    assert (order.parent_id, order.request_id) == (signal.id, signal.id)
    assert (order.caller_id, order.origin) == ("Long", signal.origin)
    assert order.leverage == 5
    assert order.not_after_ms == NOW + MINUTE_MS
    assert order.id == fresh_ids(account=signal.account)[0].id


def test_leverage_is_left_alone_by_closes() -> None:
    view = a_view(positions={LONG: "0.5"})

    assert order_of(executed(a_signal(Action.CLOSE_LONG), account=view)).leverage is None


def test_a_limit_rests_on_its_tick() -> None:
    signal = a_signal(size=percent("50"), limit_price=Decimal("40000.009"))

    order = order_of(executed(signal))

    assert (order.type, order.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
    assert order.price == Decimal("40000.00")
    assert order.quantity == Decimal("0.125")


def test_the_limit_of_a_sale_is_rounded_up() -> None:
    signal = a_signal(Action.SELL, limit_price=Decimal("60000.001"))

    assert order_of(executed(signal)).price == Decimal("60000.01")


def test_a_limit_needs_no_quote() -> None:
    signal = a_signal(size=fixed("0.1"), limit_price=Decimal(40_000))

    assert order_of(executed(signal, quote=None)).price == Decimal(40_000)


def test_a_limit_below_one_tick_is_denied() -> None:
    decision = executed(a_signal(limit_price=Decimal("0.001")))

    assert decision.aggregate.status is RequestStatus.DENIED
    assert reason_of(decision) is ReasonCode.BELOW_MINIMUM


def test_a_buy_is_sized_by_the_ask_and_a_short_by_the_bid() -> None:
    buy = executed(a_signal(size=percent("50")), quote=a_quote("40000", "50000"))
    short = executed(a_signal(Action.OPEN_SHORT, size=percent("20")), quote=a_quote("2000", "4000"))

    assert order_of(buy).quantity == Decimal("0.1")
    assert order_of(short).quantity == Decimal("0.5")


@pytest.mark.parametrize(
    ("odd", "code"),
    [({"instrument": None}, ReasonCode.UNKNOWN_INSTRUMENT), ({"quote": None}, ReasonCode.NO_PRICE)],
)
def test_what_cannot_be_priced_is_denied(odd: dict[str, object], code: ReasonCode) -> None:
    decision = executed(a_signal(), **odd)

    assert decision.aggregate.status is RequestStatus.DENIED
    assert reason_of(decision) is code
    assert decision.children == ()


def test_a_denied_size_is_shown_as_an_order_that_was_never_sent() -> None:
    decision = executed(a_signal(size=fixed("9")))

    order = order_of(decision)
    assert decision.aggregate.status is RequestStatus.DENIED
    assert order.status is OrderStatus.DENIED
    assert reason_of(decision) is ReasonCode.INSUFFICIENT_FUNDS
    assert order.reason == decision.aggregate.reason
    assert decision.aggregate.working == frozenset()


def test_a_close_without_a_position_is_skipped() -> None:
    decision = executed(a_signal(Action.CLOSE_LONG))

    assert decision.aggregate.status is RequestStatus.SKIPPED
    assert reason_of(decision) is ReasonCode.NO_POSITION
    assert decision.children == ()
    assert [entry.name for entry in decision.entries] == ["skipped", "closed"]


def test_a_turn_that_comes_twice_brings_forth_one_order() -> None:
    signal = a_signal()
    working = executed(signal).aggregate

    assert decide(working, a_turn(signal)).ignored


# Too late


@pytest.mark.parametrize("action", [Action.BUY, Action.OPEN_LONG, Action.OPEN_SHORT])
def test_an_entry_expires_when_its_minute_is_over(action: Action) -> None:
    signal = a_signal(action)

    in_time = executed(signal, at_ms=EpochMs(NOW + MINUTE_MS))
    late = executed(signal, at_ms=EpochMs(NOW + MINUTE_MS + 1))

    assert in_time.aggregate.status is RequestStatus.EXECUTING
    assert late.aggregate.status is RequestStatus.EXPIRED
    assert reason_of(late) is ReasonCode.TOO_LATE
    assert late.children == ()


def test_an_exit_is_never_too_late_unless_it_shall_be() -> None:
    view = a_view(positions={LONG: "1"})
    at_ms = EpochMs(NOW + 10 * MINUTE_MS)
    drop = SignalRules(late_exits=LateExits.DROP)

    late = executed(a_signal(Action.CLOSE_LONG), at_ms=at_ms, account=view)
    dropped = executed(a_signal(Action.CLOSE_LONG, rules=drop), at_ms=at_ms, account=view)

    assert order_of(late).not_after_ms is None
    assert dropped.aggregate.status is RequestStatus.EXPIRED


def test_lateness_can_be_switched_off() -> None:
    signal = a_signal(rules=SignalRules(entry_lateness_ms=0))

    assert signal.not_after_ms is None
    assert order_of(executed(signal, at_ms=EpochMs(NOW + 10**9))).not_after_ms is None


# Protection on the wrong side


@pytest.mark.parametrize(
    ("action", "profit", "loss", "is_good"),
    [
        (Action.OPEN_LONG, "2200", "1900", True),
        (Action.OPEN_LONG, "2000", None, False),
        (Action.OPEN_LONG, None, "2000", False),
        (Action.OPEN_LONG, "1900", "2200", False),
        (Action.OPEN_SHORT, "1900", "2200", True),
        (Action.OPEN_SHORT, "2000", None, False),
        (Action.OPEN_SHORT, None, "2000", False),
        (Action.OPEN_SHORT, "2200", "1900", False),
    ],
)
def test_protection_must_lie_around_the_entry(
    action: Action, profit: str | None, loss: str | None, *, is_good: bool
) -> None:
    signal = a_signal(
        action,
        size=fixed("0.5"),
        take_profit=None if profit is None else Decimal(profit),
        stop_loss=None if loss is None else Decimal(loss),
    )

    decision = executed(signal)

    assert reason_of(decision) is (None if is_good else ReasonCode.TP_SL_SIDE)
    assert len(decision.children) == is_good


# The opposite leg


def test_a_hedge_account_keeps_the_opposite_leg() -> None:
    view = a_view({"USDT": "1000"}, positions={SHORT: "1"})

    order = order_of(executed(a_signal(Action.OPEN_LONG, size=fixed("0.3")), account=view))

    assert (order.position_side, order.quantity) == (LONG, Decimal("0.3"))


@pytest.mark.parametrize(
    ("mode", "rule"),
    [
        (PositionMode.HEDGE, OnOpposite.REJECT),
        (PositionMode.ONEWAY, OnOpposite.KEEP),
        (PositionMode.ONEWAY, OnOpposite.REJECT),
    ],
)
def test_an_opposite_position_that_cannot_stay_denies_the_entry(
    mode: PositionMode, rule: OnOpposite
) -> None:
    signal = a_signal(Action.OPEN_LONG, rules=SignalRules(on_opposite=rule))

    decision = executed(signal, account=a_view(positions={SHORT: "1"}, mode=mode))

    assert decision.aggregate.status is RequestStatus.DENIED
    assert reason_of(decision) is ReasonCode.OPPOSITE_POSITION


def test_a_position_on_its_own_side_is_no_obstacle() -> None:
    signal = a_signal(Action.OPEN_LONG, size=fixed("0.1"), rules=REVERSE)
    view = a_view(positions={LONG: "1"}, mode=PositionMode.ONEWAY)

    assert order_of(executed(signal, account=view)).position_side is LONG


@pytest.mark.parametrize("mode", PositionMode)
def test_a_reversal_closes_the_opposite_leg_first(mode: PositionMode) -> None:
    signal = a_signal(
        Action.OPEN_LONG, size=fixed("0.3"), rules=REVERSE, limit_price=Decimal(1_990)
    )

    decision = executed(signal, account=a_view(positions={SHORT: "1"}, mode=mode))

    close = order_of(decision)
    assert (close.side, close.position_side, close.quantity) == (Side.BUY, SHORT, Decimal(1))
    assert close.type is OrderType.MARKET
    assert close.reduce_only
    assert close.not_after_ms is None
    assert decision.aggregate.stage is Stage.CLOSING
    assert decision.aggregate.is_queued, "it keeps its place in the lane"


def test_a_leg_smaller_than_a_lot_is_no_leg() -> None:
    signal = a_signal(Action.OPEN_LONG, size=fixed("0.3"), rules=REVERSE)

    order = order_of(executed(signal, account=a_view(positions={SHORT: "0.0004"})))

    assert order.position_side is LONG


def a_reversal() -> tuple[Signal, Order]:
    """A reversal whose close is on its way, and the close."""
    signal = a_signal(Action.OPEN_LONG, size=fixed("0.3"), rules=REVERSE)
    decision = executed(signal, account=a_view(positions={SHORT: "1"}))
    return decision.aggregate, order_of(decision)


def test_a_reversal_opens_when_its_close_has_filled() -> None:
    signal, close = a_reversal()

    queued = heard(signal, filled(close)).aggregate
    order = order_of(executed(queued, account=a_view({"USDT": "1000"})))

    assert queued.stage is Stage.QUEUED
    assert [effect.kind for effect in queued.owed()] == [EffectKind.ADVANCE]
    assert (order.position_side, order.quantity) == (LONG, Decimal("0.3"))


def test_a_reversal_closes_once_even_if_the_venue_still_shows_the_old_position() -> None:
    signal, close = a_reversal()
    queued = heard(signal, filled(close)).aggregate

    order = order_of(executed(queued, account=a_view({"USDT": "1000"}, {SHORT: "1"})))

    assert (order.position_side, order.reduce_only) == (LONG, False)


@pytest.mark.parametrize(
    ("status", "done", "state"),
    [
        (OrderStatus.REJECTED, "0", RequestStatus.REJECTED),
        (OrderStatus.CANCELED, "0", RequestStatus.CANCELED),
        (OrderStatus.CANCELED, "0.4", RequestStatus.PARTIAL),
        (OrderStatus.DENIED, "0", RequestStatus.DENIED),
    ],
)
def test_a_reversal_opens_nothing_when_its_close_fails(
    status: OrderStatus, done: str, state: RequestStatus
) -> None:
    signal, close = a_reversal()
    tired = replace(signal, gives_up_at_ms=NOW)

    decision = heard(tired, ended(close, status, done, reason=REFUSED))

    assert decision.aggregate.status is state
    assert decision.children == ()
    assert EntryName.ALERT in [entry.name for entry in decision.entries]


def test_a_reversal_whose_close_fails_closes_again_before_it_opens() -> None:
    signal, close = a_reversal()

    waits = heard(signal, ended(close, OrderStatus.CANCELED, "0.4", reason=REFUSED)).aggregate

    assert (waits.stage, waits.closed_quantity) == (Stage.QUEUED, Decimal("0.4"))
    assert waits.next_turn_ms > NOW


def test_a_reversal_that_is_canceled_while_it_closes_is_partial() -> None:
    signal, close = a_reversal()
    going = decide(signal, CANCEL).aggregate

    decision = heard(going, filled(close))

    assert decision.aggregate.status is RequestStatus.PARTIAL


def test_a_reversal_that_comes_too_late_to_open_is_partial() -> None:
    signal, close = a_reversal()
    queued = heard(signal, filled(close)).aggregate

    decision = executed(queued, at_ms=EpochMs(NOW + 2 * MINUTE_MS))

    assert decision.aggregate.status is RequestStatus.PARTIAL
    assert reason_of(decision) is ReasonCode.TOO_LATE


# The order's news


def a_working_signal(action: Action = Action.BUY, **odd: object) -> tuple[Signal, Order]:
    """A signal whose order is at the venue, and the order."""
    decision = executed(a_signal(action, size=fixed("0.1"), **odd))
    return decision.aggregate, order_of(decision)


def test_a_filled_order_ends_the_signal() -> None:
    signal, order = a_working_signal()

    decision = heard(signal, filled(order, average_price=Decimal(50_000)))

    done = decision.aggregate
    assert done.status is RequestStatus.DONE
    assert (done.filled_quantity, done.average_price) == (Decimal("0.1"), Decimal(50_000))
    assert [entry.name for entry in decision.entries] == ["closed"]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (OrderStatus.CANCELED, RequestStatus.CANCELED),
        (OrderStatus.EXPIRED, RequestStatus.EXPIRED),
        (OrderStatus.REJECTED, RequestStatus.REJECTED),
        (OrderStatus.DENIED, RequestStatus.DENIED),
    ],
)
def test_an_order_that_ends_with_nothing_ends_the_signal_likewise(
    status: OrderStatus, state: RequestStatus
) -> None:
    signal, order = a_working_signal()

    decision = heard(signal, ended(order, status, reason=REFUSED))

    assert decision.aggregate.status is state
    assert decision.aggregate.reason == REFUSED


def test_an_order_that_ends_partly_filled_makes_the_signal_done() -> None:
    signal, order = a_working_signal()

    decision = heard(signal, ended(order, OrderStatus.CANCELED, "0.04"))

    assert decision.aggregate.status is RequestStatus.DONE
    assert decision.aggregate.filled_quantity == Decimal("0.04")


def test_a_signal_is_executing_while_its_order_rests() -> None:
    signal, order = a_working_signal()

    resting = heard(signal, ended(order, OrderStatus.PARTIALLY_FILLED, "0.04")).aggregate

    assert resting.status is RequestStatus.EXECUTING
    assert resting.owed() == ()
    assert not resting.is_queued


def test_news_of_a_foreign_order_is_ignored() -> None:
    signal, _ = a_working_signal()

    assert heard(signal, filled(an_order())).ignored


def test_a_signal_whose_canceled_order_fills_after_all_is_done() -> None:
    signal, order = a_working_signal()
    canceled = heard(signal, ended(order, OrderStatus.CANCELED)).aggregate

    decision = heard(canceled, filled(order))

    assert decision.aggregate.status is RequestStatus.DONE
    assert decision.aggregate.filled_quantity == Decimal("0.1")


def test_old_news_does_not_reopen_what_has_ended() -> None:
    signal, order = a_working_signal()
    done = heard(signal, filled(order)).aggregate

    assert heard(done, filled(order)).ignored


# Cancels


def test_a_scheduled_signal_is_canceled_at_once() -> None:
    decision = decide(a_signal(status=RequestStatus.SCHEDULED), CANCEL)

    assert decision.aggregate.status is RequestStatus.CANCELED
    assert decision.aggregate.owed() == ()


def test_a_queued_signal_is_canceled_at_once() -> None:
    assert decide(a_signal(), CANCEL).aggregate.status is RequestStatus.CANCELED


def test_a_working_signal_wants_its_order_gone() -> None:
    signal, order = a_working_signal()

    decision = decide(signal, CANCEL)

    going = decision.aggregate
    assert going.status is RequestStatus.EXECUTING
    assert going.withdrawing == {order.id}
    assert [(effect.kind, effect.urgent) for effect in going.owed()] == [
        (EffectKind.WITHDRAW, True)
    ]
    assert [entry.name for entry in decision.entries] == ["cancel_requested"]


def test_a_canceled_order_ends_the_signal_that_wanted_it_gone() -> None:
    signal, order = a_working_signal()
    going = decide(signal, CANCEL).aggregate

    decision = heard(going, ended(order, OrderStatus.CANCELED, reason=REQUESTED))

    assert decision.aggregate.status is RequestStatus.CANCELED
    assert decision.aggregate.owed() == ()


def test_a_signal_that_has_ended_cannot_be_canceled() -> None:
    signal, order = a_working_signal()
    done = heard(signal, filled(order)).aggregate

    assert decide(done, CANCEL).ignored


def test_a_second_cancel_changes_nothing() -> None:
    signal, _ = a_working_signal()

    assert decide(decide(signal, CANCEL).aggregate, CANCEL).ignored


@pytest.mark.parametrize(
    ("action", "count", "state"),
    [
        (Action.CANCEL, 2, RequestStatus.DONE),
        (Action.CANCEL, 0, RequestStatus.SKIPPED),
        (Action.CANCEL_ALL, 2, RequestStatus.DONE),
        (Action.CANCEL_ALL, 0, RequestStatus.DONE),
    ],
)
def test_a_cancel_message_ends_by_what_it_has_reached(
    action: Action, count: int, state: RequestStatus
) -> None:
    decision = decide(a_signal(action, caller_id="a1"), TargetsCanceled(at_ms=LATER, count=count))

    assert decision.aggregate.status is state


def test_a_cancel_message_takes_no_turn_and_no_caller_id() -> None:
    signal = a_signal(Action.CANCEL, caller_id="a1")

    assert not signal.is_queued
    assert not signal.holds_caller_id
    assert [effect.urgent for effect in signal.owed()] == [True]
    assert decide(signal, a_turn(signal)).ignored


def test_an_order_cannot_be_canceled_by_the_news_of_a_cancel_message() -> None:
    assert decide(a_signal(), TargetsCanceled(at_ms=LATER, count=1)).ignored


def test_a_caller_id_is_free_again_when_the_order_has_closed() -> None:
    signal, order = a_working_signal(caller_id="Long")

    done = heard(signal, filled(order)).aggregate

    assert signal.holds_caller_id
    assert not done.holds_caller_id


def test_a_signal_says_what_it_wants() -> None:
    assert a_signal(size=percent("50")).sentence() == "buy 50% BTC/USDT"
    assert a_signal(size=notional("100")).sentence() == "buy for 100 BTC/USDT"
    assert a_signal(Action.OPEN_LONG, size=fixed("0.5")).sentence() == "open long 0.5 ETH/USDT"
    assert a_signal(Action.CANCEL_ALL, size=fixed("1")).sentence() == "cancel all BTC/USDT"


def test_news_of_a_smart_order_means_nothing_before_there_is_one() -> None:
    signal, _ = a_working_signal()

    assert decide(signal, SmartOrderUpdated(at_ms=LATER, smart_order=a_smart_order())).ignored


def test_a_turn_of_a_signal_that_has_ended_is_ignored() -> None:
    signal, order = a_working_signal()
    done = heard(signal, filled(order)).aggregate
    turn: Executed = a_turn(done)

    assert decide(done, turn).ignored
