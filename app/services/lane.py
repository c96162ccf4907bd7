"""Position-dependent work of one (account, symbol), one at a time and in order of its turn."""

from app.domain.errors import NotFound
from app.domain.events import Executed, TurnTaken
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.market import AccountView
from app.domain.order import Order
from app.domain.request import Request
from app.domain.status import OrderStatus
from app.domain.words import AccountState
from app.ports import Ports, Terms, Turn
from app.services.advance import advance

#: An order to close the opposite leg, and the entry after it.
IDS_PER_TURN = 2

#: Turns that one call takes; more are left to the next wake-up.
TURNS_MAX = 16


#: What stands in lanes: requests that are sized in their turn, and orders that are merely sent.
Waiting = Request | Order


def work_lane(account: AccountId, symbol: Symbol, ports: Ports) -> None:
    """Let whoever is at the head of the lane have its turn: size its order, or let it be sent.

    One worker at a time holds the lane, by a lease with a fencing token that the commit checks, so
    a worker that slept through its lease commits nothing. While an order of the lane is in flight
    nobody takes a turn, save exits that have waited long enough, and what is too late by now.
    """
    for _ in range(TURNS_MAX):
        turn = ports.lanes.enter(account, symbol)
        if turn is None:
            return
        try:
            executed = _take_turn(turn, ports)
        finally:
            newcomer = ports.lanes.leave(turn)
        if not executed and newcomer is None:
            return


def _take_turn(turn: Turn, ports: Ports) -> bool:
    """Execute the first request that may run. Return whether the lane has moved."""
    now_ms = ports.clock.now_ms()
    # While nobody may go ahead, the head alone is asked whether it is too late. To read
    # the others at each wake-up would hold up the very order that they wait for.
    may_overtake = _may_overtake(turn, ports)
    for aggregate_id in turn.waiting if may_overtake else turn.waiting[:1]:
        waiting = _queued(aggregate_id, ports)
        if waiting is None:
            continue
        if is_late(waiting, now_ms):
            advance(waiting.id, _nothing_known(now_ms), ports, Terms(turn=turn))
            return True
        if turn.in_flight:
            if not may_overtake or _is_entry(waiting) or not _is_ready(waiting):
                continue
        elif not _is_ready(waiting):
            return False  # it waits for its close, and so does everybody behind it
        if _must_wait(waiting, ports):
            continue
        _execute(waiting, turn, ports)
        return True
    return False


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
    last_ms = waiting.not_after_ms
    return waiting.is_ready and last_ms is not None and now_ms > last_ms


def _is_entry(waiting: Waiting) -> bool:
    return isinstance(waiting, Request) and waiting.is_entry


def _is_ready(waiting: Waiting) -> bool:
    return isinstance(waiting, Order) or waiting.is_ready


def _nothing_known(now_ms: EpochMs) -> Executed:
    """Return a turn for which nobody was asked: enough to find that it comes too late."""
    view = AccountView()
    return Executed(at_ms=now_ms, account=view, quote=None, instrument=None, new_ids=())


def _may_overtake(turn: Turn, ports: Ports) -> bool:
    """Tell whether exits have waited long enough for the orders in flight, be there any."""
    now_ms = ports.clock.server_ms()
    for order_id in turn.in_flight:
        order = ports.ledger.load(order_id).aggregate
        if not isinstance(order, Order) or order.status is not OrderStatus.UNKNOWN:
            return False
        if now_ms - (order.unknown_since_ms or now_ms) < ports.policy.exit_patience_ms:
            return False
    return True


def _must_wait(waiting: Waiting, ports: Ports) -> bool:
    """Tell whether an exit waits for its halted account; an entry is denied when it is sent."""
    return not _is_entry(waiting) and ports.ledger.state_of(waiting.account) is AccountState.HALT


def _execute(waiting: Waiting, turn: Turn, ports: Ports) -> None:
    if isinstance(waiting, Order):
        advance(waiting.id, TurnTaken(at_ms=ports.clock.now_ms()), ports, Terms(turn=turn))
        return
    account = ports.accounts.account(waiting.account)
    venue = ports.venues.of(account)
    event = Executed(
        at_ms=ports.clock.now_ms(),
        account=venue.view(),
        quote=venue.quote(waiting.symbol),
        instrument=venue.instrument(waiting.symbol),
        new_ids=ports.ids.fresh(waiting.account, IDS_PER_TURN),
    )
    advance(waiting.id, event, ports, Terms(turn=turn))
