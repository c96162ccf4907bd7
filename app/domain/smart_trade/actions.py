"""What a caller may do with a smart trade, and what follows (3Commas spec, 3.4, 5.5 to 5.8)."""

from app.domain.decision import Decision, EntryName, ignored
from app.domain.enums import OrderType, ReasonCode
from app.domain.errors import NotFound, WrongState
from app.domain.events import CancelRequested, PairGone
from app.domain.identifiers import AggregateId
from app.domain.reason import Reason
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import (
    FUNDABLE,
    GUARDED,
    WAITING,
    StepKind,
    StepStatus,
    TradeStatus,
)
from app.domain.smart_trade.events import (
    FundsAdded,
    PanicRequested,
    StartRequested,
    StepCancelRequested,
)
from app.domain.smart_trade.exiting import close_now, fail, open_status, settle
from app.domain.smart_trade.opening import enter_at_market
from app.domain.smart_trade.positions import end
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade

#: Why an account's trades end, all of them: it was reset, or switched off.
_ENDS_ALL = frozenset({ReasonCode.RESET, ReasonCode.ACCOUNT_DISABLED})

Action = CancelRequested | PanicRequested | StepCancelRequested | FundsAdded | StartRequested


def refusal_of(trade: SmartTrade, action: Action) -> WrongState | NotFound | None:
    """Return why the trade does not take an action in the state that it is in, or None."""
    match action:
        case CancelRequested():
            # The end of its account ends a trade in any state, also where a caller could not.
            is_forced = action.reason.code in _ENDS_ALL and not trade.is_final
            return None if trade.is_cancellable or is_forced else _state(trade, "cancelled")
        case PanicRequested(step_id=None):
            return None if trade.is_panic_sellable else _state(trade, "sold in panic")
        case FundsAdded():
            fits = trade.status in FUNDABLE and not trade.type.is_simple
            return None if fits else _state(trade, "added funds to")
        case StartRequested():
            return None if trade.status in WAITING else _state(trade, "started")
        case PanicRequested() | StepCancelRequested():
            return _refused_step(trade, action)


def _state(trade: SmartTrade, what: str) -> WrongState:
    return WrongState(f"Trade cannot be {what}: it is {trade.status}")


def _refused_step(
    trade: SmartTrade, action: PanicRequested | StepCancelRequested
) -> WrongState | NotFound | None:
    step = trade.step(action.step_id)
    if step is None:
        return NotFound(f"the trade has no step {action.step_id}")
    fits, what = _is_reachable(trade, step) and not trade.is_final, "cancelled"
    if isinstance(action, PanicRequested):
        is_profit = step.kind is StepKind.TAKE_PROFIT and not step.cancel_requested
        fits, what = fits and is_profit and trade.status in GUARDED, "sold in panic"
    return None if fits else WrongState(f"Step cannot be {what}: it is {step.status}")


def _is_reachable(trade: SmartTrade, step: Step) -> bool:
    """Tell whether a step waits, has its order at the venue, or pauses before its next one."""
    if step.status is StepStatus.ENQUEUED and trade.goes_on_at_ms is not None:
        return not any(one.is_live for one in trade.orders_of(step.id))
    return step.status in {StepStatus.IDLE, StepStatus.NEED_CHECK}


def acted(trade: SmartTrade, action: Action) -> Decision[SmartTrade]:
    """Return what becomes of the trade when it takes an action; else that it was ignored."""
    refusal = refusal_of(trade, action)
    if refusal is not None:
        return ignored(trade, str(refusal))
    ids = () if isinstance(action, CancelRequested) else action.new_ids
    draft = Draft(trade, action.at_ms, ids)
    match action:
        case CancelRequested():
            _cancel(draft, action)
        case PanicRequested():
            draft.tell(EntryName.PANIC)
            if action.step_id is None:
                close_now(draft, TradeStatus.PANIC_SELL_ORDER_PLACED)
            else:
                _panic_step(draft, action.step_id)
        case FundsAdded():
            _add_funds(draft, action)
        case StartRequested():
            _start(draft)
        case StepCancelRequested():
            _cancel_step(draft, action)
    settle(draft)
    return draft.decision("that has been asked for already")


def pair_gone(trade: SmartTrade, event: PairGone) -> Decision[SmartTrade]:
    """End by an error, and loudly: nothing can be traded any more (spec 4.3).

    Orders that are at the venue, or of which nobody knows, are asked for all the same.
    """
    if trade.is_final:
        return ignored(trade, f"the end of its pair found it {trade.status}")
    draft = Draft(trade, event.at_ms, ())
    draft.tell(EntryName.ALERT, event.reason)
    end(draft, TradeStatus.FAILED, event.reason)
    return draft.decision("it has ended")


def _cancel(draft: Draft, action: CancelRequested) -> None:
    """Stop watching and take off what is placed; coins stay as they are (spec 5.7)."""
    if action.reason.code is ReasonCode.ACCOUNT_DISABLED:
        fail(draft, action.reason)  # by the spec's 4.3
        return
    draft.tell(EntryName.CANCELED, action.reason)
    end(draft, TradeStatus.CANCELLED, action.reason)


def _start(draft: Draft) -> None:
    """Enter as if the price had come, at market; the book is told that it waits no more."""
    draft.tell(EntryName.TRIGGERED, Reason(ReasonCode.REQUESTED, "started by its owner"))
    for step in draft.trade.steps_of(StepKind.ENTRY):
        enter_at_market(draft, step.id)


def _panic_step(draft: Draft, step_id: AggregateId) -> None:
    """Close the unfilled share of one step at market; its own order goes first (spec 5.6)."""
    # ENQUEUED is all that is written down: `settle` places the market order when the old one is
    # gone.
    draft.withdraw(draft.trade.orders_of(step_id))
    draft.change_step(step_id, status=StepStatus.ENQUEUED, is_panic=True, extreme=None)
    draft.start_over()


def _cancel_step(draft: Draft, action: StepCancelRequested) -> None:
    """Take one step off, with its order if it has one (spec 5.8)."""
    step = draft.trade.step(action.step_id)
    if step is None:
        return
    draft.tell(EntryName.CANCEL_REQUESTED)
    draft.change_step(step.id, cancel_requested=True)
    if step.status is StepStatus.NEED_CHECK:
        draft.withdraw(draft.trade.orders_of(step.id))
        return
    draft.change_step(step.id, status=StepStatus.CANCELLED)
    draft.start_over()
    _step_gone(draft, step)


def _step_gone(draft: Draft, step: Step) -> None:
    match step.kind:
        case StepKind.ENTRY:
            end(draft, TradeStatus.CANCELLED)  # it had not begun
        case StepKind.STOP_LOSS:
            draft.change(stop_loss=None, stop_hit=False, stop_is_due=False, stop_deadline_ms=None)
        case StepKind.TAKE_PROFIT if draft.trade.status in GUARDED:
            draft.change(status=open_status(draft.trade))
        case _:
            return


def _add_funds(draft: Draft, action: FundsAdded) -> None:
    """Enter with more; prices of the exits stay where they are (spec 5.5)."""
    trade = draft.trade
    price = None
    if action.price is not None:
        price = trade.instrument.price(action.price, trade.type.entry_side)
    step = draft.add_step(
        StepKind.FUNDS,
        status=StepStatus.ENQUEUED,
        source=trade.type.entry_source,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        order_price=price,
        quantity=action.quantity,
    )
    draft.place(step.id, trade.type.entry_side, action.quantity, price)
    draft.tell(EntryName.FUNDED)
