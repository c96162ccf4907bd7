"""What a smart trade does when the stop has changed that rests at its venue."""

from app.domain.decision import EntryName
from app.domain.enums import ReasonCode
from app.domain.exits import MISSES_TOLD, is_failing, pause_ms, was_taken_off
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import GUARDED, StepStatus
from app.domain.smart_trade.exiting import stop_now
from app.domain.smart_trade.positions import left_over, open_quantity
from app.domain.smart_trade.step import StepOrder
from app.domain.smart_trade.venue_stop import REPLACED_MS

_TAKEN_OFF = "somebody has taken the stop off at the venue"


def stop_told(draft: Draft, before: StepOrder, order: StepOrder, told: Order) -> None:
    """Take in how the venue's stop is now: a fill of it stops the loss, as if ours had fired.

    What it leaves then goes at the market, as that of any exit, once it has ended.
    """
    if draft.trade.is_final:
        _outlived(draft, order)
    elif order.filled_quantity > before.filled_quantity and draft.trade.status in GUARDED:
        _fired(draft, order)
    elif order.rests and not before.rests:
        _rests(draft, order)
    elif before.is_live and not order.is_live and draft.trade.status in GUARDED:
        _gone(draft, order, told)


def _fired(draft: Draft, order: StepOrder) -> None:
    step = draft.trade.step(order.step_id)
    if step is not None:
        whole = open_quantity(draft.trade) + order.filled_quantity
        draft.change_step(step.id, quantity=whole)
    stop_now(draft)


def _rests(draft: Draft, order: StepOrder) -> None:
    known = draft.trade.venue_stop
    is_short = known.covers is not None and order.quantity < known.covers
    shorts = known.shorts + 1 if is_short else 0
    again_ms = EpochMs(draft.at_ms + REPLACED_MS) if shorts == 1 else known.again_at_ms
    draft.note_stop(misses=0, reason=None, shorts=shorts, again_at_ms=again_ms)


def _outlived(draft: Draft, order: StepOrder) -> None:
    """Let the step of a trade that has ended be as its order has ended, if that was waited for."""
    step = draft.trade.step(order.step_id)
    if step is None or order.is_live or step.is_final:
        return
    status = StepStatus.PROCESSED if order.filled_quantity else left_over(draft.trade.status)
    draft.change_step(step.id, status=status)


def _gone(draft: Draft, order: StepOrder, told: Order) -> None:
    """Let it be placed again: at once if it was to make way, else after a pause; tell a person."""
    known = draft.trade.venue_stop
    if order.withdrawn:
        draft.note_stop(again_at_ms=None)
        return
    if was_taken_off(told):
        often = known.taken_off + 1
        reason = told.reason or Reason(ReasonCode.REQUESTED, _TAKEN_OFF)
        again_ms = EpochMs(draft.at_ms + pause_ms(0, told))
        draft.note_stop(taken_off=often, reason=reason, again_at_ms=again_ms)
        draft.tell(EntryName.ALERT, reason)
        return
    misses = known.misses + 1
    again_ms = EpochMs(draft.at_ms + pause_ms(misses, told))
    draft.note_stop(misses=misses, reason=told.reason, again_at_ms=again_ms)
    # A person is told once in a row of refusals, and of the later ones nothing.
    if is_failing(misses, told.reason) and not is_failing(known.misses, known.reason):
        draft.tell(EntryName.ALERT, told.reason)
    elif misses < MISSES_TOLD:
        draft.tell(EntryName.DEFERRED, told.reason)
