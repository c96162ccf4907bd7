"""How accounts stand at their venues, compared anew, and what to do there (docs/api.md).

Everything comes from the store: workers ask the venues.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

from flask import Blueprint

from app.admin.request_body import body_of_request, refuse_body
from app.admin.venue_rows import COMPARED, VENUE_ACCOUNT, VENUE_CANCEL
from app.bootstrap import Wiring
from app.domain import moments
from app.domain.account import PAPER, Account
from app.domain.errors import NotFound, UnreadableRecord, WrongState
from app.domain.identifiers import (
    AccountId,
    AccountName,
    ClientOrderId,
    Symbol,
    VenueOrderId,
)
from app.domain.order import Order
from app.domain.reconciliation import Reconciliation
from app.services.admin.venue_cancels import request_venue_cancel
from app.services.following.reconcile import reconcile_now
from app.venues import traits_of
from app.web.answers import Json
from app.web.fields import Strict, Text, loaded
from app.web.routes import SETTING_UP, Route, blueprint_of

#: Orders of unknown outcome, oldest first, among which those are looked for that need a person.
UNKNOWN_MAX = 1_000

#: Workers compare each account once a minute; when the last time is longer ago, something is wrong.
STALE_MS = 180_000


class CancelBody(Strict):
    """Which of the orders that the last reconciliation has found; ids are the venue's own."""

    symbol = Text(required=True)
    venue_order_id = Text(required=True)


_CANCEL = CancelBody()


class VenueAccounts:
    """Shows what workers have found out about accounts at their venues, and has them look again."""

    def __init__(self, wiring: Wiring) -> None:
        self._registry = wiring.registry
        self._ports = wiring.ports
        self._memory = wiring.memory
        self._keys = wiring.keys

    def show(self, name: str) -> Json:
        """Answer how an account compared with its venue last, and what waits for a person."""
        return self.of(self._account(name))

    def renew(self, name: str) -> tuple[Json, HTTPStatus]:
        """Compare an account with its venue now."""
        refuse_body()
        account = self._account(name)
        if account.venue == PAPER:
            raise WrongState("the paper venue is built in: there is nothing to compare")
        is_done = reconcile_now(account, self._ports)
        message = "Compared just now." if is_done else "It is being compared; look again soon."
        told = {**self.of(account), "message": message}
        return told, HTTPStatus.OK if is_done else HTTPStatus.ACCEPTED

    def cancel(self, name: str) -> tuple[Json, HTTPStatus]:
        """Cancel an order that is open at the venue and that nobody here follows."""
        body = loaded(_CANCEL, body_of_request())
        cancel = request_venue_cancel(
            self._account(name),
            Symbol(body["symbol"]),
            VenueOrderId(body["venue_order_id"]),
            self._ports,
        )
        row: Json = VENUE_CANCEL.dump(cancel)
        told = {**row, "message": f"{cancel.order.sentence()}: {row['message']}"}
        return told, HTTPStatus.OK if cancel.is_settled else HTTPStatus.ACCEPTED

    def acknowledge(self, name: str, client_order_id: str) -> Json:
        """Forget a fill that a person has seen; its order is not known here any more."""
        account = self._account(name)
        known = ClientOrderId(client_order_id)
        if not self._ports.reconciliations.acknowledge(account.id, known):
            raise NotFound(f"no fill of order {client_order_id[:64]!a} waits to be acknowledged")
        return self.of(account)

    def of(self, account: Account, waiting: Sequence[Order] | None = None) -> Json:
        """Return how an account stands at its venue.

        Args:
            account: whose it is.
            waiting: its orders that wait for a person, if they have been read already.
        """
        found = self._ports.reconciliations.get(account.id)
        failed = self._ports.reconciliations.failure(account.id)
        if failed is not None and found is not None and found.begun_ms >= failed.begun_ms:
            failed = None  # it went well since
        if waiting is None:
            waiting = self.waiting().get(account.id, ())
        row: Json = VENUE_ACCOUNT.dump(
            {
                "account": account.name,
                "venue": account.venue,
                **_adapter(account),
                "clock_offset_ms": self._memory.clock_offset_ms(account.hosts),
                "credentials_refused": self._keys.refused(account),
                **self._compared(account.id, found),
                "failure": failed,
                "waiting_for_person": waiting,
                "cancels": self._ports.venue_cancels.of(account.id),
            }
        )
        return row

    def waiting(self) -> Mapping[AccountId, Sequence[Order]]:
        """Return account → its orders that only a person can settle, oldest first."""
        found: dict[AccountId, list[Order]] = defaultdict(list)
        for one in sorted(self._ports.live.unknown())[:UNKNOWN_MAX]:
            with suppress(NotFound, UnreadableRecord):
                order = self._ports.ledger.load(one).aggregate
                if isinstance(order, Order) and order.needs_person:
                    found[order.account].append(order)
        return found

    def _account(self, name: str) -> Account:
        self._registry.refresh()
        return self._registry.account_named(AccountName(name))

    def _compared(self, account: AccountId, found: Reconciliation | None) -> Json:
        orphans = [one.mismatch() for one in self._ports.reconciliations.orphans(account)]
        if found is None:
            return {
                "at_ms": None,
                "is_stale": False,
                "agrees": False if orphans else None,
                "mismatches": orphans,
                "foreign_orders": (),
            }
        mismatches = [*orphans, *found.mismatches]
        age_ms = moments.age_ms(found.begun_ms, self._ports.clock.server_ms())
        return {
            "at_ms": found.at_ms,
            "is_stale": age_ms > STALE_MS,
            "agrees": not mismatches,
            "mismatches": mismatches,
            "foreign_orders": found.foreign,
        }


def _adapter(account: Account) -> Json:
    """Return what may be expected of the venue; nothing of one that nobody knows any more."""
    try:
        traits = traits_of(account.venue)
    except NotFound:
        return {"adapter": None, "lists_all_symbols": False}
    return {"adapter": traits.adapter, "lists_all_symbols": traits.lists_all_symbols}


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes about accounts and their venues."""
    accounts = VenueAccounts(wiring)
    one = "/api/accounts/<name>"
    compared = f"{one}/reconciliation"
    renewed = {200: "Compared.", 202: "It takes longer.", 409: "A paper account."}
    canceled = {
        200: "Its outcome is known; `state` names it.",
        202: "Its outcome is not known yet; it is looked up again.",
    }
    rows = (
        Route("GET", compared, accounts.show, answer=VENUE_ACCOUNT),
        Route("POST", compared, accounts.renew, answer=COMPARED, answers=renewed),
        Route(
            "POST",
            f"{one}/venue-cancels",
            accounts.cancel,
            body=_CANCEL,
            answer=VENUE_CANCEL,
            answers=canceled,
        ),
        Route(
            "DELETE",
            f"{one}/orphaned-fills/<client_order_id>",
            accounts.acknowledge,
            answer=VENUE_ACCOUNT,
        ),
    )
    return blueprint_of("reconciliation", SETTING_UP, rows)
