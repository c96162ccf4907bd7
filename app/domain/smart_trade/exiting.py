"""The exits of a smart trade: which orders they place, and when (3Commas spec, 4.3 to 4.5)."""

from decimal import Decimal

from app.domain.decision import EntryName
from app.domain.enums import OrderType
from app.domain.identifiers import EpochMs
from app.domain.reason import Reason
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import (
    GUARDED,
    STEP_ACTIVE,
    StepKind,
    StepStatus,
    TradeStatus,
)
from app.domain.smart_trade.levels import limit_price, rest_price
from app.domain.smart_trade.positions import (
    available_quantity,
    carried_out,
    closes_everything,
    end,
    how_it_ended,
    live_entries,
    live_exits,
    open_quantity,
    unfilled_share,
    unfinished_profits,
)
from app.domain.smart_trade.profit import filled_quantity
from app.domain.smart_trade.resting import make_way, see_to_stop
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade


def settle(draft: Draft) -> None:
    """Place what can be placed now, and end what has nothing left to do.

    What is to be closed is remembered by the status of the trade and of its steps. An order for it
    is placed once nothing else can fill that would make it too large.
    """
    trade = draft.trade
    # A fill that is told after all, of an order that seemed to have ended: nothing more is to go.
    if not open_quantity(trade):
        draft.withdraw(one for one in live_exits(trade) if one.remaining_quantity)
    match trade.status:
        case TradeStatus.STOP_LOSS_ORDER_PLACED | TradeStatus.PANIC_SELL_ORDER_PLACED:
            _close_all(draft)
        case status if status in GUARDED:
            _take_profits(draft)
        case _:
            return
    if draft.trade.status in GUARDED:
        see_to_stop(draft)


def stop_now(draft: Draft) -> None:
    """Stop the loss: other orders go first, then the order of the stop is placed."""
    close_now(draft, TradeStatus.STOP_LOSS_ORDER_PLACED)
    for step in draft.trade.steps_of(StepKind.STOP_LOSS):
        if step.status is StepStatus.IDLE:
            draft.change_step(step.id, status=StepStatus.ENQUEUED)
    draft.tell(EntryName.TRIGGERED)


def close_now(draft: Draft, status: TradeStatus) -> None:
    """Take off all orders, and close everything once they are gone: by a stop or in a panic."""
    # The order is placed by `settle` once these have ended: what fills meanwhile makes it smaller.
    draft.withdraw(draft.trade.orders)
    draft.start_over()
    draft.change(status=status, stop_hit=False, stop_is_due=False, stop_deadline_ms=None)


def fail(draft: Draft, reason: Reason) -> None:
    """End the trade by an error. Its coins stay as they are, and a person should look."""
    draft.tell(EntryName.ALERT if open_quantity(draft.trade) else EntryName.FAILED, reason)
    end(draft, TradeStatus.FAILED, reason)


def open_status(trade: SmartTrade) -> TradeStatus:
    """Return where a trade stands whose exits are watched: an order at work, trailing, or none."""
    if any(one.status in STEP_ACTIVE and not one.is_panic for one in unfinished_profits(trade)):
        return TradeStatus.TAKE_PROFIT_ORDER_PLACED
    if any(one.extreme is not None for one in unfinished_profits(trade)):
        return TradeStatus.TRAILING_TAKE_PROFIT_ACTIVATED
    return TradeStatus.BOUGHT


def _close_all(draft: Draft) -> None:
    """Place the one order that closes what is left, once all the others are gone."""
    trade = draft.trade
    # What still may fill decides how much is left to close. Its end brings the trade here again.
    if any(one.is_live for one in trade.orders):
        return
    quantity = open_quantity(trade)
    if not quantity:
        end(draft, how_it_ended(trade))
        return
    stop = _stop_at_work(trade)
    if trade.status is TradeStatus.STOP_LOSS_ORDER_PLACED and stop is None:
        draft.change(status=open_status(trade))  # the stop itself was canceled
        _take_profits(draft)
        return
    if trade.goes_on_at_ms is not None:
        return
    price = None if stop is None else _stop_price(trade, stop, draft.at_ms)
    step_id = None if stop is None else stop.id
    order = draft.place(step_id, trade.type.exit_side, quantity, price)
    if stop is None:
        draft.change(panic_order_id=order.id)
    else:
        whole = filled_quantity(trade, stop) + quantity
        draft.change_step(stop.id, status=StepStatus.ENQUEUED, order_price=price, quantity=whole)


def _stop_at_work(trade: SmartTrade) -> Step | None:
    """Return the stop that is being carried out; None in a panic, or if it was canceled."""
    if trade.status is not TradeStatus.STOP_LOSS_ORDER_PLACED:
        return None
    steps = [one for one in trade.steps_of(StepKind.STOP_LOSS) if not one.cancel_requested]
    return next((one for one in steps if one.status is not StepStatus.CANCELLED), None)


def _stop_price(trade: SmartTrade, step: Step, at_ms: EpochMs) -> Decimal | None:
    terms = trade.stop_loss
    is_market = step.order_type is OrderType.MARKET or step.is_at_market(at_ms)
    if is_market or terms is None or terms.order_price is None:
        return None
    return trade.instrument.price(terms.order_price, trade.type.exit_side)


def _take_profits(draft: Draft) -> None:
    """Place the orders of the steps whose price has come, and of those that rest on the book."""
    # Nothing rests while more is being bought: a step that closes everything would take that off.
    for step in () if live_entries(draft.trade) else unfinished_profits(draft.trade):
        if step.status is StepStatus.IDLE and rest_price(draft.trade, step) is not None:
            draft.change_step(step.id, status=StepStatus.ENQUEUED)
    for step in unfinished_profits(draft.trade):
        if step.status is StepStatus.ENQUEUED and _may_place(draft, step):
            _place_profit(draft, step)
    trade = draft.trade
    if not open_quantity(trade) and not live_exits(trade):
        if live_entries(trade):
            draft.withdraw(live_entries(trade))  # it may fill all the same, and then goes on
        else:
            end(draft, how_it_ended(trade))
            return
    draft.change(status=open_status(draft.trade))


def _may_place(draft: Draft, step: Step) -> bool:
    """Tell whether nothing can fill any more that would change how much the step sells."""
    trade = draft.trade
    if trade.goes_on_at_ms is not None or any(one.is_live for one in trade.orders_of(step.id)):
        return False  # an order of it is at work, or is being taken off for a panic of the step
    if make_way(draft):
        return False
    # The last step sells all that is there. An entry that is still open could add to it, so that
    # goes first; its end brings the trade here again.
    entries = live_entries(trade)
    if not entries or not closes_everything(trade, step):
        return True
    draft.withdraw(entries)
    return False


def _place_profit(draft: Draft, step: Step) -> None:
    trade = draft.trade
    share = trade.instrument.quantity(unfilled_share(trade, step))
    # Never more than is there: another exit may have sold a part of it meanwhile.
    quantity = min(share, available_quantity(trade))
    if not quantity:
        draft.change_step(step.id, status=carried_out(trade, step))
        return
    price = _profit_price(trade, step, draft.at_ms)
    rests = rest_price(trade, step) is not None
    draft.place(step.id, trade.type.exit_side, quantity, price, rests=rests)
    draft.change_step(step.id, order_price=price)


def _profit_price(trade: SmartTrade, step: Step, at_ms: EpochMs) -> Decimal | None:
    """Return the limit of a step's order: its own of a classic one, of steps their price."""
    if step.is_panic or step.is_at_market(at_ms):
        return None
    return rest_price(trade, step) or limit_price(trade, step)
