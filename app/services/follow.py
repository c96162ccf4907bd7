"""What venues report about open orders."""

from collections.abc import Iterator
from contextlib import suppress

from app.domain.errors import HistoryUnavailable, NewerRecord, NotFound
from app.domain.events import OrderReported
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.status import OPEN
from app.ports import Ports
from app.services.held import held
from app.services.recall import tell

#: Longer than the questions of one poll take; a worker that dies meanwhile blocks it this long.
POLL_LEASE_MS = 30_000


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
    read = {one: report for one, report in reports.items() if _is_told(one, report, ports)}
    ports.reports.mark_read(account, read)


def poll_orders(account_id: AccountId, ports: Ports) -> None:
    """Ask a real venue how the open orders of an account stand, unless somebody else does.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked.
    """
    account = ports.accounts.account(account_id)
    with held(ports.locks, f"orders:{account_id}", POLL_LEASE_MS) as is_ours:
        if not is_ours:
            return
        orders = [order for order in _open_orders(account_id, ports) if order.status in OPEN]
        reports = ports.venues.of(account).reports(orders) if orders else {}
        for order in orders:
            report = reports.get(order.client_order_id)
            if report is not None:
                _is_adopted(order.id, report, ports)


def refresh_view(account_id: AccountId, ports: Ports) -> None:
    """Look what an account has at its venue, if somebody wants to know; the look is kept.

    Raises:
        NotFound: there is no such account.
        VenueUnavailable: the venue could not be asked.
    """
    if account_id in ports.views.wanted():
        ports.venues.of(ports.accounts.account(account_id)).view()


def _open_orders(account_id: AccountId, ports: Ports) -> Iterator[Order]:
    for order_id in ports.live.open_orders(account_id):
        with suppress(NotFound, NewerRecord):
            order = ports.ledger.load(order_id).aggregate
            if isinstance(order, Order):
                yield order


def follow_news(ports: Ports) -> None:
    """Follow every account that has news."""
    for account_id in ports.reports.accounts_with_news():
        follow_orders(account_id, ports)


def _is_told(client_order_id: ClientOrderId, report: OrderReport, ports: Ports) -> bool:
    """Tell the order what is reported, and return whether nobody needs to hear it any more."""
    order_id = ports.ids.order_of(client_order_id)
    if order_id is None:
        return True  # a foreign order, which is not ours to follow
    return _is_adopted(order_id, report, ports)


def _is_adopted(order_id: AggregateId, report: OrderReport, ports: Ports) -> bool:
    try:
        tell(order_id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)
    except NotFound:
        return True
    except NewerRecord:
        return False  # left to those who can read it; it holds up nobody
    except HistoryUnavailable:
        return False  # it has left; those that have not need not wait for the history
    return True
