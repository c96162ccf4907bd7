"""A command has become an aggregate; it is stored, durably, before anybody is told so."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from app.domain.account import Account
from app.domain.aggregate import Aggregate, opens
from app.domain.decision import EntryName, TimelineEntry
from app.domain.effects import EffectKind
from app.domain.enums import ReasonCode
from app.domain.errors import CallerIdInUse, StoreFull, StoreUnavailable, VenueError
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import Request, RequestStatus
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder
from app.ports import Ports
from app.ports.ledger import Admission, Change
from app.services.repeats import use_keys

Named = TypeVar("Named", Order, SmartOrder)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What will run, or what the command repeats; that may have left the store since."""

    id: AggregateId
    is_duplicate: bool


def accept(
    new: Aggregate,
    sender: Sender,
    ports: Ports,
    along: Sequence[Change] = (),
    entries: Sequence[TimelineEntry] = (),
) -> Accepted:
    """Store a new aggregate and what it owes in one commit, then hurry it along.

    The same command twice, or at once in two processes, is one aggregate: digest and caller id
    are checked inside the commit. Stopped halfway, nothing is written, or all of it is and the
    sweep goes on. Accounts live in different shards, of which a commit knows one, so what may be
    used once is bound to its command first; stopped between the two, nothing is queued, and the
    same command may come again.

    Args:
        new: what the command became; its timeline begins here.
        sender: who sent the command.
        ports: as everywhere.
        along: what changes in the same commit.
        entries: what the timeline says besides how it was taken in.

    Raises:
        KeyReused: what may be used once came with another command.
        Conflict: what changes along with it has another version by now.
        TooManyOpen: as many smart orders wait as may.
        StoreFull: it is an entry, and there is room for exits only.
        RateLimited, StaleRegistry, StoreUnavailable: nothing is written.
    """
    use_keys(sender, ports)
    begun = _timeline(new, sender, ports.clock.now_ms())
    changes = [Change(None, new, (*begun, *entries)), *along]
    admission = _admission(new, sender, ports)
    try:
        admitted = ports.ledger.admit(changes, admission)
    except StoreFull:
        if not _closes(new, sender, ports):
            raise
        admitted = ports.ledger.admit(changes, replace(admission, is_entry=False))
    if admitted.repeats is not None:
        return Accepted(admitted.repeats, is_duplicate=True)
    owed = [effect for change in changes for effect in change.after.owed()]
    if admitted.is_behind and _comes_by_itself(new, sender.account, ports):
        owed = [one for one in owed if (one.kind, one.target) != (EffectKind.ADVANCE, new.id)]
    ports.publisher.publish(owed)
    return Accepted(new.id, is_duplicate=False)


def accept_named(new: Named, sender: Sender, ports: Ports, along: Sequence[Change] = ()) -> Named:
    """Store a new aggregate as `accept` does, where a repeat is an error, and return it.

    Raises:
        CallerIdInUse: a live one has its caller id, or it was sent before.
        Conflict, TooManyOpen, RateLimited, StaleRegistry, StoreUnavailable: as in `accept`.
    """
    accepted = accept(new, sender, ports, along)
    if accepted.is_duplicate:
        raise CallerIdInUse(f"{new.kind.words} {accepted.id} has the id {new.caller_id}")
    return new


def _comes_by_itself(new: Aggregate, account: Account, ports: Ports) -> bool:
    """Tell whether something behind others in its lane needs nobody to be woken for its turn.

    Whoever works the lane comes to it, and if that dies, the sweep wakes another one. That is so
    where all that a turn asks is in our store: a venue may be away or busy when it is asked, and
    then whoever comes next is the next to try. What may close something wakes somebody all the
    same: those before it may have been queued for workers who have much to do. An entry goes past
    exits that wait for their halted account, and is denied. What is stored is accepted, whether the
    store says so much or not.
    """
    if not isinstance(new, Request) or not new.is_entry or new.closes_first is not None:
        return False
    if ports.policy.asks_outside(account):
        return False
    with suppress(StoreUnavailable):
        return not ports.ledger.state_of(account.id).holds_exits
    return False


def _admission(new: Aggregate, sender: Sender, ports: Ports) -> Admission:
    return Admission(
        dedupe_keys=sender.dedupe_keys,
        caller_id_scope=new.caller_id_scope if isinstance(new, Order) else sender.origin,
        rate_key=sender.rate_key,
        rate_per_minute=sender.rate_per_minute,
        give_up_at_ms=ports.policy.give_up_at_ms(ports.clock),
        registry_version=sender.registry_version,
        waiting_max=sender.waiting_max,
        is_entry=opens(new),
    )


def _closes(new: Aggregate, sender: Sender, ports: Ports) -> bool:
    """Tell whether an entry closes what the account holds, as far as is known, before it opens."""
    leg = new.closes_first if isinstance(new, Request) else None
    if leg is None:
        return False
    with suppress(VenueError):
        return ports.venues.of(sender.account).view().position(new.symbol, leg).size > 0
    return False


def _timeline(new: Aggregate, sender: Sender, now_ms: EpochMs) -> tuple[TimelineEntry, ...]:
    replayed = None
    if sender.replays is not None:
        replayed = Reason(ReasonCode.REPLAYED, f"a replay of {sender.replays}")
    begun = (
        TimelineEntry(EntryName.RECEIVED, sender.received_at_ms, replayed),
        TimelineEntry(EntryName.VALIDATED, now_ms),
    )
    match new:
        case SmartOrder():
            return begun  # it stands in no queue
        case Request(status=RequestStatus.SCHEDULED):
            return (*begun, TimelineEntry(EntryName.DELAYED, now_ms))
        case Order(succeeds=succession) if succession is not None:
            old_id = succession.order_id
            waits = Reason(
                ReasonCode.REPLACED, f"takes the place of order {old_id} when that is off"
            )
            return (*begun, TimelineEntry(EntryName.QUEUED, now_ms, waits))
        case _:
            return (*begun, TimelineEntry(EntryName.QUEUED, now_ms))
