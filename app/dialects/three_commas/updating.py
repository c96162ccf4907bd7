"""From the parameters of an update to what changes (SmartTrades Api, "Edit SmartTrade").

What is not named stays. What is switched off, or does not apply to the trade as it will be, is not
looked at. What an update must name, and what goes together, depends on what the trade has already:
that is the trade's own judgement, asked for here so that all that is wrong is told at once, and
asked for again at the moment of the change.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.exiting import order_type_of, steps_from
from app.dialects.three_commas.parameters import STEPS
from app.dialects.three_commas.wire_names import parameter_of, words_for
from app.domain.enums import Flaw, OrderType
from app.domain.smart_trade.enums import TakeProfitType
from app.domain.smart_trade.replanning import planned
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.trade import SmartTrade

Parameters = Mapping[str, object]
Shape = dict[str, Any]


def update_from(parameters: Parameters, trade: SmartTrade) -> TradeUpdate:
    """Return what is to change of a trade.

    Raises:
        InvalidParameters: with all that is wrong.
    """
    found = Findings()
    read: Shape = {"take_profit_enabled": False, "stop_loss_enabled": False}
    for schema in (schemas.SWITCHES, schemas.REENTERED, schemas.BASIS, schemas.NOTED):
        read |= found.shape(schema, parameters)
    if read["take_profit_enabled"]:
        read |= _take_profit(parameters, trade, found)
    if read["stop_loss_enabled"]:
        read |= _stop_loss(parameters, trade, found)
    wanted = {one.name: read.get(parameter_of(one.name)) for one in fields(TradeUpdate)}
    update = TradeUpdate(**wanted)  # type: ignore[arg-type]  # the schemas have checked the types
    _judge(trade, update, found)
    found.refuse()
    return update


def _take_profit(parameters: Parameters, trade: SmartTrade, found: Findings) -> Shape:
    known = trade.take_profit
    read = found.shape(schemas.TAKE_PROFIT, parameters)
    kind = read.get("take_profit_type", known and known.type)
    is_limit = _reads_limit(read, "take_profit_sell_method", known.order_type if known else None)
    if kind is TakeProfitType.CLASSIC:
        read |= found.shape(schemas.CLASSIC_TAKE_PROFIT, parameters)
        if is_limit:
            read |= found.shape(schemas.LIMIT_TAKE_PROFIT, parameters)
    if kind is TakeProfitType.STEP_SELL and STEPS in parameters:
        read[STEPS] = steps_from(parameters[STEPS], schemas.NUMBERED_STEP, found)
    if read.get("trailing_take_profit", known and known.trailing_percent):
        read |= found.shape(schemas.TRAILING_TAKE_PROFIT, parameters)
    return read


def _stop_loss(parameters: Parameters, trade: SmartTrade, found: Findings) -> Shape:
    known = trade.stop_loss
    read = found.shape(schemas.STOP_LOSS, parameters)
    if _reads_limit(read, "stop_loss_sell_method", known.order_type if known else None):
        read |= found.shape(schemas.LIMIT_STOP_LOSS, parameters)
    if read.get("stop_loss_timeout_enabled", known and known.timeout_seconds):
        read |= found.shape(schemas.STOP_LOSS_TIMEOUT, parameters)
    return read


def _reads_limit(read: Shape, name: str, known: OrderType | None) -> bool:
    """Tell whether an exit will place a limit, and put its order type in our terms."""
    if name in read:
        read[name] = order_type_of(read[name])
    return read.get(name, known) is OrderType.LIMIT


def _judge(trade: SmartTrade, update: TradeUpdate, found: Findings) -> None:
    """Note what the trade refuses; what may not change any more comes after all else."""
    unread_steps = found.mentions(STEPS)
    for field, complaints in planned(trade, update, None).refused.items():
        name = parameter_of(field)
        if unread_steps and name.startswith(STEPS):
            continue  # of steps that cannot be read neither sum nor numbers say anything
        for one in complaints:
            if one.flaw is not Flaw.FIXED:
                found.add(name, words_for(one))
