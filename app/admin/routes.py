"""The records behind every credential: accounts, connectors and API clients."""

from collections.abc import Sequence

from flask import Blueprint, Response, jsonify

from app.admin.account_records import AccountRecords
from app.admin.client_records import ClientRecords
from app.admin.connector_records import ConnectorRecords
from app.admin.request_body import body_of_request
from app.bootstrap import Wiring
from app.web.routes import Route, blueprint_of


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

    def rows(self, kind: str) -> Sequence[Route]:
        """Return the routes under `/api/<kind>`."""
        every, one = f"/api/{kind}", f"/api/{kind}/<name>"
        return (
            Route(method="GET", rule=every, view=self.list),
            Route(method="GET", rule=one, view=self.show),
            Route(method="PUT", rule=one, view=self.put),
            Route(method="DELETE", rule=one, view=self.disable),
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
            Route(method="GET", rule="/api/clients", view=self.list),
            Route(method="GET", rule=one, view=self.show),
            Route(method="PUT", rule=one, view=self.put),
            Route(method="DELETE", rule=one, view=self.disable),
        )


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes that set and show accounts, connectors and clients."""
    return blueprint_of(
        "admin",
        (
            *_NamedRecords(AccountRecords(wiring)).rows("accounts"),
            *_NamedRecords(ConnectorRecords(wiring)).rows("connectors"),
            *_Clients(ClientRecords(wiring)).rows(),
        ),
    )
