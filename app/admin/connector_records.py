"""Crypto Arsenal connectors, as the admin API sets and shows them (docs/api.md)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from marshmallow import ValidationError, validate
from marshmallow import fields as shapes

from app.admin.request_body import body_of_request, checked_name, refused
from app.admin.weaknesses import weakness_shown
from app.bootstrap import Wiring
from app.dialects.surfaces import CONNECTORS
from app.domain.account import Connector
from app.domain.errors import NotFound
from app.services.admin.connectors import existing_account, put_connector
from app.web.answers import Json
from app.web.fields import Flag, Strict, Text, loaded, printable

#: As long as the webhook takes them (Crypto Arsenal webhook spec, 2).
NAME_CHARACTERS_MAX = 128
TOKEN_CHARACTERS_MAX = 256


def _check_name(name: str) -> None:
    is_short = 0 < len(name) <= NAME_CHARACTERS_MAX
    if not is_short or not name.isprintable() or name != name.strip() or "/" in name:
        raise ValidationError(
            f"Must be 1 to {NAME_CHARACTERS_MAX} printable characters without /, "
            "beginning and ending with no blank."
        )


class ConnectorBody(Strict):
    """What can be set of a connector, besides the settings of its dialect."""

    token = Text(validate=printable(TOKEN_CHARACTERS_MAX))
    account = Text()
    accounts = shapes.List(Text(), validate=validate.Length(equal=1, error="Must name one."))
    symbol = Text()
    enabled = Flag()


_BODY = ConnectorBody()

#: With the settings of the dialect, as the documentation tells of it.
CONNECTOR: Final = ConnectorBody.from_dict(CONNECTORS.settings)()
_NAME = Text(validate=_check_name)


class ConnectorRecords:
    """Creates, changes, shows and disables connectors."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._records = wiring.records

    def all(self) -> Json:
        """Return all connectors, by name."""
        self._registry.refresh()
        return {"data": [_shown(connector) for connector in self._registry.connectors()]}

    def show(self, name: str) -> Json:
        """Return one connector without its token.

        Raises:
            NotFound: there is none with this name.
        """
        return _shown(self._get(name))

    def put(self, name: str) -> Json:
        """Create a connector, or change what the body names. A token that was made is shown once.

        Raises:
            MalformedPayload: with the messages by field; nothing has changed.
        """
        content = body_of_request()
        return self._registry.change(lambda: self._put(name, content))

    def _put(self, name: str, content: Mapping[str, object]) -> Json:
        known = self._registry.connector(name)
        own = {field: value for field, value in content.items() if field in _BODY.fields}
        others = {field: value for field, value in content.items() if field not in own}
        changes = self._changes(loaded(_BODY, own))
        stored = {} if known is None else known.settings
        changes["settings"] = CONNECTORS.record({**stored, **others})
        if known is None:
            checked_name(name, _NAME)
        connector, made = put_connector(name, changes, self._records)
        return _shown(connector) if made is None else {**_shown(connector), "token": made}

    def disable(self, name: str) -> Json:
        """Switch a connector off: its messages are refused, and nothing is deleted.

        Raises:
            NotFound: there is none with this name.
        """

        def disable() -> Json:
            connector = replace(self._get(name), enabled=False)
            self._registry.put_connector(connector)
            return _shown(connector)

        return self._registry.change(disable)

    def _changes(self, named: dict[str, Any]) -> dict[str, Any]:
        """Return what the body names, as `put_connector` takes it: `accounts` is a list of one."""
        if "account" in named and "accounts" in named:
            raise refused("accounts", "Stands beside account: one of the two is enough.")
        if "accounts" in named:
            (name,) = named.pop("accounts")
            named["account"] = existing_account("accounts", name, self._records)
        return named

    def _get(self, name: str) -> Connector:
        self._registry.refresh()
        connector = self._registry.connector(name)
        if connector is None:
            raise NotFound(f"there is no connector {name[:NAME_CHARACTERS_MAX]!a}")
        return connector


def _shown(connector: Connector) -> Json:
    """Return a connector without its token, with all its settings, and what is weak."""
    return {
        "name": connector.name,
        "account": connector.account,
        "symbol": connector.symbol,
        "enabled": connector.enabled,
        **CONNECTORS.shown(connector.settings),
        **weakness_shown(connector),
    }
