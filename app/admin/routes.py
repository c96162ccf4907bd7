"""The records behind every credential: accounts, connectors and API clients."""

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, jsonify

from app.admin.account_records import AccountBody, AccountRecords
from app.admin.chapters import SETTING_UP
from app.admin.client_records import ClientRecords
from app.admin.connector_records import CONNECTOR, ConnectorRecords
from app.admin.request_body import body_of_request
from app.bootstrap import Wiring
from app.dialects.surfaces import SURFACES
from app.web.routes import Route, Shape, blueprint_of


class _NamedRecords:
    """The routes of records that have one name."""

    def __init__(self, records: AccountRecords | ConnectorRecords) -> None:
        self._records = records

    def list(self) -> Response:
        """Answer all of them."""
        return jsonify(data=self._records.all())

    def show(self, name: str) -> Response:
        """Answer one, without secrets."""
        return jsonify(self._records.show(name))

    def put(self, name: str) -> Response:
        """Create or change one."""
        return jsonify(self._records.put(name, body_of_request()))

    def disable(self, name: str) -> Response:
        """Switch one off."""
        return jsonify(self._records.disable(name))

    def rows(self, kind: str, body: Shape) -> Sequence[Route]:
        """Return the routes under `/api/<kind>s`."""
        every, one = f"/api/{kind}s", f"/api/{kind}s/<name>"
        return (
            Route("GET", every, self.list, f"All {kind}s."),
            Route("GET", one, self.show, f"One {kind}, without its secrets."),
            Route("PUT", one, self.put, _RECORD, body=body),
            Route("DELETE", one, self.disable, _OFF),
        )


class _Clients:
    """The routes of API clients, which a dialect and a key name."""

    def __init__(self, records: ClientRecords) -> None:
        self._records = records

    def list(self) -> Response:
        """Answer all of them."""
        return jsonify(data=self._records.all())

    def show(self, dialect: str, key: str) -> Response:
        """Answer one, without its secret."""
        return jsonify(self._records.show(dialect, key))

    def put(self, dialect: str, key: str) -> Response:
        """Create or change one."""
        return jsonify(self._records.put(dialect, key, body_of_request()))

    def disable(self, dialect: str, key: str) -> Response:
        """Switch one off."""
        return jsonify(self._records.disable(dialect, key))

    def rows(self) -> Sequence[Route]:
        """Return the routes under `/api/clients`."""
        one = "/api/clients/<dialect>/<key>"
        return (
            Route("GET", "/api/clients", self.list, "All API clients."),
            Route("GET", one, self.show, "One client, without its secret."),
            Route("PUT", one, self.put, _RECORD, body=_CLIENT),
            Route("DELETE", one, self.disable, _OFF),
        )


_RECORD: Final = "Create it, or change what the body names. A secret that was made is shown once."
_OFF: Final = "Switch it off; nothing is deleted."

_CLIENT: Final = {
    "oneOf": [
        {"title": dialect.value, "allOf": [surface.clients.body]}
        for dialect, surface in SURFACES.items()
        if surface.clients is not None
    ]
}


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes that set and show accounts, connectors and clients."""
    rows = (
        *_NamedRecords(AccountRecords(wiring)).rows("account", AccountBody()),
        *_NamedRecords(ConnectorRecords(wiring)).rows("connector", CONNECTOR),
        *_Clients(ClientRecords(wiring)).rows(),
    )
    return blueprint_of("admin", SETTING_UP, rows)
