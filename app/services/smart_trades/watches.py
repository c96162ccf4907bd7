"""What a smart trade owes the trigger book and its orders, and what it is told of them."""

from app.domain.enums import ReasonCode
from app.domain.identifiers import EpochMs
from app.domain.moments import age_ms
from app.domain.reason import Reason
from app.domain.smart_trade.draft import IDS_PER_EVENT
from app.domain.smart_trade.events import TimeOver, WatchesBooked
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.watching import trigger_of
from app.ports import Ports
from app.services.advance import advance
from app.services.apart import apart
from app.services.placing.cancel import request_cancel

#: At the end of a stop-loss timeout an older price is none (3Commas spec, 5.4).
QUOTE_AGE_MAX_MS = 30_000


def book_watches(trade: SmartTrade, ports: Ports) -> None:
    """Let the trigger book hold what the trade waits for, and nothing else of it.

    Disarming comes first, so that of two stops of one trade never both are held. What a process
    arms too late, because it did not know better, is taken out again when it says so.
    """
    unwanted = [one for one in trade.watches if not one.is_wanted]
    for watch in unwanted:
        ports.book.disarm(trigger_of(trade, watch))
    missing = [one for one in trade.watches if one.is_wanted and not one.is_held]
    for watch in missing:
        trigger = trigger_of(trade, watch)
        feed = ports.venues.feed(trade.venue)
        # What trails follows the newest price at once; a fixed level waits for the next tick.
        ports.book.arm(trigger, None if trigger.trail is None else feed.newest(trade.symbol))
    event = WatchesBooked(
        at_ms=ports.clock.now_ms(),
        armed=tuple(missing),
        disarmed=frozenset(one.name for one in unwanted),
    )
    advance(trade.id, event, ports)


def withdraw_orders(trade: SmartTrade, ports: Ports) -> None:
    """Ask the orders that a trade wants gone to go; those that are gone do not mind."""
    reason = trade.reason if trade.is_final else None
    reason = reason or Reason(ReasonCode.REQUESTED, f"withdrawn by smart trade {trade.id}")
    for order in trade.orders:
        if order.withdrawn and order.is_live:
            with apart("cancels", order.id):
                request_cancel(order.id, reason, ports)


def end_wait(trade: SmartTrade, now_ms: EpochMs, ports: Ports) -> bool:
    """Tell a trade that what it waits for may be over; return whether that changed it."""
    tick = ports.venues.feed(trade.venue).newest(trade.symbol)
    is_fresh = tick is not None and age_ms(tick.at_ms, now_ms) < QUOTE_AGE_MAX_MS
    event = TimeOver(
        at_ms=now_ms,
        quote=tick.quotes.get(trade.symbol) if tick is not None and is_fresh else None,
        new_ids=ports.ids.fresh(trade.account, IDS_PER_EVENT),
    )
    return advance(trade.id, event, ports).ignored is None
