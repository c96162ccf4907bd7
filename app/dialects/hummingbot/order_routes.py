"""Placing, canceling and listing orders."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from flask import request
from marshmallow import Schema

from app import metrics
from app.bootstrap import Wiring
from app.dialects.hummingbot import parse, render, schemas
from app.dialects.hummingbot.callers import Caller, Callers
from app.dialects.hummingbot.names import LIVE, Names, word_of
from app.domain.enums import Dialect, ReasonCode
from app.domain.errors import NotFound
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.search import Place, Search, place_of
from app.domain.sender import Sender
from app.services.intake.accept import Accepted
from app.services.intake.orders import accept_order
from app.services.placing.cancel import request_cancel
from app.web.answers import Answer, good
from app.web.digests import digest_of
from app.web.idempotency import HEADER, marks_of_key
from app.web.raw_body import raw_body

Shape = Mapping[str, Any]

_DUPLICATES = metrics.DUPLICATES.labels(dialect=Dialect.HUMMINGBOT)
_ACKNOWLEDGE_SECONDS = metrics.ACKNOWLEDGE_SECONDS.labels(dialect=Dialect.HUMMINGBOT)

_BY_REQUEST = Reason(ReasonCode.REQUESTED, "canceled by request")


class OrderRoutes:
    """Takes in orders, asks them to end, and tells what became of them."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._reader = wiring.reader
        self._settings = wiring.settings
        self._callers = callers

    def place(self) -> Answer:
        """Answer 201 once the order is stored, or an error with nothing queued."""
        started = time.perf_counter()
        credentials = self._callers.known()
        content = raw_body()
        shape, accepted = self._callers.serve_soon(
            credentials, lambda caller: self._placed(content, caller)
        )
        if accepted.is_duplicate:
            _DUPLICATES.inc()
        answer = render.placed(shape, self._ports.ids.client_order_id(accepted.id))
        _ACKNOWLEDGE_SECONDS.observe(time.perf_counter() - started)
        return answer

    def _placed(self, content: bytes, caller: Caller) -> tuple[Shape, Accepted]:
        body = parse.body_from(content)
        shape = parse.shape_of(schemas.ORDER, body)
        sender = Sender(
            dialect=Dialect.HUMMINGBOT,
            origin=caller.client.origin,
            account=caller.directory.account(shape["account_name"], shape["connector_name"]),
            received_at_ms=self._ports.clock.now_ms(),
            entry_lateness_ms=self._settings.max_signal_lateness_seconds * 1000,
            registry_version=caller.version,
        )
        command = parse.command_from(shape)
        return shape, accept_order(command, _keyed(sender, body, caller), self._ports)

    def cancel(
        self, caller: Caller, account_name: str, connector_name: str, order_id: str
    ) -> Answer:
        """Ask an order to end; the answer does not wait for the venue's."""
        account = caller.directory.account(account_name, connector_name)
        found = self._find(account.id, order_id)
        if found is None or not request_cancel(found, _BY_REQUEST, self._ports):
            raise NotFound(f"Order '{order_id[:64]}' not found in active orders")
        return good({"message": f"Order cancellation initiated for {order_id}"})

    def _find(self, account: AccountId, order_id: str) -> AggregateId | None:
        """Return the order with this id, if it is one of the account that is not closed."""
        found = self._ports.ids.order_of(ClientOrderId(order_id))
        if found is None:
            return None
        try:
            order = self._ports.ledger.load(found).aggregate
        except NotFound:
            return None
        is_there = isinstance(order, Order) and order.account == account and order.is_live
        return found if is_there else None

    def active(self, caller: Caller) -> Answer:
        """Answer with the orders that are not closed, from the very moment of their 201 on."""
        listed = _Listed(schemas.ACTIVE, caller)
        return self._live(listed, replace(listed.search, states=LIVE), None)

    def search(self, caller: Caller) -> Answer:
        """Answer with orders of all statuses, newest first."""
        listed = _Listed(schemas.SEARCH, caller)
        search = listed.search
        if search.states is not None and search.states & LIVE:
            return self._live(listed, search, listed.shape["status"])
        place = parse.order_place(listed.shape["cursor"])
        return listed.orders_page(self._orders(place, search), self._reader.count(search))

    def _live(self, listed: "_Listed", search: Search, word: str | None) -> Answer:
        """Return a page of what is live, which is little enough to be looked at one by one.

        Whether a cancel is on its way is a flag beside the status, so a search cannot tell.
        """
        live = [one for one in self._orders(None, search) if word is None or word_of(one) == word]
        place = parse.order_place(listed.shape["cursor"])
        rest = (one for one in live if place is None or place_of(one) < place)
        return listed.orders_page(rest, len(live))

    def _orders(self, place: Place | None, search: Search) -> Iterator[Order]:
        return (one for one in self._reader.newest(place, search) if isinstance(one, Order))

    def trades(self, caller: Caller) -> Answer:
        """Answer with fills, newest first, each once."""
        listed = _Listed(schemas.TRADES, caller)
        place = parse.fill_place(listed.shape["cursor"])
        return render.page(
            self._reader.fills(place, listed.search),
            listed.shape["limit"],
            self._reader.count_fills(listed.search),
            row=lambda fill: render.trade_row(fill[1], fill[2], listed.names[fill[1].account]),
            place=lambda fill: fill[0],
        )


def _keyed(sender: Sender, body: Mapping[str, object], caller: Caller) -> Sender:
    """Return the sender with the idempotency key of the request at hand, if it has one."""
    whose = (Dialect.HUMMINGBOT, caller.client.key)
    accounts = caller.directory.accounts()
    key = request.headers.get(HEADER)
    return replace(sender, marks=marks_of_key(key, whose, digest_of(body), accounts))


class _Listed:
    """What the request at hand wants to see.

    Attributes:
        names: the accounts that its filters name, with their names in this dialect.
    """

    def __init__(self, schema: Schema, caller: Caller) -> None:
        self.shape = parse.shape_of_request(schema)
        among = caller.directory.among(self.shape["account_names"], self.shape["connector_names"])
        self.names: Mapping[AccountId, Names] = {
            account.id: (group, connector) for group, connector, account in among
        }
        self.search = parse.search_from(self.shape, self.names)

    def orders_page(self, found: Iterator[Order], total: int) -> Answer:
        """Return the first of these orders as a page."""
        return render.page(
            found,
            self.shape["limit"],
            total,
            row=lambda order: render.order_row(order, self.names[order.account]),
            place=place_of,
        )
