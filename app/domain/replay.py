"""The command behind what came in once, to be given anew: at the prices of now, or its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

from app.domain.aggregate import Aggregate
from app.domain.commands import (
    NetCommand,
    PlaceOrder,
    PlaceSmartOrder,
    PositionAction,
    SignalCommand,
    SmartOrderRules,
)
from app.domain.enums import StopDirection, StopPrice
from app.domain.order import Order
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.enums import StepKind, StepStatus, TradeStatus
from app.domain.smart_trade.spec import NewTrade, PlannedStep, PriceCondition
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.domain.trigger import Offset

#: Price as it was given once → as it is given now; None stays None.
Repricing = Callable[[Decimal | None], Decimal | None]


@dataclass(frozen=True, slots=True)
class SmartOrderReplay:
    """A smart order to be given anew, and the settings by which it watches the same price."""

    command: PlaceSmartOrder
    rules: SmartOrderRules


#: What each kind comes from.
Command = SignalCommand | NetCommand | PlaceOrder | SmartOrderReplay | NewTrade


def as_given(price: Decimal | None) -> Decimal | None:
    """Return a price as it was given once."""
    return price


def in_proportion(then: Decimal, now: Decimal, step: Decimal) -> Repricing:
    """Return what keeps each price as far from the market as it was, in percent.

    Args:
        then: what the market was at, above 0.
        now: what it is at.
        step: on which prices lie.
    """

    def reprice(price: Decimal | None) -> Decimal | None:
        if price is None:
            return None
        steps = (price * now / then / step).to_integral_value(ROUND_HALF_EVEN)
        return steps * step

    return reprice


def market_then(one: Aggregate) -> Decimal | None:
    """Return what the market was at when something was asked for, or None if nobody knows.

    What was filled at the market tells, and a limit that was better than its own price; what
    waited for a price tells that price alone.
    """
    match one:
        case Signal() | Reversal():
            limit = one.limit_price
        case Order(condition=None):
            limit = one.price
        case _:
            return None
    return None if one.average_price == limit else one.average_price


def why_not(one: Aggregate) -> str | None:
    """Return why something cannot be given anew, in a sentence; None if it can."""
    if one.parent_id is not None:
        return f"it was brought forth by {one.parent_id}: replay that"
    if isinstance(one, Signal) and one.is_cancel:
        return "it only cancels what others have placed"
    return None


def command_of(one: Aggregate, reprice: Repricing) -> Command:
    """Return the command that something came from, without its caller id.

    Args:
        one: of any kind, standing alone.
        reprice: what becomes of each price in it.
    """
    match one:
        case Signal():
            return SignalCommand(
                action=one.action,
                size=one.size,
                limit_price=reprice(one.limit_price),
                take_profit=reprice(one.take_profit),
                stop_loss=reprice(one.stop_loss),
                delay_ms=max(one.due_at_ms - one.created_at_ms, 0),
                note=one.note,
            )
        case Reversal():
            return NetCommand(
                action=one.action,
                quantity=one.wanted,
                limit_price=reprice(one.limit_price),
                on_same_side=one.on_same_side,
                strategy=one.strategy,
                note=one.note,
            )
        case Order():
            return PlaceOrder(
                symbol=one.symbol,
                side=one.side,
                type=one.type,
                time_in_force=one.time_in_force,
                quantity=one.quantity,
                amount=one.amount,
                price=reprice(one.price),
                action=PositionAction.CLOSE if one.reduces else PositionAction.OPEN,
            )
        case SmartOrder():
            return _smart_order(one, reprice)
        case SmartTrade():
            return _smart_trade(one, reprice)


def names_prices(one: Aggregate) -> bool:
    """Tell whether a command names any price of its own."""
    named: list[Decimal] = []

    def noted(price: Decimal | None) -> Decimal | None:
        if price is not None:
            named.append(price)
        return price

    command_of(one, noted)
    return bool(named)


def _smart_order(one: SmartOrder, reprice: Repricing) -> SmartOrderReplay:
    command, trigger = one.command(), one.trigger
    by_price = {each.source(one.side): each for each in StopPrice}
    again = replace(
        command,
        price=reprice(command.price),
        stop=reprice(command.stop),
        trail=_offset(command.trail, reprice),
        limit_offset=_offset(command.limit_offset, reprice),
        # Named, so that it waits for the same way whatever the settings are by now.
        operator=trigger.direction if trigger.trail is None else trigger.activates,
        caller_id=None,
    )
    life_ms = None if one.expires_at_ms is None else one.expires_at_ms - one.created_at_ms
    rules = SmartOrderRules(
        stop_price=by_price[trigger.source], direction=StopDirection.OPERATOR, life_ms=life_ms
    )
    return SmartOrderReplay(again, rules)


def _offset(offset: Offset | None, reprice: Repricing) -> Offset | None:
    """Return a distance likewise; one in percent stays as it is."""
    if offset is None or offset.is_percent:
        return offset
    return Offset(reprice(offset.value) or offset.value)


def _smart_trade(one: SmartTrade, reprice: Repricing) -> NewTrade:
    entry, profit, loss = one.entry, one.take_profit, one.stop_loss
    if entry is not None:
        limit, price = reprice(entry.limit_price), reprice(entry.price)
        entry = replace(entry, price=price, limit_price=limit)
    if profit is not None:
        profit = replace(profit, order_price=reprice(profit.order_price))
    if loss is not None:
        loss = replace(loss, order_price=reprice(loss.order_price))
    # One that was cancelled, or has failed, has left all its steps so that had not begun.
    is_cut_off = one.status in {TradeStatus.CANCELLED, TradeStatus.FAILED}
    planned = [step for step in one.steps if is_cut_off or step.status is not StepStatus.CANCELLED]
    profits = [step for step in planned if step.kind is StepKind.TAKE_PROFIT]
    stops = [step for step in planned if step.kind is StepKind.STOP_LOSS]
    return NewTrade(
        type=one.type,
        symbol=one.symbol,
        quantity=one.asked_quantity,
        entry=entry,
        basis_price=reprice(one.basis_price),
        take_profit=profit if profits else None,
        take_profit_steps=tuple(
            PlannedStep(percent=step.percent or Decimal(100), condition=_condition(step, reprice))
            for step in (profits if profit is not None else [])
        ),
        stop_loss=loss if stops else None,
        stop_loss_condition=_condition(stops[-1], reprice) if stops and loss else None,
        note=one.note,
    )


def _condition(step: Step, reprice: Repricing) -> PriceCondition:
    """Return when a step begins; what followed from a percentage follows from it anew."""
    follows = step.price_percentage is not None
    price = None if follows else reprice(step.price)
    return replace(step.condition, price=price)
