"""Position-dependent work of one (account, symbol), one at a time and in order of its turn."""

from app.domain.errors import NotFound
from app.domain.events import Executed
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol
from app.domain.market import AccountView
from app.domain.order import Order
from app.domain.request import Request, Stage
from app.domain.status import OrderStatus
from app.domain.words import AccountState
from app.ports import Ports, Terms, Turn
from app.services.advance import advance

#: An order to close the opposite leg, and the entry after it.
IDS_PER_TURN = 2

#: Turns that one call takes; more are left to the next wake-up.
TURNS_MAX = 16


def work_lane(account: AccountId, symbol: Symbol, ports: Ports) -> None:
    """Size and commit the order of whoever is at the head of the lane.

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
        request = _queued(aggregate_id, ports)
        if request is None:
            continue
        if is_late(request, now_ms):
            advance(request.id, _nothing_known(now_ms), ports, Terms(turn=turn))
            return True
        if turn.in_flight:
            if not may_overtake or request.is_entry or request.stage is not Stage.QUEUED:
                continue
        elif request.stage is not Stage.QUEUED:
            return False  # it waits for its close, and so does everybody behind it
        if _must_wait(request, ports):
            continue
        _execute(request, turn, ports)
        return True
    return False


def _queued(aggregate_id: AggregateId, ports: Ports) -> Request | None:
    try:
        aggregate = ports.ledger.load(aggregate_id).aggregate
    except NotFound:
        return None
    return aggregate if isinstance(aggregate, Request) and aggregate.is_queued else None


def is_late(request: Request, now_ms: EpochMs) -> bool:
    """Tell whether its time has passed, so that it ends without waiting for anything else."""
    last_ms = request.not_after_ms
    return request.stage is Stage.QUEUED and last_ms is not None and now_ms > last_ms


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


def _must_wait(request: Request, ports: Ports) -> bool:
    """Tell whether an exit waits for its halted account; an entry is denied when it is sent."""
    return not request.is_entry and ports.ledger.state_of(request.account) is AccountState.HALT


def _execute(request: Request, turn: Turn, ports: Ports) -> None:
    account = ports.accounts.account(request.account)
    venue = ports.venues.of(account)
    event = Executed(
        at_ms=ports.clock.now_ms(),
        account=venue.view(),
        quote=venue.quote(request.symbol),
        instrument=venue.instrument(request.symbol),
        new_ids=ports.ids.fresh(request.account, IDS_PER_TURN),
    )
    advance(request.id, event, ports, Terms(turn=turn))
