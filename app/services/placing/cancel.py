"""What is no longer wanted is taken off, at the venue and in the trigger book."""

from collections.abc import Iterable
from contextlib import suppress

from app.domain.commands import Action
from app.domain.enums import AccountState, ReasonCode
from app.domain.errors import (
    Conflict,
    NotFound,
    OutcomeUnknown,
    StoreError,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.events import CancelDeferred, CancelRequested, OrderReported, TargetsCanceled
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.moments import has_come
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.request.request import Request
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.status import OPEN, OrderStatus
from app.ports import Ports
from app.ports.venue import Venue
from app.services.advance import advance
from app.services.apart import apart
from app.services.ask import ask
from app.services.find_anywhere import present
from app.services.placing.place import retry_at


def cancel_order(order_id: AggregateId, ports: Ports) -> None:
    """Ask the venue to take off an open order whose cancel is wanted; ask again until it is gone.

    A cancel opens nothing and closes no position, so after a start of the store it does not wait
    until the venue was asked what it has of ours; but for a frozen account nothing is sent at all.

    An answer that comes late finds the same placement: an order that was open is never placed
    again. A late end finds the order ended, or ends it; a late "not yet" puts off the next try.

    Raises:
        NotFound: there is no such order.
    """
    order = ports.ledger.load(order_id).aggregate
    if not isinstance(order, Order) or order.status not in OPEN or not order.cancel_requested:
        return
    if not has_come(order.next_action_at_ms, ports.clock.server_ms(), ports.policy.retry_max_ms):
        return
    if ports.ledger.state_of(order.account) is AccountState.FROZEN:
        return  # what the venue has is not what is thought here
    venue = ports.venues.of(ports.accounts.account(order.account))
    report = _ending(order, venue, may_hide=_may_hide(order, ports))
    if report is None:
        retry_at_ms = retry_at(ports, ports.policy.retry_ms, 1)
        deferred = CancelDeferred(at_ms=ports.clock.now_ms(), retry_at_ms=retry_at_ms)
        advance(order_id, deferred, ports)
        return
    advance(order_id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)


def _may_hide(order: Order, ports: Ports) -> bool:
    """Tell whether the venue may not show the order yet, although it has it."""
    account = ports.accounts.account(order.account)
    lease_ms = ports.policy.lease_ms(account)
    lasted_ms = ports.clock.lasted_ms(EpochMs(order.lease_until_ms - lease_ms))
    shown = lasted_ms >= lease_ms + ports.policy.grace_ms(account)
    return ports.policy.absence_ms(account) > 0 and not shown


def _ending(order: Order, venue: Venue, *, may_hide: bool) -> OrderReport | None:
    """Return how the order ended, or None while that is not certain; asking twice is harmless."""
    try:
        return venue.cancel(order)
    except (VenueUnavailable, OutcomeUnknown):
        return None
    except (NotFound, VenueRejected):
        # It may have filled, or it was taken off by others: its own record tells.
        return _looked_up(order, venue, may_hide=may_hide)


def _looked_up(order: Order, venue: Venue, *, may_hide: bool) -> OrderReport | None:
    try:
        report = venue.find(order)
    except VenueError:
        return None
    if report is None and may_hide:
        return None
    if report is None:
        reason = Reason(ReasonCode.REQUESTED, "the venue has no such order any more")
        return OrderReport(status=OrderStatus.CANCELED, reason=reason)
    return report if report.status not in OPEN else None


def cancel_targets(signal: Signal, ports: Ports) -> None:
    """Carry out a cancel message: pass it on to what it reaches, then end it."""
    targets = targets_of(signal, ports) if signal.targets is None else signal.targets
    reason = Reason(ReasonCode.REQUESTED, f"canceled by signal {signal.id}")
    reached = _ask_to_go(targets, reason, ports)
    event = TargetsCanceled(at_ms=ports.clock.now_ms(), count=reached)
    advance(signal.id, event, ports)


def targets_of(signal: Signal, ports: Ports) -> tuple[AggregateId, ...]:
    """Return what a cancel message reaches now: oldest first, of its own origin only.

    A cancel that is not delayed notes its targets when it is accepted, so that it can neither miss
    what came before it nor reach what comes after.
    """
    live = ports.live.of_origin(signal.account, signal.origin)
    if signal.action is Action.CANCEL_ALL:
        return tuple(sorted(live))
    return tuple(sorted(one for one, caller_id in live.items() if caller_id == signal.caller_id))


def _ask_to_go(targets: Iterable[AggregateId], reason: Reason, ports: Ports) -> int:
    """Ask each of many to end, and return how many that reached.

    Raises:
        Conflict: one of them could not be asked, after all others were; it is to be done again.
    """
    reached, left = 0, []
    for one in targets:
        with apart("cancels", one) as outcome:
            reached += request_cancel(one, reason, ports)
        if outcome.failed:
            left.append(one)
    if left:
        raise Conflict(f"{len(left)} could not be asked to end, the first of them {left[0]}")
    return reached


def withdraw_children(request: Request, ports: Ports) -> None:
    """Ask the children that a request wants gone to go."""
    reason = request.reason or Reason(ReasonCode.REQUESTED, f"withdrawn by request {request.id}")
    _ask_to_go(sorted(request.withdrawing & request.working), reason, ports)


def withdraw_order(smart_order: SmartOrder, ports: Ports) -> None:
    """Ask the order to go that rests at the venue for a smart order; asked again until it has."""
    if smart_order.order_id is None:
        return
    reason = smart_order.reason or Reason(ReasonCode.REQUESTED, "canceled by request")
    with suppress(NotFound):  # it has ended, and left
        event = CancelRequested(at_ms=ports.clock.now_ms(), reason=reason)
        advance(smart_order.order_id, event, ports)


def request_cancel(aggregate_id: AggregateId, reason: Reason, ports: Ports) -> bool:
    """Ask an aggregate, and the order it has placed, to end.

    Returns:
        Whether it was live, or had ended by this very request, which was cut short then.
    """
    event = CancelRequested(at_ms=ports.clock.now_ms(), reason=reason)
    try:
        decision = advance(aggregate_id, event, ports)
    except NotFound:
        return False
    after = decision.aggregate
    if isinstance(after, SmartOrder) and after.is_live and after.order_id is not None:
        with suppress(NotFound):  # it has ended, and left
            advance(after.order_id, event, ports)
    return after.is_live or decision.ignored is None or after.reason == reason


def cancel_smart_order(
    aggregate_id: AggregateId, reason: Reason, ports: Ports
) -> tuple[SmartOrder, bool]:
    """End the waiting of a smart order, in one step; an order that it has placed stays as it is.

    One that rests at its venue is PENDING_CANCEL until that has taken it off, or says that its
    price came first.

    Returns:
        The smart order after it, and whether this cancel has ended it, or is going to. If not, its
        status says what came before.

    Raises:
        NotFound: there is no such smart order.
        HistoryUnavailable: it has left the store, and the history does not answer.
        Conflict: others changed it first, again and again.
    """
    found = present(aggregate_id, ports)  # one that has left for the history tells how it ended
    if not isinstance(found, SmartOrder):
        raise NotFound(f"{aggregate_id} is no smart order")
    event = CancelRequested(at_ms=ports.clock.now_ms(), reason=reason)
    decision = advance(aggregate_id, event, ports)
    after = decision.aggregate
    if not isinstance(after, SmartOrder):
        return found, decision.ignored is None
    if _is_going(after):
        with suppress(Conflict, StoreError):  # it owes that as well; this is sooner
            withdraw_order(after, ports)
    return after, decision.ignored is None


def await_end(smart_order: SmartOrder, ports: Ports) -> SmartOrder:
    """Wait a moment for what becomes of one that its venue is to take off; return it as it is then.

    That the store is away meanwhile changes nothing about it.
    """

    def ended() -> SmartOrder | None:
        found = ports.ledger.load(smart_order.id).aggregate
        return found if isinstance(found, SmartOrder) and not _is_going(found) else None

    if not _is_going(smart_order):
        return smart_order
    with suppress(StoreError, NotFound):
        return ask((), ended, ports.policy.replace_wait_ms, ports) or smart_order
    return smart_order


def _is_going(smart_order: SmartOrder) -> bool:
    return smart_order.status is SmartOrderStatus.PENDING_CANCEL
