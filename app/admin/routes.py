"""The records behind every credential: accounts, connectors and API clients."""

from flask import Blueprint, Response, jsonify

from app.admin.account_records import AccountRecords
from app.admin.authentication import Gate
from app.admin.client_records import ClientRecords
from app.admin.connector_records import ConnectorRecords
from app.admin.request_body import body_of_request
from app.bootstrap import Wiring


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

    def add_to(self, routes: Blueprint, kind: str) -> None:
        """Add the routes under `/api/<kind>`."""
        one = f"/api/{kind}/<name>"
        routes.add_url_rule(f"/api/{kind}", f"list_{kind}", self.list, methods=["GET"])
        routes.add_url_rule(one, f"show_{kind}", self.show, methods=["GET"])
        routes.add_url_rule(one, f"put_{kind}", self.put, methods=["PUT"])
        routes.add_url_rule(one, f"disable_{kind}", self.disable, methods=["DELETE"])


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

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes under `/api/clients`."""
        one = "/api/clients/<dialect>/<key>"
        routes.add_url_rule("/api/clients", "list_clients", self.list, methods=["GET"])
        routes.add_url_rule(one, "show_client", self.show, methods=["GET"])
        routes.add_url_rule(one, "put_client", self.put, methods=["PUT"])
        routes.add_url_rule(one, "disable_client", self.disable, methods=["DELETE"])


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes that set and show accounts, connectors and clients."""
    routes = Blueprint("admin", __name__)
    routes.before_request(Gate(wiring.settings).check)
    _NamedRecords(AccountRecords(wiring)).add_to(routes, "accounts")
    _NamedRecords(ConnectorRecords(wiring)).add_to(routes, "connectors")
    _Clients(ClientRecords(wiring)).add_to(routes)
    return routes
