"""A new smart trade is taken in."""

from dataclasses import dataclass

from app.domain.account import Account
from app.domain.decision import Decision, EntryName, TimelineEntry
from app.domain.enums import Dialect, Flaw, Market
from app.domain.errors import Complaint, TermsRefused
from app.domain.identifiers import EpochMs
from app.domain.instrument import Instrument
from app.domain.smart_trade.enums import EntryMethod
from app.domain.smart_trade.opening import OpeningContext, opened
from app.domain.smart_trade.spec import NewTrade
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.ports.ledger import Admission, Change
from app.services.smart_trades.acting import find_trade
from app.services.smart_trades.rules import refuse_figures

#: The trade, up to six steps, and an order.
IDS_PER_TRADE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSender:
    """Who opens a trade, and with which account.

    Attributes:
        origin: what a "cancel many" of its dialect reaches.
        entry_lateness_ms: an entry order later than this is not sent; 0 is never too late.
    """

    dialect: Dialect
    origin: str
    account: Account
    entry_lateness_ms: int = 60_000


def open_trade(
    command: NewTrade,
    sender: TradeSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> SmartTrade:
    """Store the trade and its first order in one commit, then hurry it along.

    The command is one that the dialect has checked by itself: types, signs, what is mandatory.

    Returns:
        The trade as it was stored, or the one that this request repeats, by its dedupe key.

    Raises:
        RuleBroken: the market's rules do not allow the figures; `fields` by the names of NewTrade.
        TermsRefused: `symbol` is not traded by the account.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is stored.
    """
    decision = _decided(command, sender, received_at_ms, ports)
    now = ports.clock.now_ms()
    received = (
        TimelineEntry(EntryName.RECEIVED, received_at_ms),
        TimelineEntry(EntryName.VALIDATED, now),
        TimelineEntry(EntryName.QUEUED, now),
    )
    trade = decision.aggregate
    changes = [Change(None, trade, (*received, *decision.entries))]
    changes += [Change(None, child) for child in decision.children]
    repeated = ports.ledger.admit(changes, admission)
    if repeated is not None:
        return find_trade(repeated, ports)
    owed = [effect for change in changes for effect in change.after.owed()]
    ports.publisher.publish(owed)
    return trade


def _decided(
    command: NewTrade, sender: TradeSender, received_at_ms: EpochMs, ports: Ports
) -> Decision[SmartTrade]:
    venue = ports.venues.of(sender.account)
    instrument = venue.instrument(command.symbol)
    if instrument is None or sender.account.market is not Market.SPOT:
        raise TermsRefused({"symbol": [Complaint(Flaw.NOT_TRADED)]})
    _refuse(command, instrument)
    own, *rest = ports.ids.latest(sender.account.id, IDS_PER_TRADE)
    setting = OpeningContext(
        dialect=sender.dialect,
        origin=sender.origin,
        account=sender.account,
        instrument=instrument,
        quote=venue.quote(command.symbol),
        at_ms=received_at_ms,
        entry_lateness_ms=sender.entry_lateness_ms,
    )
    return opened(own.id, command, setting, rest)


def _refuse(command: NewTrade, instrument: Instrument) -> None:
    """Refuse figures that are off the market's steps: they are never rounded silently (spec 2).

    Raises:
        RuleBroken: some are.
    """
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
