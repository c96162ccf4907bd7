"""The API clients of one dialect, as far as every dialect asks about them."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from app.bootstrap import Wiring
from app.domain.account import Account, ApiClient
from app.domain.enums import Dialect
from app.domain.errors import NotFound
from app.web.registry_refresh import with_current_registry

Result = TypeVar("Result")

_log = structlog.get_logger()


class Clients:
    """Finds clients, what they sign with, and the accounts that they may trade."""

    def __init__(self, wiring: Wiring, dialect: Dialect) -> None:
        self._registry = wiring.registry
        self._ledger = wiring.ports.ledger
        self._vault = wiring.vault
        self._dialect = dialect

    def find(self, key: str) -> ApiClient | None:
        """Return the client with this key, or None if there is none that may be used."""
        client = self._registry.client(self._dialect, key)
        return client if client is not None and client.enabled else None

    def secret_of(self, client: ApiClient) -> str:
        """Return what a client signs with."""
        return self._vault.decrypt(client.origin, client.secret)["secret"]

    def accounts_of(self, client: ApiClient) -> list[Account]:
        """Return the accounts that a client names, in its order; a name of nobody is logged.

        Who may nothing reaches none, whatever its dialect asks.
        """
        accounts: list[Account] = []
        if client.may_nothing:
            return accounts
        for name in client.accounts:
            try:
                accounts.append(self._registry.account_named(name))
            except NotFound:
                _log.warning("account_missing", dialect=self._dialect, account=name)
        return accounts

    def with_current_registry(self, take_in: Callable[[], Result]) -> Result:
        """Take in; what an old copy of the registry refuses is looked at again with a new one."""
        return with_current_registry(self._registry, self._ledger, take_in)
