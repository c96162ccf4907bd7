"""What may happen to an order, and what becomes of it then."""

from dataclasses import replace

from app.domain.decision import Decision, EntryName, Rules, TimelineEntry, ignored
from app.domain.effects import AT_ONCE
from app.domain.enums import ReasonCode
from app.domain.events import (
    CancelDeferred,
    CancelRequested,
    CheckDeferred,
    ClaimRenewed,
    FillsAwaited,
    LookUpClaimed,
    OrderReported,
    OrderUpdated,
    OutcomeLost,
    OutcomeStated,
    PlacementClaimed,
    PlacementDeferred,
    PlacementDenied,
    ProvenAbsent,
    StillUnknown,
    TurnTaken,
)
from app.domain.identifiers import EpochMs
from app.domain.moments import has_come
from app.domain.order import Order
from app.domain.order_reports import adopted, fills_awaited, told_of_earlier
from app.domain.reason import Reason
from app.domain.status import OrderStatus

#: Sends that certainly did not arrive before the order is given up as a dead letter.
ATTEMPTS_MAX = 5


def _turn_taken(order: Order, event: TurnTaken) -> Decision[Order]:
    # Two workers may take the same turn: the second one finds that it is queued no more.
    if not order.is_queued:
        return ignored(order, f"its turn found the order {order.status}")
    let_go = replace(order, awaits_turn=False, had_turn=True, updated_at_ms=event.at_ms)
    return Decision(let_go)


def _claimed(order: Order, event: PlacementClaimed) -> Decision[Order]:
    if order.status is not OrderStatus.PENDING_NEW or order.awaits_turn or order.is_held:
        return ignored(order, f"a claim found the order {order.status}")
    return _entry(
        replace(
            order,
            status=OrderStatus.PLACING,
            attempts=order.attempts + 1,
            # Each claim gets a token of its own. Whatever comes later (an answer, a lost lease, a
            # proof of absence) names it, so news of an older claim cannot be taken for news of this
            # one.
            token=order.token + 1,
            lease_until_ms=event.lease_until_ms,
            unchecked_since_ms=None,
            reduces=order.reduces or event.reduce_only,
            reduce_only=order.reduce_only or event.reduce_only,
            updated_at_ms=event.at_ms,
        ),
        EntryName.SENT,
    )


def _unchecked(order: Order, event: CheckDeferred) -> Decision[Order]:
    if order.status is not OrderStatus.PENDING_NEW or order.unchecked_since_ms is not None:
        return ignored(order, f"that it cannot be checked found the order {order.status}")
    waiting = replace(order, unchecked_since_ms=event.server_ms, updated_at_ms=event.at_ms)
    return _entry(waiting, EntryName.DEFERRED, event.reason)


def _renewed(order: Order, event: ClaimRenewed) -> Decision[Order]:
    if order.status is not OrderStatus.PLACING or event.token != order.token:
        return ignored(order, f"renewal of claim {event.token} found the order {order.status}")
    renewed = replace(order, lease_until_ms=event.lease_until_ms, updated_at_ms=event.at_ms)
    if event.quantity is None or event.quantity == order.quantity:
        return Decision(renewed)
    return _entry(replace(renewed, quantity=event.quantity), EntryName.SIZED)


def _denied(order: Order, event: PlacementDenied) -> Decision[Order]:
    if order.status is not OrderStatus.PENDING_NEW:
        return ignored(order, f"a denial found the order {order.status}")
    # What came too late was never refused by anybody, so callers see it expire.
    status, name = OrderStatus.DENIED, EntryName.DENIED
    if event.reason.code is ReasonCode.TOO_LATE:
        status, name = OrderStatus.EXPIRED, EntryName.EXPIRED
    denied = replace(order, status=status, reason=event.reason, updated_at_ms=event.at_ms)
    return _entry(denied, name, event.reason)


def _deferred(order: Order, event: PlacementDeferred) -> Decision[Order]:
    if order.status is not OrderStatus.PLACING or event.token != order.token:
        return ignored(order, f"news of placement {event.token} found the order {order.status}")
    # It certainly did not arrive, so a cancel that was asked for meanwhile is done by not sending
    # it again. This comes before the count of attempts: a canceled order is no dead letter.
    if _is_sent_no_more(order):
        return _canceled_unsent(order, event.at_ms)
    reason = _given_up(order, event)
    if reason is not None:
        dead = replace(order, status=OrderStatus.DENIED, reason=reason, updated_at_ms=event.at_ms)
        return _entry(dead, EntryName.DENIED, reason)
    waiting = replace(
        order,
        status=OrderStatus.PENDING_NEW,
        # Held back here for the rate limit: no attempt, or a busy venue would use all of them up.
        attempts=order.attempts - 1 if event.held_back else order.attempts,
        next_action_at_ms=event.retry_at_ms,
        updated_at_ms=event.at_ms,
    )
    return _entry(waiting, EntryName.DEFERRED, event.reason)


def _given_up(order: Order, event: PlacementDeferred) -> Reason | None:
    """Return why an order that did not arrive is not tried again, if it is not."""
    if not event.reason.may_pass:
        return event.reason
    if order.attempts < ATTEMPTS_MAX or event.held_back:
        return None
    return Reason(
        ReasonCode.ATTEMPTS_EXHAUSTED,
        f"{order.attempts} attempts did not arrive; the last said: {event.reason.message}",
    )


def _lost(order: Order, event: OutcomeLost) -> Decision[Order]:
    if order.status is not OrderStatus.PLACING or event.token != order.token:
        return ignored(order, f"news of placement {event.token} found the order {order.status}")
    # Who found the lease run out had read it a moment before. A claim that was renewed since is
    # still at work, and must not count as lost.
    if event.lease_until_ms not in {None, order.lease_until_ms}:
        return ignored(order, f"the claim of placement {event.token} was renewed")
    lost = replace(
        order,
        status=OrderStatus.UNKNOWN,
        reason=event.reason,
        unknown_since_ms=event.server_ms,
        absent_since_ms=None,
        next_action_at_ms=event.next_check_at_ms,
        updated_at_ms=event.at_ms,
    )
    return _entry(lost, EntryName.UNKNOWN, event.reason)


def _is_asked_about(order: Order, token: int) -> bool:
    """Tell whether the outcome of this placement is what is in question."""
    return order.status is OrderStatus.UNKNOWN and token == order.token


def _look_up_claimed(order: Order, event: LookUpClaimed) -> Decision[Order]:
    # Asking is claimed as well, by moving the next question: of two workers one asks the venue.
    is_time = has_come(order.next_action_at_ms, event.server_ms, event.within_ms)
    if not _is_asked_about(order, event.token) or not is_time:
        return ignored(order, f"a question about placement {event.token} came too late")
    return Decision(replace(order, next_action_at_ms=event.until_ms, updated_at_ms=event.at_ms))


def _still_unknown(order: Order, event: StillUnknown) -> Decision[Order]:
    if not _is_asked_about(order, event.token):
        return _has_moved_on(order, event.token)
    return Decision(
        replace(
            order,
            next_action_at_ms=event.next_check_at_ms,
            needs_person=event.needs_person,
            absent_since_ms=event.absent_since_ms,
            updated_at_ms=event.at_ms,
        )
    )


def _has_moved_on(order: Order, token: int) -> Decision[Order]:
    message = f"what became of placement {token} found the order {order.status}"
    return ignored(order, f"{message}, placed {order.token} times")


def _absent(order: Order, event: ProvenAbsent) -> Decision[Order]:
    if not _is_asked_about(order, event.token):
        return _has_moved_on(order, event.token)
    absent = replace(
        order,
        # Back to the start, with the token as it is: the next claim raises it, and an answer to the
        # placement that was proven absent still finds an order that may adopt it.
        status=OrderStatus.PENDING_NEW,
        reason=None,
        needs_person=False,
        unknown_since_ms=None,
        absent_since_ms=None,
        next_action_at_ms=AT_ONCE,
        updated_at_ms=event.at_ms,
    )
    if _is_sent_no_more(order):
        return _canceled_unsent(absent, event.at_ms)
    return _entry(absent, EntryName.ABSENT)


def _is_sent_no_more(order: Order) -> bool:
    """Whether it ends rather than being sent again; what is filled is not bought twice."""
    return order.cancel_requested or order.filled_quantity > 0


def _cancel_requested(order: Order, event: CancelRequested) -> Decision[Order]:
    if order.is_closed or order.cancel_requested:
        return ignored(order, f"a cancel found the order {order.status}")
    # Nothing is at the venue and nobody holds a claim: it ends here, without a question.
    if order.status is OrderStatus.PENDING_NEW:
        return _canceled_unsent(replace(order, reason=event.reason), event.at_ms)
    asked = replace(
        order,
        cancel_requested=True,
        replaced_by=event.replaced_by,
        # Of an unknown order the reason says why nobody knows, and the next question keeps its
        # time: only its answer tells whether there is anything to cancel.
        reason=order.reason if order.status is OrderStatus.UNKNOWN else event.reason,
        next_action_at_ms=(
            order.next_action_at_ms if order.status is OrderStatus.UNKNOWN else AT_ONCE
        ),
        updated_at_ms=event.at_ms,
    )
    return _entry(asked, EntryName.CANCEL_REQUESTED, event.reason)


def _cancel_deferred(order: Order, event: CancelDeferred) -> Decision[Order]:
    if order.is_closed or not order.cancel_requested:
        return ignored(order, f"a postponed cancel found the order {order.status}")
    return Decision(replace(order, next_action_at_ms=event.retry_at_ms, updated_at_ms=event.at_ms))


def _succeeding(order: Order, event: OrderUpdated) -> Decision[Order]:
    """Take the place of the order that has ended, or come to nothing with it."""
    old = event.order
    if not order.is_held or order.succeeds is None or order.succeeds.order_id != old.id:
        return ignored(order, f"news of order {old.id} found the order {order.status}")
    # Before the old order has ended both could trade, so the new one waits for a definite end.
    if old.is_live:
        return ignored(order, f"order {old.id} is still {old.status}")
    takes_rest, rest = order.succeeds.takes_rest, old.remaining_quantity
    # Free is the place of one that was canceled with something left. If it ended otherwise, the new
    # one is sent only where it proceeds anyway.
    is_free = old.status is OrderStatus.CANCELED and not (takes_rest and rest <= 0)
    if not (is_free or order.succeeds.proceeds):
        reason = Reason(ReasonCode.NOT_REPLACED, f"order {old.id} is {old.status}")
        return _denied(order, PlacementDenied(at_ms=event.at_ms, reason=reason))
    quantity = rest if is_free and takes_rest else order.quantity
    freed = replace(order, succeeds=None, quantity=quantity, updated_at_ms=event.at_ms)
    return _entry(freed, EntryName.DUE)


def _canceled_unsent(order: Order, at_ms: EpochMs) -> Decision[Order]:
    said = "canceled before it was sent"
    if order.filled_quantity:
        said = "an earlier placement filled a part of it, and the rest is not sent again"
    reason = order.reason or Reason(ReasonCode.REQUESTED, said)
    canceled = replace(order, status=OrderStatus.CANCELED, reason=reason, updated_at_ms=at_ms)
    return _entry(canceled, EntryName.CANCELED, reason)


def _stated(order: Order, event: OutcomeStated) -> Decision[Order]:
    if not _is_asked_about(order, event.token):
        return _has_moved_on(order, event.token)
    return adopted(order, event.report, event.at_ms)


def _reported(order: Order, event: OrderReported) -> Decision[Order]:
    # An order that is to be sent (again) takes any answer: a placement that was given up for lost
    # has arrived after all, and sending another one would trade twice.
    if event.token in {None, order.token} or order.status is OrderStatus.PENDING_NEW:
        return adopted(order, event.report, event.at_ms)
    return told_of_earlier(order, event)


def _entry(order: Order, name: EntryName, reason: Reason | None = None) -> Decision[Order]:
    """Return the order as it has just become, with a line in its timeline."""
    at_ms = order.updated_at_ms
    entries = [TimelineEntry(name, at_ms, reason)]
    # Every life ends with this line, whatever it ended by.
    if order.is_closed:
        entries.append(TimelineEntry(EntryName.CLOSED, at_ms))
    return Decision(order, entries=tuple(entries))


RULES: Rules = {
    TurnTaken: _turn_taken,
    PlacementClaimed: _claimed,
    ClaimRenewed: _renewed,
    PlacementDenied: _denied,
    CheckDeferred: _unchecked,
    PlacementDeferred: _deferred,
    OrderReported: _reported,
    FillsAwaited: fills_awaited,
    OutcomeLost: _lost,
    OutcomeStated: _stated,
    LookUpClaimed: _look_up_claimed,
    StillUnknown: _still_unknown,
    ProvenAbsent: _absent,
    CancelRequested: _cancel_requested,
    CancelDeferred: _cancel_deferred,
    OrderUpdated: _succeeding,
}
