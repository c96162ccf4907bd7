"""What a venue has is held against what is known here, at the start and then again and again.

Nothing is forgotten on a mismatch: what the venue tells for certain is adopted, the rest is shown.
An answer that comes late does no harm: what is adopted is about orders that were open, which are
never placed again, and an outcome says when it was begun.
"""

from collections.abc import Iterator, Mapping

from app.domain.account import PAPER, Account
from app.domain.effects import AT_ONCE, EffectKind
from app.domain.errors import (
    HistoryUnavailable,
    NotFound,
    UnreadableRecord,
    VenueError,
    VenueUnavailable,
)
from app.domain.events import OrderReported
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId, EpochMs
from app.domain.market import AccountView
from app.domain.order import Order
from app.domain.reconciliation import (
    FailedReconciliation,
    Mismatch,
    MismatchKind,
    Reconciliation,
    VenueOrder,
)
from app.domain.smart_order import SmartOrder
from app.ports import Ports
from app.ports.venue import Venue
from app.services.apart import apart
from app.services.ask import ask, leave_request
from app.services.exclusive import exclusive
from app.services.find_anywhere import find_anywhere, readable, tell
from app.services.following.delisted import end_delisted
from app.services.following.follow import open_orders
from app.services.keeping.vouch import look_early

#: Turns for which a comparison in its turn may wait to be begun.
_TURNS = 10


def reconcile(account_id: AccountId, ports: Ports, since_ms: EpochMs = AT_ONCE) -> None:
    """Compare an account with its venue, and leave the outcome where people see it.

    Twice, or at once in two workers: one does it. Stopped halfway, the next one begins anew.

    Args:
        account_id: whose it is.
        ports: as everywhere.
        since_ms: one that was begun at this server time or later is enough, however it went; 0
            compares in any case.

    Raises:
        NotFound: there is no such account, or nobody knows its venue.
        VenueUnavailable: the venue could not be asked; that is left where people see it, too.
    """
    account = ports.accounts.account(account_id)
    lease_ms = ports.policy.reconcile_lease_ms
    with exclusive(ports.locks, f"reconcile:{account_id}", lease_ms) as is_ours:
        if is_ours and (not since_ms or _newest_ms(account_id, ports) < since_ms):
            _compare(account, ports)
            end_delisted(account, ports)


def reconcile_now(account: Account, ports: Ports) -> bool:
    """Have a worker compare an account with its venue, and wait for it, but not long.

    Twice, or by two at once, is one comparison that is new enough for both.

    Returns:
        Whether it was done; if not, it may still come.

    Raises:
        VenueUnavailable: it was tried, and the venue could not be asked.
    """
    wait_ms = ports.policy.reconcile_wait_ms
    request = leave_request(EffectKind.RECONCILE, account.id, wait_ms, ports)

    def outcome() -> Reconciliation | FailedReconciliation | None:
        kept = ports.reconciliations
        for one in (kept.get(account.id), kept.failure(account.id)):
            if one is not None and one.begun_ms >= request.asked_ms:
                return one
        return None

    found = ask([request.effect()], outcome, wait_ms, ports)
    if isinstance(found, FailedReconciliation):
        raise VenueUnavailable(found.message)
    return found is not None


def reconcile_in_turn(ports: Ports) -> None:
    """Have workers compare each account at a real venue, one message each, once in a while.

    Twice, or at once, is the same once: the lease of each turn is not given back. A request waits
    for several turns, since a slow venue may have more accounts than fit into one: were they
    forgotten in between, those at the end of the list would never be compared.
    """
    every_ms = ports.policy.reconcile_every_ms
    for account in ports.accounts.accounts():
        if account.venue == PAPER or not account.enabled:
            continue
        if ports.locks.acquire(f"reconcile_in_turn:{account.id}", every_ms) is not None:
            request = leave_request(EffectKind.RECONCILE, account.id, _TURNS * every_ms, ports)
            ports.publisher.publish([request.effect()])


def reconcile_as_asked(request_id: AggregateId, ports: Ports) -> None:
    """Compare an account, unless one that is new enough is there, and vouch for its orders early.

    Raises:
        NotFound: there is no such request, or nobody waits for it any more.
        VenueError: the venue could not be asked.
    """
    request = ports.worker_requests.find(request_id)
    try:
        reconcile(request.account, ports, request.asked_ms)
    finally:
        look_early(request.account, ports)


def _newest_ms(account_id: AccountId, ports: Ports) -> EpochMs:
    """Return when the newest comparison was begun, whether or not it came to anything."""
    outcomes = (ports.reconciliations.get(account_id), ports.reconciliations.failure(account_id))
    return max((one.begun_ms for one in outcomes if one is not None), default=AT_ONCE)


def _compare(account: Account, ports: Ports) -> None:
    begun_ms = ports.clock.server_ms()
    try:
        found = _compared(account, begun_ms, ports)
    except (VenueError, NotFound) as error:
        failed = FailedReconciliation(
            at_ms=ports.clock.now_ms(), begun_ms=begun_ms, message=str(error)
        )
        ports.reconciliations.put_failure(account.id, failed)
        raise
    ports.reconciliations.put(account.id, found)


def _compared(account: Account, begun_ms: EpochMs, ports: Ports) -> Reconciliation:
    venue = ports.venues.of(account)
    # Read before the venue is: what is placed meanwhile is not missed there.
    here = {one.client_order_id: one for one in open_orders(account.id, ports)}
    symbols = sorted({one.symbol for one in here.values()})
    there = {one.client_order_id: one for one in venue.standing(symbols)}
    view = venue.view()
    return Reconciliation(
        at_ms=ports.clock.now_ms(),
        begun_ms=begun_ms,
        mismatches=(
            *_missing(here, there, venue, ports),
            *_unexpected(here, there, ports),
            *_unguarded(account.id, view, ports),
        ),
        foreign=tuple(one for one in there.values() if _owner(one, ports) is None),
    )


def _owner(order: VenueOrder, ports: Ports) -> AggregateId | None:
    return ports.ids.order_of(order.client_order_id)


def _missing(
    here: Mapping[ClientOrderId, Order],
    there: Mapping[ClientOrderId, VenueOrder],
    venue: Venue,
    ports: Ports,
) -> Iterator[Mismatch]:
    """Ask about each order that should be open and is not listed; its own record tells."""
    for one in sorted(here.keys() - there.keys()):
        order = here[one]
        try:
            report = venue.find(order)
        except VenueError as error:
            yield _missed(order, f"the venue cannot tell of {order.sentence()}: {error}")
            continue
        if report is None:
            told = f"{order.sentence()} is {order.status} here, and the venue does not show it"
            yield _missed(order, told)
            continue
        with apart("reconciliations", order.id):
            tell(order.id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)


def _missed(order: Order, message: str) -> Mismatch:
    return Mismatch(
        kind=MismatchKind.MISSING,
        about=order.client_order_id,
        message=message,
        aggregate_id=order.id,
    )


def _unexpected(
    here: Mapping[ClientOrderId, Order],
    there: Mapping[ClientOrderId, VenueOrder],
    ports: Ports,
) -> Iterator[Mismatch]:
    """Find what is ours and open at the venue, and closed or unknown here."""
    for one in sorted(there.keys() - here.keys()):
        standing = there[one]
        owner = _owner(standing, ports)
        if owner is None:
            continue
        known: AggregateId | None = owner
        try:
            order = find_anywhere(owner, ports)
        except (NotFound, HistoryUnavailable):
            known = None
            message = f"{standing.sentence()} is ours by its id, and nothing is known of it here"
        except UnreadableRecord:
            message = f"{standing.sentence()} is ours, and its record cannot be read here"
        else:
            if not isinstance(order, Order) or not order.is_closed:
                continue
            message = f"{order.sentence()} is {order.status} here, and open at the venue"
        yield Mismatch(
            kind=MismatchKind.UNEXPECTED,
            about=one,
            message=message,
            aggregate_id=known,
            standing=standing,
        )


def _unguarded(account_id: AccountId, view: AccountView, ports: Ports) -> Iterator[Mismatch]:
    """Find protective orders that wait for a position which is not there."""
    for smart in readable(sorted(ports.live.of_account(account_id)), ports):
        if not isinstance(smart, SmartOrder) or not smart.reduce_only:
            continue
        leg = smart.position_side
        if leg is not None and not view.position(smart.symbol, leg).size:
            yield Mismatch(
                kind=MismatchKind.UNGUARDED,
                about=str(smart.id),
                message=(
                    f"{smart.sentence()} protects a {leg} in {smart.symbol} that the venue does "
                    "not have"
                ),
                aggregate_id=smart.id,
            )
