"""A trigger, then an order."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from app.domain.aggregate import decide
from app.domain.decision import Decision
from app.domain.effects import EffectKind
from app.domain.enums import OrderType, ReasonCode, Side, SmartOrderType, TimeInForce
from app.domain.events import (
    CancelRequested,
    Event,
    OrderUpdated,
    PauseOver,
    TimerDue,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
    TriggerRefused,
)
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import CLOSED, OrderStatus
from app.domain.trigger import Offset
from tests.support.builders import (
    LATER,
    NOW,
    REFUSED,
    REQUESTED,
    USDM_ID,
    a_fresh_id,
    a_smart_order,
    a_stop,
    a_trailing_limit,
    an_order,
    fresh_ids,
    must,
)

ARMED = TriggerArmed(at_ms=LATER)
DISARMED = TriggerDisarmed(at_ms=LATER)
FIRED = TriggerFired(
    at_ms=LATER, tick=3, prices={"": Decimal(1_900)}, new_ids=fresh_ids(account=USDM_ID)
)
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
    return decide(smart_order, OrderUpdated(at_ms=LATER, order=now, new_ids=new_ids))


def test_a_new_one_wants_to_be_armed() -> None:
    assert kinds(a_smart_order()) == [EffectKind.ARM]


def test_an_armed_one_owes_nothing_but_patience() -> None:
    decision = decide(a_smart_order(), ARMED)

    assert kinds(decision.aggregate) == []
    assert [entry.name for entry in decision.entries] == ["armed"]
    assert decide(decision.aggregate, ARMED).ignored


def test_its_price_brings_forth_one_reducing_order() -> None:
    decision = decide(a_smart_order(armed=True), FIRED)

    fired, order = decision.aggregate, order_of(decision)
    assert fired.status is SmartOrderStatus.TRIGGERED
    assert kinds(fired) == []
    assert fired.is_live
    assert (order.type, order.side, order.quantity) == (OrderType.MARKET, Side.SELL, Decimal("0.5"))
    assert order.reduce_only
    assert order.reduces
    assert (order.parent_id, fired.order_id) == (fired.id, order.id)


def test_a_limit_of_its_own_makes_a_limit_order() -> None:
    decision = decide(a_smart_order(type=SmartOrderType.STOP_LIMIT, price=Decimal(1_890)), FIRED)

    assert order_of(decision).type is OrderType.LIMIT


def test_a_price_that_comes_before_the_arming_is_known_counts() -> None:
    fired = decide(a_smart_order(), FIRED).aggregate

    late = decide(fired, ARMED).aggregate

    assert late.status is SmartOrderStatus.TRIGGERED
    assert kinds(late) == [EffectKind.DISARM]


def test_a_price_that_comes_twice_brings_forth_one_order() -> None:
    fired = decide(a_smart_order(), FIRED).aggregate

    assert decide(fired, FIRED).ignored


def test_a_canceled_one_is_taken_out_of_the_book() -> None:
    decision = decide(a_smart_order(armed=True), CANCEL)

    canceled = decision.aggregate
    assert canceled.status is SmartOrderStatus.CANCELED
    assert not canceled.is_live
    assert kinds(canceled) == [EffectKind.DISARM]
    assert kinds(decide(canceled, DISARMED).aggregate) == []


def test_one_that_nobody_has_said_to_be_armed_is_taken_out_all_the_same() -> None:
    assert kinds(decide(a_smart_order(), CANCEL).aggregate) == [EffectKind.DISARM]


def test_a_price_that_comes_after_the_cancel_is_ignored() -> None:
    canceled = decide(a_smart_order(armed=True), CANCEL).aggregate

    assert decide(canceled, FIRED).ignored
    assert decide(canceled, CANCEL).ignored


# What becomes of its order


def a_fired_one(**odd: object) -> tuple[SmartOrder, Order]:
    decision = decide(a_smart_order(**odd), FIRED)
    return decision.aggregate, order_of(decision)


def test_it_lives_as_long_as_its_order() -> None:
    fired, order = a_fired_one()

    resting = heard(fired, order, status=OrderStatus.NEW).aggregate
    filled = {"status": OrderStatus.FILLED, "filled_quantity": order.quantity}

    assert resting.is_live
    assert not heard(fired, order, **filled).aggregate.is_live
    # A guard, until its position is flat; any other with its order, however that ends.
    other, order = a_fired_one(reduce_only=False)
    assert not any(heard(other, order, status=one).aggregate.is_live for one in CLOSED)


def test_a_filled_order_ends_it() -> None:
    fired, order = a_fired_one()

    decision = heard(fired, order, status=OrderStatus.FILLED, filled_quantity=Decimal("0.5"))

    assert decision.aggregate.is_filled
    assert not decision.aggregate.is_live
    assert decision.aggregate.filled_quantity == Decimal("0.5")
    assert [entry.name for entry in decision.entries] == ["filled", "closed"]


def gone_on(smart: SmartOrder, number: int = 700) -> Decision[SmartOrder]:
    """Let the time of its next order come."""
    due_ms = must(smart.goes_on_at_ms)
    return decide(smart, PauseOver(at_ms=due_ms, new_ids=(a_fresh_id(number, USDM_ID),)))


def test_a_part_is_not_the_end_of_a_guard() -> None:
    fired, order = a_fired_one()

    waits = heard(
        fired, order, status=OrderStatus.CANCELED, filled_quantity=Decimal("0.2")
    ).aggregate

    assert (waits.is_live, waits.is_filled, waits.misses) == (True, False, 0)
    assert kinds(waits) == [EffectKind.ADVANCE]
    again = order_of(gone_on(waits))
    assert (again.quantity, again.fits_held) == (Decimal("0.3"), True)
    assert again.client_order_id != order.client_order_id


def test_what_several_orders_of_a_guard_fill_adds_up() -> None:
    fired, order = a_fired_one()
    first = {"filled_quantity": Decimal("0.2"), "average_price": Decimal(1900)}
    waits = heard(fired, order, status=OrderStatus.CANCELED, **first).aggregate
    decision = gone_on(waits)
    last = {"filled_quantity": Decimal("0.3"), "average_price": Decimal(1890)}

    done = heard(decision.aggregate, order_of(decision), status=OrderStatus.FILLED, **last)

    assert (done.aggregate.is_filled, done.aggregate.is_live) == (True, False)
    assert done.aggregate.filled_quantity == Decimal("0.5")
    assert done.aggregate.average_price == Decimal(1894)
    assert [entry.name for entry in done.entries] == ["filled", "closed"]


def test_a_fill_that_is_told_after_the_end_of_its_order_is_not_sold_again() -> None:
    fired, order = a_fired_one()
    waits = heard(
        fired, order, status=OrderStatus.CANCELED, filled_quantity=Decimal("0.2")
    ).aggregate

    more = heard(
        waits, order, status=OrderStatus.CANCELED, filled_quantity=Decimal("0.4")
    ).aggregate
    whole = heard(waits, order, status=OrderStatus.FILLED, filled_quantity=Decimal("0.5")).aggregate

    assert more.goes_on_at_ms == waits.goes_on_at_ms
    assert order_of(gone_on(more)).quantity == Decimal("0.1")
    assert (whole.is_filled, whole.is_live) == (True, False)


def test_news_of_an_order_that_was_heard_before_makes_no_second_one() -> None:
    fired, order = a_fired_one()
    news = {"status": OrderStatus.REJECTED, "reason": REFUSED}
    waits = heard(fired, order, **news).aggregate
    goes = gone_on(waits).aggregate

    assert heard(waits, order, **news).aggregate == waits
    assert heard(goes, order, **news).children == ()


def test_an_order_that_was_as_large_as_one_may_be_is_followed_by_the_next_at_once() -> None:
    fired, order = a_fired_one()

    decision = heard(
        fired,
        order,
        quantity=Decimal("0.4"),
        status=OrderStatus.FILLED,
        filled_quantity=Decimal("0.4"),
    )

    assert order_of(decision).quantity == Decimal("0.1")


@pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.DENIED])
def test_a_protective_order_that_is_refused_is_placed_anew_after_a_pause_that_grows(
    status: OrderStatus,
) -> None:
    smart, order = a_fired_one()
    pauses = []
    for number in range(710, 722):
        waits = heard(smart, order, status=status, reason=REFUSED).aggregate
        pauses.append(must(waits.goes_on_at_ms) - waits.updated_at_ms)
        decision = gone_on(waits, number)
        smart, order = decision.aggregate, order_of(decision)

    assert pauses[:4] == [250, 500, 1_000, 2_000]
    assert pauses[-1] == 60_000
    assert smart.is_live


def test_a_person_is_told_once_of_a_row_of_refusals() -> None:
    smart, order = a_fired_one()
    told = []
    for number in range(710, 722):
        decision = heard(smart, order, status=OrderStatus.REJECTED, reason=REFUSED)
        told += [entry.name for entry in decision.entries if entry.name == "alert"]
        decision = gone_on(decision.aggregate, number)
        smart, order = decision.aggregate, order_of(decision)

    assert told == ["alert"]


def test_a_position_is_gone_when_that_is_said_twice() -> None:
    fired, order = a_fired_one()
    gone = Reason(ReasonCode.NO_POSITION, "nothing is left")

    waits = heard(fired, order, status=OrderStatus.REJECTED, reason=gone).aggregate
    decision = gone_on(waits)
    ended = heard(
        decision.aggregate, order_of(decision), status=OrderStatus.REJECTED, reason=gone
    ).aggregate

    assert must(waits.goes_on_at_ms) - waits.updated_at_ms == 2_000
    assert (ended.is_live, ended.reason) == (False, gone)


def test_what_is_left_of_a_guard_that_has_filled_is_dust() -> None:
    fired, order = a_fired_one()
    part = {"status": OrderStatus.CANCELED, "filled_quantity": Decimal("0.499")}
    decision = gone_on(heard(fired, order, **part).aggregate)
    dust = Reason(ReasonCode.NO_POSITION, "0.001 is left, less than can be traded")

    ended = heard(decision.aggregate, order_of(decision), status=OrderStatus.REJECTED, reason=dust)

    assert not ended.aggregate.is_live
    assert [entry.name for entry in ended.entries] == ["filled", "closed"]


def test_a_guard_whose_order_was_canceled_here_ends() -> None:
    fired, order = a_fired_one()
    reason = Reason(ReasonCode.REQUESTED, "so it is")

    ended = heard(fired, order, status=OrderStatus.CANCELED, reason=reason, cancel_requested=True)

    assert (ended.children, ended.aggregate.is_live) == ((), False)
    assert ended.aggregate.reason == reason


def test_a_cancel_ends_a_guard_that_waits_for_its_next_order() -> None:
    fired, order = a_fired_one()
    waits = heard(fired, order, status=OrderStatus.REJECTED, reason=REFUSED).aggregate

    canceled = decide(waits, CANCEL).aggregate

    assert not canceled.is_live
    due = PauseOver(at_ms=must(waits.goes_on_at_ms), new_ids=(a_fresh_id(700, USDM_ID),))
    assert decide(canceled, due).ignored


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_a_cancel_that_comes_before_the_end_of_its_order_is_heard_of(status: OrderStatus) -> None:
    fired, order = a_fired_one()

    canceled = decide(fired, CANCEL)
    ended = heard(canceled.aggregate, order, status=status, filled_quantity=Decimal("0.1"))

    assert [entry.name for entry in canceled.entries] == ["cancel_requested"]
    assert (ended.children, ended.aggregate.is_live) == ((), False)
    assert not ended.aggregate.is_filled  # so the other guard stays


def test_a_guard_whose_order_has_closed_the_position_sells_no_other() -> None:
    fired, order = a_fired_one()
    less = {"quantity": Decimal("0.2"), "filled_quantity": Decimal("0.2")}

    ended = heard(fired, order, status=OrderStatus.FILLED, position_after=Decimal(0), **less)

    assert (ended.children, ended.aggregate.is_live) == ((), False)
    assert ended.aggregate.is_filled


def test_a_timer_ends_no_pause() -> None:
    fired, order = a_fired_one()
    waits = heard(fired, order, status=OrderStatus.REJECTED, reason=REFUSED).aggregate

    assert decide(waits, TimerDue(at_ms=must(waits.goes_on_at_ms))).ignored


def test_an_order_that_guards_nothing_is_not_placed_anew() -> None:
    fired, order = a_fired_one(reduce_only=False)

    decision = heard(fired, order, status=OrderStatus.REJECTED, reason=REFUSED)

    assert decision.aggregate.status is SmartOrderStatus.FAILED
    assert [entry.name for entry in decision.entries] == ["alert", "failed", "closed"]


@pytest.mark.parametrize(
    ("end", "filled", "told"),
    [
        (OrderStatus.CANCELED, "0.1", ["alert", "filled", "closed"]),
        (OrderStatus.FILLED, "0.5", ["filled", "closed"]),
    ],
)
def test_what_a_single_order_leaves_is_told_to_a_person(
    end: OrderStatus, filled: str, told: list[str]
) -> None:
    fired, order = a_fired_one(reduce_only=False)

    decision = heard(fired, order, status=end, filled_quantity=Decimal(filled))

    assert [entry.name for entry in decision.entries] == told
    assert decision.children == ()


def test_what_somebody_has_canceled_is_told_to_nobody() -> None:
    fired, order = a_fired_one(reduce_only=False)
    part = {"status": OrderStatus.CANCELED, "filled_quantity": Decimal("0.1")}

    decision = heard(fired, order, cancel_requested=True, **part)

    assert "alert" not in [entry.name for entry in decision.entries]


def test_news_of_another_order_is_ignored() -> None:
    fired, _ = a_fired_one()

    assert heard(fired, an_order(account=USDM_ID)).ignored


def test_a_cancel_finds_a_triggered_one_in_the_hands_of_its_order() -> None:
    fired, _ = a_fired_one(reduce_only=False)
    assert decide(fired, CANCEL).ignored

    guard, _ = a_fired_one()
    assert decide(decide(guard, CANCEL).aggregate, CANCEL).ignored


@pytest.mark.parametrize(("state", "armed"), list(product(SmartOrderStatus, [False, True])))
def test_the_book_is_told_exactly_what_it_does_not_know(
    state: SmartOrderStatus, *, armed: bool
) -> None:
    smart_order = a_smart_order(status=state, armed=armed, order_status=OrderStatus.FILLED)

    waits = state is SmartOrderStatus.PENDING_NEW
    expected = {(True, False): [EffectKind.ARM], (False, True): [EffectKind.DISARM]}
    assert kinds(smart_order) == expected.get((waits, armed), [])


def test_it_says_what_it_waits_for() -> None:
    assert a_smart_order().sentence() == "sell 0.5 ETH/USDT when last reaches 1900"


# Standing alone: the rules of Poloniex, docs/design.md


def fired_at(price: str) -> TriggerFired:
    return replace(FIRED, prices={"": Decimal(price)})


def placed_by(smart_order: SmartOrder, price: str = "1900") -> Order:
    return order_of(decide(smart_order, fired_at(price)))


@pytest.mark.parametrize("tif", TimeInForce)
@pytest.mark.parametrize("post_only", [False, True])
def test_a_stop_limit_places_its_own_limit(tif: TimeInForce, *, post_only: bool) -> None:
    order = placed_by(
        a_stop(
            type=SmartOrderType.STOP_LIMIT,
            price=Decimal(60_100),
            time_in_force=tif,
            post_only=post_only,
        ),
        "61000",
    )

    expected = OrderType.LIMIT_MAKER if post_only else OrderType.LIMIT
    assert (order.type, order.price, order.time_in_force) == (expected, Decimal(60_100), tif)
    assert (order.quantity, order.amount) == (Decimal("0.5"), None)
    assert order.caller_id == "mine"


def test_a_market_stop_keeps_its_price_and_does_not_use_it() -> None:
    stop = a_stop(price=Decimal(41_920))

    assert (placed_by(stop).type, placed_by(stop).price) == (OrderType.MARKET, None)
    assert decide(stop, FIRED).aggregate.price == Decimal(41_920)


@pytest.mark.parametrize(
    ("side", "quantity", "amount", "expected"),
    [
        (Side.BUY, "0.2", "10", ("0", "10")),
        (Side.BUY, None, "10", ("0", "10")),
        (Side.BUY, "0.2", None, ("0.2", None)),
        (Side.SELL, "0.2", "10", ("0.2", None)),
    ],
)
def test_the_amount_counts_for_market_buys_and_there_it_wins(
    side: Side, quantity: str | None, amount: str | None, expected: tuple[str, str | None]
) -> None:
    order = placed_by(
        a_stop(
            side=side,
            quantity=None if quantity is None else Decimal(quantity),
            amount=None if amount is None else Decimal(amount),
        )
    )

    found = (str(order.quantity), None if order.amount is None else str(order.amount))
    assert found == expected


@pytest.mark.parametrize(
    ("side", "offset", "price", "limit"),
    [
        pytest.param(Side.SELL, "0.5%", "60450", "60147.75", id="T4"),
        pytest.param(Side.BUY, "10", "1920", "1930", id="T5"),
        pytest.param(Side.SELL, "0.333%", "100.01", "99.68", id="a sale is rounded up"),
        pytest.param(Side.BUY, "0.333%", "100.01", "100.34", id="a buy is rounded down"),
        pytest.param(Side.SELL, "0", "100", "100", id="no distance"),
    ],
)
def test_a_trailing_limit_lies_off_the_price_of_the_firing_tick(
    side: Side, offset: str, price: str, limit: str
) -> None:
    order = placed_by(a_trailing_limit(side, offset), price)

    assert (order.type, order.price) == (OrderType.LIMIT, Decimal(limit))


def test_a_trailing_limit_that_is_not_above_0_fails() -> None:
    decision = decide(a_trailing_limit(Side.SELL, "500"), fired_at("500"))

    failed = decision.aggregate
    assert failed.status is SmartOrderStatus.FAILED
    assert failed.reason is not None
    assert failed.reason.code is ReasonCode.LIMIT_NOT_ABOVE_ZERO
    assert decision.children == ()
    assert kinds(failed) == []


@pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.DENIED])
def test_one_whose_order_is_not_opened_fails_with_its_reason(status: OrderStatus) -> None:
    fired = decide(a_stop(), FIRED)
    short = Reason(ReasonCode.INSUFFICIENT_FUNDS, "lacks 300500 USDT")

    decision = heard(fired.aggregate, order_of(fired), status=status, reason=short)

    assert decision.aggregate.status is SmartOrderStatus.FAILED
    assert decision.aggregate.reason == short
    assert decision.children == ()
    assert [entry.name for entry in decision.entries] == ["failed", "closed"]


@pytest.mark.parametrize(
    "status", [OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED]
)
def test_one_whose_order_was_opened_stays_triggered_whatever_comes(status: OrderStatus) -> None:
    fired = decide(a_stop(), FIRED)
    open_ = heard(fired.aggregate, order_of(fired), status=OrderStatus.NEW).aggregate

    ended = heard(open_, order_of(fired), status=status, reason=REFUSED).aggregate

    assert ended.status is SmartOrderStatus.TRIGGERED
    assert not ended.is_live


def test_an_order_of_unknown_outcome_leaves_it_triggered() -> None:
    fired = decide(a_stop(), FIRED)

    unknown = heard(fired.aggregate, order_of(fired), status=OrderStatus.UNKNOWN).aggregate

    assert unknown.status is SmartOrderStatus.TRIGGERED
    assert unknown.is_live


def test_one_that_cannot_be_waited_for_is_rejected() -> None:
    reason = Reason(ReasonCode.UNKNOWN_INSTRUMENT, "gone")

    rejected = decide(a_stop(), TriggerRefused(at_ms=LATER, reason=reason)).aggregate

    assert (rejected.status, rejected.reason) == (SmartOrderStatus.REJECTED, reason)
    assert kinds(rejected) == [EffectKind.DISARM]


def test_one_with_a_life_owes_a_timer_and_expires() -> None:
    stop = a_stop(expires_at_ms=LATER)

    early = decide(stop, TimerDue(at_ms=EpochMs(LATER - 1)))
    expired = decide(stop, TimerDue(at_ms=LATER))

    assert kinds(stop) == [EffectKind.TIMER, EffectKind.ARM]
    assert early.ignored
    assert expired.aggregate.status is SmartOrderStatus.EXPIRED
    assert [entry.name for entry in expired.entries] == ["expired", "closed"]
    assert decide(a_stop(), TimerDue(at_ms=LATER)).ignored


ENDS = [CANCEL, TriggerRefused(at_ms=LATER, reason=REFUSED), TimerDue(at_ms=LATER), FIRED]


@pytest.mark.parametrize("first", ENDS)
@pytest.mark.parametrize("second", ENDS)
def test_exactly_one_thing_ends_the_waiting(first: Event, second: Event) -> None:
    ended = decide(a_stop(expires_at_ms=LATER), first).aggregate

    late = decide(ended, second)

    assert late.ignored
    assert late.children == ()
    assert late.aggregate == ended


def test_one_that_is_being_canceled_is_not_triggered() -> None:
    assert decide(a_stop(status=SmartOrderStatus.PENDING_CANCEL), FIRED).ignored


def test_its_caller_id_is_taken_while_it_may_trade_and_once_it_has() -> None:
    held = {state for state in SmartOrderStatus if a_stop(status=state).holds_caller_id}

    assert held == {
        SmartOrderStatus.PENDING_NEW,
        SmartOrderStatus.PENDING_CANCEL,
        SmartOrderStatus.TRIGGERED,
    }


def test_news_and_arming_are_no_change_of_state() -> None:
    armed = decide(a_stop(), ARMED).aggregate
    fired = decide(armed, replace(FIRED, at_ms=NOW))
    filled = heard(fired.aggregate, order_of(fired), status=OrderStatus.FILLED).aggregate

    assert armed.updated_at_ms == filled.updated_at_ms == NOW


@pytest.mark.parametrize(
    "odd",
    [
        {"type": SmartOrderType.STOP_LIMIT},
        {"type": SmartOrderType.TRAILING_STOP},
        {"quantity": None},
        {"quantity": Decimal(0)},
        {"quantity": None, "amount": Decimal(10), "side": Side.SELL},
    ],
)
def test_what_could_place_nothing_cannot_be(odd: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="smart order"):
        a_stop(**odd)


def test_a_budget_is_said_in_the_currency_it_is_in() -> None:
    stop = a_stop(quantity=None, amount=Decimal(10))

    assert stop.sentence() == "buy for 10 USDT BTC/USDT when last reaches 60000"
    assert placed_by(stop).sentence() == "buy for 10 USDT BTC/USDT market"


def test_the_command_makes_the_same_again() -> None:
    one = a_trailing_limit(Side.SELL, "0.5%")

    command = one.command()

    assert (command.stop, command.trail) == (None, Offset(Decimal(500)))
    assert (command.limit_offset, command.type) == (one.limit_offset, one.type)
