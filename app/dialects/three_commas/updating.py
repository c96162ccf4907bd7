"""From the parameters of an update to what changes (SmartTrades Api, "Edit SmartTrade").

What is not named stays. So what is asked for depends on what the trade has already: a limit needs a
price unless it has one. Whether a thing may still be changed is decided with the trade, at the
moment of the change.
"""

from collections.abc import Mapping
from typing import Any

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.exiting import (
    Entered,
    order_type_of,
    refuse_sign,
    steps_from,
)
from app.dialects.three_commas.parameters import STEPS
from app.domain.enums import OrderType
from app.domain.smart_trade import profit as figures
from app.domain.smart_trade.enums import StepKind, TakeProfitType
from app.domain.smart_trade.spec import PlannedStep, TradeUpdate
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade

Parameters = Mapping[str, object]
Shape = Mapping[str, Any]
Changes = dict[str, Any]


def update_from(parameters: Parameters, trade: SmartTrade) -> TradeUpdate:
    """Return what is to change of a trade.

    Raises:
        InvalidParameters: with all that is wrong.
    """
    found = Findings()
    switches = found.shape(schemas.SWITCHES, parameters)
    changes = _entry(parameters, found)
    entered = _entered(trade, changes)
    if switches.get("take_profit_enabled"):
        changes |= _take_profit(parameters, trade, entered, found)
    if switches.get("stop_loss_enabled"):
        changes |= _stop_loss(parameters, trade, entered, found)
    changes["note"] = found.shape(schemas.NOTED, parameters).get("note")
    found.refuse()
    return TradeUpdate(**switches, **changes)


def _entered(trade: SmartTrade, changes: Changes) -> Entered:
    """Return what the exits must know of the entry, as it will be."""
    trails = changes["entry_is_trailing"]
    if trails is None:
        trails = trade.entry is not None and trade.entry.trailing_percent is not None
    by_percentage = trails and not figures.entered_quantity(trade)
    return Entered(trade.type.entry_side, by_percentage=by_percentage)


def _entry(parameters: Parameters, found: Findings) -> Changes:
    shape = found.shape(schemas.REENTERED, parameters)
    if shape.get("trailing_buy_enabled") and "conditional_limit_price" in shape:
        found.add("conditional_limit_price", findings.INVALID)
    return {
        "entry_price": shape.get("buy_price"),
        "entry_limit_price": shape.get("conditional_limit_price"),
        "entry_is_trailing": shape.get("trailing_buy_enabled"),
        "entry_trailing_percent": shape.get("trailing_buy_step"),
        "basis_price": found.shape(schemas.BASIS, parameters).get("average_buy_price"),
    }


def _take_profit(
    parameters: Parameters, trade: SmartTrade, entered: Entered, found: Findings
) -> Changes:
    known = trade.take_profit
    shape = found.shape(schemas.TAKE_PROFIT, parameters)
    kind = shape.get("take_profit_type", None if known is None else known.type)
    if kind is None:
        found.add("take_profit_type", findings.MISSING)
    changes: Changes = {"take_profit_type": shape.get("take_profit_type")}
    if kind is TakeProfitType.CLASSIC:
        changes |= _classic(parameters, trade, entered, found)
    if kind is TakeProfitType.STEP_SELL:
        changes["take_profit_steps"] = _steps(parameters, trade, entered, found)
    is_limit = _is_limit(
        shape.get("take_profit_sell_method"), None if known is None else known.order_type
    )
    if "take_profit_sell_method" in shape:
        changes["take_profit_order_type"] = order_type_of(shape["take_profit_sell_method"])
    if is_limit and kind is TakeProfitType.CLASSIC:
        price = found.shape(schemas.LIMIT_TAKE_PROFIT, parameters)
        if known is None or known.order_price is None:
            found.require("take_profit_sell_order_price", price)
        changes["take_profit_order_price"] = price.get("take_profit_sell_order_price")
    if is_limit and shape.get("trailing_take_profit", _trails(trade)):
        found.add("trailing_take_profit", findings.INVALID)
    return {**changes, **_trailing(shape, parameters, trade, found)}


def _trailing(shape: Shape, parameters: Parameters, trade: SmartTrade, found: Findings) -> Changes:
    named = shape.get("trailing_take_profit")
    changes: Changes = {"take_profit_is_trailing": named}
    if _trails(trade) if named is None else named:
        distance = found.shape(schemas.TRAILING_TAKE_PROFIT, parameters)
        if not _trails(trade):
            found.require("trailing_take_profit_step", distance)
        changes["take_profit_trailing_percent"] = distance.get("trailing_take_profit_step")
    return changes


def _trails(trade: SmartTrade) -> bool:
    known = trade.take_profit
    return known is not None and known.trailing_percent is not None


def _classic(
    parameters: Parameters, trade: SmartTrade, entered: Entered, found: Findings
) -> Changes:
    shape = found.shape(schemas.CLASSIC_TAKE_PROFIT, parameters)
    names = "take_profit_price_condition", "take_profit_percentage_condition"
    is_classic = trade.take_profit is not None and trade.take_profit.type is TakeProfitType.CLASSIC
    step = _live_step(trade, StepKind.TAKE_PROFIT) if is_classic else None
    _require_condition(shape, names, step, entered, found)
    if entered.by_percentage:
        refuse_sign(names[1], shape.get(names[1]), entered.profit_side, found)
    return {
        "take_profit_price": shape.get(names[0]),
        "take_profit_percentage": shape.get(names[1]),
        "take_profit_source": shape.get("take_profit_price_method"),
    }


def _steps(
    parameters: Parameters, trade: SmartTrade, entered: Entered, found: Findings
) -> tuple[PlannedStep, ...] | None:
    """Return the plan of all steps, or None where it stays as it is."""
    known = trade.take_profit
    if STEPS not in parameters and known is not None and known.type is TakeProfitType.STEP_SELL:
        return None
    steps = steps_from(parameters.get(STEPS), schemas.NUMBERED_STEP, entered, found)
    seen = set()
    for index, step in enumerate(steps):
        if step.position is not None and step.position in seen:
            found.add(f"{STEPS}[{index}][position]", findings.NOT_UNIQUE)
        seen.add(step.position)
    return steps


def _stop_loss(
    parameters: Parameters, trade: SmartTrade, entered: Entered, found: Findings
) -> Changes:
    known = trade.stop_loss
    shape = found.shape(schemas.STOP_LOSS, parameters)
    names = "stop_loss_price_condition", "stop_loss_percentage_condition"
    step = None if known is None else _live_step(trade, StepKind.STOP_LOSS)
    _require_condition(shape, names, step, entered, found)
    if entered.by_percentage:
        refuse_sign(names[1], shape.get(names[1]), entered.profit_side.opposite, found)
    changes: Changes = {
        "stop_loss_price": shape.get(names[0]),
        "stop_loss_percentage": shape.get(names[1]),
        "stop_loss_source": shape.get("stop_loss_price_method"),
        "stop_loss_is_trailing": shape.get("trailing_stop_loss"),
        "stop_loss_timeout_enabled": shape.get("stop_loss_timeout_enabled"),
    }
    is_limit = _is_limit(
        shape.get("stop_loss_sell_method"), None if known is None else known.order_type
    )
    if "stop_loss_sell_method" in shape:
        changes["stop_loss_order_type"] = order_type_of(shape["stop_loss_sell_method"])
    if is_limit:
        price = found.shape(schemas.LIMIT_STOP_LOSS, parameters)
        if known is None or known.order_price is None:
            found.require("stop_loss_sell_order_price", price)
        changes["stop_loss_order_price"] = price.get("stop_loss_sell_order_price")
        if shape.get("trailing_stop_loss", known is not None and known.is_trailing):
            found.add("trailing_stop_loss", findings.INVALID)
    has_timeout = known is not None and known.timeout_seconds is not None
    if shape.get("stop_loss_timeout_enabled", has_timeout):
        timeout = found.shape(schemas.STOP_LOSS_TIMEOUT, parameters)
        changes["stop_loss_timeout_seconds"] = timeout.get("stop_loss_timeout_seconds")
    return changes


def _require_condition(
    shape: Shape, names: tuple[str, str], step: Step | None, entered: Entered, found: Findings
) -> None:
    """Note that neither the request nor the trade says when an exit begins."""
    price, percentage = names
    if entered.by_percentage:
        if step is None or step.price_percentage is None:
            found.require(percentage, shape)
    elif step is None or step.price is None:
        found.require(price, shape)


def _live_step(trade: SmartTrade, kind: StepKind) -> Step | None:
    live = [step for step in trade.steps_of(kind) if not step.is_final]
    return live[-1] if live else None


def _is_limit(named: schemas.OrderKind | None, known: OrderType | None) -> bool:
    return order_type_of(named) is OrderType.LIMIT if named else known is OrderType.LIMIT
