"""A command becomes a smart trade, with its first order if it has one at once."""

from dataclasses import replace

from app.domain.account import Account
from app.domain.decision import Decision
from app.domain.enums import Flaw, Market, Side
from app.domain.errors import Complaint, SymbolUnknown, TermsRefused, VenueUnavailable
from app.domain.identifiers import base_of
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.smart_trade.enums import EntryMethod, TradeType
from app.domain.smart_trade.opening import opened
from app.domain.smart_trade.spec import NewTrade
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.ports.ledger import Change
from app.services.intake.accept import accept
from app.services.intake.orders import instrument_of
from app.services.learn import known_view, newest_quote
from app.services.limits import refuse_by_limits, refuse_lasting
from app.services.repeats import first_of
from app.services.smart_trades.acting import (
    entry_of,
    find_trade,
    refuse_entry,
    refuse_figures,
)

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
        LimitExceeded: the limits of the account deny its entry.
        VenueUnavailable: its rules, or the price that a conditional entry needs, are not known yet.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is stored.
    """
    first = first_of(sender, ports)
    if first is not None:
        return find_trade(first, ports)  # however funds and prices have moved since
    if sender.account.market is not Market.SPOT:
        raise TermsRefused({"symbol": [Complaint(Flaw.NOT_TRADED)]})
    try:
        instrument = instrument_of(command.symbol, sender.account, ports)
    except SymbolUnknown as error:
        raise TermsRefused({"symbol": [Complaint(Flaw.NOT_TRADED)]}) from error
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
    if entry is not None and entry.method is not EntryMethod.CONDITIONAL:
        price, side = entry.price if limit else None, command.type.entry_side
        refuse_entry(command.quantity, price, side, instrument, sender.account, ports)
    elif command.type.entry_side is Side.SELL or command.type is TradeType.SMART_SALE:
        command = replace(command, note=_with_what_is_there(command, sender.account, ports))
    own, *rest = ports.ids.latest(sender.account.id, IDS_PER_TRADE)
    # Without a price nobody knows from which side it comes to the trigger of the entry; one that
    # trails waits for the favorable side.
    quote = None
    if entry is not None and entry.method is EntryMethod.CONDITIONAL and not entry.trailing_percent:
        quote = newest_quote(command.symbol, sender.account, ports)
    decision = opened(own.id, command, sender, (instrument, quote), rest)
    _refuse_by_limits(decision, sender.account, ports)
    children = [Change(None, child) for child in decision.children]
    accepted = accept(decision.aggregate, sender, ports, children, decision.entries)
    return find_trade(accepted.id, ports) if accepted.is_duplicate else decision.aggregate


def _refuse_by_limits(decision: Decision[SmartTrade], account: Account, ports: Ports) -> None:
    """Refuse a trade whose entry the limits deny now, or, if it waits, whenever it comes."""
    for child in decision.children:
        if isinstance(child, Order):
            refuse_by_limits(child, account, ports)
    trade = decision.aggregate
    entry = trade.entry
    if entry is not None and entry.method is EntryMethod.CONDITIONAL:
        price = entry.limit_price or entry.price
        refuse_lasting(lambda: entry_of(trade, trade.asked_quantity, price), account, ports)


def _with_what_is_there(command: NewTrade, account: Account, ports: Ports) -> str | None:
    """Return the note of a trade that sells coins later; if they are not there yet, it says so."""
    coins = base_of(command.symbol)
    try:
        there = known_view(account, ports).available(coins)
    except VenueUnavailable:
        return command.note
    if there >= command.quantity:
        return command.note
    return "; ".join(filter(None, (command.note, f"{there:f} {coins} is there so far")))
