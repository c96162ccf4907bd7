"""A spot order of exact figures is taken in, or takes the place of another."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain import order_life
from app.domain.account import Account
from app.domain.aggregate import Aggregate
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import ReasonCode, Side
from app.domain.errors import (
    CallerIdInUse,
    Conflict,
    InsufficientFunds,
    NotFound,
    NotWaiting,
    StoreError,
)
from app.domain.events import CancelRequested
from app.domain.exact_order import ExactOrder
from app.domain.identifiers import Currency, EpochMs, FreshId, OrderId, base_of, quote_of
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import OPEN
from app.domain.succession import Succession
from app.ports import Ports
from app.ports.ledger import Admission, Change, Stored
from app.services.ask import ask
from app.services.find_anywhere import find_anywhere
from app.services.intake.accept_order import OrderSender

#: Races for the old order lost in a row before a replacement is given up.
ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """An order that is to take the place of another.

    Attributes:
        old_id: the order to be ended.
        command_of: makes the new order of the old one as it is now; refuses what it cannot make.
        takes_rest: the new one is for what the old one leaves unfilled, not for a size of its own.
        proceed_on_failure: take in the new one even where the old one ends otherwise.
    """

    old_id: OrderId
    command_of: Callable[[Order], ExactOrder]
    takes_rest: bool = False
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
    _refuse_unpaid(command, sender.account, ports)
    order = _order(fresh, command, sender, received_at_ms)
    _admit(order, (), admission, ports)
    return order


def replace_exact_order(
    replacement: Replacement,
    sender: OrderSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> Order:
    """Ask the old order to end and store the new one, both or neither, and return the new one.

    The new one is held until the venue has taken the old one off, or both could trade; then it is
    sent, by whichever process hears of that. If the old one ends otherwise, the new one is DENIED.
    Of several replacements, cancels and fills at once, one ends the old order. The new caller id
    may be that of the old one.

    Raises:
        NotFound: there is no such order.
        NotWaiting: the old one has ended, is on its way out already, or is held itself.
        InsufficientFunds: the account cannot pay, even with what the old one sets free.
        CallerIdInUse, RateLimited, StaleRegistry, StoreUnavailable, VenueUnavailable: as in
            `accept_exact_order`; the old one stays as it is.
        Conflict: others changed the old one first, again and again.
    """
    (fresh,) = ports.ids.fresh(sender.account.id, 1)
    for _ in range(ATTEMPTS_MAX):
        stored = _stored(replacement.old_id, ports)
        old = stored.aggregate
        if not isinstance(old, Order):
            raise NotFound(f"{replacement.old_id} is no order")
        ending = _ending(stored, old, OrderId(fresh.id), ports)
        if ending is None and not replacement.proceed_on_failure:
            raise NotWaiting(f"order {old.id} is {old.status}, or on its way out already")
        command = replacement.command_of(old)
        _refuse_unpaid(command, sender.account, ports, old)
        new = _order(fresh, command, sender, received_at_ms)
        with suppress(Conflict):
            if ending is None:
                _admit(new, (), admission, ports)
                return new
            new = _held(new, old, ending.after, replacement)
            _admit(new, (ending,), admission, ports)
            return new
    raise Conflict(f"order {replacement.old_id} changed {ATTEMPTS_MAX} times while it was replaced")


def await_place(new: Order, ports: Ports) -> Order:
    """Wait a moment for the end of the order that a new one replaces; return the new one as it is.

    It may be held still, and will take the place of the old one later, or be denied then. That the
    store is away changes nothing about that.

    Raises:
        NotWaiting: the old one has ended otherwise, and the new one was denied.
    """

    def in_place() -> Order | None:
        found = ports.ledger.load(new.id).aggregate
        return found if isinstance(found, Order) and not found.is_held else None

    with suppress(StoreError, NotFound):
        if new.is_held:
            new = ask((), in_place, ports.policy.replace_wait_ms, ports) or new
    if new.reason is not None and new.reason.code is ReasonCode.NOT_REPLACED:
        raise NotWaiting(f"order {new.id} was denied: {new.reason.message}")
    return new


def _stored(old_id: OrderId, ports: Ports) -> Stored:
    """Return the old order; one that has left the store has ended, and is changed no more."""
    try:
        return ports.ledger.load(old_id)
    except NotFound:
        return Stored(find_anywhere(old_id, ports), version=0)


def _ending(stored: Stored, old: Order, new_id: OrderId, ports: Ports) -> Change | None:
    """Return the change that asks the old order to end; None where that cannot be asked."""
    reason = Reason(ReasonCode.REPLACED, f"replaced by order {new_id}")
    event = CancelRequested(at_ms=ports.clock.now_ms(), reason=reason, replaced_by=new_id)
    decision = order_life.decide(old, event)
    if old.is_held or decision.ignored is not None:
        return None
    return Change(stored, decision.aggregate, decision.entries)


def _held(new: Order, old: Order, ended: Aggregate, replacement: Replacement) -> Order:
    """Return the new order as it waits for the old one; one that was never sent is off at once."""
    if not ended.is_live:
        return new
    succession = Succession(
        order_id=old.id,
        takes_rest=replacement.takes_rest and new.amount is None and old.amount is None,
        proceeds=replacement.proceed_on_failure,
    )
    return replace(new, succeeds=succession)


def _admit(order: Order, ending: tuple[Change, ...], admission: Admission, ports: Ports) -> None:
    now = ports.clock.now_ms()
    waits = None
    if order.succeeds is not None:
        old_id = order.succeeds.order_id
        waits = Reason(ReasonCode.REPLACED, f"takes the place of order {old_id} when that is off")
    entries = (
        TimelineEntry(EntryName.RECEIVED, order.created_at_ms),
        TimelineEntry(EntryName.VALIDATED, now),
        TimelineEntry(EntryName.QUEUED, now, waits),
    )
    within = replace(admission, caller_id_scope=order.caller_id_scope)
    holder = ports.ledger.admit([Change(None, order, entries), *ending], within)
    if holder is not None:
        raise CallerIdInUse(f"order {holder} has the id {order.caller_id}")
    ended = [effect for change in ending for effect in change.after.owed()]
    ports.publisher.publish([*order.owed(), *ended])


def _refuse_unpaid(
    command: ExactOrder, account: Account, ports: Ports, old: Order | None = None
) -> None:
    venue = ports.venues.of(account)
    quote = venue.quote(command.symbol)
    ask = Decimal(0) if quote is None else quote.touch(Side.BUY)
    currency, needed = command.cost(ask)
    available = venue.view().available(currency)
    if old is not None:
        available += _set_free(old, currency)
    if needed > available:
        raise InsufficientFunds(f"{needed:f} {currency} is needed, {available:f} is available")


def _set_free(old: Order, currency: Currency) -> Decimal:
    """Return how much of a currency the venue holds back for an order that rests there."""
    if old.status not in OPEN or old.price is None:
        return Decimal(0)
    if old.side is Side.SELL:
        return old.remaining_quantity if base_of(old.symbol) == currency else Decimal(0)
    cost = old.remaining_quantity * old.price
    return cost if quote_of(old.symbol) == currency else Decimal(0)


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
