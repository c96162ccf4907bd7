"""From the parameters of a call to what is to become of a trade (SmartTrades Api).

All that is wrong is told at once. What must be named, and what goes together, depends on what the
trade has already: that is the trade's own judgement, asked for here, and of an update once more at
the moment of the change.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Final

from marshmallow import Schema

from app.dialects.three_commas import errors as findings
from app.dialects.three_commas import schemas
from app.dialects.three_commas.entities import price_text, shown_prices
from app.dialects.three_commas.errors import Findings, Shape, parameter_of, words_for
from app.dialects.three_commas.names import symbol_of
from app.dialects.three_commas.parameters import STEPS, Parameters, present
from app.dialects.three_commas.schemas import Call, ResponseType
from app.domain.enums import Flaw, OrderType, PriceSource
from app.domain.identifiers import AccountId, AggregateId, Symbol
from app.domain.money import plain
from app.domain.smart_trade.enums import EntryMethod, StepKind, TakeProfitType, TradeType
from app.domain.smart_trade.plan import Plan
from app.domain.smart_trade.replanning import planned, planned_exits
from app.domain.smart_trade.spec import (
    STEPS_MAX,
    TRAILING_PERCENT,
    EntryRule,
    NewTrade,
    PlannedStep,
    PriceCondition,
    TradeUpdate,
)
from app.domain.smart_trade.trade import SmartTrade

#: What may be shown though nobody has set it: sent back as it is, it is no wish.
_DERIVED: Final = frozenset({"buy_price", "average_buy_price"})

#: Call → the type that enters at once, the type that waits for a price.
_TYPES: Final[Mapping[Call, tuple[TradeType, TradeType]]] = {
    Call.SIMPLE_BUY: (TradeType.SIMPLE_BUY, TradeType.CONDITIONAL_SIMPLE_BUY),
    Call.SIMPLE_SELL: (TradeType.SIMPLE_SELL, TradeType.CONDITIONAL_SIMPLE_SELL),
    Call.SMART_SELL: (TradeType.SMART_SALE, TradeType.SMART_SALE),
    Call.SMART_COVER: (TradeType.SELL_BUY_BACK, TradeType.CONDITIONAL_SELL),
    Call.SMART_TRADE: (TradeType.CLASSIC, TradeType.CONDITIONAL_BUY),
}

#: Of steps that cannot be read so far the sum of their percents says nothing.
_SHARES: Final = (
    STEPS,
    *(
        f"{STEPS}[{at}]{part}"
        for at in range(STEPS_MAX)
        for part in ("", "[percent]", "[position]")
    ),
)


def account_in(parameters: Parameters) -> AccountId | None:
    """Return the account that the parameters name, or None if they name none that can be read."""
    number = Findings().shape(schemas.OPENED, parameters).get("account_id")
    return None if number is None else AccountId(number)


def trade_from(
    call: Call, parameters: Parameters, is_traded: Callable[[Symbol], bool] | None
) -> NewTrade:
    """Return the trade that is asked for.

    Args:
        call: which one.
        parameters: of the request.
        is_traded: whether its account trades a symbol; None where that is told otherwise.

    Raises:
        InvalidParameters: with all that is wrong.
    """
    found = Findings()
    # Where something is wrong, values stand for what is missing.
    shape = found.shape(schemas.OPENED, parameters)
    symbol = symbol_of(shape.get("pair", ""))
    if "pair" in shape and (symbol is None or (is_traded is not None and not is_traded(symbol))):
        found.add("pair", findings.NOT_LISTED)
    kind, conditional = _TYPES[call]
    basis, entry = None, None
    if call is Call.SMART_SELL:
        basis = found.shape(schemas.HELD, parameters).get("average_buy_price")
    else:
        entry = _entry(parameters, found, may_trail=not kind.is_simple)
        kind = conditional if entry.method is EntryMethod.CONDITIONAL else kind
    note = found.shape(schemas.NOTED, parameters).get("note")
    plan = Plan(entry, basis)
    if not kind.is_simple:
        plan = planned_exits(kind, entry, _update_of(_exits(parameters, None, found)))
        _note_refused(plan, found)
    found.refuse()
    return NewTrade(
        type=kind,
        symbol=symbol or Symbol(""),
        quantity=shape.get("units_to_buy", Decimal(0)),
        entry=entry,
        basis_price=basis,
        take_profit=plan.take_profit,
        take_profit_steps=tuple(
            replace(one.planned, position=None) for one in plan.profit_steps or ()
        ),
        stop_loss=plan.stop_loss,
        stop_loss_condition=plan.stop_condition,
        note=note,
    )


def update_from(parameters: Parameters, trade: SmartTrade) -> TradeUpdate:
    """Return what is to change of a trade; what is not named stays.

    Args:
        parameters: of the request.
        trade: as it is shown, with the levels that its trailing steps have reached.

    Raises:
        InvalidParameters: with all that is wrong.
    """
    found = Findings()
    read = _exits(parameters, trade, found)
    for schema in (schemas.REENTERED, schemas.NOTED):
        read |= found.shape(schema, parameters)
    update = _update_of(_unchanged(read, trade))
    _note_refused(planned(trade, update, None), found)
    found.refuse()
    return update


def funds_from(parameters: Parameters) -> tuple[Decimal, Decimal | None, ResponseType]:
    """Return how much is to be added in base currency, its limit or None, and what is answered.

    Raises:
        InvalidParameters: with all that is wrong; only a limit order must name its `rate`.
    """
    found = Findings()
    shape = found.shape(schemas.FUNDS, parameters)
    if not shape.get("is_market", True):
        shape |= found.shape(schemas.FUNDS_LIMIT, parameters)
    found.refuse()
    return shape["quantity"], shape.get("rate"), shape["response_type"]


def step_in(parameters: Parameters) -> AggregateId:
    """Return the step that is meant.

    Raises:
        InvalidParameters: none is named.
    """
    found = Findings()
    shape = found.shape(schemas.ONE_STEP, parameters)
    found.refuse()
    return AggregateId(shape["step_id"])


# How a trade enters


def _entry(parameters: Parameters, found: Findings, *, may_trail: bool) -> EntryRule:
    shape = found.shape(schemas.ENTERED, parameters)
    method: EntryMethod = shape.get("buy_method", EntryMethod.MARKET)
    trailing = _trailing(method, parameters, found) if may_trail else None
    limit = None
    if method is EntryMethod.CONDITIONAL:
        limit = found.shape(schemas.CONDITIONAL, parameters).get("conditional_limit_price")
        if limit is not None and trailing is not None:
            found.add("conditional_limit_price", findings.INVALID)
    if method is EntryMethod.MARKET:
        shown = found.shape(schemas.INFORMED, parameters).get("buy_price")
        price = shown if shown is not None and shown > 0 else None
    else:
        price = found.shape(schemas.PRICED, parameters).get("buy_price")
    if trailing is not None:
        method = EntryMethod.CONDITIONAL  # if it could not be read: no other one trails
    return EntryRule(method=method, price=price, limit_price=limit, trailing_percent=trailing)


def _trailing(method: EntryMethod, parameters: Parameters, found: Findings) -> Decimal | None:
    """Return by how much the entry trails, in percent; None if it does not."""
    if not found.shape(schemas.TRAILED, parameters).get("trailing_buy_enabled", False):
        return None
    if method is not EntryMethod.CONDITIONAL and "buy_method" not in found:
        found.add("trailing_buy_enabled", findings.INVALID)
        return None
    percent: Decimal = found.shape(schemas.TRAILING_ENTRY, parameters).get(
        "trailing_buy_step", TRAILING_PERCENT
    )
    return percent


# How a trade is left


def _exits(parameters: Parameters, trade: SmartTrade | None, found: Findings) -> Shape:
    """Return parameter → what it says of the exits, and note what cannot be read.

    What is switched off, or does not apply to the trade as it will be, is not looked at.

    Args:
        parameters: of the request.
        trade: as it is; None of a new one.
        found: takes the messages.
    """
    read: Shape = {"take_profit_enabled": False, "stop_loss_enabled": False}
    read |= found.shape(schemas.SWITCHES, parameters)
    if read["take_profit_enabled"]:
        read |= _take_profit(parameters, trade, found)
    if read["stop_loss_enabled"]:
        read |= _stop_loss(parameters, trade, found)
    return read


def _unchanged(read: Shape, trade: SmartTrade) -> Shape:
    """Return the parameters with each price that comes back as it is shown as the price that it is.

    Nothing else is the same, however close: a caller that sends another figure means it.
    """
    exact, kept = shown_prices(trade), dict(read)
    for name in exact.keys() & read.keys():
        if _is_shown(trade, exact[name], read[name]):
            kept[name] = None if name in _DERIVED else exact[name]
    if kept.get(STEPS):
        kept[STEPS] = tuple(_unchanged_step(one, trade) for one in kept[STEPS])
    return kept


def _unchanged_step(planned_step: PlannedStep, trade: SmartTrade) -> PlannedStep:
    condition = planned_step.condition
    for step in trade.steps_of(StepKind.TAKE_PROFIT):
        if step.position == planned_step.position and _is_shown(trade, step.price, condition.price):
            return replace(planned_step, condition=replace(condition, price=step.price))
    return planned_step


def _is_shown(trade: SmartTrade, price: Decimal | None, given: Decimal | None) -> bool:
    """Tell whether a figure has the very digits that a price is shown with."""
    return price is not None and given is not None and plain(given) == price_text(trade, price)


def _update_of(read: Shape) -> TradeUpdate:
    """Return what was read of the parameters in our terms."""
    # Any, since the schemas have checked the types.
    wanted: Shape = {one.name: read.get(parameter_of(one.name)) for one in fields(TradeUpdate)}
    return TradeUpdate(**wanted)


def _note_refused(plan: Plan, found: Findings) -> None:
    """Note what the trade refuses; that something may not change any more comes after all else."""
    is_summed = found.keys().isdisjoint(_SHARES)
    for field, complaints in plan.refused.items():
        name = parameter_of(field)
        if name == STEPS and not is_summed:
            continue
        if name.partition("]")[0] + "]" in found:
            continue  # a step that cannot be read says nothing either
        for one in complaints:
            if one.flaw is not Flaw.FIXED:
                found.add(name, words_for(one))


def _take_profit(parameters: Parameters, trade: SmartTrade | None, found: Findings) -> Shape:
    known = trade and trade.take_profit
    read = found.shape(schemas.TAKE_PROFIT, parameters)
    kind = read.get("take_profit_type", known and known.type)
    order_type = read.get("take_profit_sell_method", known and known.order_type)
    if kind is TakeProfitType.CLASSIC:
        read |= found.shape(schemas.CLASSIC_TAKE_PROFIT, parameters)
        if order_type is OrderType.LIMIT:
            read |= found.shape(schemas.LIMIT_TAKE_PROFIT, parameters)
    if kind is TakeProfitType.STEP_SELL and STEPS in parameters:
        step = schemas.STEP if trade is None else schemas.NUMBERED_STEP
        read[STEPS] = _steps(parameters[STEPS], step, found)
    if read.get("trailing_take_profit", known and known.trailing_percent):
        read |= found.shape(schemas.TRAILING_TAKE_PROFIT, parameters)
    return read


def _stop_loss(parameters: Parameters, trade: SmartTrade | None, found: Findings) -> Shape:
    known = trade and trade.stop_loss
    read = found.shape(schemas.STOP_LOSS, parameters)
    if read.get("stop_loss_sell_method", known and known.order_type) is OrderType.LIMIT:
        read |= found.shape(schemas.LIMIT_STOP_LOSS, parameters)
    if read.get("stop_loss_timeout_enabled", known and known.timeout_seconds):
        read |= found.shape(schemas.STOP_LOSS_TIMEOUT, parameters)
    return read


def _steps(value: object, schema: Schema, found: Findings) -> tuple[PlannedStep, ...]:
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


def _step(row: object, name: str, schema: Schema, found: Findings) -> PlannedStep:
    shape: Shape = {}
    if isinstance(row, Mapping):
        shape = found.shape(schema, present(row), name)
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
