"""An order or a smart order is taken in, in the place of another."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from app.domain.aggregate import decide
from app.domain.commands import PlaceOrder, PlaceSmartOrder, SmartOrderRules
from app.domain.enums import ReasonCode
from app.domain.errors import Conflict, NotFound, NotWaiting, StoreError
from app.domain.events import CancelRequested
from app.domain.identifiers import AggregateId
from app.domain.order import Order, Succession
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.ports import Ports
from app.ports.ledger import Change, Stored
from app.services.ask import ask
from app.services.find_anywhere import find_anywhere
from app.services.intake.accept import accept_named
from app.services.intake.orders import order_from, refuse_unpaid
from app.services.intake.smart_orders import begin, placed_by, refuse_used, smart_order_from
from app.services.limits import refuse_by_limits, refuse_lasting

#: Races for the old one lost in a row before a replacement is given up.
ATTEMPTS_MAX = 8

One = TypeVar("One", Order, SmartOrder)


def replace_order(
    old_id: AggregateId,
    command_of: Callable[[Order], PlaceOrder],
    sender: Sender,
    ports: Ports,
    *,
    takes_rest: bool = False,
    proceeds: bool = False,
) -> Order:
    """Ask the old order to end and store the new one, both or neither, and return the new one.

    The new one is held until the venue has taken the old one off, or both could trade; then it is
    sent, by whichever process hears of that. If the old one ends otherwise, the new one is DENIED.
    Of several replacements, cancels and fills at once, one ends the old order. The new caller id
    may be that of the old one.

    Args:
        old_id: what is to be ended.
        command_of: makes the new command of the old one as it is now; refuses what it cannot make.
        sender: who wants it.
        ports: as everywhere.
        takes_rest: the new order is for what the old one leaves unfilled, not for a size of its
            own.
        proceeds: take in the new one even where the old one has ended otherwise.

    Raises:
        NotFound: there is no such order.
        NotWaiting: the old one has ended, is on its way out already, or is held itself.
        InsufficientFunds: the account cannot pay, even with what the old one sets free.
        LimitExceeded: the limits of the account deny the new one.
        CallerIdInUse, RateLimited, StaleRegistry, StoreUnavailable, VenueUnavailable: as in
            `accept_exact_order`; the old one stays as it is.
        Conflict: others changed the old one first, again and again.
    """
    (fresh,) = ports.ids.fresh(sender.account.id, 1)

    def attempt() -> Order:
        old, ending = _ending(old_id, Order, fresh.id, ports, proceeds=proceeds)
        command = command_of(old)
        refuse_unpaid(command, sender.account, ports, old)
        new = order_from(command, sender, fresh)
        if ending and ending[0].after.is_live:  # one that was never sent is off at once
            rest = takes_rest and new.amount is None and old.amount is None
            waits = Succession(order_id=old.id, takes_rest=rest, proceeds=proceeds)
            new = replace(new, succeeds=waits)
        refuse_by_limits(new, sender.account, ports)
        return accept_named(new, sender, ports, ending)

    return _against_races(attempt, old_id)


def replace_smart_order(
    old_id: AggregateId,
    command: PlaceSmartOrder,
    rules: SmartOrderRules,
    sender: Sender,
    ports: Ports,
    *,
    proceeds: bool = False,
) -> SmartOrder:
    """Cancel the old one and store the new one, both or neither, and return the new one.

    Of this, the price, a cancel and an expiry exactly one ends the waiting of the old one. A new
    one that trails begins anew. Its caller id may be that of the old one. An old one that rests at
    its venue has to be taken off there first: the new one is held until then, and REJECTED if the
    price of the old one came before.

    Raises:
        NotFound: there is no such smart order.
        NotWaiting: the old one has triggered or ended.
        LimitExceeded: the limits of the account will deny what the new one places.
        SymbolUnknown, CallerIdInUse, TooManyOpen, HistoryUnavailable, RateLimited, StaleRegistry,
            StoreUnavailable: nothing changes.
        Conflict: others changed the old one first, again and again.
    """
    fresh, of_order = ports.ids.latest(sender.account.id, 2)
    bounded = replace(sender, waiting_max=rules.open_max)
    refuse_used(command.caller_id, sender, ports)

    def attempt() -> SmartOrder:
        old, ending = _ending(old_id, SmartOrder, fresh.id, ports, proceeds=proceeds)
        new = smart_order_from(command, rules, sender, fresh, ports)
        if ending and ending[0].after.is_live:
            new = replace(new, succeeds=old.id, proceeds=proceeds)
        refuse_lasting(lambda: placed_by(command, sender, of_order), sender.account, ports)
        begun, along = begin(new, of_order)
        return accept_named(begun, bounded, ports, (*ending, *along))

    return _against_races(attempt, old_id)


def await_place(new: One, ports: Ports) -> One:
    """Wait a moment for the end of what a new one replaces; return the new one as it is.

    It may be held still, and will take the place of the old one later, or be denied then. That the
    store is away changes nothing about that.

    Raises:
        NotWaiting: the old one has ended otherwise, and the new one was denied.
    """
    kind = type(new)

    def in_place() -> One | None:
        found = ports.ledger.load(new.id).aggregate
        return found if isinstance(found, kind) and not found.is_held else None

    with suppress(StoreError, NotFound):
        if new.is_held:
            new = ask((), in_place, ports.policy.replace_wait_ms, ports) or new
    if new.reason is not None and new.reason.code is ReasonCode.NOT_REPLACED:
        raise NotWaiting(f"{new.kind.words} {new.id} was refused: {new.reason.message}")
    return new


def _against_races(attempt: Callable[[], One], old_id: AggregateId) -> One:
    for _ in range(ATTEMPTS_MAX):
        with suppress(Conflict):
            return attempt()
    raise Conflict(f"{old_id} changed {ATTEMPTS_MAX} times while it was replaced")


def _ending(
    old_id: AggregateId, kind: type[One], new_id: AggregateId, ports: Ports, *, proceeds: bool
) -> tuple[One, tuple[Change, ...]]:
    """Return the old one, and the change that ends it: none where nothing is left to end.

    Raises:
        NotFound: there is none of this kind.
        NotWaiting: nothing is left to end, and the replacement is not to go on then.
    """
    stored = _stored(old_id, ports)
    old = stored.aggregate
    if not isinstance(old, kind):
        raise NotFound(f"{old_id} is of another kind")
    reason = Reason(ReasonCode.REPLACED, f"replaced by {old.kind.words} {new_id}")
    now_ms = ports.clock.now_ms()
    event = CancelRequested(at_ms=now_ms, reason=reason, replaced_by=new_id)
    decision = decide(old, event)
    if not old.is_held and decision.ignored is None:
        return old, (Change(stored, decision.aggregate, decision.entries),)
    # While it may still trade, or another is to take its place, a new one would trade beside that.
    is_going = isinstance(old, SmartOrder) and old.status is SmartOrderStatus.PENDING_CANCEL
    if proceeds and not (old.is_held or is_going):
        return old, ()
    raise NotWaiting(f"{old.kind.words} {old.id} is {old.status}, or on its way out already")


def _stored(old_id: AggregateId, ports: Ports) -> Stored:
    """Return the old one; one that has left the store has ended, and is changed no more."""
    try:
        return ports.ledger.load(old_id)
    except NotFound:
        return Stored(find_anywhere(old_id, ports), version=0)
