"""The one path by which anything changes: load, decide, commit once, wake the workers.

No use case calls the next one. A commit returns the effects that came to be owed (a signal that was
sized owes nothing, the order it has brought forth owes PLACE), and `publisher` hurries them along:

    advance -> ports.publisher -> workers (at once in the same thread where the account is the same,
    else a message) -> perform.carry_out -> the use case of that effect -> advance

So a process may die between any two steps: the effect is in the outbox since the commit that made
it owed, and `sweep` publishes it again.

What is news to a parent it takes in with the same commit: so a fill and its guards begin at once. A
parent that cannot is told by a message, as everybody else is whom a change concerns.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import structlog

from app.domain.aggregate import Aggregate, decide, is_news
from app.domain.bracket import IDS_AT_VENUE
from app.domain.decision import Decision
from app.domain.effects import Effect, EffectKind
from app.domain.enums import Mode
from app.domain.errors import Conflict, NotFound, StoreUnavailable
from app.domain.events import Event, OrderUpdated, SmartOrderUpdated
from app.domain.identifiers import AccountId, AggregateId, Symbol
from app.domain.order import Order
from app.domain.request.request import Request, RequestStatus, Stage
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.draft import IDS_PER_EVENT
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.ports.ledger import NO_TERMS, Change, CommitConditions, Stored
from app.services.apart import MISTAKES, apart

_log = structlog.get_logger()

#: Races lost in a row before the work is left to its next wake-up.
ATTEMPTS_MAX = 8

#: Of those, in which the parent takes part: it may be changing more often.
ATTEMPTS_TOGETHER = 3


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one aggregate in a commit.

    Attributes:
        before: as it was loaded.
        decision: what was decided on that.
        read: news that it has taken in: id of the child → its version.
        heard: the child of the same commit that it has taken in.
        begun: what has happened to its new children already, by their ids.
    """

    before: Stored
    decision: Decision[Aggregate]
    read: Mapping[AggregateId, int] = field(default_factory=dict)
    heard: AggregateId | None = None
    begun: Mapping[AggregateId, Decision[Order]] = field(default_factory=dict)

    @property
    def after(self) -> Aggregate:
        """The aggregate as it is then."""
        return self.decision.aggregate

    @property
    def is_news(self) -> bool:
        """Whether its parent, if it has one, is to hear of it."""
        return self.after.parent_id is not None and is_news(self.before.aggregate, self.after)

    def lane_freed(self) -> tuple[AccountId, Symbol] | None:
        """Return the lane in which somebody waits for an order, an exit, or old guards to end."""
        before, after = self.before.aggregate, self.after
        match before, after:
            case Order(), Order():
                is_free = before.holds_lane and not after.holds_lane
            case Request(), Request():
                is_free = before.stage is Stage.CLOSING and not after.is_queued
                is_free = is_free or (before.guarded_leg is not None and after.guarded_leg is None)
                # Those behind it may have woken nobody.
                is_free = is_free or (before.is_queued and after.status is RequestStatus.CANCELED)
            case _:
                return None
        return (after.account, after.symbol) if is_free else None

    def changes(self) -> list[Change]:
        """Return its change, and what it brings forth."""
        own = Change(self.before, self.after, self.decision.entries, self.read, self.heard)
        born = [self.begun.get(one.id, Decision(one)) for one in self.decision.children]
        return [own, *(Change(None, one.aggregate, one.entries) for one in born)]


class Advanced(NamedTuple):
    """What has happened to an aggregate, and as what it is stored since.

    Attributes:
        begun: those of its new children to which something has happened with the same commit.
        owes: whether somebody was woken, for something that came to be owed with it.
    """

    decision: Decision[Aggregate]
    stored: Stored
    begun: tuple[Stored, ...] = ()
    owes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """What goes along with what happens to an aggregate, in the same commit.

    Attributes:
        read: news that it has taken in: id of the child → its version.
        begin: what happens to each order that it brings forth; what it ignores is merely made.
        parent: who is told, as it was committed just now.
        stays: whoever lets it happen looks at its lane next, so nobody else is woken for that; not
            where something else came to be owed, which goes first.
    """

    read: Mapping[AggregateId, int] = field(default_factory=dict)
    begin: Callable[[Order], Decision[Order]] | None = None
    parent: Stored | None = None
    stays: bool = False


ALONE = Along()


def advance(
    aggregate_id: AggregateId,
    event: Event,
    ports: Ports,
    terms: CommitConditions = NO_TERMS,
) -> Decision[Aggregate]:
    """Let `event` happen to the aggregate. An event that is ignored writes nothing.

    Raises:
        NotFound: there is no such aggregate.
        Conflict: others committed first, ATTEMPTS_MAX times in a row.
        LaneChanged, NotPermitted: the terms were not met.
    """
    return _advance(aggregate_id, None, event, ports, terms, ALONE).decision


def advance_from(
    stored: Stored,
    event: Event,
    ports: Ports,
    terms: CommitConditions = NO_TERMS,
    along: Along = ALONE,
) -> Advanced:
    """Do the same to an aggregate that was loaded, or committed, just now.

    If it has changed since, it is decided on anew: the commit finds out, and an event that means
    nothing to it as it was may mean something to it as it is. News that it ignores counts as read
    all the same.

    Raises:
        NewsChanged: what counts as read is not the newest news, or was read already; and all that
            `advance` raises.
    """
    return _advance(stored.aggregate.id, stored, event, ports, terms, along)


def _advance(
    aggregate_id: AggregateId,
    known: Stored | None,
    event: Event,
    ports: Ports,
    terms: CommitConditions,
    along: Along,
) -> Advanced:
    parent = along.parent
    together = ATTEMPTS_TOGETHER
    for attempt in range(ATTEMPTS_MAX):
        stored = known or ports.ledger.load(aggregate_id)
        decision = decide(stored.aggregate, event)
        begun = _begun(decision, along)
        first = Step(stored, decision, along.read, begun=begun)
        if decision.ignored is None or along.read:
            tell = _guards(stored.aggregate, first.after, ports)
            parents = _parents(first, parent, tell, ports) if attempt < together else []
            try:
                conditions = replace(terms, tell=tell)
                owes = _commit([first, *parents], ports, conditions, stays=along.stays)
            except Conflict:
                pass
            except MISTAKES:
                if not parents:
                    raise
                _log.exception("parents_left", child=str(aggregate_id))
                together = 0
            else:
                born = tuple(Stored(one.aggregate, 1) for one in begun.values())
                return Advanced(decision, Stored(first.after, stored.version + 1), born, owes)
        elif known is None:
            return Advanced(decision, stored)
        known = parent = None
    raise Conflict(f"aggregate {aggregate_id} changed {ATTEMPTS_MAX} times while it was decided on")


def _begun(decision: Decision[Aggregate], along: Along) -> dict[AggregateId, Decision[Order]]:
    """Return what happens to orders that a decision brings forth, by their ids."""
    if along.begin is None:
        return {}
    orders = [one for one in decision.children if isinstance(one, Order)]
    begun = {one.id: along.begin(one) for one in orders}
    return {order_id: one for order_id, one in begun.items() if one.ignored is None}


def advance_together(
    ids: Collection[AggregateId],
    event: Event,
    ports: Ports,
    terms: CommitConditions = NO_TERMS,
) -> Sequence[Aggregate]:
    """Let one event happen to several of one shard with one commit, all of them or none.

    Returns:
        Those that it has happened to, as they were before. Whoever ignores it is left out, and who
        cannot be read, or has a parent to tell.

    Raises:
        Conflict: others changed one of them meanwhile.
        StoreFull: as the terms say.
    """
    steps = [Step(one, decide(one.aggregate, event)) for one in ports.ledger.load_all(ids)]
    steps = [one for one in steps if one.decision.ignored is None and not one.is_news]
    if steps:
        _commit(steps, ports, terms)
    return [one.before.aggregate for one in steps]


def _parents(
    first: Step, known: Stored | None, tell: Collection[AggregateId], ports: Ports
) -> list[Step]:
    """Return how those take it in, one after the other, to whom it is news as to a parent.

    Whoever makes a mistake of it, or is to hear more than that, is told for itself.
    """
    steps: list[Step] = []
    step: Step | None = first
    while step is not None and step.is_news and step.after.parent_id not in tell:
        child, step = step.after, None
        # It may have left. Without a store the commit fails by itself.
        with suppress(StoreUnavailable), apart("parents", child.parent_id), suppress(NotFound):
            assert child.parent_id is not None  # noqa: S101 - it is news to somebody
            parent, known = known or ports.ledger.load(child.parent_id), None
            decision = decide(parent.aggregate, told_of(child, ports))
            if decision.ignored is None:
                step = Step(parent, decision, heard=child.id)
                steps.append(step)
    return steps


def told_of(child: Aggregate, ports: Ports) -> Event:
    """Return what tells somebody how one is now whom it concerns, as a child of its own does.

    Raises:
        NotFound: it is nobody's child.
    """
    at_ms = ports.clock.now_ms()
    match child:
        case Order():
            new_ids = ports.ids.fresh(child.account, IDS_PER_EVENT)
            return OrderUpdated(at_ms=at_ms, order=child, new_ids=new_ids)
        case SmartOrder():
            new_ids = ports.ids.fresh(child.account, IDS_AT_VENUE)
            return SmartOrderUpdated(at_ms=at_ms, smart_order=child, new_ids=new_ids)
        case Request() | SmartTrade():
            raise NotFound(f"{child.kind} {child.id} is nobody's child")


def _commit(
    steps: Sequence[Step], ports: Ports, terms: CommitConditions, *, stays: bool = False
) -> bool:
    """Commit, and wake whoever has something to do since; return whether there is somebody."""
    changes = [change for step in steps for change in step.changes()]
    effects = ports.ledger.commit(changes, terms)
    ports.publisher.publish(effects)
    owed = [one for one in effects if not one.due_at_ms]
    # It is done: nobody may be told otherwise because the store is away for what only hurries.
    with suppress(StoreUnavailable):
        for step in steps:
            if step.heard is not None:
                # What it owed before nobody is told of again, though there may be more of it now.
                still = [one for one in step.after.owed() if not one.due_at_ms and one not in owed]
                ports.publisher.publish(still)
                owed += still
            _outdate_view(step.before.aggregate, step.after, ports)
        if owed or not stays:
            _wake_lanes(steps, owed, ports)
    return bool(owed)


def _wake_lanes(steps: Sequence[Step], woken: Sequence[Effect], ports: Ports) -> None:
    """Wake the next in each lane that has become free, unless that was done by now."""
    turns = {EffectKind.NEWS, EffectKind.ADVANCE}
    known = {one.target for one in woken if one.kind in turns}
    freed = [one.lane_freed() for one in steps]
    for account, symbol in dict.fromkeys(lane for lane in freed if lane is not None):
        head = ports.lanes.head(account, symbol)
        if head is not None and head not in known:
            ports.publisher.publish([turn_of(head, account)])


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


def turn_of(aggregate_id: AggregateId, account: AccountId) -> Effect:
    """Return the wake-up of somebody who waits in a lane of an account."""
    return Effect(kind=EffectKind.ADVANCE, target=aggregate_id, account=account)
