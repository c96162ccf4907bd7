"""Position-dependent work of one (account, symbol), one at a time and in order of its turn."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from app.domain.account import PAPER, Account
from app.domain.aggregate import Aggregate
from app.domain.decision import Decision
from app.domain.enums import Listing, ReasonCode
from app.domain.errors import (
    KeyRefused,
    LaneChanged,
    NotFound,
    NotPermitted,
    StaleRegistry,
    UnreadableRecord,
    VenueUnavailable,
)
from app.domain.events import Executed, TurnDenied, TurnTaken
from app.domain.exits import PAUSE_MAX_MS
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.market import AccountView
from app.domain.moments import has_come
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import Request
from app.domain.status import OrderStatus
from app.ports import Ports
from app.ports.ledger import CommitConditions, LaneView, Stored
from app.services.advance import advance, advance_from, turn_of
from app.services.exclusive import asking
from app.services.following.guards import guarding, stops_are_going, tell_guards
from app.services.placing.place import size_and_send, traded

#: An order to close the opposite leg, and the entry after it.
IDS_PER_TURN = 2

#: Turns that one call takes; then it wakes the next.
TURNS_MAX = 16

#: A call that lasts longer begins no further turn: at a slow venue one turn takes half a minute.
TURNS_WITHIN_MS = 5_000

#: What was seen of a lane of paper counts for so long, whoever comes meanwhile.
LOOK_LASTS_MS = 100


#: What stands in lanes: requests that are sized in their turn, and orders that are merely sent.
Waiting = Request | Order


class _Queued(NamedTuple):
    """Who waits in a lane, as what it is stored, and as of when by the steady clock."""

    waiting: Waiting
    stored: Stored
    looked_ms: int


def work_lane(
    account: AccountId, symbol: Symbol, ports: Ports, known: Stored | None = None
) -> None:
    """Let whoever is next in the lane have its turn: size its order, or let it be sent.

    While an order of the lane is in flight nobody takes a turn, save exits that have waited long
    enough, and what is too late by now.

    A venue may take half a minute to tell what a size depends on, so nothing is leased meanwhile
    that anybody needs. What it has told counts if nothing in the lane has been in flight since
    before it was asked, save what still is, as it was: the store checks that in the step which
    commits the turn. So of any number who work a lane at once, each at any pace, one has the turn.

    Orders that go past the lane may come and go without end. An exit that has waited long enough
    neither waits for those that were made after it was due, nor minds any of them while it is
    sized.

    Who has let an order go looks no further: everybody waits for that one, and whoever brings it to
    its end wakes the next. With paper that is who has let it go, and looks on by itself, unless
    more came of it: what was filled is guarded first. Whoever dies meanwhile leaves that to the
    sweep.

    Args:
        account: whose lane it is.
        symbol: what is traded in it.
        ports: as everywhere.
        known: one who may wait there, as it was loaded just now.
    """
    until_ms = ports.clock.steady_ms() + TURNS_WITHIN_MS
    first: tuple[AggregateId, ...] = ()
    for _ in range(TURNS_MAX):
        looked_ms = ports.clock.steady_ms()
        lane = ports.lanes.look(account, symbol)
        first = first or lane.waiting[:1]
        queued = _next(lane, looked_ms, ports, known)
        known = None
        if queued is None or not _take_turn(queued, lane, ports):
            return
        if ports.clock.steady_ms() > until_ms:
            break
    head = ports.lanes.head(account, symbol)
    # Where it is the same one still, nothing came of all those turns: the sweep is soon enough.
    if head is not None and head not in first:
        ports.publisher.publish([turn_of(head, account)])


def _take_turn(queued: _Queued, lane: LaneView, ports: Ports) -> bool:
    """Let it be sent, expire or be sized. Return whether it is worth looking at the lane again."""
    waiting, stored, _ = queued
    now_ms = ports.clock.now_ms()
    with suppress(LaneChanged):
        if is_late(waiting, now_ms):
            # Nobody is asked for that: this is enough to find that it comes too late.
            view = AccountView()
            turn = Executed(at_ms=now_ms, account=view, quote=None, instrument=None, new_ids=())
            advance_from(stored, turn, ports, CommitConditions(lane=lane))
        elif isinstance(waiting, Order):
            taken = TurnTaken(at_ms=now_ms)
            terms = _terms(waiting, lane, ports)
            return _is_free(advance_from(stored, taken, ports, terms).decision)
        else:
            return _size_alone(queued, waiting, lane, ports)
    return True


def _is_free(turn: Decision[Aggregate]) -> bool:
    """Tell whether the lane is still free after a turn, as far as that goes."""
    made = (turn.aggregate, *turn.children)
    return not any(isinstance(one, Order) and one.holds_lane for one in made)


def _next(
    lane: LaneView, looked_ms: int, ports: Ports, known: Stored | None = None
) -> _Queued | None:
    """Return the first that may have its turn now, if any may."""
    now_ms = ports.clock.now_ms()
    # While nobody may go ahead, the head alone is asked whether it is too late. To read
    # the others at each wake-up would hold up the very order that they wait for.
    passing = _passing(lane, ports)
    ids = lane.waiting[:1] if passing is None else lane.waiting
    goes_on = False
    for queued, is_blocked in _readable(ids, lane, looked_ms, ports, known):
        waiting = queued.waiting
        if is_late(waiting, now_ms):
            return queued
        if is_blocked or goes_on:
            if (passing or goes_on) and not _has_waited(waiting, ports):
                return None  # and nobody behind it has
            if _is_held_up(waiting, passing, ports):
                continue
        elif not _is_ready(waiting, ports):
            # It waits for its close, which a venue may keep open, or for its next try. So does
            # everybody behind it, save exits that have waited long enough.
            goes_on = True
            continue
        if not _must_wait(waiting, ports):
            return queued
    return None


def _readable(
    ids: Sequence[AggregateId],
    lane: LaneView,
    looked_ms: int,
    ports: Ports,
    known: Stored | None,
) -> Iterator[tuple[_Queued, bool]]:
    """Yield who waits, each with whether nobody knows what became of something before it.

    That is also so behind a record that cannot be read: entries wait for it, exits not for ever.
    """
    is_blocked = bool(lane.in_flight)
    for aggregate_id in ids:
        try:
            queued = _queued(aggregate_id, looked_ms, ports, known)
        except UnreadableRecord:
            if not _has_been_unreadable(aggregate_id, ports):
                return
            is_blocked = True
            continue
        if queued is not None:
            yield queued, is_blocked


def _queued(
    aggregate_id: AggregateId, looked_ms: int, ports: Ports, known: Stored | None
) -> _Queued | None:
    try:
        if known is None or known.aggregate.id != aggregate_id:
            known = ports.ledger.load(aggregate_id)
    except NotFound:
        return None
    waiting = known.aggregate
    if not isinstance(waiting, Waiting) or not waiting.is_queued:
        return None
    return _Queued(waiting, known, looked_ms)


def is_late(waiting: Waiting, now_ms: EpochMs) -> bool:
    """Tell whether its time has passed, so that it ends without waiting for anything else.

    An order in a lane reduces a position, so it is never too late.
    """
    if isinstance(waiting, Order):
        return False
    last_ms = waiting.turn_until_ms
    return waiting.is_ready and last_ms is not None and now_ms > last_ms


def _is_entry(waiting: Waiting) -> bool:
    return isinstance(waiting, Request) and waiting.is_entry


def _is_ready(waiting: Waiting, ports: Ports) -> bool:
    """Tell whether something waits for nothing but its turn."""
    if isinstance(waiting, Order):
        return True
    has_paused = has_come(waiting.next_turn_ms, ports.clock.server_ms(), PAUSE_MAX_MS)
    return waiting.is_ready and has_paused


def _passing(lane: LaneView, ports: Ports) -> Sequence[Order] | None:
    """Return what is in flight past the lane; None while everybody waits for something else.

    Those for which exits have waited long enough are left out, and of which nothing is sent yet
    since limits cannot be checked.
    """
    passing = []
    for order_id in lane.in_flight:
        try:
            order = ports.ledger.load(order_id).aggregate
        except UnreadableRecord:
            if not _has_been_unreadable(order_id, ports):
                return None
            continue
        if not isinstance(order, Order):
            return None
        if _has_been_unknown(order, ports) or order.unchecked_since_ms is not None:
            continue
        if order.had_turn:
            return None
        passing.append(order)
    return passing


def _has_been_unknown(order: Order, ports: Ports) -> bool:
    """Tell whether exits have waited long enough for an order in flight."""
    since_ms = order.unknown_since_ms
    if order.status is not OrderStatus.UNKNOWN or since_ms is None:
        return False
    return ports.clock.lasted_ms(since_ms) >= ports.policy.lane_patience_ms


def _is_held_up(waiting: Waiting, passing: Sequence[Order] | None, ports: Ports) -> bool:
    """Tell whether something waits for what is in flight; see `_passing`."""
    if passing is None or _is_entry(waiting) or not _is_ready(waiting, ports):
        return True
    return any(one.created_at_ms <= waiting.due_at_ms for one in passing)


def _has_waited(waiting: Waiting, ports: Ports) -> bool:
    """Tell whether something has waited for its turn as long as exits wait for anything."""
    return ports.clock.now_ms() - waiting.due_at_ms >= ports.policy.lane_patience_ms


def _terms(waiting: Waiting, lane: LaneView, ports: Ports) -> CommitConditions:
    """Return what may not have changed since the lane was looked at when it has its turn."""
    if _is_entry(waiting) or not _has_waited(waiting, ports):
        return CommitConditions(lane=lane)
    return CommitConditions(turns=lane)


def _has_been_unreadable(aggregate_id: AggregateId, ports: Ports) -> bool:
    """Tell whether exits have waited long enough for a record that nobody can read."""
    found = ports.quarantine.find(aggregate_id)
    if found is None:
        return False
    return ports.clock.lasted_ms(found.since_ms) >= ports.policy.lane_patience_ms


def _must_wait(waiting: Waiting, ports: Ports) -> bool:
    """Tell whether an exit waits for its halted account; an entry is denied when it is sent."""
    return not _is_entry(waiting) and ports.ledger.state_of(waiting.account).holds_exits


def _size_alone(queued: _Queued, request: Request, before: LaneView, ports: Ports) -> bool:
    """Size what is next in the lane, unless somebody else does.

    Return whether it is worth looking at the lane again. Who finds another one asking goes away:
    that one looks again when it is done if it was wanted, or has let no order go whose end wakes
    the next. If it dies meanwhile, the sweep sends the next one. Who had the lock just before has
    perhaps had this turn; then what the venue tells is not used, as after any other change in the
    lane. Where all that it tells is in our store it is asked by whoever comes: that costs less than
    to keep others away.
    """
    account = ports.accounts.account(request.account)
    if not ports.policy.asks_outside(account):
        return _size(queued, request, account, before, ports)
    with asking(ports.locks, f"lane:{account.id}:{request.symbol}") as hold:
        is_free = hold.is_ours and _size(queued, request, account, before, ports)
    return is_free or hold.was_wanted


def _size(
    queued: _Queued, request: Request, account: Account, before: LaneView, ports: Ports
) -> bool:
    """Ask the venue what the size depends on, and let the request have its turn by that.

    Return whether it is worth looking at the lane again. An entry that would open a leg anew while
    guards of an older position may still be there waits for their end, or until it is shown.
    """
    terms = _terms(request, before, ports)
    try:
        return _size_by_venue(queued, request, account, terms, ports)
    except (KeyRefused, VenueUnavailable) as error:
        if error.code is not ReasonCode.CREDENTIALS_REFUSED:
            raise
        denied = TurnDenied(at_ms=ports.clock.now_ms(), reason=Reason(error.code, str(error)))
        advance(request.id, denied, ports, terms)
        return True


def _size_by_venue(
    queued: _Queued, request: Request, account: Account, terms: CommitConditions, ports: Ports
) -> bool:
    venue = ports.venues.of(account)
    instrument = traded(request.symbol, venue)  # with whatever must be known before the rest
    listing = Listing.TRADED if instrument is not None else venue.listing(request.symbol)
    # Before what is dear, and good for this account alone. Where nobody trades, an exchange may
    # tell no price either, and none is needed.
    is_open = listing in {Listing.TRADED, Listing.GONE}
    quote = venue.quote(request.symbol) if is_open else None
    leg = request.opens
    if leg is not None and stops_are_going(account.id, ports, (request.symbol, leg)):
        return False
    guards = () if leg is None else guarding(account.id, ports, (request.symbol, leg))
    begun_ms = ports.clock.server_ms()
    view = venue.view()
    if not tell_guards(guards, view.positions, begun_ms, account, ports):
        return False
    stored = _still_next(queued, request, account, ports)
    if stored is not None:
        event = Executed(
            at_ms=ports.clock.now_ms(),
            account=view,
            quote=quote,
            instrument=instrument,
            listing=listing,
            new_ids=ports.ids.fresh(account.id, IDS_PER_TURN),
        )
        try:
            turn, looks_on = size_and_send(stored, event, account, terms, ports)
        except StaleRegistry:
            ports.accounts.refresh()
            return True
        except NotPermitted:
            if _must_wait(request, ports):
                return True
            # Whether it may be sent is asked for itself: exits may where entries may not.
            turn, looks_on = advance_from(stored, event, ports, terms).decision, False
        return looks_on or _is_free(turn)
    return True


def _still_next(queued: _Queued, request: Request, account: Account, ports: Ports) -> Stored | None:
    """Return the request if what was asked for before is still what its turn depends on.

    Others came, an account was halted or set to another mode, time went by: all of that may happen
    while a venue is asked. The rest, that nothing was in flight since, is checked by the commit. So
    is with paper that the account runs; there, who comes right after a look has come after it.
    """
    looked_ms = ports.clock.steady_ms()
    if account.venue != PAPER or looked_ms - queued.looked_ms > LOOK_LASTS_MS:
        lane = ports.lanes.look(request.account, request.symbol)
        found = _next(lane, looked_ms, ports)
        if found is None or found.waiting.id != request.id:
            return None
        queued = found
    return queued.stored if ports.accounts.account(account.id) == account else None
