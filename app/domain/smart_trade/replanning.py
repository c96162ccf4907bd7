"""Which terms an update leads to, and what of it cannot be (3Commas spec, 3.5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from app.domain.enums import Flaw, OrderType, PriceSource, Side
from app.domain.smart_trade.enums import (
    STEP_ACTIVE,
    STEP_EXECUTED,
    EntryMethod,
    StepKind,
    StepStatus,
    TakeProfitType,
    TradeStatus,
    TradeType,
)
from app.domain.smart_trade.plan import Plan, StepPlan, Terms
from app.domain.smart_trade.profit import entered_quantity
from app.domain.smart_trade.spec import (
    PERCENT_TOLERANCE,
    STEPS_MAX,
    TIMEOUT_SECONDS,
    TRAILING_PERCENT,
    EntryRule,
    PlannedStep,
    PriceCondition,
    StopLoss,
    TakeProfit,
    TradeUpdate,
)
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade

_HUNDRED = Decimal(100)


def planned_exits(kind: TradeType, entry: EntryRule | None, wanted: TradeUpdate) -> Plan:
    """Return the exits of a trade that begins so, with what is wrong with them."""
    plan, terms = Plan(entry, None), Terms(type=kind, entry=entry)
    _plan_profit(plan, terms, wanted)
    _plan_stop(plan, terms, wanted, None)
    return plan


def planned(trade: SmartTrade, update: TradeUpdate, stop_level: Decimal | None) -> Plan:
    """Return the terms that an update leads to.

    Args:
        trade: as it is; the caller has seen that it may be changed at all.
        update: what is wanted.
        stop_level: where a trailing stop stands now, if one does.
    """
    plan = Plan(trade.entry, trade.basis_price)
    terms = Terms(
        type=trade.type,
        entry=trade.entry,
        basis_price=trade.basis_price,
        take_profit=trade.take_profit,
        stop_loss=trade.stop_loss,
        steps=trade.steps,
        waits=trade.status is TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE,
        has_entered=bool(entered_quantity(trade)),
        is_new=False,
    )
    _plan_entry(plan, terms, update)
    _plan_basis(plan, terms, update)
    _plan_profit(plan, terms, update)
    _plan_stop(plan, terms, update, stop_level)
    return plan


# The entry


def _plan_entry(plan: Plan, trade: Terms, update: TradeUpdate) -> None:
    entry = trade.entry
    was_trailing = entry is not None and entry.trailing_percent is not None
    trails = was_trailing if update.entry_is_trailing is None else update.entry_is_trailing
    percent = None if entry is None else entry.trailing_percent
    asked: Mapping[str, tuple[object, object]] = {
        "entry_price": (update.entry_price, entry and entry.price),
        "entry_limit_price": (update.entry_limit_price, entry and entry.limit_price),
        "entry_is_trailing": (update.entry_is_trailing, was_trailing),
        "entry_trailing_percent": (update.entry_trailing_percent if trails else None, percent),
    }
    changed = [name for name, (new, old) in asked.items() if new is not None and new != old]
    for name in changed:
        if not trade.waits or (trade.type.is_simple and "trailing" in name):
            plan.refuse(name, Flaw.FIXED)
    if not trade.waits and update.entry_is_trailing and update.entry_limit_price is not None:
        plan.refuse("entry_limit_price", Flaw.CONTRADICTED)
    if not changed or not trade.waits or entry is None:
        return
    trailing = update.entry_trailing_percent or percent or TRAILING_PERCENT
    plan.entry = replace(
        entry,
        price=update.entry_price or entry.price,
        limit_price=update.entry_limit_price or entry.limit_price,
        trailing_percent=trailing if trails else None,
    )
    if trails and plan.entry.limit_price is not None:
        plan.refuse("entry_limit_price", Flaw.CONTRADICTED)


def _plan_basis(plan: Plan, trade: Terms, update: TradeUpdate) -> None:
    if update.basis_price is None or update.basis_price == trade.basis_price:
        return
    if trade.type is not TradeType.SMART_SALE:
        plan.refuse("basis_price", Flaw.FIXED)
    plan.basis_price = update.basis_price


def _wants_percentages(plan: Plan, trade: Terms) -> bool:
    """Tell whether exits follow from an entry that is not known yet (spec 3.2)."""
    return (
        plan.entry is not None
        and plan.entry.method is EntryMethod.CONDITIONAL
        and plan.entry.trailing_percent is not None
        and not trade.has_entered
    )


# The take-profit


def _plan_profit(plan: Plan, trade: Terms, update: TradeUpdate) -> None:
    steps = trade.steps_of(StepKind.TAKE_PROFIT)
    is_begun = any(one.status is StepStatus.PROCESSED for one in steps)
    if not update.take_profit_enabled:
        plan.profit_steps = ()
        if trade.take_profit is not None and is_begun:
            plan.refuse("take_profit_enabled", Flaw.FIXED)
        return
    if trade.type.is_simple:
        plan.refuse("take_profit_enabled", Flaw.FIXED)
        return
    terms = _profit_terms(plan, trade.take_profit, update)
    if terms is None:
        return
    plan.take_profit = terms
    if is_begun and trade.take_profit is not None:
        _refuse_changes(plan, trade.take_profit, terms)
    if terms.type is TakeProfitType.CLASSIC:
        plan.profit_steps = _classic_plan(plan, trade, update, is_begun=is_begun)
    else:
        plan.profit_steps = _steps_plan(plan, trade, update)


def _profit_terms(plan: Plan, current: TakeProfit | None, update: TradeUpdate) -> TakeProfit | None:
    kind = update.take_profit_type or (None if current is None else current.type)
    if kind is None:
        plan.refuse("take_profit_type", Flaw.MISSING)
    known = current or TakeProfit()
    trails = update.take_profit_is_trailing
    if trails is None:
        trails = known.trailing_percent is not None
    percent = update.take_profit_trailing_percent or known.trailing_percent
    terms = TakeProfit(
        type=kind or known.type,
        order_type=update.take_profit_order_type or known.order_type,
        order_price=update.take_profit_order_price or known.order_price,
        trailing_percent=percent if trails else None,
    )
    is_limit = terms.order_type is OrderType.LIMIT
    if trails and is_limit:
        plan.refuse("take_profit_is_trailing", Flaw.CONTRADICTED)
    elif trails and percent is None:
        plan.refuse("take_profit_trailing_percent", Flaw.MISSING)
    if is_limit and kind is TakeProfitType.CLASSIC and terms.order_price is None:
        plan.refuse("take_profit_order_price", Flaw.MISSING)
    if kind is None:
        return None
    return terms if is_limit else replace(terms, order_price=None)


def _refuse_changes(plan: Plan, old: TakeProfit, new: TakeProfit) -> None:
    for name in ("type", "order_type", "order_price", "trailing_percent"):
        if getattr(old, name) != getattr(new, name):
            plan.refuse(f"take_profit_{name}", Flaw.FIXED)


def _classic_plan(
    plan: Plan, trade: Terms, update: TradeUpdate, *, is_begun: bool
) -> Sequence[StepPlan]:
    idle = [
        one
        for one in trade.steps_of(StepKind.TAKE_PROFIT)
        if one.status is StepStatus.IDLE and one.position is None
    ]
    existing = idle[0] if idle else None
    condition = _condition(
        existing,
        update.take_profit_price,
        update.take_profit_percentage,
        update.take_profit_source,
    )
    condition = _complete(plan, trade, "take_profit", condition)
    planned_step = PlannedStep(percent=_HUNDRED, condition=condition)
    if is_begun and (existing is None or not _is_same(existing, planned_step)):
        plan.refuse("take_profit_price", Flaw.FIXED)
    return (StepPlan(planned_step, existing),)


def _condition(
    existing: Step | None,
    price: Decimal | None,
    percentage: Decimal | None,
    source: PriceSource | None,
) -> PriceCondition:
    """Return what is asked for, and of the rest what there is."""
    known = PriceCondition() if existing is None else existing.condition
    return PriceCondition(
        price=known.price if price is None else price,
        percentage=known.percentage if percentage is None else percentage,
        source=source or known.source,
    )


def _complete(plan: Plan, trade: Terms, name: str, condition: PriceCondition) -> PriceCondition:
    """Refuse a condition that lacks what it follows from, or points the wrong way (spec 2)."""
    wants_percentage = _wants_percentages(plan, trade)
    if wants_percentage:
        condition = replace(condition, price=None)
    if condition.percentage is None:
        if condition.price is None:
            plan.refuse(_of(name, "percentage" if wants_percentage else "price"), Flaw.MISSING)
        return condition
    may_follow = wants_percentage or name.startswith("take_profit_steps")
    follows = may_follow and condition.price is None
    if follows or not trade.is_new:  # else the percentage is for display
        _refuse_percentage(plan, trade, name, condition.percentage)
    if follows and condition.percentage <= -_HUNDRED:
        plan.refuse(_of(name, "percentage"), Flaw.NO_PRICE)
    if condition.price is None and not follows:
        plan.refuse(_of(name, "price"), Flaw.MISSING)
    return condition


def _refuse_percentage(plan: Plan, trade: Terms, name: str, percentage: Decimal) -> None:
    """Refuse a percentage on the wrong side of the entry; 0 is on neither."""
    rises = (name != "stop_loss") is (trade.type.exit_side is Side.SELL)
    if rises is not (percentage > 0) or not percentage:
        plan.refuse(_of(name, "percentage"), Flaw.NOT_POSITIVE if rises else Flaw.NOT_NEGATIVE)


def _of(name: str, what: str) -> str:
    return f"{name}.{what}" if name.endswith("]") else f"{name}_{what}"


def _is_same(step: Step, planned_step: PlannedStep) -> bool:
    condition = planned_step.condition
    by_price = condition.price is not None and condition.price == step.price
    by_share = condition.price is None and condition.percentage == step.price_percentage
    return (
        planned_step.percent == step.percent
        and (by_price or by_share)
        and condition.source is step.source
    )


def _steps_plan(plan: Plan, trade: Terms, update: TradeUpdate) -> Sequence[StepPlan] | None:
    is_stepped = (
        trade.take_profit is not None and trade.take_profit.type is TakeProfitType.STEP_SELL
    )
    if update.take_profit_steps is None:
        if not is_stepped:
            plan.refuse("take_profit_steps", Flaw.MISSING)
        return None
    steps = [one for one in trade.steps_of(StepKind.TAKE_PROFIT) if one.position is not None]
    idle = {one.position: one for one in steps if one.status is StepStatus.IDLE}
    executed = {one.position: one for one in steps if one.status in STEP_EXECUTED | STEP_ACTIVE}
    plans: list[StepPlan] = []
    for name, position, one in _placed(plan, update.take_profit_steps, is_stepped=is_stepped):
        known = executed.get(position)
        if known is None:
            condition = _complete(plan, trade, name, one.condition)
            step = replace(one, position=position, condition=condition)
            plans.append(StepPlan(step, idle.get(position)))
        elif not _is_same(known, one):
            plan.refuse(name, Flaw.FIXED)
    percents = [one.percent or Decimal(0) for one in executed.values()]
    percents += [one.planned.percent for one in plans]
    if abs(sum(percents) - _HUNDRED) > PERCENT_TOLERANCE:
        plan.refuse("take_profit_steps", Flaw.NOT_WHOLE)
    if len(percents) > STEPS_MAX:
        plan.refuse("take_profit_steps", Flaw.TOO_MANY)
    return plans


def _placed(
    plan: Plan, steps: Sequence[PlannedStep], *, is_stepped: bool
) -> Iterator[tuple[str, int, PlannedStep]]:
    """Yield each step of an update with its name and its position, and refuse bad positions."""
    seen: set[int] = set()
    for index, one in enumerate(steps):
        name = f"take_profit_steps[{index}]"
        position = index + 1 if one.position is None and not is_stepped else one.position
        if position is None:
            plan.refuse(f"{name}.position", Flaw.MISSING)
            continue
        if position <= 0:
            plan.refuse(f"{name}.position", Flaw.NOT_ABOVE_ZERO)
        if position in seen:
            plan.refuse(f"{name}.position", Flaw.REPEATED)
        seen.add(position)
        yield name, position, one


# The stop-loss


def _plan_stop(plan: Plan, trade: Terms, update: TradeUpdate, level: Decimal | None) -> None:
    if not update.stop_loss_enabled:
        return
    if trade.type.is_simple:
        plan.refuse("stop_loss_enabled", Flaw.FIXED)
        return
    terms = _stop_terms(plan, trade.stop_loss, update)
    plan.stop_loss = terms
    stops = [one for one in trade.steps_of(StepKind.STOP_LOSS) if not one.is_final]
    existing = stops[0] if stops else None
    if existing is not None and level is not None:
        existing = replace(existing, price=level)
    condition = _condition(
        existing, update.stop_loss_price, update.stop_loss_percentage, update.stop_loss_source
    )
    condition = _complete(plan, trade, "stop_loss", condition)
    if existing is None or not _keeps_level(existing, terms, condition):
        plan.stop_condition = condition


def _stop_terms(plan: Plan, current: StopLoss | None, update: TradeUpdate) -> StopLoss:
    known = current or StopLoss()
    trails = update.stop_loss_is_trailing
    seconds = update.stop_loss_timeout_seconds or known.timeout_seconds or TIMEOUT_SECONDS
    times_out = update.stop_loss_timeout_enabled
    if times_out is None:
        times_out = known.timeout_seconds is not None
    terms = StopLoss(
        order_type=update.stop_loss_order_type or known.order_type,
        order_price=update.stop_loss_order_price or known.order_price,
        is_trailing=known.is_trailing if trails is None else trails,
        timeout_seconds=seconds if times_out else None,
    )
    is_limit = terms.order_type is OrderType.LIMIT
    if is_limit and terms.is_trailing:
        plan.refuse("stop_loss_is_trailing", Flaw.CONTRADICTED)
    if is_limit and terms.order_price is None:
        plan.refuse("stop_loss_order_price", Flaw.MISSING)
    return terms if is_limit else replace(terms, order_price=None)


def _keeps_level(existing: Step, terms: StopLoss, condition: PriceCondition) -> bool:
    """Tell whether a stop goes on where it is, with what it has followed so far."""
    return (
        existing.is_trailing is terms.is_trailing
        and existing.source is condition.source
        and existing.price_percentage == condition.percentage
        and existing.price == condition.price
    )
