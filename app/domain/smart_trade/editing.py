"""Changes to the terms of a smart trade that lives (3Commas spec, 3.5)."""

from dataclasses import replace
from decimal import Decimal

from app.domain.decision import Decision, EntryName, ignored
from app.domain.enums import OrderType
from app.domain.smart_trade.draft import Draft
from app.domain.smart_trade.enums import (
    GUARDED,
    StepKind,
    StepStatus,
    TradeStatus,
)
from app.domain.smart_trade.events import UpdateRequested
from app.domain.smart_trade.exiting import settle
from app.domain.smart_trade.opening import (
    add_stop_step,
    condition_facts,
    entry_direction,
    order_price,
    profit_facts,
)
from app.domain.smart_trade.plan import Plan, StepPlan
from app.domain.smart_trade.positions import resolve_prices, share_out
from app.domain.smart_trade.replanning import planned
from app.domain.smart_trade.spec import PlannedStep, TakeProfit
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade


def updated(trade: SmartTrade, event: UpdateRequested) -> Decision[SmartTrade]:
    """Return what becomes of the trade with the terms of an update."""
    if not trade.is_editable:
        return ignored(trade, f"Trade cannot be changed: it is {trade.status}")
    plan = planned(trade, event.update, event.stop_level)
    if plan.refused:
        return ignored(trade, f"these cannot be so: {', '.join(plan.refused)}")
    draft = Draft(trade, event.at_ms, event.new_ids)
    draft.change(basis_price=plan.basis_price, note=event.update.note or trade.note)
    _change_entry(draft, plan, event)
    _change_profit(draft, plan)
    _change_stop(draft, plan)
    if trade.status in GUARDED:
        share_out(draft)
        resolve_prices(draft)
        settle(draft)
    draft.tell(EntryName.UPDATED)
    return draft.decision("it is so already")


def _change_entry(draft: Draft, plan: Plan, event: UpdateRequested) -> None:
    entry = plan.entry
    if entry == draft.trade.entry or entry is None:
        return
    draft.change(entry=entry)
    if draft.trade.status is not TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE:
        return
    draft.change(entry_direction=entry_direction(draft.trade, entry, event.quote))
    for step in draft.trade.steps_of(StepKind.ENTRY):
        draft.change_step(
            step.id,
            price=entry.price,
            is_trailing=entry.trailing_percent is not None,
            trailing_percent=entry.trailing_percent,
            order_type=OrderType.MARKET if order_price(entry) is None else OrderType.LIMIT,
        )


def _change_profit(draft: Draft, plan: Plan) -> None:
    terms = plan.take_profit
    draft.change(take_profit=terms)
    if plan.profit_steps is None:
        plans = [
            StepPlan(_as_planned(one), one)
            for one in draft.trade.steps_of(StepKind.TAKE_PROFIT)
            if one.status is StepStatus.IDLE
        ]
    else:
        plans = list(plan.profit_steps)
    kept = {one.existing.id for one in plans if one.existing is not None}
    for step in draft.trade.steps_of(StepKind.TAKE_PROFIT):
        if step.status is StepStatus.IDLE and step.id not in kept:
            draft.change_step(step.id, status=StepStatus.CANCELLED)
    if terms is None:
        return
    plans.sort(key=lambda one: one.planned.position or 0)
    for one in plans:
        _change_step(draft, one, terms, is_last=one is plans[-1])


def _as_planned(step: Step) -> PlannedStep:
    percent = step.percent or Decimal(0)
    return PlannedStep(percent=percent, condition=step.condition, position=step.position)


def _change_step(draft: Draft, one: StepPlan, terms: TakeProfit, *, is_last: bool) -> None:
    facts = profit_facts(terms, one.planned, is_last=is_last)
    if one.existing is None:
        draft.add_step(StepKind.TAKE_PROFIT, **facts)
    elif replace(one.existing, **facts) != one.existing:
        draft.change_step(one.existing.id, **facts, extreme=None, extreme_at_ms=None)


def _change_stop(draft: Draft, plan: Plan) -> None:
    """Move the stop; one that is moved begins anew, and a timeout that runs is over."""
    terms, condition = plan.stop_loss, plan.stop_condition
    draft.change(stop_loss=terms, stop_hit=False, stop_is_due=False, stop_deadline_ms=None)
    if condition is not None:
        # Another stop: however often the one before was refused or taken off does not count.
        draft.note_stop(misses=0, taken_off=0, reason=None)
    stops = [one for one in draft.trade.steps_of(StepKind.STOP_LOSS) if not one.is_final]
    for step in stops:
        if terms is None:
            draft.change_step(step.id, status=StepStatus.CANCELLED)
            continue
        draft.change_step(step.id, order_type=terms.order_type)
        if condition is not None:
            draft.change_step(
                step.id,
                **condition_facts(condition),
                is_trailing=terms.is_trailing,
                trailing_percent=None,
                extreme=None,
                extreme_at_ms=None,
            )
    if not stops and terms is not None and condition is not None:
        add_stop_step(draft, terms, condition)
