"""What came in and what became of it: the list, one thing, its cancel, and events live."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request

from app.admin.authentication import Gate
from app.admin.event_stream import EventStreams
from app.admin.order_list import (
    ListQuery,
    cursor_of,
    order_id_of,
    page_of,
    search_from,
)
from app.admin.order_outcomes import OutcomeBody, outcome_from
from app.admin.related import whole_timeline
from app.admin.replays import ReplayBody, Replays
from app.admin.request_body import body_of_request, query_of_request, refuse_body, refused
from app.admin.rows import CANCELED, DETAIL, REPLAYED, ROWS, detail_of, row_of
from app.bootstrap import Wiring
from app.domain.aggregate import Aggregate
from app.domain.enums import ReasonCode
from app.domain.errors import NotFound, StoreUnavailable, WrongState
from app.domain.identifiers import AccountId, AccountName, AggregateId
from app.domain.order import Order
from app.domain.reason import Reason
from app.rehearsal.rehearsal import rehearsal_of
from app.services.advance import advance
from app.services.placing.cancel import request_cancel
from app.web.answers import Answer, Json, good
from app.web.dry_answer import dry_answer
from app.web.dry_run import TURNS, is_dry
from app.web.fields import loaded
from app.web.routes import Route, blueprint_of

_QUERY = ListQuery()
_OUTCOME = OutcomeBody()
_REPLAY = ReplayBody()

_BY_HAND = Reason(ReasonCode.REQUESTED, "canceled by hand")


class _Orders:
    """Reads aggregates of all kinds, and asks them to end."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._ports = wiring.ports
        self._reader = wiring.reader
        self._registry = wiring.registry

    def list(self) -> Json:
        """Answer a page of what came in and what became of it, newest first."""
        query = query_of_request(_QUERY)
        search = search_from(query, self._account_named(query.get("account")))
        found, place = page_of(self._reader.newest(query["cursor"], search), query["limit"])
        rows = [row_of(one, self._name_of(one.account)) for one in found]
        return {"data": rows, "next_cursor": cursor_of(place)}

    def show(self, reference: str) -> Json:
        """Answer one row by id or client order id, with its children and its timeline."""
        return self._detail(order_id_of(reference, self._ports))

    def cancel(self, reference: str) -> Json:
        """Ask one aggregate to end. One that has ended is left alone, which is no error."""
        refuse_body()
        known = self._reader.find(order_id_of(reference, self._ports))
        name = self._name_of(known.account)
        requested = request_cancel(known.id, _BY_HAND, self._ports)
        return {"requested": requested, "order": self._told(known, name)}

    def resolve(self, reference: str) -> Json:
        """Take a person's word for what became of an UNKNOWN order whose venue cannot be asked."""
        body = loaded(_OUTCOME, body_of_request())
        order_id = order_id_of(reference, self._ports)
        order = self._ports.ledger.load(order_id).aggregate
        if not isinstance(order, Order):
            raise NotFound(f"there is no order {reference[:64]!a}")
        name = self._name_of(order.account)
        event = outcome_from(order, body, self._ports.clock.now_ms())
        decision = advance(order_id, event, self._ports)
        if decision.ignored is not None:
            raise WrongState(f"the order has moved on: {decision.ignored}; look again")
        return self._told(decision.aggregate, name)

    def replay(self, reference: str) -> Json | Answer:
        """Give what came in once anew, on a paper account, with the market of now.

        Twice is two replays, unless both have the same `Idempotency-Key`.
        """
        body = loaded(_REPLAY, body_of_request())
        one = self._reader.find(order_id_of(reference, self._ports))
        if not (body["dry_run"] or is_dry(request.environ)):
            return self.give_anew(one, body)
        with TURNS.turn():
            rehearsal = rehearsal_of(self._wiring)
            return dry_answer(rehearsal, good(_Orders(rehearsal.wiring).give_anew(one, body)))

    def give_anew(self, one: Aggregate, body: Mapping[str, Any]) -> Json:
        """Give the command behind something anew, and answer what came of it."""
        replays = Replays(self._wiring)
        accepted = replays.take_in(one, body.get("account"), body["price"])
        return {
            "replay_of": str(one.id),
            "repeated": accepted.is_duplicate,
            "order": self._detail(accepted.id),
        }

    def _told(self, known: Aggregate, account_name: str) -> Json:
        """Return the detail after a change, or what is known of it if the store is away by then.

        The change is done, so that this is no reason to call it failed.
        """
        try:
            return self._detail(known.id)
        except StoreUnavailable:
            return detail_of(known, account_name, (), ())

    def _detail(self, aggregate_id: AggregateId) -> Json:
        aggregate = self._reader.find(aggregate_id)
        return detail_of(
            aggregate,
            self._name_of(aggregate.account),
            self._reader.children(aggregate_id),
            whole_timeline(aggregate_id, self._reader),
        )

    def _account_named(self, name: str | None) -> AccountId | None:
        if name is None:
            return None
        try:
            return self._registry.account_named(AccountName(name)).id
        except NotFound as error:
            raise refused("account", f"There is no account named {name[:64]!a}.") from error

    def _name_of(self, account_id: AccountId) -> str:
        try:
            return self._registry.account(account_id).name
        except NotFound:
            return str(account_id)


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes that read orders and cancel them."""
    orders = _Orders(wiring)
    most = max(1, wiring.settings.web_connections // 10)
    streams = EventStreams(wiring.events, most, Gate(wiring).admission)
    one = "/api/orders/<reference>"
    rows = (
        Route("GET", "/api/orders", orders.list, query=_QUERY, answer=ROWS),
        Route("GET", one, orders.show, answer=DETAIL),
        Route("POST", f"{one}/cancel", orders.cancel, answer=CANCELED),
        Route("POST", f"{one}/resolve", orders.resolve, body=_OUTCOME, answer=DETAIL),
        Route("POST", f"{one}/replay", orders.replay, body=_REPLAY, answer=REPLAYED, runs_dry=True),
        Route("GET", "/api/events", streams.open),
    )
    return blueprint_of("orders", "Orders", rows)
