"""A spot order of exact figures is taken in, or takes the place of another."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.account import Account
from app.domain.decision import Entry, EntryName
from app.domain.errors import CallerIdInUse, InsufficientFunds, NotWaiting
from app.domain.events import CancelRequested
from app.domain.exact_order import ExactOrder
from app.domain.identifiers import EpochMs, FreshId, OrderId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.domain.words import ReasonCode, Side
from app.ports import Admission, Change, Ports
from app.services.accept_order import OrderSender
from app.services.advance import advance

#: How long a replacement waits until the venue has taken the old order off.
PATIENCE_MS = 2_000

#: Pause between two looks at the old order.
LOOK_MS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """An order that is to take the place of another.

    Attributes:
        old: the order to be ended.
        command_of: makes the new order of what is left of the old one; refuses what it cannot
            make. It is asked before anything is changed, and once more with the ended order.
        pause_ms: lets this many milliseconds pass.
        proceed_on_failure: take in the new one even where the old one has ended otherwise.
    """

    old: Order
    command_of: Callable[[Order], ExactOrder]
    pause_ms: Callable[[int], None]
    proceed_on_failure: bool = False


def accept_exact_order(
    command: ExactOrder,
    sender: OrderSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> Order:
    """Store the order with the wake-up that it owes in one commit, then hurry it along.

    That its caller id is free is a condition of the commit, so that two at once cannot both pass.

    Raises:
        InsufficientFunds: the account cannot pay for it now.
        CallerIdInUse: a live order has its caller id.
        VenueUnavailable: the account cannot be read.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is written.
    """
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    return _accepted(fresh, command, sender, admission, received_at_ms, ports)


def replace_exact_order(
    replacement: Replacement,
    sender: OrderSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> Order:
    """End the old order, wait until its venue has taken it off, then take in the new one.

    Only then may another take its place, or both could trade. Of several replacements at once one
    ends the old order. Stopped halfway the old order ends, and nothing takes its place.

    Raises:
        NotWaiting: the old one has ended otherwise, or its venue did not answer in time.
        InsufficientFunds, CallerIdInUse, RateLimited, StaleRegistry, StoreUnavailable,
        VenueUnavailable: as in `accept_exact_order`; the old one may have ended then.
    """
    command = replacement.command_of(replacement.old)
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    reason = Reason(ReasonCode.REPLACED, f"replaced by order {fresh.id}")
    try:
        command = replacement.command_of(_ended(replacement, reason, ports))
    except NotWaiting:
        if not replacement.proceed_on_failure:
            raise
    return _accepted(fresh, command, sender, admission, received_at_ms, ports)


def _ended(replacement: Replacement, reason: Reason, ports: Ports) -> Order:
    old = replacement.old
    event = CancelRequested(at_ms=ports.clock.now_ms(), reason=reason)
    if old.is_closed or advance(old.id, event, ports).ignored is not None:
        raise NotWaiting(f"order {old.id} is {old.status}, or others have canceled it")
    for _ in range(PATIENCE_MS // LOOK_MS):
        order = ports.ledger.load(old.id).aggregate
        if isinstance(order, Order) and order.is_closed:
            if order.status is OrderStatus.CANCELED:
                return order
            raise NotWaiting(f"order {order.id} is {order.status}")
        replacement.pause_ms(LOOK_MS)
    raise NotWaiting(f"the cancel of order {old.id} was not confirmed yet")


def _accepted(
    fresh: FreshId,
    command: ExactOrder,
    sender: OrderSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> Order:
    _refuse_unpaid(command, sender.account, ports)
    order = _order(fresh, command, sender, received_at_ms)
    now = ports.clock.now_ms()
    entries = (
        Entry(EntryName.RECEIVED, received_at_ms),
        Entry(EntryName.VALIDATED, now),
        Entry(EntryName.QUEUED, now),
    )
    within = replace(admission, caller_id_scope=order.caller_id_scope)
    holder = ports.ledger.admit([Change(None, order, entries)], within)
    if holder is not None:
        raise CallerIdInUse(f"order {holder} has the id {order.caller_id}")
    ports.publisher.publish(order.owed())
    return order


def _refuse_unpaid(command: ExactOrder, account: Account, ports: Ports) -> None:
    venue = ports.venues.of(account)
    quote = venue.quote(command.symbol)
    ask = Decimal(0) if quote is None else quote.touch(Side.BUY)
    currency, needed = command.cost(ask)
    available = venue.view().available(currency)
    if needed > available:
        raise InsufficientFunds(f"{needed:f} {currency} is needed, {available:f} is available")


def _order(
    fresh: FreshId, command: ExactOrder, sender: OrderSender, received_at_ms: EpochMs
) -> Order:
    reduces = command.side is Side.SELL
    may_be_late = reduces or sender.lateness_ms == 0
    not_after_ms = None if may_be_late else EpochMs(received_at_ms + sender.lateness_ms)
    return Order(
        id=OrderId(fresh.id),
        client_order_id=fresh.client_order_id,
        request_id=fresh.id,
        dialect=sender.dialect,
        origin=sender.origin,
        account=sender.account.id,
        symbol=command.symbol,
        market=sender.account.market,
        side=command.side,
        type=command.type,
        time_in_force=command.time_in_force,
        quantity=command.quantity,
        amount=command.amount,
        price=command.price,
        reduces=reduces,
        caller_id=command.caller_id,
        not_after_ms=not_after_ms,
        due_at_ms=received_at_ms,
        created_at_ms=received_at_ms,
        updated_at_ms=received_at_ms,
    )
