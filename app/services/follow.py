"""What venues report about open orders."""

from contextlib import suppress

from app.domain.errors import NotFound
from app.domain.events import OrderReported
from app.domain.identifiers import AccountId
from app.ports import Ports
from app.services.advance import advance


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
    for client_order_id, report in reports.items():
        order_id = ports.ids.order_of(client_order_id)
        if order_id is None:
            continue  # a foreign order, which is not ours to follow
        with suppress(NotFound):
            event = OrderReported(at_ms=ports.clock.now_ms(), report=report)
            advance(order_id, event, ports)
    ports.reports.mark_read(account, reports)


def follow_news(ports: Ports) -> None:
    """Follow every account that has news."""
    for account_id in ports.reports.accounts_with_news():
        follow_orders(account_id, ports)
