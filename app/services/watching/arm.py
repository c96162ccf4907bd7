"""The trigger book holds the trigger of a smart order, or holds it no more."""

from collections import deque

from app.domain.account import Account
from app.domain.enums import Listing, ReasonCode
from app.domain.events import TriggerArmed, TriggerDisarmed, TriggerRefused
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder
from app.ports import Ports
from app.services.advance import advance
from app.services.placing.cancel import request_cancel
from app.services.watching.watch import hand_on


def arm(smart_order: SmartOrder, ports: Ports) -> None:
    """Hold the trigger, unless the position that it was to guard is gone already.

    That it was flat stays true of the position that was meant, however late the answer comes: one
    that was opened since has a guard of its own. A venue that may show a position late is not
    asked: who looks after guarded positions finds it gone, if it is.
    """
    account = ports.accounts.account(smart_order.account)
    tells_at_once = not ports.policy.shown_late_ms(account)
    if smart_order.reduce_only and tells_at_once and _is_flat(smart_order, account, ports):
        reason = Reason(ReasonCode.POSITION_CLOSED, "the position was closed before it was armed")
        request_cancel(smart_order.id, reason, ports)
        return
    # What is halted just now is armed all the same, and so is a guard: its position is there.
    is_optional = not smart_order.is_guard
    if is_optional and ports.venues.of(account).listing(smart_order.symbol) is Listing.GONE:
        reason = Reason(ReasonCode.UNKNOWN_INSTRUMENT, f"{smart_order.symbol} is not traded here")
        refused = TriggerRefused(at_ms=ports.clock.now_ms(), reason=reason)
        advance(smart_order.id, refused, ports)
        return
    trigger = smart_order.trigger
    seen = None
    if trigger.looks_now:
        seen = ports.venues.feed(trigger.venue).newest(trigger.symbol)
    has_fired = ports.book.arm(trigger, seen)
    advance(smart_order.id, TriggerArmed(at_ms=ports.clock.now_ms()), ports)
    if has_fired:
        own = [one for one in ports.book.fired(trigger.venue) if one.owner == smart_order.id]
        hand_on(trigger.venue, deque(own), ports)


def disarm(smart_order: SmartOrder, ports: Ports) -> None:
    """Hold the trigger no more; one that is not held is no error."""
    ports.book.disarm(smart_order.trigger)
    advance(smart_order.id, TriggerDisarmed(at_ms=ports.clock.now_ms()), ports)


def _is_flat(smart_order: SmartOrder, account: Account, ports: Ports) -> bool:
    leg = smart_order.position_side
    if leg is None:
        return False
    view = ports.venues.of(account).view()
    return view.position(smart_order.symbol, leg).size == 0
