"""What venues report about open orders."""

from collections.abc import Callable, Collection, Iterator

import structlog

from app.domain.account import Account
from app.domain.errors import NotFound
from app.domain.events import OrderReported
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId
from app.domain.order import Order
from app.domain.reconciliation import OrphanedFill
from app.domain.report import OrderReport
from app.domain.status import OPEN
from app.ports import Ports
from app.services.apart import apart
from app.services.exclusive import asking
from app.services.find_anywhere import readable, tell

#: Whom a lock keeps from asking for the same at once.
ORDERS, STOPS = "orders", "stops"

_log = structlog.get_logger()


def follow_orders(account_id: AccountId, ports: Ports) -> None:
    """Let the orders of one account learn what their venue says about them.

    A report that is read twice changes nothing the second time; one whose reading was cut short is
    read again.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked.
    """
    account = ports.accounts.account(account_id)
    reports = ports.reports.unread(account)
    read = {one: said for one, said in reports.items() if _is_told(account, one, said, ports)}
    ports.reports.mark_read(account, read)


def look_at_account(account_id: AccountId, ports: Ports) -> None:
    """Ask a real venue how open orders stand, and what the account has; each, if the other fails.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked one of the two.
    """
    try:
        poll_orders(account_id, ports)
    finally:
        refresh_view(account_id, ports)


def poll_orders(account_id: AccountId, ports: Ports) -> None:
    """Ask a real venue how the open orders of an account stand, unless somebody else does.

    Not of stops that rest there: many accounts may have them for days, and an exchange bounds how
    often one address may ask.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked.
    """
    _poll(account_id, ORDERS, ports.live.open_orders, ports)


def poll_stops(account_id: AccountId, ports: Ports) -> None:
    """Ask a real venue how the stops of an account stand that rest there, as in `poll_orders`."""
    _poll(account_id, STOPS, ports.live.stops, ports)


def _poll(
    account_id: AccountId,
    what: str,
    listed: Callable[[AccountId], Collection[AggregateId]],
    ports: Ports,
) -> None:
    account = ports.accounts.account(account_id)
    with asking(ports.locks, f"{what}:{account_id}") as is_ours:
        if not is_ours:
            return
        orders = list(_open(listed(account_id), ports))
        reports = ports.venues.of(account).reports(orders) if orders else {}
        for order in orders:
            report = reports.get(order.client_order_id)
            if report is not None:
                _is_adopted(account, order.id, order.client_order_id, report, ports)


def refresh_view(account_id: AccountId, ports: Ports) -> None:
    """Look what an account has at its venue, if somebody wants to know; the look is kept.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked.
    """
    if account_id in ports.views.wanted():
        ports.venues.of(ports.accounts.account(account_id)).view()


def open_orders(account_id: AccountId, ports: Ports) -> Iterator[Order]:
    """Return all orders of an account that are open at its venue, as far as they can be read."""
    yield from _open(ports.live.open_orders(account_id), ports)
    yield from _open(ports.live.stops(account_id), ports)


def _open(ids: Collection[AggregateId], ports: Ports) -> Iterator[Order]:
    for order in readable(ids, ports):
        if isinstance(order, Order) and order.status in OPEN:
            yield order


def keep_orphan(
    account: Account, client_order_id: ClientOrderId, report: OrderReport, ports: Ports
) -> None:
    """Keep a fill of an order of ours that nobody knows any more, for a person to look at.

    Twice keeps it once. A report without a fill is forgotten: it has changed nothing.
    """
    if not report.filled_quantity:
        return
    fill = OrphanedFill(at_ms=ports.clock.now_ms(), client_order_id=client_order_id, report=report)
    if ports.reconciliations.keep_orphan(account.id, fill):
        _log.error("fill_orphaned", account=account.name, client_order_id=client_order_id)


def follow_news(ports: Ports) -> None:
    """Follow every account that has news."""
    for account_id in ports.reports.accounts_with_news():
        with apart("accounts", account_id):
            follow_orders(account_id, ports)


def _is_told(
    account: Account, client_order_id: ClientOrderId, report: OrderReport, ports: Ports
) -> bool:
    """Tell the order what is reported, and return whether nobody needs to hear it any more."""
    order_id = ports.ids.order_of(client_order_id)
    if order_id is None:
        return True  # a foreign order, which is not ours to follow
    return _is_adopted(account, order_id, client_order_id, report, ports)


def _is_adopted(
    account: Account,
    order_id: AggregateId,
    client_order_id: ClientOrderId,
    report: OrderReport,
    ports: Ports,
) -> bool:
    """Tell an order; what goes wrong with it is read again, and holds up no other."""
    # An order that is open is never placed again, so a report of one cannot be about an older
    # placement, however late it comes.
    with apart("reports", order_id) as outcome:
        try:
            tell(order_id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)
        except NotFound:
            keep_orphan(account, client_order_id, report, ports)
    return not outcome.failed
