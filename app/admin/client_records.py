"""API clients, as the admin API sets and shows them (docs/api.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, Final

from marshmallow import validate

from app.admin.request_body import body_of_request, checked_name, refused
from app.admin.weaknesses import weakness_shown
from app.bootstrap import Wiring
from app.dialects.surfaces import SURFACES
from app.domain.account import Account, ApiClient
from app.domain.enums import Dialect, Mode
from app.domain.errors import NotFound
from app.domain.money import plain
from app.services.admin.clients import put_client
from app.web.answers import Json
from app.web.fields import Text, loaded
from app.web.surface import ClientKind

#: As long as apisify takes them; the others ask nothing.
KEY_CHARACTERS_MAX = 128

_KEY = Text(
    validate=validate.Regexp(
        rf"[!-.0-~]{{1,{KEY_CHARACTERS_MAX}}}\Z",
        error=f"Must be 1 to {KEY_CHARACTERS_MAX} printable ASCII characters without blanks and /.",
    )
)

#: Fields of the record itself; the others are settings of the dialect.
RECORD_FIELDS: Final = frozenset({"accounts", "enabled", "permissions", "secret", "password"})


class ClientRecords:
    """Creates, changes, shows and disables API clients."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._records = wiring.records

    def all(self) -> Json:
        """Return all clients, by dialect and key."""
        self._registry.refresh()
        return {"data": [_shown(client) for client in self._registry.clients()]}

    def show(self, dialect: str, key: str) -> Json:
        """Return one client without its secret.

        Raises:
            NotFound: the dialect has none with this key.
        """
        return _shown(self._get(dialect, key))

    def put(self, dialect: str, key: str) -> Json:
        """Create a client, or change what the body names. A secret that was made is shown once.

        Raises:
            NotFound: there is no such dialect with clients.
            MalformedPayload: with the messages by field; nothing has changed.
        """
        content = body_of_request()
        spoken, kind = _dialect_of(dialect)
        named = loaded(kind.body, content)
        return self._registry.change(lambda: self._put(spoken, kind, key, named))

    def _put(self, spoken: Dialect, kind: ClientKind, key: str, named: Mapping[str, Any]) -> Json:
        known = self._registry.client(spoken, key)
        client = known or ApiClient(dialect=spoken, key=checked_name(key, _KEY), secret="")
        client, made = put_client(
            client,
            _changes(named),
            named.get(kind.word),
            partial(self._refuse, kind, named),
            self._records,
            is_compared=kind.is_compared,
        )
        return _shown(client) if made is None else {**_shown(client), kind.word: made}

    def disable(self, dialect: str, key: str) -> Json:
        """Switch a client off: its requests are refused, and nothing is deleted.

        Raises:
            NotFound: the dialect has none with this key.
        """

        def disable() -> Json:
            client = replace(self._get(dialect, key), enabled=False)
            self._registry.put_client(client)
            return _shown(client)

        return self._registry.change(disable)

    def _get(self, dialect: str, key: str) -> ApiClient:
        spoken, _ = _dialect_of(dialect)
        self._registry.refresh()
        client = self._registry.client(spoken, key)
        if client is None:
            raise NotFound(f"{spoken} has no client {key[:KEY_CHARACTERS_MAX]!a}")
        return client

    def _refuse(
        self,
        kind: ClientKind,
        named: Mapping[str, Any],
        client: ApiClient,
        accounts: Sequence[Account],
    ) -> None:
        """Refuse what the dialect of a client does not bear."""
        complaint = kind.complaint(accounts) if "accounts" in named else None
        if complaint is not None:
            raise refused("accounts", complaint)
        if kind.public is None or client.key != kind.public[0]:
            return
        # Everybody knows this secret, so that it opens no real money.
        is_public = self._records.vault.matches(client.origin, kind.public[1], client.secret)
        if is_public and any(one.mode is not Mode.PAPER for one in accounts):
            raise refused(kind.word, "Choose another: this one opens paper accounts only.")


def _changes(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the body names, as fields of the record."""
    changes: dict[str, Any] = {
        "settings": {
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in named.items()
            if name not in RECORD_FIELDS
        }
    }
    if "enabled" in named:
        changes["enabled"] = named["enabled"]
    for name in ("accounts", "permissions"):
        if name in named:
            words = named[name]
            changes[name] = None if words is None else tuple(dict.fromkeys(words))
    return changes


def _shown(client: ApiClient) -> Json:
    """Return a client without its secret, with the settings that were made, and what is weak."""
    return {
        "dialect": client.dialect,
        "key": client.key,
        "accounts": list(client.accounts),
        "permissions": None if client.permissions is None else list(client.permissions),
        "enabled": client.enabled,
        **client.settings,
        **weakness_shown(client),
    }


def _dialect_of(text: str) -> tuple[Dialect, ClientKind]:
    for dialect, surface in SURFACES.items():
        if dialect == text and surface.clients is not None:
            return dialect, surface.clients
    raise NotFound(f"there is no dialect {text[:64]!a} with API clients")
