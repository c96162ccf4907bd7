"""How a trade is to be left (SmartTrades Api, take-profit and stop-loss of create and edit calls).

What is switched off, or does not apply to the trade as it will be, is not looked at. What must be
named, and what goes together, depends on what the trade has already: that is the trade's own
judgement, asked for here so that all that is wrong is told at once.
"""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.parameters import STEPS, present
from app.dialects.three_commas.schemas import OrderKind
from app.dialects.three_commas.wire_names import parameter_of, words_for
from app.domain.enums import Flaw, OrderType, PriceSource
from app.domain.smart_trade.enums import TakeProfitType
from app.domain.smart_trade.plan import Plan
from app.domain.smart_trade.spec import (
    STEPS_MAX,
    PlannedStep,
    PriceCondition,
    StopLoss,
    TakeProfit,
    TradeUpdate,
)

Parameters = Mapping[str, object]
Shape = dict[str, Any]

#: Of steps that cannot be read so far the sum of their percents says nothing.
_SHARES: Final = (
    STEPS,
    *(
        f"{STEPS}[{at}]{part}"
        for at in range(STEPS_MAX)
        for part in ("", "[percent]", "[position]")
    ),
)


def exits_in(
    parameters: Parameters,
    take_profit: TakeProfit | None,
    stop_loss: StopLoss | None,
    step: schemas.Step,
    found: Findings,
) -> Shape:
    """Return parameter → what it says of the exits, and note what cannot be read.

    Args:
        parameters: of the request.
        take_profit: as it is; None of a new trade, or where there is none.
        stop_loss: likewise.
        step: the shape of a step of a take-profit.
        found: takes the messages.
    """
    read: Shape = {"take_profit_enabled": False, "stop_loss_enabled": False}
    read |= found.shape(schemas.SWITCHES, parameters)
    if read["take_profit_enabled"]:
        read |= _take_profit(parameters, take_profit, step, found)
    if read["stop_loss_enabled"]:
        read |= _stop_loss(parameters, stop_loss, found)
    return read


def update_of(read: Shape) -> TradeUpdate:
    """Return what was read of the parameters in our terms."""
    wanted = {one.name: read.get(parameter_of(one.name)) for one in fields(TradeUpdate)}
    return TradeUpdate(**wanted)  # type: ignore[arg-type]  # the schemas have checked the types


def note_refused(plan: Plan, found: Findings) -> None:
    """Note what the trade refuses; that something may not change any more comes after all else."""
    is_summed = not any(map(found.about, _SHARES))
    for field, complaints in plan.refused.items():
        name = parameter_of(field)
        if name == STEPS and not is_summed:
            continue
        if found.about(name.partition("]")[0] + "]"):
            continue  # a step that cannot be read says nothing either
        for one in complaints:
            if one.flaw is not Flaw.FIXED:
                found.add(name, words_for(one))


def _take_profit(
    parameters: Parameters, known: TakeProfit | None, step: schemas.Step, found: Findings
) -> Shape:
    read = found.shape(schemas.TAKE_PROFIT, parameters)
    kind = read.get("take_profit_type", known and known.type)
    is_limit = _reads_limit(read, "take_profit_sell_method", known.order_type if known else None)
    if kind is TakeProfitType.CLASSIC:
        read |= found.shape(schemas.CLASSIC_TAKE_PROFIT, parameters)
        if is_limit:
            read |= found.shape(schemas.LIMIT_TAKE_PROFIT, parameters)
    if kind is TakeProfitType.STEP_SELL and STEPS in parameters:
        read[STEPS] = _steps(parameters[STEPS], step, found)
    if read.get("trailing_take_profit", known and known.trailing_percent):
        read |= found.shape(schemas.TRAILING_TAKE_PROFIT, parameters)
    return read


def _stop_loss(parameters: Parameters, known: StopLoss | None, found: Findings) -> Shape:
    read = found.shape(schemas.STOP_LOSS, parameters)
    if _reads_limit(read, "stop_loss_sell_method", known.order_type if known else None):
        read |= found.shape(schemas.LIMIT_STOP_LOSS, parameters)
    if read.get("stop_loss_timeout_enabled", known and known.timeout_seconds):
        read |= found.shape(schemas.STOP_LOSS_TIMEOUT, parameters)
    return read


def _reads_limit(read: Shape, name: str, known: OrderType | None) -> bool:
    """Tell whether an exit will place a limit, and put its order type in our terms."""
    if name in read:
        read[name] = OrderType.LIMIT if read[name] is OrderKind.LIMIT else OrderType.MARKET
    return read.get(name, known) is OrderType.LIMIT


def _steps(value: object, schema: schemas.Step, found: Findings) -> tuple[PlannedStep, ...]:
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
