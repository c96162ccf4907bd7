"""From the parameters of an update to what changes (SmartTrades Api, "Edit SmartTrade").

What is not named stays. The trade judges the update here, and again at the moment of the change.
"""

from collections.abc import Mapping

from app.dialects.three_commas import schemas
from app.dialects.three_commas.errors import Findings
from app.dialects.three_commas.exiting import exits_in, note_refused, update_of
from app.domain.smart_trade.replanning import planned
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.trade import SmartTrade


def update_from(parameters: Mapping[str, object], trade: SmartTrade) -> TradeUpdate:
    """Return what is to change of a trade.

    Raises:
        InvalidParameters: with all that is wrong.
    """
    found = Findings()
    read = exits_in(parameters, trade.take_profit, trade.stop_loss, schemas.NUMBERED_STEP, found)
    for schema in (schemas.REENTERED, schemas.BASIS, schemas.NOTED):
        read |= found.shape(schema, parameters)
    update = update_of(read)
    note_refused(planned(trade, update, None), found)
    found.refuse()
    return update
