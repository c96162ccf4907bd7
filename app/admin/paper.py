"""The paper venue: its accounts, instruments and prices, and a place to wait for what follows."""

from flask import Blueprint, Response, jsonify

from app.admin.authentication import Gate
from app.admin.paper_accounts import PaperAccounts
from app.admin.paper_bodies import INSTRUMENTS, PRICES, read
from app.admin.paper_controls import add_controls
from app.admin.request_body import body_of_request, query_of_request
from app.admin.waiting import Patience, Wait, settled_answer
from app.bootstrap import Wiring
from app.dispatch.routes import TaskName
from app.domain.account import PAPER

_WAIT = Wait()
_PATIENCE = Patience()


class _Paper:
    """What a person may set and see of the paper venue."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._messages = wiring.messages
        self._accounts = PaperAccounts(wiring)
        self._paper = wiring.paper

    def show_account(self, name: str) -> Response:
        """Answer an account with its ledger and its fills."""
        return jsonify(self._accounts.show(name))

    def put_account(self, name: str) -> Response:
        """Set, reset or create an account."""
        return jsonify(self._accounts.set(name, body_of_request()))

    def put_instruments(self) -> Response:
        """Add or replace instruments; answer all of them."""
        self._paper.set_instruments(read(INSTRUMENTS, body_of_request()))
        return jsonify(self._paper.instruments())

    def show_prices(self) -> Response:
        """Answer the prices as they are now."""
        return jsonify(self._paper.prices())

    def put_prices(self) -> Response:
        """Set prices, as one tick, which is evaluated at once; wait for that if asked to."""
        query = query_of_request(_WAIT)
        number = self._paper.set_prices(read(PRICES, body_of_request()))
        self._messages.send(TaskName.POLL_PRICES, [PAPER], about="prices were set")
        if query["wait"]:
            return settled_answer(self._ports, query)
        return jsonify(tick=number)

    def clear_prices(self) -> Response:
        """Leave all prices to the walk again."""
        self._paper.clear_prices()
        return jsonify(self._paper.prices())

    def settle(self) -> Response:
        """Wait until everything that can happen now has happened."""
        return settled_answer(self._ports, query_of_request(_PATIENCE))

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        for path, name, view, method in (
            ("/paper/accounts/<name>", "show_account", self.show_account, "GET"),
            ("/paper/accounts/<name>", "put_account", self.put_account, "PUT"),
            ("/paper/instruments", "put_instruments", self.put_instruments, "PUT"),
            ("/paper/prices", "show_prices", self.show_prices, "GET"),
            ("/paper/prices", "put_prices", self.put_prices, "PUT"),
            ("/paper/prices", "clear_prices", self.clear_prices, "DELETE"),
            ("/paper/settle", "settle", self.settle, "POST"),
        ):
            routes.add_url_rule(path, name, view, methods=[method])


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of the paper venue; those that control tests exist in the test profile."""
    routes = Blueprint("paper", __name__)
    routes.before_request(Gate(wiring.settings).check)
    _Paper(wiring).add_to(routes)
    if wiring.settings.fast:
        add_controls(routes, wiring)
    return routes
