"""The accounts that a client may trade."""

import structlog

from app.domain.account import Account, ApiClient
from app.domain.errors import NotFound
from app.ports.registry import Registry

_log = structlog.get_logger()


def accounts_of(client: ApiClient, registry: Registry) -> list[Account]:
    """Return the accounts that a client names, in its order; a name of nobody is logged."""
    accounts = []
    for name in client.accounts:
        try:
            accounts.append(registry.account_named(name))
        except NotFound:
            _log.warning("account_missing", client=client.key, account=name)
    return accounts
