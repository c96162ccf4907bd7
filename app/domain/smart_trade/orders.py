"""What a smart trade does when one of its orders has changed (3Commas spec, 4.3, 4.5)."""

from dataclasses import replace

from app.domain.decision import Decision, EntryName, ignored
from app.domain.enums import ReasonCode
from app.domain.events import OrderUpdated
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import GUARDED, StepKind, StepStatus, TradeStatus
from app.domain.smart_trade.exiting import fail, settle
from app.domain.smart_trade.going_on import exit_ended
from app.domain.smart_trade.positions import (
    end,
    live_entries,
    position_opened,
    share_out,
    unfilled_share,
)
from app.domain.smart_trade.profit import entered_quantity, filled_quantity
from app.domain.smart_trade.rested import stop_told
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OPEN, OrderStatus

#: The venue, or our own checks, would not have it.
_REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.DENIED, OrderStatus.EXPIRED})

_ENTRIES = frozenset({StepKind.ENTRY, StepKind.FUNDS})


def order_updated(trade: SmartTrade, event: OrderUpdated) -> Decision[SmartTrade]:
    """Return what becomes of the trade now that one of its orders is as the event says."""
    order = event.order
    known = next((one for one in trade.orders if one.id == order.id), None) or _again(trade, order)
    if known is None:
        return ignored(trade, f"order {order.id} is not its own, or came to nothing")
    heard = replace(
        known,
        quantity=order.quantity,
        status=order.status,
        filled_quantity=order.filled_quantity,
        average_price=order.average_price,
        fees=dict(order.fees),
        venue_order_id=order.venue_order_id,
    )
    if heard == known:
        return ignored(trade, f"it knows that order {known.id} is {known.status}")
    draft = Draft(trade, event.at_ms, event.new_ids)
    others = [one for one in trade.orders if one.id != heard.id]
    at = next((at for at, one in enumerate(trade.orders) if one.id == heard.id), 0)
    draft.change(orders=(*others[:at], heard, *others[at:]))
    if heard.filled_quantity > known.filled_quantity and not trade.is_final:
        draft.change(misses=0, empty_since_ms=None, reason=None)
    moved = (heard.status, heard.filled_quantity) != (known.status, known.filled_quantity)
    if moved and heard.level is not None:
        stop_told(draft, known, heard, order)
    elif moved and (not heard.is_live or heard.status in OPEN):
        _order_stands(draft, heard, order, was_live=known.is_live)
    _entered(draft, heard)
    settle(draft)
    return draft.decision("it has changed nothing")


def _again(trade: SmartTrade, order: Order) -> StepOrder | None:
    """Return an order that was forgotten since it had come to nothing, and has filled after all."""
    if order.parent_id != trade.id or not order.filled_quantity:
        return None
    stops = trade.steps_of(StepKind.STOP_LOSS) if order.condition is not None else ()
    return StepOrder(
        id=order.id,
        client_order_id=order.client_order_id,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        step_id=stops[-1].id if stops else None,
        price=order.price,
        level=None if order.condition is None else order.condition.level,
        status=OrderStatus.CANCELED,
    )


def _order_stands(draft: Draft, order: StepOrder, told: Order, *, was_live: bool) -> None:
    """Let an order that is at the venue, or has ended, tell its step and the trade."""
    step = draft.trade.step(order.step_id)
    if order.is_live:
        if step is not None and step.status is StepStatus.ENQUEUED and not order.withdrawn:
            draft.change_step(step.id, status=StepStatus.NEED_CHECK)
        if order.side is draft.trade.type.exit_side:
            draft.change(empty_since_ms=None)  # there is something: the venue has taken it on
        return
    if not was_live and order.status is not OrderStatus.FILLED:
        return  # a fill that overtook the end of its order: the amounts are all that is new
    if _was_unwanted(draft.trade, step, order):
        exit_ended(draft, order, told)
    elif order.status in _REFUSED and not order.withdrawn:
        _refused(draft, order, step, told.reason)
    elif step is not None and (order.status is OrderStatus.FILLED or not step.is_final):
        _step_ended(draft, step, order, told.reason)


def _was_unwanted(trade: SmartTrade, step: Step | None, order: StepOrder) -> bool:
    """Tell whether an exit has to go on: nobody but the venue has ended its order."""
    if order.side is not trade.type.exit_side or trade.is_final or order.withdrawn:
        return False
    if step is None:
        return True
    # A limit of a take-profit that is gone was taken off by somebody; a stop is never let go so.
    is_limit = order.price is not None and step.kind is not StepKind.STOP_LOSS
    is_taken_off = is_limit and order.status is OrderStatus.CANCELED
    return not (step.is_final or step.cancel_requested or is_taken_off)


def _refused(draft: Draft, order: StepOrder, step: Step | None, reason: Reason | None) -> None:
    """Fail, by the spec's 4.3, but for what leaves a position, or an entry that still may fill."""
    enters = step is not None and step.kind in _ENTRIES
    is_part = enters and order.filled_quantity > 0
    if step is not None:
        draft.change_step(step.id, status=StepStatus.PROCESSED if is_part else StepStatus.FAILED)
    if draft.trade.is_final or is_part:
        return
    if enters and (live_entries(draft.trade) or entered_quantity(draft.trade)):
        draft.tell(EntryName.ALERT, reason)  # what else is there keeps its exits
        return
    words = f"order {order.id} is {order.status}"
    fail(draft, reason or Reason(ReasonCode.VENUE_REJECTED, words))


def _step_ended(draft: Draft, step: Step, order: StepOrder, reason: Reason | None) -> None:
    status = _status_after(draft.trade, step, order, draft.at_ms)
    cleared = status in {StepStatus.IDLE, StepStatus.CANCELLED}
    waits_again = status is StepStatus.IDLE
    draft.change_step(
        step.id,
        status=status,
        is_panic=step.is_panic and not waits_again,
        market_from_ms=None if waits_again else step.market_from_ms,
    )
    if step.kind in _ENTRIES and cleared:
        _entry_gone(draft, step, reason)
    if step.kind not in _ENTRIES and status is StepStatus.CANCELLED and not draft.trade.is_final:
        draft.start_over()
    if step.kind is StepKind.STOP_LOSS and status is StepStatus.CANCELLED:
        draft.change(stop_loss=None)


def _status_after(trade: SmartTrade, step: Step, order: StepOrder, at_ms: EpochMs) -> StepStatus:
    """Return where a step stands when its order has ended (spec 4.5)."""
    # One that was to go has filled instead; it may have been a part of what its step closes.
    is_part = order.withdrawn and step.kind not in _ENTRIES and unfilled_share(trade, step) > 0
    if order.status is OrderStatus.FILLED and (trade.is_final or not is_part):
        is_panic = step.is_panic and not order.withdrawn
        return StepStatus.PANIC_SOLD if is_panic else StepStatus.PROCESSED
    is_filled = filled_quantity(trade, step) > 0
    if step.cancel_requested or trade.status is TradeStatus.CANCELLED:
        return StepStatus.CANCELLED
    if trade.is_final or step.kind in _ENTRIES:
        nothing = StepStatus.CANCELLED if step.kind in _ENTRIES else StepStatus.SKIPPED
        return StepStatus.PROCESSED if is_filled else nothing
    if order.withdrawn and _falls_back(trade, step, at_ms):
        return StepStatus.ENQUEUED
    if order.withdrawn:
        is_panic = step.is_panic and trade.status in GUARDED
        return StepStatus.ENQUEUED if is_panic else StepStatus.IDLE
    return StepStatus.CANCELLED  # somebody took it off at the venue


def _falls_back(trade: SmartTrade, step: Step, at_ms: EpochMs) -> bool:
    """Tell whether a limit was taken off so that what is left goes at the market."""
    is_its_turn = step.kind is StepKind.STOP_LOSS or trade.status in GUARDED
    return is_its_turn and step.is_at_market(at_ms)


def _entry_gone(draft: Draft, step: Step, reason: Reason | None) -> None:
    """End a trade when nothing was bought, and nothing is left that may buy (spec 4.3, 5.8)."""
    if draft.trade.is_final or entered_quantity(draft.trade):
        return
    is_last = not live_entries(draft.trade)
    if step.cancel_requested and (is_last or step.kind is StepKind.ENTRY):
        end(draft, TradeStatus.CANCELLED, reason)
    elif is_last:
        fail(draft, reason or Reason(ReasonCode.REQUESTED, "the entry was taken off at the venue"))


def _entered(draft: Draft, order: StepOrder) -> None:
    """Open the position once its entry is over, and share out what is added later."""
    trade = draft.trade
    if order.side is not trade.type.entry_side or trade.is_final:
        return
    if trade.status is not TradeStatus.BUY_ORDER_PLACED:
        share_out(draft)
        return
    entry = trade.steps_of(StepKind.ENTRY)
    if not all(one.is_final for one in entry) or not entered_quantity(trade):
        return
    if not trade.type.is_simple:
        position_opened(draft)
    elif any(one.cancel_requested for one in entry):
        end(draft, TradeStatus.CANCELLED)
    else:
        end(draft, TradeStatus.SIMPLE_TRADE_FINISHED)
