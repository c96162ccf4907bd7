"""What a venue has is held against what is known here, at the start and then again and again.

Nothing is forgotten on a mismatch: what the venue tells for certain is adopted, the rest is shown.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from app.domain.errors import NewerRecord, NotFound, VenueError
from app.domain.events import OrderReported
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId
from app.domain.market import AccountView
from app.domain.order import Order
from app.domain.reconciliation import Mismatch, Reconciliation, StandingOrder
from app.domain.smart_order import SmartOrder
from app.domain.status import OPEN, OrderStatus
from app.ports import Ports, Venue
from app.services.advance import advance

#: Longer than the questions of one account take.
LEASE_MS = 60_000

#: Those whose outcome is being asked about already.
_IN_QUESTION = frozenset({OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.PENDING_NEW})


def reconcile(account_id: AccountId, ports: Ports) -> None:
    """Compare an account with its venue, and leave the outcome where people see it.

    Twice, or at once in two workers: one does it. Stopped halfway, the next one begins anew.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked.
    """
    account = ports.accounts.account(account_id)
    lock = f"reconcile:{account_id}"
    token = ports.locks.acquire(lock, LEASE_MS)
    if token is None:
        return
    try:
        venue = ports.venues.of(account)
        # Read before the venue is: what is placed meanwhile is not missed there.
        here = {one.client_order_id: one for one in _open_here(account_id, ports)}
        symbols = sorted({one.symbol for one in here.values()})
        there = {one.client_order_id: one for one in venue.standing(symbols)}
        view = venue.view()
        found = Reconciliation(
            at_ms=ports.clock.now_ms(),
            mismatches=(
                *_missing(here, there, venue, ports),
                *_unexpected(here, there, ports),
                *_unguarded(account_id, view, ports),
            ),
            foreign=tuple(one for one in there.values() if _owner(one, ports) is None),
        )
        ports.reconciliations.put(account_id, found)
    finally:
        ports.locks.release(lock, token)


def _open_here(account_id: AccountId, ports: Ports) -> Iterator[Order]:
    for order_id in ports.live.open_orders(account_id):
        with suppress(NotFound, NewerRecord):
            order = ports.ledger.load(order_id).aggregate
            if isinstance(order, Order) and order.status in OPEN:
                yield order


def _owner(order: StandingOrder, ports: Ports) -> AggregateId | None:
    return ports.ids.order_of(order.client_order_id)


def _missing(
    here: Mapping[ClientOrderId, Order],
    there: Mapping[ClientOrderId, StandingOrder],
    venue: Venue,
    ports: Ports,
) -> Iterator[Mismatch]:
    """Ask about each order that should be open and is not listed; its own record tells."""
    for one in here.keys() - there.keys():
        order = here[one]
        try:
            report = venue.find(order)
        except VenueError as error:
            yield Mismatch(kind="missing", about=one, message=f"the venue cannot tell: {error}")
            continue
        if report is None:
            message = f"{order.sentence()} is {order.status} here, and the venue does not show it"
            yield Mismatch(kind="missing", about=one, message=message)
            continue
        advance(order.id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)


def _unexpected(
    here: Mapping[ClientOrderId, Order],
    there: Mapping[ClientOrderId, StandingOrder],
    ports: Ports,
) -> Iterator[Mismatch]:
    """Find what is ours and open at the venue, and closed or unknown here."""
    for one in there.keys() - here.keys():
        owner = _owner(there[one], ports)
        if owner is None:
            continue
        try:
            order = ports.ledger.load(owner).aggregate
        except NotFound:
            yield Mismatch(kind="unexpected", about=one, message="ours, and not known here")
            continue
        except NewerRecord:
            continue
        if isinstance(order, Order) and order.is_closed:
            message = f"{order.sentence()} is {order.status} here, and open at the venue"
            yield Mismatch(kind="unexpected", about=one, message=message)


def _unguarded(account_id: AccountId, view: AccountView, ports: Ports) -> Iterator[Mismatch]:
    """Find protective orders that wait for a position which is not there."""
    for one in ports.live.of_account(account_id):
        try:
            smart = ports.ledger.load(one).aggregate
        except (NotFound, NewerRecord):
            continue
        if not isinstance(smart, SmartOrder) or not smart.reduce_only:
            continue
        leg = smart.position_side
        if leg is not None and not view.position(smart.symbol, leg).size:
            message = f"it protects a {leg} in {smart.symbol} that the venue does not have"
            yield Mismatch(kind="unguarded", about=str(one), message=message)
