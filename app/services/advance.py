"""The one path by which anything changes: load, decide, commit once, wake the workers.

No use case calls the next one. A commit returns the effects that came to be owed (a signal that was
sized owes nothing, the order it has brought forth owes PLACE), and `publisher` hurries them along:

    advance -> ports.publisher -> workers (at once in the same thread where the account is the same,
    else a message) -> perform.carry_out -> the use case of that effect -> advance

So a process may die between any two steps: the effect is in the outbox since the commit that made
it owed, and `sweep` publishes it again.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from app.domain.aggregate import Aggregate, decide
from app.domain.decision import Decision
from app.domain.effects import Effect, EffectKind
from app.domain.enums import Mode
from app.domain.errors import Conflict, StoreUnavailable
from app.domain.events import Event
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.request.request import Request, Stage
from app.ports import Ports
from app.ports.ledger import NO_TERMS, Change, CommitConditions, Stored

#: Races lost in a row before the work is left to its next wake-up.
ATTEMPTS_MAX = 8


def advance(
    aggregate_id: AggregateId,
    event: Event,
    ports: Ports,
    terms: CommitConditions = NO_TERMS,
    read: Mapping[AggregateId, int] | None = None,
) -> Decision[Aggregate]:
    """Let `event` happen to the aggregate.

    An event that is ignored writes nothing, unless it was news that must count as read.

    Raises:
        NotFound: there is no such aggregate.
        Conflict: others committed first, ATTEMPTS_MAX times in a row.
        LaneChanged, NotPermitted: the terms were not met.
        NewsChanged: what counts as read is not the newest news, or was read already.
    """
    for _ in range(ATTEMPTS_MAX):
        stored = ports.ledger.load(aggregate_id)
        decision = decide(stored.aggregate, event)
        if decision.ignored is not None and not read:
            return decision
        with suppress(Conflict):
            _commit(stored, decision, ports, terms, read or {})
            return decision
    raise Conflict(f"aggregate {aggregate_id} changed {ATTEMPTS_MAX} times while it was decided on")


def _commit(
    stored: Stored,
    decision: Decision[Aggregate],
    ports: Ports,
    terms: CommitConditions,
    read: Mapping[AggregateId, int],
) -> None:
    terms = replace(terms, tell=_guards(stored.aggregate, decision.aggregate, ports))
    changes = [Change(stored, decision.aggregate, decision.entries, read)]
    changes += [Change(None, child) for child in decision.children]
    effects = ports.ledger.commit(changes, terms)
    ports.publisher.publish(effects)
    # It is done: nobody may be told otherwise because the store is away for what only hurries.
    with suppress(StoreUnavailable):
        ports.publisher.publish(_lane_effects(stored.aggregate, decision, ports))
        _outdate_view(stored.aggregate, decision.aggregate, ports)


def _outdate_view(before: Aggregate, after: Aggregate, ports: Ports) -> None:
    """Let nobody be shown what a real account had before an order of it moved."""
    if not isinstance(before, Order) or not isinstance(after, Order):
        return
    moved = (before.status, before.filled_quantity) != (after.status, after.filled_quantity)
    if moved and ports.accounts.account(after.account).mode is not Mode.PAPER:
        ports.views.outdate(after.account)


def _guards(before: Aggregate, after: Aggregate, ports: Ports) -> tuple[AggregateId, ...]:
    """Return who guards a position that this change has closed: their orders must go."""
    if not isinstance(before, Order) or not isinstance(after, Order):
        return ()
    if after.position_after != 0 or before.filled_quantity == after.filled_quantity:
        return ()
    if after.position_side is after.side.opens:
        return ()  # what adds to a leg has not closed it: the venue shows it late
    return tuple(one for one in ports.live.protectors(after) if one != after.parent_id)


def _lane_effects(
    before: Aggregate, decision: Decision[Aggregate], ports: Ports
) -> tuple[Effect, ...]:
    """Wake whoever waits in the lane for an order in flight, for an exit, or for old guards."""
    after = decision.aggregate
    match before, after:
        case Order(), Order():
            is_free = before.holds_lane and not after.holds_lane
        case Request(), Request():
            is_free = before.stage is Stage.CLOSING and not after.is_queued
            is_free = is_free or (before.guarded_leg is not None and after.guarded_leg is None)
        case _:
            return ()
    if not is_free:
        return ()
    head = ports.lanes.head(after.account, after.symbol)
    return () if head is None else (Effect(kind=EffectKind.ADVANCE, target=head),)
