"""A smart trade begins (3Commas spec, 4.2)."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.decision import Decision
from app.domain.enums import Direction, OrderType
from app.domain.identifiers import AggregateId, EpochMs, FreshId
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.sender import Sender
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import (
    EntryMethod,
    StepKind,
    StepStatus,
    TakeProfitType,
    TradeStatus,
)
from app.domain.smart_trade.positions import position_opened
from app.domain.smart_trade.spec import (
    EntryRule,
    NewTrade,
    PlannedStep,
    PriceCondition,
    StopLoss,
    TakeProfit,
)
from app.domain.smart_trade.trade import SmartTrade
from app.domain.trigger import protective_direction


def opened(
    trade_id: AggregateId,
    command: NewTrade,
    sender: Sender,
    traded: tuple[Instrument, Quote | None],
    new_ids: Sequence[FreshId],
) -> Decision[SmartTrade]:
    """Return a new trade with its first order, if it has one at once.

    Args:
        trade_id: its own.
        command: what is wanted, checked by its dialect.
        sender: who wants it.
        traded: the rules of its symbol now, and the newest prices; None if none are known.
        new_ids: for its steps and its order; at least seven.
    """
    instrument, quote = traded
    begun = SmartTrade(
        id=trade_id,
        **sender.beginning(command.symbol),
        venue=sender.account.feed,
        instrument=instrument,
        type=command.type,
        status=TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE,
        asked_quantity=command.quantity,
        entry=command.entry,
        basis_price=command.basis_price,
        take_profit=command.take_profit,
        stop_loss=command.stop_loss,
        note=command.note,
        entry_lateness_ms=sender.entry_lateness_ms,
        exits=sender.exits,
    )
    draft = Draft(begun, sender.received_at_ms, new_ids)
    if command.entry is not None:
        _add_entry(draft, command.entry, quote)
    if command.take_profit is not None:
        add_profit_steps(draft, command.take_profit, command.take_profit_steps)
    if command.stop_loss is not None and command.stop_loss_condition is not None:
        add_stop_step(draft, command.stop_loss, command.stop_loss_condition)
    if command.entry is None:
        position_opened(draft)
    return draft.decision("it is new")


def _add_entry(draft: Draft, entry: EntryRule, quote: Quote | None) -> None:
    trade = draft.trade
    waits = entry.method is EntryMethod.CONDITIONAL
    step = draft.add_step(
        StepKind.ENTRY,
        is_trailing=entry.trailing_percent is not None,
        price=entry.price if waits else None,
        source=trade.type.entry_source,
        order_type=OrderType.MARKET if order_price(entry) is None else OrderType.LIMIT,
        quantity=trade.asked_quantity,
        trailing_percent=entry.trailing_percent,
    )
    if waits:
        draft.change(entry_direction=entry_direction(trade, entry, quote))
    else:
        enter(draft, step.id)


def entry_direction(trade: SmartTrade, entry: EntryRule, quote: Quote | None) -> Direction | None:
    """Return which way the price goes to the trigger of a conditional entry (spec 5.1).

    A trailing entry waits for the favorable side. None, where the price stands at the trigger or is
    not known, is the next tick.
    """
    if entry.trailing_percent is not None:
        return protective_direction(trade.type.entry_side.opposite)
    price = None if quote is None else quote.of(trade.type.entry_source)
    if price is None or entry.price is None or price == entry.price:
        return None
    return Direction.RISING if entry.price > price else Direction.FALLING


def enter(draft: Draft, step_id: AggregateId) -> None:
    """Place the entry order."""
    trade = draft.trade
    limit = None if trade.entry is None else order_price(trade.entry)
    _enter(
        draft,
        step_id,
        None if limit is None else trade.instrument.price(limit, trade.type.entry_side),
    )


def enter_at_market(draft: Draft, step_id: AggregateId) -> None:
    """Place the entry order without its limit, if it has one."""
    draft.change_step(step_id, order_type=OrderType.MARKET)
    _enter(draft, step_id, None)


def _enter(draft: Draft, step_id: AggregateId, price: Decimal | None) -> None:
    trade = draft.trade
    late_ms = trade.entry_lateness_ms
    not_after_ms = EpochMs(draft.at_ms + late_ms) if late_ms else None
    draft.place(step_id, trade.type.entry_side, trade.asked_quantity, price, not_after_ms)
    draft.change_step(step_id, status=StepStatus.ENQUEUED, order_price=price)
    draft.change(status=TradeStatus.BUY_ORDER_PLACED)


def order_price(entry: EntryRule) -> Decimal | None:
    """Return the limit of the entry order; None for a market order."""
    match entry.method:
        case EntryMethod.LIMIT:
            return entry.price
        case EntryMethod.MARKET:
            return None
        case EntryMethod.CONDITIONAL:
            return entry.limit_price


def add_profit_steps(draft: Draft, take_profit: TakeProfit, planned: Sequence[PlannedStep]) -> None:
    """Plan the steps of a take-profit."""
    for number, one in enumerate(planned, start=1):
        step, is_last = replace(one, position=number), number == len(planned)
        draft.add_step(StepKind.TAKE_PROFIT, **profit_facts(take_profit, step, is_last=is_last))


def profit_facts(terms: TakeProfit, one: PlannedStep, *, is_last: bool) -> dict[str, Any]:
    """Return the fields of a step of a take-profit; of several only the last trails (spec 4.6)."""
    trails = terms.trailing_percent is not None and is_last
    return {
        "position": one.position if terms.type is TakeProfitType.STEP_SELL else None,
        "percent": one.percent,
        **condition_facts(one.condition),
        "order_type": terms.order_type,
        "is_trailing": trails,
        "trailing_percent": terms.trailing_percent if trails else None,
    }


def condition_facts(condition: PriceCondition) -> dict[str, Any]:
    """Return the fields of a step that say when it begins."""
    return {
        "price": condition.price,
        "price_percentage": condition.percentage,
        "source": condition.source,
    }


def add_stop_step(draft: Draft, stop_loss: StopLoss, condition: PriceCondition) -> None:
    """Plan the stop-loss."""
    draft.add_step(
        StepKind.STOP_LOSS,
        **condition_facts(condition),
        order_type=stop_loss.order_type,
        is_trailing=stop_loss.is_trailing,
    )
