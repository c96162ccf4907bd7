"""API clients, as the admin API sets and shows them (docs/api.md)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from marshmallow import ValidationError

from app.admin.client_bodies import BODIES, RECORD_FIELDS
from app.admin.request_body import checked_name, refused
from app.bootstrap import Wiring
from app.dialects.hummingbot.credentials import DEFAULT, is_only_play
from app.domain.account import Account, ApiClient
from app.domain.enums import Dialect, Market
from app.domain.errors import NotFound
from app.services.admin.clients import put_client
from app.web.fields import Text, loaded

Json = dict[str, object]

#: As long as apisify takes them; the others ask nothing.
KEY_CHARACTERS_MAX = 128

_KEY = re.compile(r"[!-.0-~]{1,128}", re.ASCII)


class ClientKey(Text):
    """A key or user name: printable ASCII without blanks and `/`."""

    def read(self, value: object) -> str:
        """Return the key itself."""
        key = super().read(value)
        if not _KEY.fullmatch(key):
            raise ValidationError(
                f"Must be 1 to {KEY_CHARACTERS_MAX} printable ASCII characters "
                "without blanks and /."
            )
        return key


_KEY_SHAPE = ClientKey()


class ClientRecords:
    """Creates, changes, shows and disables API clients."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._records = wiring.records

    def all(self) -> list[Json]:
        """Return all clients, by dialect and key."""
        self._registry.refresh()
        return [shown(client) for client in self._registry.clients()]

    def show(self, dialect: str, key: str) -> Json:
        """Return one client without its secret.

        Raises:
            NotFound: the dialect has none with this key.
        """
        return shown(self._get(dialect, key))

    def put(self, dialect: str, key: str, content: Mapping[str, object]) -> Json:
        """Create a client, or change what the body names. A secret that was made is shown once.

        Raises:
            NotFound: there is no such dialect with clients.
            MalformedPayload: with the messages by field; nothing has changed.
        """
        spoken = _dialect_of(dialect)
        self._registry.refresh()
        known = self._registry.client(spoken, key)
        named = loaded(BODIES[spoken], content)
        word = secret_word(spoken)
        client = known or ApiClient(dialect=spoken, key=checked_name(key, _KEY_SHAPE), secret="")
        rule = partial(self._refuse, named)
        client, made = put_client(client, _changes(named), named.get(word), rule, self._records)
        return shown(client) if made is None else {**shown(client), word: made}

    def disable(self, dialect: str, key: str) -> Json:
        """Switch a client off: its requests are refused.

        Raises:
            NotFound: the dialect has none with this key.
        """
        client = replace(self._get(dialect, key), enabled=False)
        self._registry.put_client(client)
        return shown(client)

    def _get(self, dialect: str, key: str) -> ApiClient:
        spoken = _dialect_of(dialect)
        self._registry.refresh()
        client = self._registry.client(spoken, key)
        if client is None:
            raise NotFound(f"{spoken} has no client {key[:KEY_CHARACTERS_MAX]!a}")
        return client

    def _refuse(
        self,
        named: Mapping[str, Any],
        client: ApiClient,
        accounts: Sequence[Account],
    ) -> None:
        """Refuse what the dialect of a client does not bear."""
        is_one_spot = len(accounts) <= 1 and all(one.market is Market.SPOT for one in accounts)
        if "accounts" in named and client.dialect is Dialect.POLONIEX and not is_one_spot:
            raise refused("accounts", "Poloniex has one account, and that is a SPOT account.")
        if client.dialect is not Dialect.HUMMINGBOT or client.key != DEFAULT:
            return
        # Everybody knows this password, so that it opens no real money.
        if self._records.vault.matches(DEFAULT, client.secret) and not is_only_play(accounts):
            raise refused("password", "Choose another: this one opens paper accounts only.")


def _changes(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the body names, as fields of the record."""
    changes: dict[str, Any] = {
        "settings": {name: value for name, value in named.items() if name not in RECORD_FIELDS}
    }
    if "enabled" in named:
        changes["enabled"] = named["enabled"]
    for name in ("accounts", "permissions"):
        if name in named:
            changes[name] = tuple(dict.fromkeys(named[name]))
    return changes


def secret_word(dialect: Dialect) -> str:
    """Return what the dialect calls its secret."""
    return "password" if dialect is Dialect.HUMMINGBOT else "secret"


def shown(client: ApiClient) -> Json:
    """Return a client without its secret, with the settings that were made."""
    return {
        "dialect": client.dialect,
        "key": client.key,
        "accounts": list(client.accounts),
        "permissions": list(client.permissions),
        "enabled": client.enabled,
        **client.settings,
    }


def _dialect_of(text: str) -> Dialect:
    try:
        dialect = Dialect(text)
    except ValueError:
        dialect = None
    if dialect is None or dialect not in BODIES:
        raise NotFound(f"there is no dialect {text[:64]!a} with API clients")
    return dialect
