"""The paper venue: its accounts, instruments and prices, and a place to wait for what follows."""

from collections.abc import Sequence

from flask import Blueprint, Response, jsonify

from app.admin import answer_shapes as shapes
from app.admin.paper_accounts import PaperAccounts
from app.admin.paper_bodies import INSTRUMENTS, PAPER_ACCOUNT, PRICES, read
from app.admin.paper_controls import control_rows
from app.admin.request_body import body_of_request, query_of_request
from app.admin.waiting import Patience, Wait, settled_answer
from app.bootstrap import Wiring
from app.dispatch.routes import TaskName
from app.domain.account import PAPER
from app.web.routes import Route, blueprint_of

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

    def rows(self) -> Sequence[Route]:
        """Return the routes."""
        one, prices = "/paper/accounts/<name>", "/paper/prices"
        return (
            Route("GET", one, self.show_account, "One account with its ledger and fills."),
            Route(
                "PUT",
                one,
                self.put_account,
                "Set what the body names; create or reset the account.",
                body=PAPER_ACCOUNT,
            ),
            Route(
                "PUT",
                "/paper/instruments",
                self.put_instruments,
                "Add or replace instruments.",
                body={"allOf": [INSTRUMENTS], "required": ["instruments"]},
            ),
            Route("GET", prices, self.show_prices, "Prices as they are now."),
            Route(
                "PUT",
                prices,
                self.put_prices,
                "Set prices, as one tick.",
                query=_WAIT,
                body={"allOf": [PRICES], "required": ["prices"]},
            ),
            Route("DELETE", prices, self.clear_prices, "Leave all prices to the walk again."),
            Route(
                "POST",
                "/paper/settle",
                self.settle,
                "Wait until what can happen now has happened.",
                query=_PATIENCE,
                answer=shapes.SETTLED,
            ),
        )


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of the paper venue; those that control tests exist in the test profile."""
    controls = control_rows(wiring) if wiring.settings.fast else ()
    return blueprint_of("paper", "Paper venue", (*_Paper(wiring).rows(), *controls))
