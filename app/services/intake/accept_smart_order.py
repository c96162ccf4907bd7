"""A smart order is taken in, or takes the place of another."""

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain import smart_order_life
from app.domain.account import Account
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import Dialect, ReasonCode
from app.domain.errors import CallerIdInUse, Conflict, NotFound, NotWaiting
from app.domain.events import CancelRequested
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.market import Quote
from app.domain.reason import Reason
from app.domain.smart_order import SmartOrder
from app.domain.smart_order_command import (
    PlaceSmartOrder,
    ReplaceSmartOrder,
    SmartOrderRules,
    activation_direction,
    stop_direction,
)
from app.domain.trigger import Trigger, protective_direction
from app.ports import Ports
from app.ports.ledger import Admission, Change, Stored
from app.services.find_anywhere import present

#: Races for the old order lost in a row before a replacement is given up.
ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrderSender:
    """Who sends a smart order, and what its symbol is like now.

    Attributes:
        origin: what a "cancel many" of its dialect reaches, and within which caller ids differ.
        price_step: tick of the symbol.
        quote: the newest prices, or None; they matter where the direction is inferred.
    """

    dialect: Dialect
    origin: str
    account: Account
    rules: SmartOrderRules
    price_step: Decimal
    quote: Quote | None = None


def accept_smart_order(
    command: PlaceSmartOrder,
    sender: SmartOrderSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> SmartOrder:
    """Store the smart order and that it is to be armed in one commit, then hurry it along.

    That its caller id is free and that there is room for one more are conditions of the commit, so
    that two at once cannot both pass. Stopped halfway, nothing is written, or all of it is and the
    sweep arms it.

    Raises:
        CallerIdInUse: another one holds its caller id.
        TooManyOpen: as many wait as may.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is written.
    """
    new = _smart_order(command, sender, received_at_ms, ports)
    return _admitted(new, (), sender, admission, ports)


def replace_smart_order(
    replacement: ReplaceSmartOrder,
    sender: SmartOrderSender,
    admission: Admission,
    received_at_ms: EpochMs,
    ports: Ports,
) -> SmartOrder:
    """Cancel the old one and store the new one, both or neither, and return the new one.

    Of this, the price, a cancel and an expiry exactly one ends the waiting of the old one. A new
    one that trails begins anew. Its caller id may be that of the old one.

    Raises:
        NotFound: there is no such smart order.
        NotWaiting: the old one has triggered or ended.
        CallerIdInUse, TooManyOpen, RateLimited, StaleRegistry, StoreUnavailable: nothing changes.
        Conflict: others changed the old one first, again and again.
    """
    old_id = replacement.old_id
    new = _smart_order(replacement.command, sender, received_at_ms, ports)
    present(old_id, ports)
    for _ in range(ATTEMPTS_MAX):
        stored = ports.ledger.load(old_id)
        old = stored.aggregate
        if not isinstance(old, SmartOrder):
            raise NotFound(f"{old_id} is no smart order")
        if not old.is_waiting and not replacement.proceed_on_failure:
            raise NotWaiting(f"smart order {old_id} is {old.state}")
        ending = _replaced(stored, old, new, ports)
        try:
            return _admitted(new, ending, sender, admission, ports)
        except Conflict:
            continue
    raise Conflict(f"smart order {old_id} changed {ATTEMPTS_MAX} times while it was replaced")


def _replaced(stored: Stored, old: SmartOrder, new: SmartOrder, ports: Ports) -> tuple[Change, ...]:
    """Return the change that ends the old one; none where nothing is left to end."""
    if not old.is_waiting:
        return ()
    reason = Reason(ReasonCode.REPLACED, f"replaced by smart order {new.id}")
    decision = smart_order_life.decide(
        old, CancelRequested(at_ms=ports.clock.now_ms(), reason=reason)
    )
    return (Change(stored, decision.aggregate, decision.entries),)


def _admitted(
    new: SmartOrder,
    ending: tuple[Change, ...],
    sender: SmartOrderSender,
    admission: Admission,
    ports: Ports,
) -> SmartOrder:
    entries = (
        TimelineEntry(EntryName.RECEIVED, new.created_at_ms),
        TimelineEntry(EntryName.VALIDATED, ports.clock.now_ms()),
    )
    within = replace(admission, caller_id_scope=sender.origin, waiting_max=sender.rules.open_max)
    holder = ports.ledger.admit([Change(None, new, entries), *ending], within)
    if holder is not None:
        raise CallerIdInUse(f"smart order {holder} has the id {new.caller_id}")
    ended = [effect for change in ending for effect in change.after.owed()]
    ports.publisher.publish([*new.owed(), *ended])
    return new


def _smart_order(
    command: PlaceSmartOrder, sender: SmartOrderSender, received_at_ms: EpochMs, ports: Ports
) -> SmartOrder:
    (fresh,) = ports.ids.latest(sender.account.id, 1)
    life_ms = sender.rules.life_ms
    return SmartOrder(
        id=fresh.id,
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
        limit_offset=command.limit_offset,
        operator=command.operator,
        post_only=command.post_only,
        caller_id=command.caller_id,
        expires_at_ms=None if life_ms is None else EpochMs(received_at_ms + life_ms),
        trigger=_trigger(fresh.id, command, sender),
        created_at_ms=received_at_ms,
        updated_at_ms=received_at_ms,
    )


def _trigger(owner: AggregateId, command: PlaceSmartOrder, sender: SmartOrderSender) -> Trigger:
    source = sender.rules.stop_price.source(command.side)
    price = None if sender.quote is None else sender.quote.of(source)
    is_trailing = command.type.is_trailing
    return Trigger(
        owner=owner,
        venue=sender.account.feed,
        symbol=command.symbol,
        source=source,
        direction=(
            protective_direction(command.side)
            if is_trailing
            else stop_direction(command, sender.rules.direction, price)
        ),
        level=None if is_trailing else command.stop,
        price_step=sender.price_step,
        trail=command.trail if is_trailing else None,
        activation=command.stop if is_trailing else None,
        activates=activation_direction(command) if is_trailing else None,
        looks_now=True,
    )
