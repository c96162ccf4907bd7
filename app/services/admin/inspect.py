"""Whether an account can be traded with, as far as questions alone can tell."""

from app.domain.errors import HookfillError, NotFound
from app.domain.finding import Finding, Grade
from app.domain.identifiers import AccountId
from app.ports import Ports


def inspect_account(account_id: AccountId, ticket: str, ports: Ports) -> None:
    """Look at an account's venue, and leave what was found under the ticket.

    Nothing changes at the venue. Twice leaves the same twice.
    """
    try:
        venue = ports.venues.of(ports.accounts.account(account_id))
        found = venue.inspect()
    except NotFound as error:
        found = (Finding(check="account", message=str(error), grade=Grade.ERROR),)
    except HookfillError as error:
        found = (Finding(check="venue", message=str(error), grade=Grade.ERROR),)
    ports.findings.put(ticket, found)
