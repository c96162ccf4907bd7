"""The take-profit and the stop-loss of an entry (Crypto Arsenal spec 3.3, example E14)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.aggregate import decide
from app.domain.bracket import Bracket
from app.domain.commands import Action
from app.domain.decision import Decision
from app.domain.effects import EffectKind
from app.domain.enums import Direction, PositionSide, PriceSource, ReasonCode, Side
from app.domain.events import CancelRequested, OrderUpdated, PositionSeen, SmartOrderUpdated
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OrderStatus
from tests.support.builders import (
    LATER,
    PAPER,
    REQUESTED,
    USDM_ID,
    a_signal,
    a_turn,
    an_id,
    an_order,
    fixed,
    fresh_ids,
)

STEP = Decimal("0.01")


def after_entry(
    action: Action = Action.OPEN_LONG,
    levels: tuple[str | None, str | None] = ("2200", "1900"),
    status: OrderStatus = OrderStatus.FILLED,
    filled: str = "0.5",
    **odd: object,
) -> Decision[Signal]:
    """What a signal with these levels decides when its entry of 0.5 has ended so."""
    profit, loss = (None if level is None else Decimal(level) for level in levels)
    signal = a_signal(action, size=fixed("0.5"), take_profit=profit, stop_loss=loss)
    working = decide(signal, a_turn(signal))
    (entry,) = working.children
    assert isinstance(entry, Order)
    closed = replace(entry, status=status, filled_quantity=Decimal(filled), **odd)  # type: ignore[arg-type]  # by name
    return news(working.aggregate, closed)


def news(signal: Signal, order: Order) -> Decision[Signal]:
    new_ids = fresh_ids(600, signal.account)
    return decide(signal, OrderUpdated(at_ms=LATER, order=order, new_ids=new_ids))


def guards(decision: Decision[Signal]) -> list[SmartOrder]:
    found = [one for one in decision.children if isinstance(one, SmartOrder)]
    assert len(found) == len(decision.children)
    return found


def told(signal: Signal, smart_order: SmartOrder, **odd: object) -> Decision[Signal]:
    """Let the signal hear how one of its smart orders is now."""
    now = replace(smart_order, **odd)  # type: ignore[arg-type]  # by name
    return decide(signal, SmartOrderUpdated(at_ms=LATER, smart_order=now))


#: How a smart order is whose order has filled whole, in part, or not at all.
FILLED = {
    "status": SmartOrderStatus.TRIGGERED,
    "order_status": OrderStatus.FILLED,
    "filled_quantity": Decimal("0.5"),
}
PARTLY = {**FILLED, "order_status": OrderStatus.CANCELED, "filled_quantity": Decimal("0.2")}
GONE = {"status": SmartOrderStatus.CANCELED}
FAILED = {"status": SmartOrderStatus.FAILED}


def test_a_filled_long_gets_a_take_profit_above_and_a_stop_below() -> None:
    profit, loss = guards(after_entry())

    assert (profit.trigger.direction, profit.trigger.level) == (Direction.RISING, Decimal(2_200))
    assert (loss.trigger.direction, loss.trigger.level) == (Direction.FALLING, Decimal(1_900))
    for guard in (profit, loss):
        assert (guard.side, guard.quantity, guard.price) == (Side.SELL, Decimal("0.5"), None)
        assert guard.position_side is PositionSide.LONG
        assert guard.reduce_only
        assert guard.trigger.source is PriceSource.LAST


def test_a_filled_short_gets_them_the_other_way_around() -> None:
    profit, loss = guards(after_entry(Action.OPEN_SHORT, ("1900", "2200")))

    assert (profit.trigger.direction, profit.side) == (Direction.FALLING, Side.BUY)
    assert (loss.trigger.direction, loss.side) == (Direction.RISING, Side.BUY)


@pytest.mark.parametrize("levels", [("2200", None), (None, "1900")])
def test_each_of_the_two_may_stand_alone(levels: tuple[str | None, str | None]) -> None:
    assert len(guards(after_entry(levels=levels))) == 1


def test_the_guards_belong_to_the_signal() -> None:
    decision = after_entry()

    signal = decision.aggregate
    assert {guard.parent_id for guard in guards(decision)} == {signal.id}
    assert {guard.request_id for guard in guards(decision)} == {signal.id}
    assert signal.working == {guard.id for guard in guards(decision)}
    assert {guard.trigger.owner for guard in guards(decision)} == signal.working
    assert signal.stage is Stage.PROTECTED
    assert signal.is_protecting


def test_an_entry_that_is_canceled_halfway_is_protected_for_its_filled_part() -> None:
    decision = after_entry(status=OrderStatus.CANCELED, filled="0.2")

    assert {guard.quantity for guard in guards(decision)} == {Decimal("0.2")}


def test_an_entry_without_a_fill_needs_no_protection() -> None:
    decision = after_entry(status=OrderStatus.CANCELED, filled="0")

    assert decision.children == ()
    assert decision.aggregate.status is RequestStatus.CANCELED


def test_a_position_that_is_not_shown_yet_is_protected_all_the_same() -> None:
    decision = after_entry(position_after=Decimal(0))

    assert len(guards(decision)) == 2
    assert decision.aggregate.is_protecting


def test_an_entry_without_levels_is_done() -> None:
    decision = after_entry(levels=(None, None))

    assert decision.children == ()
    assert decision.aggregate.status is RequestStatus.DONE


def test_an_entry_that_fills_after_its_cancel_is_protected_all_the_same() -> None:
    canceled = after_entry(status=OrderStatus.CANCELED, filled="0").aggregate
    order = an_order(
        id=canceled.order_id,
        account=USDM_ID,
        status=OrderStatus.FILLED,
        filled_quantity=Decimal("0.5"),
    )

    decision = news(canceled, order)

    assert len(guards(decision)) == 2
    assert decision.aggregate.status is RequestStatus.EXECUTING
    assert decision.aggregate.is_protecting


# One cancels the other


@pytest.mark.parametrize("first", [0, 1])
def test_when_one_fills_the_other_is_withdrawn(first: int) -> None:
    decision = after_entry()
    pair = guards(decision)

    heard = told(decision.aggregate, pair[first], **FILLED).aggregate

    assert heard.withdrawing == {pair[1 - first].id}
    assert [effect.kind for effect in heard.owed()] == [EffectKind.WITHDRAW]
    assert heard.status is RequestStatus.EXECUTING


def test_when_both_have_ended_the_signal_is_done() -> None:
    decision = after_entry()
    profit, loss = guards(decision)
    heard = told(decision.aggregate, profit, **FILLED).aggregate

    done = told(heard, loss, **GONE).aggregate

    assert done.status is RequestStatus.DONE
    assert done.owed() == ()


def test_what_fills_in_part_leaves_the_other_in_place() -> None:
    decision = after_entry()
    profit, loss = guards(decision)

    heard = told(decision.aggregate, profit, **PARTLY).aggregate

    assert heard.working == {loss.id}
    assert heard.withdrawing == frozenset()


@pytest.mark.parametrize("end", [GONE, FAILED])
def test_one_that_goes_without_a_fill_leaves_the_other_in_place(end: dict[str, object]) -> None:
    decision = after_entry()
    profit, loss = guards(decision)

    heard = told(decision.aggregate, profit, **end).aggregate

    assert heard.working == {loss.id}
    assert heard.is_protecting


def test_news_of_a_guard_that_has_ended_before_is_ignored() -> None:
    decision = after_entry()
    profit, _ = guards(decision)
    heard = told(decision.aggregate, profit, **FILLED).aggregate

    assert told(heard, profit, **FILLED).ignored


def test_a_position_that_somebody_else_closes_takes_both_with_it() -> None:
    decision = after_entry()
    later = EpochMs(LATER + 1)
    close = an_order(account=USDM_ID, position_after=Decimal(0), updated_at_ms=later)

    heard = news(decision.aggregate, close).aggregate

    assert heard.withdrawing == heard.working == {guard.id for guard in guards(decision)}
    assert heard.reason is not None
    assert heard.reason.code is ReasonCode.POSITION_CLOSED


@pytest.mark.parametrize("left", [None, Decimal("0.1")])
def test_a_position_that_is_only_reduced_keeps_both(left: Decimal | None) -> None:
    decision = after_entry()

    heard = news(decision.aggregate, an_order(account=USDM_ID, position_after=left))

    assert heard.ignored


def seen(signal: Signal, size: int, at_ms: int) -> Decision[Signal]:
    at = EpochMs(at_ms)
    event = PositionSeen(at_ms=at, begun_ms=at, size=Decimal(size), shown_late_ms=2_000)
    return decide(signal, event)


@pytest.mark.parametrize(
    ("looks", "is_gone"),
    [
        ([(0, 0)], False),
        ([(0, 0), (0, 1_999)], False),
        ([(0, 0), (0, 2_000)], True),
        ([(0, 0), (0, 1_000), (0, 2_000)], True),
        ([(0, 0), (1, 1_000), (0, 2_000)], False),
        ([(0, 0), (1, 1_000), (0, 2_000), (0, 4_000)], True),
        ([(0, 2_000), (0, 0)], False),  # the first look came late
        ([(0, 900_000), (0, 0), (0, 2_000)], True),  # the clock was set back
    ],
)
def test_a_position_is_gone_when_two_looks_that_are_apart_say_so(
    looks: list[tuple[int, int]], *, is_gone: bool
) -> None:
    signal = after_entry().aggregate

    for size, after_ms in looks:
        signal = seen(signal, size, LATER + after_ms).aggregate

    assert (signal.withdrawing == signal.working) is is_gone
    if is_gone:
        assert signal.reason is not None
        assert signal.reason.code is ReasonCode.POSITION_CLOSED


def test_a_look_that_shows_the_position_writes_nothing() -> None:
    assert seen(after_entry().aggregate, 1, LATER).ignored


def test_a_look_means_nothing_to_what_guards_nothing() -> None:
    done = after_entry(levels=(None, None)).aggregate

    assert seen(done, 0, LATER).ignored


def test_a_guard_that_alone_finds_its_position_gone_ends_with_that_reason() -> None:
    decision = after_entry(levels=(None, "1900"))
    (loss,) = guards(decision)
    nothing = Reason(ReasonCode.NO_POSITION, "nothing is left")

    done = told(decision.aggregate, loss, **{**GONE, "reason": nothing}).aggregate

    assert done.status is RequestStatus.DONE
    assert done.reason is not None
    assert done.reason.code is ReasonCode.POSITION_CLOSED


def test_a_cancel_takes_both_and_leaves_the_position() -> None:
    decision = after_entry()
    cancel = CancelRequested(at_ms=LATER, reason=REQUESTED)

    going = decide(decision.aggregate, cancel).aggregate

    assert going.withdrawing == going.working
    ended = going
    for guard in guards(decision):
        ended = told(ended, guard, **GONE).aggregate
    assert ended.status is RequestStatus.DONE


def test_guards_that_an_earlier_release_made_belong_together() -> None:
    begun = after_entry()
    profit, loss = guards(begun)
    later = frozenset({an_id(901, USDM_ID), an_id(902, USDM_ID)})
    signal = begun.aggregate
    assert isinstance(signal, Signal)
    signal = replace(signal, working=signal.working | later, pairs=(later,))

    heard = told(signal, loss, **FILLED).aggregate

    assert heard.withdrawing == {profit.id}


def test_levels_of_none_protect_nothing() -> None:
    entry = an_order(account=USDM_ID)

    bracket = Bracket(owner=entry, side=Side.SELL, position_side=None, venue=PAPER, price_step=STEP)
    assert bracket.ours((None, None), Decimal(1), fresh_ids(), LATER) == ()
