"""The records behind every credential: accounts, connectors and API clients."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from flask import Blueprint

from app.admin.account_records import ACCOUNT, DISABLING, AccountRecords
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
    """Return the routes that set and show accounts, connectors and clients."""
    rows = (
        *_rows("/api/accounts", "<name>", AccountRecords(wiring), ACCOUNT, _FORCED),
        *_rows("/api/connectors", "<name>", ConnectorRecords(wiring), CONNECTOR),
        *_rows("/api/clients", "<dialect>/<key>", ClientRecords(wiring), _CLIENT),
    )
    return blueprint_of("admin", SETTING_UP, rows)


def _rows(
    path: str,
    name: str,
    records: AccountRecords | ConnectorRecords | ClientRecords,
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
