"""From the parameters of a create call to a new trade (SmartTrades Api)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.dialects.three_commas import schemas
from app.dialects.three_commas.entering import Call, opening_from
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.exiting import exits_in, note_refused, update_of
from app.domain.identifiers import AccountId, Symbol
from app.domain.smart_trade.plan import Plan
from app.domain.smart_trade.replanning import planned_exits
from app.domain.smart_trade.spec import NewTrade


def account_in(parameters: Mapping[str, object]) -> AccountId | None:
    """Return the account that the parameters name, or None if they name none that can be read."""
    number = Findings().shape(schemas.OPENED, parameters).get("account_id")
    return None if number is None else AccountId(number)


def trade_from(
    call: Call, parameters: Mapping[str, object], is_traded: Callable[[Symbol], bool] | None
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
    trade = opening_from(call, parameters, is_traded, found)
    note = found.shape(schemas.NOTED, parameters).get("note")
    plan = Plan(trade.entry, trade.basis_price)
    if call.has_exits:
        read = exits_in(parameters, None, None, schemas.STEP, found)
        plan = planned_exits(trade.type, trade.entry, update_of(read))
        note_refused(plan, found)
    found.refuse()
    steps = (replace(one.planned, position=None) for one in plan.profit_steps or ())
    return replace(
        trade,
        take_profit=plan.take_profit,
        take_profit_steps=tuple(steps),
        stop_loss=plan.stop_loss,
        stop_loss_condition=plan.stop_condition,
        note=note,
    )
