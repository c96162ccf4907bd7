"""Position-dependent work of one (account, symbol), one at a time and in order of its turn."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from app.domain.account import Account
from app.domain.enums import Listing, Mode, ReasonCode
from app.domain.errors import (
    KeyRefused,
    LaneChanged,
    NotFound,
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
from app.ports.ledger import CommitConditions, LaneView
from app.services.advance import advance
from app.services.exclusive import ANSWER_MS, exclusive
from app.services.following.guards import guarding, stops_are_going, tell_guards
from app.services.placing.place import traded

#: An order to close the opposite leg, and the entry after it.
IDS_PER_TURN = 2

#: Turns that one call takes; more are left to the next wake-up.
TURNS_MAX = 16

#: A call that lasts longer begins no further turn: at a slow venue one turn takes half a minute.
TURNS_WITHIN_MS = 5_000

#: Longer than the paper venue takes to tell what an account has, and the prices.
PAPER_ASKING_MS = 3_000


#: What stands in lanes: requests that are sized in their turn, and orders that are merely sent.
Waiting = Request | Order


def work_lane(account: AccountId, symbol: Symbol, ports: Ports) -> None:
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
    """
    until_ms = ports.clock.steady_ms() + TURNS_WITHIN_MS
    for _ in range(TURNS_MAX):
        lane = ports.lanes.look(account, symbol)
        waiting = _next(lane, ports)
        if waiting is None or not _take_turn(waiting, lane, ports):
            return
        if ports.clock.steady_ms() > until_ms:
            return


def _take_turn(waiting: Waiting, lane: LaneView, ports: Ports) -> bool:
    """Let it be sent, expire or be sized. Return whether it is worth looking at the lane again."""
    now_ms = ports.clock.now_ms()
    with suppress(LaneChanged):
        if is_late(waiting, now_ms):
            # Nobody is asked for that: this is enough to find that it comes too late.
            view = AccountView()
            turn = Executed(at_ms=now_ms, account=view, quote=None, instrument=None, new_ids=())
            advance(waiting.id, turn, ports, CommitConditions(lane=lane))
        elif isinstance(waiting, Order):
            advance(waiting.id, TurnTaken(at_ms=now_ms), ports, _terms(waiting, lane, ports))
        else:
            return _size_alone(waiting.account, waiting.symbol, ports)
    return True


def _next(lane: LaneView, ports: Ports) -> Waiting | None:
    """Return the first that may have its turn now, if any may."""
    now_ms = ports.clock.now_ms()
    # While nobody may go ahead, the head alone is asked whether it is too late. To read
    # the others at each wake-up would hold up the very order that they wait for.
    passing = _passing(lane, ports)
    ids = lane.waiting[:1] if passing is None else lane.waiting
    goes_on = False
    for waiting, is_blocked in _readable(ids, lane, ports):
        if is_late(waiting, now_ms):
            return waiting
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
            return waiting
    return None


def _readable(
    ids: Sequence[AggregateId], lane: LaneView, ports: Ports
) -> Iterator[tuple[Waiting, bool]]:
    """Yield who waits, each with whether nobody knows what became of something before it.

    That is also so behind a record that cannot be read: entries wait for it, exits not for ever.
    """
    is_blocked = bool(lane.in_flight)
    for aggregate_id in ids:
        try:
            waiting = _queued(aggregate_id, ports)
        except UnreadableRecord:
            if not _has_been_unreadable(aggregate_id, ports):
                return
            is_blocked = True
            continue
        if waiting is not None:
            yield waiting, is_blocked


def _queued(aggregate_id: AggregateId, ports: Ports) -> Waiting | None:
    try:
        aggregate = ports.ledger.load(aggregate_id).aggregate
    except NotFound:
        return None
    return aggregate if isinstance(aggregate, Waiting) and aggregate.is_queued else None


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

    Those for which exits have waited long enough are left out.
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
        if _has_been_unknown(order, ports):
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


def _size_alone(account_id: AccountId, symbol: Symbol, ports: Ports) -> bool:
    """Size what is next in the lane, unless somebody else does. Return whether we did, or tried.

    Who finds another one asking goes away: that one looks at the lane again when it is done. If it
    dies meanwhile, the sweep sends the next one.
    """
    account = ports.accounts.account(account_id)
    asking_ms = PAPER_ASKING_MS if account.mode is Mode.PAPER else ANSWER_MS
    with exclusive(ports.locks, f"lane:{account_id}:{symbol}", asking_ms) as is_ours:
        if is_ours:
            # Who had the lock before has perhaps had the turn that we came for.
            lane = ports.lanes.look(account_id, symbol)
            waiting = _next(lane, ports)
            if isinstance(waiting, Request) and not is_late(waiting, ports.clock.now_ms()):
                return _size(waiting, account, lane, ports)
        return is_ours


def _size(request: Request, account: Account, before: LaneView, ports: Ports) -> bool:
    """Ask the venue what the size depends on, and let the request have its turn by that.

    Return whether it is worth looking at the lane again. An entry that would open a leg anew while
    guards of an older position may still be there waits for their end, or until it is shown.
    """
    terms = _terms(request, before, ports)
    try:
        return _size_by_venue(request, account, terms, ports)
    except (KeyRefused, VenueUnavailable) as error:
        if error.code is not ReasonCode.CREDENTIALS_REFUSED:
            raise
        denied = TurnDenied(at_ms=ports.clock.now_ms(), reason=Reason(error.code, str(error)))
        advance(request.id, denied, ports, terms)
        return True


def _size_by_venue(
    request: Request, account: Account, terms: CommitConditions, ports: Ports
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
    if _is_still_next(request, account, ports):
        event = Executed(
            at_ms=ports.clock.now_ms(),
            account=view,
            quote=quote,
            instrument=instrument,
            listing=listing,
            new_ids=ports.ids.fresh(account.id, IDS_PER_TURN),
        )
        advance(request.id, event, ports, terms)
    return True


def _is_still_next(request: Request, account: Account, ports: Ports) -> bool:
    """Tell whether what was asked for before is still what its turn depends on.

    Others came, an account was halted or set to another mode, time went by: all of that may happen
    while a venue is asked. The rest, that nothing was in flight since, is checked by the commit.
    """
    next_one = _next(ports.lanes.look(request.account, request.symbol), ports)
    is_next = next_one is not None and next_one.id == request.id
    return is_next and ports.accounts.account(account.id) == account
