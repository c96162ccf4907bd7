"""An exit of a smart trade goes on until nothing is left to close (docs/protection.md)."""

from decimal import Decimal

from app.domain.decision import Decision, EntryName, ignored
from app.domain.enums import ReasonCode, Side
from app.domain.events import PauseOver
from app.domain.exits import (
    MISSES_TOLD,
    SHOWN_LATE_MS,
    cannot_pass,
    finds_nothing,
    misses_after,
    pause_ms,
)
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import GUARDED, StepKind, StepStatus, TradeStatus
from app.domain.smart_trade.exiting import fail, settle
from app.domain.smart_trade.positions import (
    carried_out,
    closes_everything,
    end,
    how_it_ended,
    live_entries,
    live_exits,
    open_quantity,
    share_out,
    unfilled_share,
)
from app.domain.smart_trade.profit import filled_quantity
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus

#: Whatever a venue shows, what was bought less than this ago is taken to be there.
_NEW_MS = 60_000


def gone_on(trade: SmartTrade, event: PauseOver) -> Decision[SmartTrade]:
    """Return what becomes of a trade whose exit has paused for long enough."""
    over_ms = trade.resumes_at_ms
    if over_ms is None:
        return ignored(trade, f"the end of a pause found it {trade.status}")
    draft = Draft(trade, event.at_ms, event.new_ids)
    if trade.goes_on_at_ms == over_ms:
        draft.change(goes_on_at_ms=None)
    if trade.venue_stop.again_at_ms == over_ms:
        draft.note_stop(again_at_ms=None, placed_at_ms=None)
    settle(draft)
    return draft.decision("it has changed nothing")


def exit_ended(draft: Draft, order: StepOrder, told: Order) -> None:
    """Go on after an order of an exit has ended and nobody wanted that, or end with it."""
    step = draft.trade.step(order.step_id)
    if order.status is OrderStatus.FILLED:  # perhaps after all: what was said before is void
        _go_on(draft, step, told)
    elif cannot_pass(told.reason):
        if step is not None:
            draft.change_step(step.id, status=StepStatus.FAILED)
        fail(draft, told.reason)
    elif (finds_nothing(told) and _is_flat(draft, order)) or _is_promised(draft.trade, step, told):
        _end_with_dust(draft, step, told.reason)
    else:
        _go_on(draft, step, told)


def _is_flat(draft: Draft, order: StepOrder) -> bool:
    """Tell whether nothing is left to close: said twice, since a venue may show a fill late.

    Of what was bought a moment ago it is not believed at all: its stop would go with the trade.
    """
    trade = draft.trade
    if live_entries(trade):
        return False
    since_ms = trade.empty_since_ms
    bought = (one.updated_at_ms for one in trade.steps_of(StepKind.ENTRY, StepKind.FUNDS))
    is_new = draft.at_ms - max(bought, default=0) < _NEW_MS
    is_said_again = since_ms is not None and not is_new and draft.at_ms - since_ms >= SHOWN_LATE_MS
    has_filled = any(one.filled_quantity for one in trade.orders if one.step_id == order.step_id)
    return is_said_again or has_filled


def _is_promised(trade: SmartTrade, step: Step | None, told: Order) -> bool:
    """Tell whether other steps have all that this one would sell, after it has sold what it could.

    A fee that nobody is told of makes a share so small. It would be tried for as long as the others
    rest, and a person be called for it.
    """
    if step is None or step.is_panic or trade.status not in GUARDED:
        return False
    reason, misses = told.reason, misses_after(trade.misses, told)
    is_lacking = reason is not None and reason.code is ReasonCode.INSUFFICIENT_FUNDS
    goes_on = is_lacking and told.side is Side.SELL and misses >= MISSES_TOLD
    others = [one for one in live_exits(trade) if not one.withdrawn]
    return goes_on and bool(others) and filled_quantity(trade, step) > 0


def _end_with_dust(draft: Draft, step: Step | None, reason: Reason | None) -> None:
    """Count as closed what is not there, or too little to be traded."""
    trade = draft.trade
    status = how_it_ended(trade)
    if step is not None and trade.status in GUARDED:
        status = TradeStatus.TAKE_PROFIT_FINISHED
        if step.is_panic:
            status = TradeStatus.PANIC_SELL_FINISHED
        is_all = closes_everything(trade, step)
        draft.change_step(
            step.id, status=carried_out(trade, step), quantity=filled_quantity(trade, step)
        )
        if not is_all:
            share_out(draft, is_dust=True)  # the last step takes what this one leaves
            return
    end(draft, status, reason)


def _go_on(draft: Draft, step: Step | None, told: Order) -> None:
    """Have the rest placed: at once after an order that has filled whole, else after a pause."""
    trade = draft.trade
    if step is not None and not _left(trade, step):
        draft.change_step(step.id, status=carried_out(trade, step))
    elif step is not None and not any(one.is_live for one in trade.orders_of(step.id)):
        draft.change_step(step.id, status=StepStatus.ENQUEUED)
    if finds_nothing(told) and trade.empty_since_ms is None:
        draft.change(empty_since_ms=draft.at_ms)
    misses = misses_after(trade.misses, told)
    draft.change(misses=misses)
    pause = pause_ms(misses, told)
    if not pause:
        draft.change(goes_on_at_ms=None)  # nor does it wait for a pause of another step
        return
    at_ms = max(draft.at_ms + pause, trade.goes_on_at_ms or 0)
    draft.change(goes_on_at_ms=EpochMs(at_ms), reason=told.reason)
    # A person is told once in a row of failures, and the tries go on.
    draft.tell(EntryName.ALERT if misses == MISSES_TOLD else EntryName.DEFERRED, told.reason)


def _left(trade: SmartTrade, step: Step) -> Decimal:
    """Return what a step still has to close: whole lots."""
    if step.kind is StepKind.STOP_LOSS:
        return open_quantity(trade)
    return trade.instrument.quantity(unfilled_share(trade, step))
