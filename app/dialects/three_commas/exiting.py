"""How a trade is to be left (SmartTrades Api, take-profit and stop-loss of the create calls)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.parameters import STEPS, present
from app.dialects.three_commas.schemas import OrderKind
from app.domain.enums import OrderType, PriceSource, Side
from app.domain.smart_trade.enums import TakeProfitType
from app.domain.smart_trade.spec import (
    PERCENT_TOLERANCE,
    STEPS_MAX,
    TIMEOUT_SECONDS,
    PlannedStep,
    PriceCondition,
    StopLoss,
    TakeProfit,
)

Parameters = Mapping[str, object]
Shape = Mapping[str, Any]

_WHOLE = Decimal(100)


class Exits(NamedTuple):
    """The exits of a new trade; None and no steps where they are switched off."""

    take_profit: TakeProfit | None
    steps: tuple[PlannedStep, ...]
    stop_loss: StopLoss | None
    stop_condition: PriceCondition | None


NO_EXITS: Final = Exits(None, (), None, None)


class Entered(NamedTuple):
    """What the exits must know of the entry.

    Attributes:
        profit_side: BUY where profit is above the entry, SELL where it is below.
        by_percentage: prices follow from percentages of the entry, since it trails.
    """

    profit_side: Side
    by_percentage: bool


def exits_from(parameters: Parameters, entered: Entered, found: Findings) -> Exits:
    """Return the exits, and note what is wrong. What is switched off is not looked at."""
    switches = found.shape(schemas.SWITCHES, parameters)
    exits = NO_EXITS
    if switches.get("take_profit_enabled"):
        take_profit, steps = _take_profit(parameters, entered, found)
        exits = exits._replace(take_profit=take_profit, steps=steps)
    if switches.get("stop_loss_enabled"):
        stop_loss, condition = _stop_loss(parameters, entered, found)
        exits = exits._replace(stop_loss=stop_loss, stop_condition=condition)
    return exits


def _take_profit(
    parameters: Parameters, entered: Entered, found: Findings
) -> tuple[TakeProfit, tuple[PlannedStep, ...]]:
    shape = found.shape(schemas.TAKE_PROFIT, parameters)
    found.require("take_profit_type", shape)
    kind = shape.get("take_profit_type")
    order_type = order_type_of(shape.get("take_profit_sell_method"))
    order_price: Decimal | None = None
    steps: tuple[PlannedStep, ...] = ()
    if kind is TakeProfitType.CLASSIC:
        steps = (PlannedStep(percent=_WHOLE, condition=_classic(parameters, entered, found)),)
        if order_type is OrderType.LIMIT:
            limit = found.shape(schemas.LIMIT_TAKE_PROFIT, parameters)
            found.require("take_profit_sell_order_price", limit)
            order_price = limit.get("take_profit_sell_order_price")
    if kind is TakeProfitType.STEP_SELL:
        steps = _steps(parameters, entered, found)
    take_profit = TakeProfit(
        type=kind or TakeProfitType.CLASSIC,
        order_type=order_type,
        order_price=order_price,
        trailing_percent=_trailing(shape, order_type, parameters, found),
    )
    return take_profit, steps


def _classic(parameters: Parameters, entered: Entered, found: Findings) -> PriceCondition:
    shape = found.shape(schemas.CLASSIC_TAKE_PROFIT, parameters)
    price, percentage = "take_profit_price_condition", "take_profit_percentage_condition"
    found.require(percentage if entered.by_percentage else price, shape)
    if entered.by_percentage:
        refuse_sign(percentage, shape.get(percentage), entered.profit_side, found)
    return PriceCondition(
        price=None if entered.by_percentage else shape.get(price),
        percentage=shape.get(percentage),
        source=shape.get("take_profit_price_method", PriceSource.BID),
    )


def _trailing(
    shape: Shape, order_type: OrderType, parameters: Parameters, found: Findings
) -> Decimal | None:
    """Return by how much a take-profit trails, in percent; None if it does not."""
    if not shape.get("trailing_take_profit"):
        return None
    if order_type is OrderType.LIMIT:
        found.add("trailing_take_profit", findings.INVALID)
        return None
    distance = found.shape(schemas.TRAILING_TAKE_PROFIT, parameters)
    found.require("trailing_take_profit_step", distance)
    return distance.get("trailing_take_profit_step")


def _steps(parameters: Parameters, entered: Entered, found: Findings) -> tuple[PlannedStep, ...]:
    steps = steps_from(parameters.get(STEPS), schemas.STEP, found)
    names = [f"{STEPS}[{at}]" for at in range(len(steps))]
    # With a share that cannot be read the sum says nothing.
    unread = any(found.about(name) or found.within(name).about("percent") for name in names)
    off_by = abs(sum(step.percent for step in steps) - _WHOLE)
    if steps and not unread and off_by > PERCENT_TOLERANCE:
        found.add(STEPS, findings.NOT_WHOLE)
    return tuple(
        step if found.about(name) else _checked(step, entered, found.within(name))
        for name, step in zip(names, steps, strict=True)
    )


def _checked(step: PlannedStep, entered: Entered, found: Findings) -> PlannedStep:
    """Note what is wrong with when a step sells: its price follows from the entry, or is given."""
    condition = step.condition
    if entered.by_percentage:
        condition = replace(condition, price=None)
    if condition.percentage is None and condition.price is None:
        found.add("price_percentage" if entered.by_percentage else "price", findings.MISSING)
    if condition.price is None:
        refuse_sign("price_percentage", condition.percentage, entered.profit_side, found)
    return replace(step, condition=condition)


def steps_from(value: object, schema: schemas.Step, found: Findings) -> tuple[PlannedStep, ...]:
    """Return the steps, and note what cannot be read. Values stand for what is missing."""
    if value is None or value == []:
        found.add(STEPS, findings.MISSING)
    elif not isinstance(value, list):
        found.add(STEPS, findings.INVALID)
    elif len(value) > STEPS_MAX:
        found.add(STEPS, findings.TOO_MANY_STEPS)
    else:
        return tuple(_step(row, f"{STEPS}[{at}]", schema, found) for at, row in enumerate(value))
    return ()


def _step(row: object, name: str, schema: schemas.Step, found: Findings) -> PlannedStep:
    shape: Shape = {}
    if isinstance(row, Mapping):
        shape = found.within(name).shape(schema, present(row))
    else:
        found.add(name, findings.INVALID)
    return PlannedStep(
        percent=shape.get("percent", Decimal(0)),
        condition=PriceCondition(
            price=shape.get("price"),
            percentage=shape.get("price_percentage"),
            source=shape.get("price_method", PriceSource.BID),
        ),
        position=shape.get("position"),
    )


def _stop_loss(
    parameters: Parameters, entered: Entered, found: Findings
) -> tuple[StopLoss, PriceCondition]:
    shape = found.shape(schemas.STOP_LOSS, parameters)
    price, percentage = "stop_loss_price_condition", "stop_loss_percentage_condition"
    found.require(percentage if entered.by_percentage else price, shape)
    if entered.by_percentage:
        refuse_sign(percentage, shape.get(percentage), entered.profit_side.opposite, found)
    order_type = order_type_of(shape.get("stop_loss_sell_method"))
    order_price, is_trailing = None, bool(shape.get("trailing_stop_loss"))
    if order_type is OrderType.LIMIT:
        limit = found.shape(schemas.LIMIT_STOP_LOSS, parameters)
        found.require("stop_loss_sell_order_price", limit)
        order_price = limit.get("stop_loss_sell_order_price")
        if is_trailing:
            found.add("trailing_stop_loss", findings.INVALID)
    timeout_seconds = None
    if shape.get("stop_loss_timeout_enabled"):
        timeout = found.shape(schemas.STOP_LOSS_TIMEOUT, parameters)
        timeout_seconds = timeout.get("stop_loss_timeout_seconds", TIMEOUT_SECONDS)
    stop_loss = StopLoss(
        order_type=order_type,
        order_price=order_price,
        is_trailing=is_trailing,
        timeout_seconds=timeout_seconds,
    )
    condition = PriceCondition(
        price=None if entered.by_percentage else shape.get(price),
        percentage=shape.get(percentage),
        source=shape.get("stop_loss_price_method", PriceSource.BID),
    )
    return stop_loss, condition


def refuse_sign(name: str, percentage: Decimal | None, side: Side, found: Findings) -> None:
    """Note a percentage on the wrong side of the entry; 0 is on neither, and -100 is no price.

    Args:
        name: of the field.
        percentage: of the entry price.
        side: BUY wants it above the entry, SELL below.
        found: takes the message.
    """
    if percentage is None:
        return
    if side is Side.BUY and percentage <= 0:
        found.add(name, findings.NOT_POSITIVE)
    if side is Side.SELL and percentage >= 0:
        found.add(name, findings.NOT_NEGATIVE)
    if percentage <= -_WHOLE:
        found.add(name, findings.INVALID)


def order_type_of(kind: OrderKind | None) -> OrderType:
    """Return how an exit is priced; one that does not say is a market order."""
    return OrderType.LIMIT if kind is OrderKind.LIMIT else OrderType.MARKET
