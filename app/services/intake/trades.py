"""A command becomes a smart trade, with its first order if it has one at once."""

from app.domain.enums import Flaw, Market
from app.domain.errors import Complaint, TermsRefused
from app.domain.sender import Sender
from app.domain.smart_trade.enums import EntryMethod
from app.domain.smart_trade.opening import opened
from app.domain.smart_trade.spec import NewTrade
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.ports.ledger import Change
from app.services.intake.accept import accept
from app.services.smart_trades.acting import find_trade, refuse_figures

#: The trade, up to six steps, and an order.
IDS_PER_TRADE = 8


def open_trade(command: NewTrade, sender: Sender, ports: Ports) -> SmartTrade:
    """Store the trade and its first order in one commit, then hurry it along.

    The command is one that the dialect has checked by itself: types, signs, what is mandatory.

    Returns:
        The trade as it was stored, or the one that this request repeats, by its digest.

    Raises:
        RuleBroken: the market's rules do not allow the figures; `fields` by the names of NewTrade.
        TermsRefused: `symbol` is not traded by the account.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is stored.
    """
    venue = ports.venues.of(sender.account)
    instrument = venue.instrument(command.symbol)
    if instrument is None or sender.account.market is not Market.SPOT:
        raise TermsRefused({"symbol": [Complaint(Flaw.NOT_TRADED)]})
    # Figures off the market's steps are refused, never rounded silently (3Commas spec 2).
    entry, profit, loss = command.entry, command.take_profit, command.stop_loss
    limit = entry is not None and entry.method is EntryMethod.LIMIT
    refuse_figures(
        instrument,
        quantities={"quantity": command.quantity},
        prices={
            "entry.price": entry.price if entry is not None and limit else None,
            "entry.limit_price": None if entry is None else entry.limit_price,
            "take_profit.order_price": None if profit is None else profit.order_price,
            "stop_loss.order_price": None if loss is None else loss.order_price,
        },
    )
    own, *rest = ports.ids.latest(sender.account.id, IDS_PER_TRADE)
    quote = venue.quote(command.symbol)
    decision = opened(own.id, command, sender, (instrument, quote), rest)
    children = [Change(None, child) for child in decision.children]
    accepted = accept(decision.aggregate, sender, ports, children, decision.entries)
    return find_trade(accepted.id, ports) if accepted.is_duplicate else decision.aggregate
