"""What may happen to a smart order, and what becomes of it then."""

from dataclasses import replace
from decimal import Decimal

from app.domain.decision import Decision, EntryName, Rules, TimelineEntry, ignored
from app.domain.enums import ReasonCode, Side
from app.domain.events import (
    CancelRequested,
    OrderUpdated,
    PairBack,
    PairGone,
    PauseOver,
    SmartOrderUpdated,
    TimerDue,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
    TriggerRefused,
)
from app.domain.exits import (
    finds_nothing,
    heard,
    is_failing,
    may_go_on,
    misses_after,
    pause_ms,
    total,
    was_taken_off,
)
from app.domain.identifiers import EpochMs
from app.domain.instrument import on_tick
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.smart_order_placing import left_of, order_of, own_limit, resting
from app.domain.status import CLOSED, OPEN, OrderStatus

#: What the timeline calls another try.
_AGAIN = EntryName.DEFERRED


def _armed(smart: SmartOrder, event: TriggerArmed) -> Decision[SmartOrder]:
    if smart.armed:
        return ignored(smart, "it is armed already")
    # Armed by a worker that did not know that it has ended. Noted all the same: only then does it
    # owe DISARM, which takes it out of the book again.
    if not smart.is_waiting:
        return Decision(replace(smart, armed=True))
    armed = replace(smart, armed=True)
    return Decision(armed, entries=(TimelineEntry(EntryName.ARMED, event.at_ms),))


def _disarmed(smart: SmartOrder, _event: TriggerDisarmed) -> Decision[SmartOrder]:
    return Decision(replace(smart, armed=False))


def _fired(smart: SmartOrder, event: TriggerFired) -> Decision[SmartOrder]:
    # A cancel or an expiry was committed first, though the book had not heard of it yet.
    if not smart.is_waiting:
        return ignored(smart, f"its price came when it was {smart.status}")
    fired = replace(
        smart, status=SmartOrderStatus.TRIGGERED, armed=False, updated_at_ms=event.at_ms
    )
    limit = _limit_at(smart, event.prices.get(smart.trigger.slot))
    if isinstance(limit, Reason):
        return _failed(fired, limit, event.at_ms)
    return _placing(fired, event, limit, EntryName.TRIGGERED)


def _limit_at(smart: SmartOrder, price: Decimal | None) -> Decimal | Reason | None:
    """Return the limit of the order it places, for the price of the firing tick, or why not.

    Source: Poloniex documentation, "Create Smart Order" (limitOffset).
    """
    if not smart.type.is_limit:
        return None
    if smart.limit_offset is None or not smart.type.is_trailing:
        return smart.price
    if price is None:
        return Reason(ReasonCode.NO_PRICE, "the price at which it was triggered is not known")
    away = smart.limit_offset.below if smart.side is Side.SELL else smart.limit_offset.above
    # Rounding a buy in favor of the caller may bring a small limit down to nothing.
    limit = on_tick(away(price), smart.trigger.price_step, smart.side)
    if limit <= 0:
        return Reason(
            ReasonCode.LIMIT_NOT_ABOVE_ZERO, f"{smart.limit_offset} from {price:f} is {limit:f}"
        )
    return limit


def _timer_due(smart: SmartOrder, event: TimerDue) -> Decision[SmartOrder]:
    if smart.expires_at_ms is None or event.at_ms < smart.expires_at_ms:
        return ignored(smart, f"its timer came early, it waits until {smart.expires_at_ms}")
    waited = event.at_ms - smart.created_at_ms
    reason = Reason(ReasonCode.TOO_OLD, f"its price did not come within {waited} ms")
    if smart.is_resting:
        return _taking_off(smart, CancelRequested(at_ms=event.at_ms, reason=reason))
    return _given_up(smart, SmartOrderStatus.EXPIRED, event.at_ms, reason)


def _gone_on(smart: SmartOrder, event: PauseOver) -> Decision[SmartOrder]:
    """Send the next order."""
    if smart.goes_on_at_ms is None:
        return ignored(smart, f"the end of a pause found it {smart.status}")
    return _placing(replace(smart, goes_on_at_ms=None), event, own_limit(smart), _AGAIN)


def _refused(smart: SmartOrder, event: TriggerRefused) -> Decision[SmartOrder]:
    return _given_up(smart, SmartOrderStatus.REJECTED, event.at_ms, event.reason)


def _pair_gone(smart: SmartOrder, event: PairGone) -> Decision[SmartOrder]:
    """End the waiting for a price that cannot come; a guard stays, and says so once."""
    alert = TimelineEntry(EntryName.ALERT, event.at_ms, event.reason)
    if not smart.is_guard:
        over = _given_up(smart, SmartOrderStatus.EXPIRED, event.at_ms, event.reason)
        is_stop = over.ignored is None and smart.side is Side.SELL  # on coins, as likely as not
        return replace(over, entries=(alert, *over.entries)) if is_stop else over
    # The venue settles its position, which may take a while, or lists the pair again.
    if not smart.is_waiting or _is_gone(smart):
        return ignored(smart, f"the end of its pair found it {smart.status}")
    told = replace(smart, reason=event.reason, updated_at_ms=event.at_ms)
    return Decision(told, entries=(alert,))


def _pair_back(smart: SmartOrder, event: PairBack) -> Decision[SmartOrder]:
    if not smart.is_waiting or not _is_gone(smart):
        return ignored(smart, "it does not know that its pair was gone")
    return Decision(replace(smart, reason=None, updated_at_ms=event.at_ms))


def _is_gone(smart: SmartOrder) -> bool:
    return smart.reason is not None and smart.reason.code is ReasonCode.DELISTED


def _canceled(smart: SmartOrder, event: CancelRequested) -> Decision[SmartOrder]:
    if smart.goes_on_at_ms is not None:  # nothing of it is at the venue
        return _let_go(smart, event.at_ms, event.reason)
    # Its order is asked to go as well, but may have ended, of which it has not heard yet.
    if smart.is_guard and smart.is_live and not (smart.is_waiting or smart.cancel_requested):
        entry = TimelineEntry(EntryName.CANCEL_REQUESTED, event.at_ms, event.reason)
        going = replace(smart, cancel_requested=True, updated_at_ms=event.at_ms)
        return Decision(going, entries=(entry,))
    if smart.is_resting and not smart.is_guard:
        return _taking_off(smart, event)
    return _given_up(smart, SmartOrderStatus.CANCELED, event.at_ms, event.reason)


def _taking_off(smart: SmartOrder, event: CancelRequested) -> Decision[SmartOrder]:
    """Have the venue take it off: it ends with what that says of its order, and not before."""
    if smart.status is SmartOrderStatus.PENDING_CANCEL:
        return ignored(smart, "it is being taken off already")
    going = replace(
        smart,
        status=SmartOrderStatus.PENDING_CANCEL,
        reason=event.reason,
        replaced_by=event.replaced_by,
        updated_at_ms=event.at_ms,
    )
    entry = TimelineEntry(EntryName.CANCEL_REQUESTED, event.at_ms, event.reason)
    return Decision(going, entries=(entry,))


def _succeeding(smart: SmartOrder, event: SmartOrderUpdated) -> Decision[SmartOrder]:
    """Take the place of the one that has ended, or come to nothing with it."""
    old = event.smart_order
    if not smart.is_held or smart.succeeds != old.id or old.is_live:
        return ignored(smart, f"news of smart order {old.id} found it {smart.status}")
    if old.status is not SmartOrderStatus.CANCELED and not smart.proceeds:
        reason = Reason(ReasonCode.NOT_REPLACED, f"smart order {old.id} is {old.status}")
        return _given_up(smart, SmartOrderStatus.REJECTED, event.at_ms, reason)
    free = replace(smart, succeeds=None, updated_at_ms=event.at_ms)
    begun = (TimelineEntry(EntryName.DUE, event.at_ms),)
    if not free.at_venue:
        return Decision(free, entries=begun)
    held, order = resting(free, event.new_ids[0], event.at_ms)
    return Decision(held, (order,), begun)


def _given_up(
    smart: SmartOrder, status: SmartOrderStatus, at_ms: EpochMs, reason: Reason
) -> Decision[SmartOrder]:
    """End the waiting. Of this and the price exactly one comes first, and the other is late."""
    if not (smart.is_waiting or smart.is_held):
        return ignored(smart, f"what should make it {status} found it {smart.status}")
    ended = replace(
        smart,
        status=status,
        reason=reason,
        armed=True,  # somebody may be arming it, or may have died right after
        updated_at_ms=at_ms,
    )
    return Decision(ended, entries=_ended(EntryName(status.value.lower()), at_ms, reason))


def _failed(smart: SmartOrder, reason: Reason | None, at_ms: EpochMs) -> Decision[SmartOrder]:
    failed = replace(smart, status=SmartOrderStatus.FAILED, reason=reason, updated_at_ms=at_ms)
    entries = _ended(EntryName.ALERT if smart.reduce_only else EntryName.FAILED, at_ms, reason)
    if smart.side is Side.SELL and not smart.reduce_only:  # a stop on coins, as likely as not
        entries = (TimelineEntry(EntryName.ALERT, at_ms, reason), *entries)
    return Decision(failed, entries=entries)


def _order_updated(smart: SmartOrder, event: OrderUpdated) -> Decision[SmartOrder]:
    order = event.order
    if order.id != smart.order_id and not (smart.has_several and order.parent_id == smart.id):
        return ignored(smart, f"order {order.id} is not its own")
    if smart.order_id is None and order.filled_quantity and not smart.is_guard:
        smart = replace(smart, order_id=order.id)  # the venue had it after all
    told = _heard(smart, order)
    if told.status is not smart.status:
        begun = (TimelineEntry(EntryName.TRIGGERED, event.at_ms),)
        decision = _order_updated(replace(smart, status=told.status), event)
        return replace(decision, entries=begun + decision.entries)
    may_end = smart.is_resting or smart.status is SmartOrderStatus.TRIGGERED
    is_end = order.id == smart.order_id and order.is_closed and smart.order_status not in CLOSED
    if not (is_end and may_end):
        return _told_more(smart, told, event.at_ms)
    if smart.is_guard:
        return _guard_ended(told, order, event)
    return _own_order_ended(smart, told, order, event.at_ms)


def _own_order_ended(
    smart: SmartOrder, told: SmartOrder, order: Order, at_ms: EpochMs
) -> Decision[SmartOrder]:
    """End what a caller has asked for with the one order that it may have."""
    # A part that has filled has traded: it is not placed again, and its caller id stays taken.
    if order.filled_quantity > 0:
        left = (TimelineEntry(EntryName.ALERT, at_ms, order.reason),)
        entries = _ended(EntryName.FILLED, at_ms, None)
        # Nothing is sent for the rest, as its document has it: a person is to see that.
        is_short = order.status is not OrderStatus.FILLED and may_go_on(order)
        return Decision(told, entries=left + entries if is_short else entries)
    if smart.is_resting:
        return _ended_at_rest(told, order, at_ms)
    return _order_failed(told, order, at_ms, was_opened=smart.order_status in OPEN)


def _ended_at_rest(smart: SmartOrder, order: Order, at_ms: EpochMs) -> Decision[SmartOrder]:
    """End what a caller has asked for with the order that rested at the venue, and filled nothing.

    What the venue did not take, or let go by itself, waits here instead, unless it is not wanted.
    """
    was_refused = order.status in {OrderStatus.REJECTED, OrderStatus.DENIED}
    if was_refused and order.venue_order_id is not None:  # at its price, as for want of coins
        return _failed(smart, order.reason, at_ms)
    alert = TimelineEntry(EntryName.ALERT, at_ms, order.reason)
    if order.reason is not None and order.reason.code is ReasonCode.TIME_IN_FORCE:
        # Its price came, and there was nothing in the book.
        fired = replace(
            smart, status=SmartOrderStatus.TRIGGERED, reason=order.reason, updated_at_ms=at_ms
        )
        return Decision(fired, entries=(alert, *_ended(EntryName.TRIGGERED, at_ms, None)))
    is_wanted = smart.status is SmartOrderStatus.PENDING_NEW and may_go_on(order)
    if is_wanted and order.status is not OrderStatus.CANCELED:
        return _fallen_back(smart, order.reason, at_ms)
    reason = order.reason if smart.status is SmartOrderStatus.PENDING_NEW else smart.reason
    is_old = reason is not None and reason.code is ReasonCode.TOO_OLD
    status = SmartOrderStatus.EXPIRED if is_old else SmartOrderStatus.CANCELED
    over = replace(smart, status=status, reason=reason, updated_at_ms=at_ms)
    entries = _ended(EntryName(status.value.lower()), at_ms, reason)
    return Decision(over, entries=(alert, *entries) if is_wanted else entries)


def _told_more(before: SmartOrder, told: SmartOrder, at_ms: EpochMs) -> Decision[SmartOrder]:
    """Take in a fill or a fee, perhaps of an order that has ended; that may have been the rest."""
    rests_again = told.is_resting and told.order_status in OPEN and before.order_status not in OPEN
    if rests_again and told.taken_off:  # the position is there: who has taken the first one off?
        return Decision(told, entries=(TimelineEntry(EntryName.ALERT, at_ms, told.reason),))
    was_to_go_on = told.is_waiting or told.goes_on_at_ms is not None
    if was_to_go_on and told.has_several and left_of(told) <= 0:
        return _filled(told, at_ms)
    return Decision(told, entries=() if told.is_guard else _told_at_rest(before, told, at_ms))


def _told_at_rest(
    before: SmartOrder, told: SmartOrder, at_ms: EpochMs
) -> tuple[TimelineEntry, ...]:
    """Tell that the venue waits for its price now, or that it has sold what was off already."""
    if told.rests and not before.rests and told.status is SmartOrderStatus.PENDING_NEW:
        return (TimelineEntry(EntryName.ARMED, at_ms),)
    has_grown = told.filled_quantity > before.filled_quantity
    if has_grown and told.status is not SmartOrderStatus.TRIGGERED:
        return (TimelineEntry(EntryName.LATE_FILL, at_ms), TimelineEntry(EntryName.ALERT, at_ms))
    return ()


def _filled(smart: SmartOrder, at_ms: EpochMs) -> Decision[SmartOrder]:
    whole = replace(
        smart,
        status=SmartOrderStatus.TRIGGERED,
        order_status=OrderStatus.FILLED,
        goes_on_at_ms=None,
        reason=None,
        updated_at_ms=at_ms,
    )
    return Decision(whole, entries=_ended(EntryName.FILLED, at_ms, None))


def _heard(smart: SmartOrder, order: Order) -> SmartOrder:
    status = order.status if order.id == smart.order_id else smart.order_status
    if not smart.has_several:
        return replace(
            smart,
            order_status=status,
            filled_quantity=order.filled_quantity,
            average_price=order.average_price,
        )
    known = heard(smart.filled_by, order)
    filled = total(known, smart.market)
    # That its price has come, the venue says by a fill. A guard that has fallen back goes on.
    may_fire = smart.is_resting if smart.is_guard else smart.is_pending
    return replace(
        smart,
        status=SmartOrderStatus.TRIGGERED if filled.quantity and may_fire else smart.status,
        order_status=status,
        filled_by=known,
        filled_quantity=filled.quantity,
        average_price=filled.average_price,
    )


def _order_failed(
    smart: SmartOrder, order: Order, at_ms: EpochMs, *, was_opened: bool
) -> Decision[SmartOrder]:
    """End with the order: as failed if it was refused, and was not open at the venue before."""
    refused = order.status in {OrderStatus.REJECTED, OrderStatus.DENIED}
    if not refused or was_opened:
        closed = TimelineEntry(EntryName.CLOSED, at_ms, order.reason)
        return Decision(replace(smart, reason=order.reason), entries=(closed,))
    # One that was refused is its caller's to repeat.
    return _failed(smart, order.reason, at_ms)


def _guard_ended(smart: SmartOrder, order: Order, event: OrderUpdated) -> Decision[SmartOrder]:
    """End when there is nothing left to guard; else go on, for as long as it takes."""
    if left_of(smart) <= 0:
        return _filled(smart, event.at_ms)
    if smart.cancel_requested or not may_go_on(order) or _is_flat(smart, order):
        return _let_go(smart, event.at_ms, order.reason)
    if smart.is_resting and was_taken_off(order):
        return _taken_off(smart, order, event.at_ms)
    if smart.is_resting and smart.falls_back and not _went_with_position(order):
        return _fallen_back(smart, order.reason, event.at_ms)
    misses = misses_after(smart.misses, order)
    going = replace(smart, misses=misses, reason=order.reason, updated_at_ms=event.at_ms)
    pause = pause_ms(misses, order)
    if not pause:
        return _placing(going, event, own_limit(smart), _AGAIN)
    waits = replace(going, goes_on_at_ms=EpochMs(event.at_ms + pause))
    # A person is told once in a row of failures, and the tries go on.
    is_news = is_failing(misses, order.reason) and not is_failing(smart.misses, smart.reason)
    is_news = is_news and not (smart.is_resting and finds_nothing(order))
    name = EntryName.ALERT if is_news else _AGAIN
    return Decision(waits, entries=(TimelineEntry(name, event.at_ms, order.reason),))


def _taken_off(smart: SmartOrder, order: Order, at_ms: EpochMs) -> Decision[SmartOrder]:
    """Place what somebody has taken off at the venue once more; the second time call a person."""
    told = replace(smart, taken_off=smart.taken_off + 1)
    if smart.taken_off and smart.falls_back:
        return _fallen_back(told, order.reason, at_ms)
    if smart.taken_off:
        alert = TimelineEntry(EntryName.ALERT, at_ms, order.reason)
        over = _let_go(told, at_ms, order.reason)
        return replace(over, entries=(alert, *over.entries))
    again_ms = EpochMs(at_ms + pause_ms(0, order))
    waits = replace(told, goes_on_at_ms=again_ms, reason=order.reason, updated_at_ms=at_ms)
    return Decision(waits, entries=(TimelineEntry(_AGAIN, at_ms, order.reason),))


def _fallen_back(smart: SmartOrder, reason: Reason | None, at_ms: EpochMs) -> Decision[SmartOrder]:
    """Wait here for the price, since the venue does not; it may have come already."""
    here = replace(
        smart, at_venue=False, order_id=None, order_status=None, reason=reason, updated_at_ms=at_ms
    )
    return Decision(here, entries=(TimelineEntry(EntryName.ALERT, at_ms, reason),))


def _went_with_position(order: Order) -> bool:
    """Tell whether it found nothing to close: it is closed, or new and shown late."""
    closed = order.reason is not None and order.reason.code is ReasonCode.POSITION_CLOSED
    return closed or finds_nothing(order)


def _is_flat(smart: SmartOrder, order: Order) -> bool:
    """Tell whether the position is gone: said twice, since a venue may show a new one late.

    Or it was closed by this very order: what is there later is another position. Or others have
    closed what this one guards of it.
    """
    is_closed = order.reason is not None and order.reason.code is ReasonCode.SIBLING_FILLED
    if is_closed or order.position_after == 0:
        return True
    if smart.is_resting:  # whoever has it looks at the position, and lets it go
        return False
    said_before = smart.reason is not None and smart.reason.code is ReasonCode.NO_POSITION
    return finds_nothing(order) and (said_before or smart.filled_quantity > 0)


def _let_go(smart: SmartOrder, at_ms: EpochMs, reason: Reason | None) -> Decision[SmartOrder]:
    """End with what it has filled so far, which may be nothing."""
    status = SmartOrderStatus.CANCELED if smart.is_resting else smart.status
    after = replace(smart, status=status, goes_on_at_ms=None, reason=reason, updated_at_ms=at_ms)
    entries = [TimelineEntry(EntryName.CLOSED, at_ms, reason)]
    if smart.filled_quantity:
        entries.insert(0, TimelineEntry(EntryName.FILLED, at_ms))
    return Decision(after, entries=tuple(entries))


def _placing(
    smart: SmartOrder,
    event: TriggerFired | OrderUpdated | PauseOver,
    limit: Decimal | None,
    name: EntryName,
) -> Decision[SmartOrder]:
    """Bring forth the order, with this limit; the timeline gains this entry."""
    tick_at_ms = event.tick_at_ms if isinstance(event, TriggerFired) else None
    order = order_of(smart, event.new_ids[0], event.at_ms, limit, tick_at_ms)
    placing = replace(
        smart, order_id=order.id, order_status=order.status, updated_at_ms=event.at_ms
    )
    return Decision(placing, (order,), (TimelineEntry(name, event.at_ms),))


def _ended(name: EntryName, at_ms: EpochMs, reason: Reason | None) -> tuple[TimelineEntry, ...]:
    return (TimelineEntry(name, at_ms, reason), TimelineEntry(EntryName.CLOSED, at_ms))


RULES: Rules = {
    TriggerArmed: _armed,
    TriggerDisarmed: _disarmed,
    TriggerFired: _fired,
    TriggerRefused: _refused,
    PairGone: _pair_gone,
    PairBack: _pair_back,
    TimerDue: _timer_due,
    PauseOver: _gone_on,
    CancelRequested: _canceled,
    OrderUpdated: _order_updated,
    SmartOrderUpdated: _succeeding,
}
