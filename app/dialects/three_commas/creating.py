"""From the parameters of a create call to a new trade (SmartTrades Api)."""

from collections.abc import Callable, Mapping

from app.dialects.three_commas import schemas
from app.dialects.three_commas.entering import Call, opening_from
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.exiting import NO_EXITS, Entered, exits_from
from app.domain.identifiers import AccountId, Symbol
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
    opening = opening_from(call, parameters, is_traded, found)
    exits = NO_EXITS
    if call.has_exits:
        entered = Entered(opening.type.entry_side, by_percentage=opening.is_trailing)
        exits = exits_from(parameters, entered, found)
    note = found.shape(schemas.NOTED, parameters).get("note")
    found.refuse()
    return NewTrade(
        type=opening.type,
        symbol=opening.symbol,
        quantity=opening.quantity,
        entry=opening.entry,
        basis_price=opening.basis_price,
        take_profit=exits.take_profit,
        take_profit_steps=exits.steps,
        stop_loss=exits.stop_loss,
        stop_loss_condition=exits.stop_condition,
        note=note,
    )
