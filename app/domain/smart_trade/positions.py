"""The position of a smart trade: what is open, who has which share of it, how it ends."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.decision import EntryName
from app.domain.instrument import Instrument
from app.domain.reason import Reason
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import (
    STEP_EXECUTED,
    StepKind,
    StepStatus,
    TradeStatus,
)
from app.domain.smart_trade.profit import (
    average_entry_price,
    entered_quantity,
    filled_quantity,
    remaining_quantity,
)
from app.domain.smart_trade.spec import PERCENT_TOLERANCE
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


def position_opened(draft: Draft) -> None:
    """Go over to the exits: shares of the steps, prices that follow from the entry (spec 4.3)."""
    draft.change(status=TradeStatus.BOUGHT)
    share_out(draft)
    resolve_prices(draft)
    draft.tell(EntryName.PROTECTED)


def share_out(draft: Draft, *, is_dust: bool = False) -> None:
    """Give each idle step its share of the position; the last one takes the rest (spec 5.3, 5.5).

    The share of a canceled step stays in the position: no other step takes it over. Where none is
    idle, the last one at work takes the rest: it goes on after its order. One that is sold in a
    panic takes nothing that was bought since (spec 5.6), but what `is_dust` to another step.
    """
    steps = sorted(draft.trade.steps_of(StepKind.TAKE_PROFIT), key=lambda one: one.position or 0)
    counted = [one for one in steps if one.status is not StepStatus.CANCELLED]
    idle = [one for one in counted if one.status is StepStatus.IDLE]
    at_work = [
        one
        for one in counted
        if not (one.is_final or one.cancel_requested) and (is_dust or not one.is_panic)
    ]
    shared = idle or at_work[-1:]
    if not shared:
        return
    instrument, whole = draft.trade.instrument, entered_quantity(draft.trade)
    # Each share is rounded down to the lot, and the last step takes what the rounding left over, so
    # that nothing of the position stays without an exit.
    rest = _share(instrument, whole, sum((one.percent or _ZERO for one in counted), _ZERO))
    rest -= sum((one.quantity or _ZERO for one in counted if one not in shared), _ZERO)
    *others, last = shared
    for one in others:
        share = _share(instrument, whole, one.percent or _ZERO)
        draft.change_step(one.id, quantity=share)
        rest -= share
    draft.change_step(last.id, quantity=max(rest, _ZERO))


def _share(instrument: Instrument, whole: Decimal, percent: Decimal) -> Decimal:
    if percent >= _HUNDRED - PERCENT_TOLERANCE:
        return instrument.quantity(whole)
    return instrument.quantity(whole * percent / _HUNDRED)


def resolve_prices(draft: Draft) -> None:
    """Turn percentages into prices, now that the average entry is known (spec 2, 5.3)."""
    average = average_entry_price(draft.trade)
    if average is None:
        return
    for step in draft.trade.steps_of(StepKind.TAKE_PROFIT, StepKind.STOP_LOSS):
        percentage = step.price_percentage
        # A price that is set stays, also when more is bought later: callers have seen it (spec
        # 5.5).
        if step.price is not None or percentage is None or step.is_final:
            continue
        draft.change_step(step.id, price=average * (1 + percentage / _HUNDRED))
        if step.kind is StepKind.STOP_LOSS and step.is_trailing:
            draft.change_step(
                step.id,
                extreme=average,
                extreme_at_ms=draft.at_ms,
                trailing_percent=abs(percentage),
            )


def open_quantity(trade: SmartTrade) -> Decimal:
    """Return what can be closed of the position: whole lots."""
    return trade.instrument.quantity(remaining_quantity(trade))


def live_entries(trade: SmartTrade) -> list[StepOrder]:
    """Return the orders that still may open more."""
    side = trade.type.entry_side
    return [one for one in trade.orders if one.is_live and one.side is side]


def live_exits(trade: SmartTrade) -> list[StepOrder]:
    """Return the orders that still may close something."""
    side = trade.type.exit_side
    return [one for one in trade.orders if one.is_live and one.side is side]


def available_quantity(trade: SmartTrade) -> Decimal:
    """Return what can be closed and is not promised to a live exit: never more than is held."""
    # An order that is being taken off still counts: it may fill before its cancel arrives.
    promised = sum((one.remaining_quantity for one in live_exits(trade)), _ZERO)
    return trade.instrument.quantity(max(remaining_quantity(trade) - promised, _ZERO))


def unfilled_share(trade: SmartTrade, step: Step) -> Decimal:
    """Return what is left of a step's share of the position."""
    return max((step.quantity or _ZERO) - filled_quantity(trade, step), _ZERO)


def unfinished_profits(trade: SmartTrade) -> Sequence[Step]:
    """Return the take-profit steps that still may be carried out."""
    return [one for one in trade.steps_of(StepKind.TAKE_PROFIT) if not one.is_final]


def closes_everything(trade: SmartTrade, step: Step) -> bool:
    """Tell whether a step closes all that is left, and no other one comes after it."""
    others = [one for one in unfinished_profits(trade) if one.id != step.id]
    return not others and unfilled_share(trade, step) >= available_quantity(trade)


def carried_out(trade: SmartTrade, step: Step) -> StepStatus:
    """Return how a take-profit step ends by which nothing more is to be closed."""
    if not filled_quantity(trade, step):
        return StepStatus.SKIPPED
    return StepStatus.PANIC_SOLD if step.is_panic else StepStatus.PROCESSED


def end(draft: Draft, status: TradeStatus, reason: Reason | None = None) -> None:
    """End the trade: what was not carried out never will be (spec 4.5)."""
    draft.start_over()
    for step in draft.trade.steps:
        if step.is_final or any(one.is_live for one in draft.trade.orders_of(step.id)):
            continue  # its order is taken off first, and then it is as that order was
        done = filled_quantity(draft.trade, step) > 0
        draft.change_step(step.id, status=StepStatus.PROCESSED if done else left_over(status))
    draft.withdraw(draft.trade.orders)
    draft.change(
        status=status, reason=reason, stop_deadline_ms=None, stop_is_due=False, stop_hit=False
    )
    draft.note_stop(again_at_ms=None)


def left_over(status: TradeStatus) -> StepStatus:
    """Return how a step ends that a trade which ends so has not carried out (spec 4.5)."""
    is_unwanted = status in {TradeStatus.CANCELLED, TradeStatus.FAILED}
    return StepStatus.CANCELLED if is_unwanted else StepStatus.SKIPPED


def how_it_ended(trade: SmartTrade) -> TradeStatus:
    """Return by what the position was closed: panic, stop, or the last step of a take-profit."""
    if trade.status is TradeStatus.STOP_LOSS_ORDER_PLACED:
        return TradeStatus.STOP_LOSS_FINISHED
    executed = [one for one in trade.steps_of(StepKind.TAKE_PROFIT) if one.status in STEP_EXECUTED]
    if trade.status is TradeStatus.PANIC_SELL_ORDER_PLACED or not executed:
        return TradeStatus.PANIC_SELL_FINISHED
    last = max(executed, key=lambda one: (one.updated_at_ms, _place_of_newest(trade, one)))
    if last.status is StepStatus.PANIC_SOLD:
        return TradeStatus.PANIC_SELL_FINISHED
    return TradeStatus.TAKE_PROFIT_FINISHED


def _place_of_newest(trade: SmartTrade, step: Step) -> int:
    """Return when the newest order of a step came, by the orders of the trade.

    Their ids do not tell: those of another process may be higher though they came before.
    """
    return max((at for at, one in enumerate(trade.orders) if one.step_id == step.id), default=-1)
