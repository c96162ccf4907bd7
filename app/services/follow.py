"""What venues report about open orders."""

from app.domain.errors import HistoryUnavailable, NewerRecord, NotFound
from app.domain.events import OrderReported
from app.domain.identifiers import AccountId, ClientOrderId
from app.domain.report import OrderReport
from app.ports import Ports
from app.services.recall import tell


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


def follow_news(ports: Ports) -> None:
    """Follow every account that has news."""
    for account_id in ports.reports.accounts_with_news():
        follow_orders(account_id, ports)


def _is_told(client_order_id: ClientOrderId, report: OrderReport, ports: Ports) -> bool:
    """Tell the order what is reported, and return whether nobody needs to hear it any more."""
    order_id = ports.ids.order_of(client_order_id)
    if order_id is None:
        return True  # a foreign order, which is not ours to follow
    try:
        tell(order_id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)
    except NotFound:
        return True
    except NewerRecord:
        return False  # left to those who can read it; it holds up nobody
    except HistoryUnavailable:
        return False  # it has left; those that have not need not wait for the history
    return True
