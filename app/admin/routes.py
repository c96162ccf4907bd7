"""The records of an installation: accounts, connectors, API clients, and channels."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from flask import Blueprint

from app.admin.account_records import ACCOUNT, DISABLING, AccountRecords
from app.admin.channel_records import CHANNEL, TESTED, ChannelRecords
from app.admin.client_records import ClientRecords
from app.admin.connector_records import CONNECTOR, ConnectorRecords
from app.bootstrap import Wiring
from app.dialects.surfaces import SURFACES
from app.web.routes import SETTING_UP, Route, Shape, blueprint_of

_CLIENT: Final = {
    "oneOf": [
        {"title": dialect.value, "allOf": [surface.clients.body]}
        for dialect, surface in SURFACES.items()
        if surface.clients is not None
    ]
}

#: What is more to say of accounts that are switched off.
_FORCED: Final = {
    "query": DISABLING,
    "answers": {200: "As asked.", 409: "Something of it is live, and `force` is not `true`."},
}


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes that set and show accounts, connectors, clients and channels."""
    channels = ChannelRecords(wiring)
    rows = (
        *_rows("/api/accounts", "<name>", AccountRecords(wiring), ACCOUNT, _FORCED),
        *_rows("/api/connectors", "<name>", ConnectorRecords(wiring), CONNECTOR),
        *_rows("/api/clients", "<dialect>/<key>", ClientRecords(wiring), _CLIENT),
        *_rows("/api/channels", "<name>", channels, CHANNEL),
        Route("POST", "/api/channels/<name>/test", channels.test, answer=TESTED),
    )
    return blueprint_of("admin", SETTING_UP, rows)


def _rows(
    path: str,
    name: str,
    records: AccountRecords | ConnectorRecords | ClientRecords | ChannelRecords,
    body: Shape,
    disabled: Mapping[str, Any] = MappingProxyType({}),
) -> Sequence[Route]:
    one = f"{path}/{name}"
    return (
        Route("GET", path, records.all),
        Route("GET", one, records.show),
        Route("PUT", one, records.put, body=body),
        Route("DELETE", one, records.disable, **disabled),
    )
