"""How an account compares with its venue, compared anew, and what to do about orders there."""

from http import HTTPStatus

from flask import Blueprint

from app.admin.chapters import SETTING_UP
from app.admin.request_body import body_of_request
from app.admin.venue_accounts import VenueAccounts
from app.admin.venue_rows import COMPARED, VENUE_ACCOUNT, VENUE_CANCEL
from app.bootstrap import Wiring
from app.domain.account import PAPER, Account
from app.domain.errors import NotFound, WrongState
from app.domain.identifiers import AccountName, ClientOrderId, Symbol, VenueOrderId
from app.services.admin.venue_cancels import request_venue_cancel
from app.services.following.reconcile import reconcile_now
from app.web.answers import Json
from app.web.fields import Strict, Text, loaded
from app.web.routes import Route, blueprint_of

_NOTHING = Strict()


class CancelBody(Strict):
    """Which of the orders that the last reconciliation has found; ids are the venue's own."""

    symbol = Text(required=True)
    venue_order_id = Text(required=True)


_CANCEL = CancelBody()


class _Reconciliations:
    """Shows what workers have found, and has them look again."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._shown = VenueAccounts(wiring)

    def show(self, name: str) -> Json:
        """Answer how an account compared with its venue last, and what waits for a person."""
        return self._shown.of(self._account(name))

    def renew(self, name: str) -> tuple[Json, HTTPStatus]:
        """Compare an account with its venue now."""
        loaded(_NOTHING, body_of_request())
        account = self._account(name)
        if account.venue == PAPER:
            raise WrongState("the paper venue is built in: there is nothing to compare")
        is_done = reconcile_now(account, self._wiring.ports)
        message = "Compared just now." if is_done else "It is being compared; look again soon."
        told = {**self._shown.of(account), "message": message}
        return told, HTTPStatus.OK if is_done else HTTPStatus.ACCEPTED

    def cancel(self, name: str) -> tuple[Json, HTTPStatus]:
        """Cancel an order that is open at the venue and that nobody here follows."""
        body = loaded(_CANCEL, body_of_request())
        cancel = request_venue_cancel(
            self._account(name),
            Symbol(body["symbol"]),
            VenueOrderId(body["venue_order_id"]),
            self._wiring.ports,
        )
        row: Json = VENUE_CANCEL.dump(cancel)
        told = {**row, "message": f"{cancel.order.sentence()}: {row['message']}"}
        return told, HTTPStatus.OK if cancel.is_settled else HTTPStatus.ACCEPTED

    def acknowledge(self, name: str, client_order_id: str) -> Json:
        """Forget a fill that a person has seen; its order is not known here any more."""
        account = self._account(name)
        known = ClientOrderId(client_order_id)
        if not self._wiring.ports.reconciliations.acknowledge(account.id, known):
            raise NotFound(f"no fill of order {client_order_id[:64]!a} waits to be acknowledged")
        return self._shown.of(account)

    def _account(self, name: str) -> Account:
        self._wiring.registry.refresh()
        return self._wiring.registry.account_named(AccountName(name))


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes about accounts and their venues."""
    found = _Reconciliations(wiring)
    one = "/api/accounts/<name>"
    compared = f"{one}/reconciliation"
    renewed = {200: "Compared.", 202: "It takes longer.", 409: "A paper account."}
    canceled = {
        200: "Its outcome is known; `state` names it.",
        202: "Its outcome is not known yet; it is looked up again.",
    }
    rows = (
        Route("GET", compared, found.show, answer=VENUE_ACCOUNT),
        Route("POST", compared, found.renew, answer=COMPARED, answers=renewed),
        Route(
            "POST",
            f"{one}/venue-cancels",
            found.cancel,
            body=_CANCEL,
            answer=VENUE_CANCEL,
            answers=canceled,
        ),
        Route(
            "DELETE",
            f"{one}/orphaned-fills/<client_order_id>",
            found.acknowledge,
            answer=VENUE_ACCOUNT,
        ),
    )
    return blueprint_of("reconciliation", SETTING_UP, rows)
