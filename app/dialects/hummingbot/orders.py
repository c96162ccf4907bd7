"""Placing and canceling orders: `POST /trading/orders` and its cancel."""

import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flask import request

from app import metrics
from app.bootstrap import Wiring
from app.dialects.hummingbot import parse as reading
from app.dialects.hummingbot import render as writing
from app.dialects.hummingbot import schemas
from app.dialects.hummingbot.callers import Caller, Callers
from app.dialects.hummingbot.request_body import body_from
from app.domain.account import Account
from app.domain.enums import Dialect, ReasonCode
from app.domain.errors import NotFound
from app.domain.identifiers import AggregateId, ClientOrderId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.services.intake.accept import Accepted
from app.services.intake.orders import IdempotencyKey, accept_order
from app.services.placing.cancel import request_cancel
from app.web.answers import Answer, good
from app.web.raw_body import raw_body

#: One day, by business time, in which a key means the same request (spec, 4).
KEY_LIFE_MS = 86_400_000

_DUPLICATES = metrics.DUPLICATES.labels(dialect=Dialect.HUMMINGBOT)
_ACKNOWLEDGE_SECONDS = metrics.ACKNOWLEDGE_SECONDS.labels(dialect=Dialect.HUMMINGBOT)

_BY_REQUEST = Reason(ReasonCode.REQUESTED, "canceled by request")


class _Request:
    """One order as it was sent. What is wrong with it is said each time that it is looked at."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @cached_property
    def body(self) -> Mapping[str, object]:
        return body_from(self._content)

    @cached_property
    def shape(self) -> dict[str, Any]:
        return reading.shape_of(schemas.ORDER, self.body)

    def key(self, caller: Caller) -> IdempotencyKey | None:
        text = reading.checked_key(request.headers.get("Idempotency-Key"))
        if text is None:
            return None
        resets = [one.resets for one in caller.directory.accounts()]
        return IdempotencyKey(
            name=reading.name_of_key(caller.client.key, text),
            bound_as=reading.name_of_key(caller.client.key, text, resets),
            content=reading.fingerprint_of(self.body),
            life_ms=KEY_LIFE_MS,
        )


class Orders:
    """Takes in orders, and asks them to end."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._settings = wiring.settings
        self._callers = callers

    def place(self) -> Answer:
        """Answer 201 once the order is stored, or an error with nothing queued."""
        started = time.perf_counter()
        credentials = self._callers.known()
        wanted = _Request(raw_body())
        accepted = self._callers.serve_soon(
            credentials, lambda caller: self._accepted(wanted, caller)
        )
        if accepted.is_duplicate:
            _DUPLICATES.inc()
        client_order_id = self._ports.ids.client_order_id(accepted.id)
        answer = writing.placed(wanted.shape, client_order_id)
        _ACKNOWLEDGE_SECONDS.observe(time.perf_counter() - started)
        return answer

    def cancel(self, account_name: str, connector_name: str, order_id: str) -> Answer:
        """Ask an order to end; the answer does not wait for the venue's."""
        return self._callers.serve(
            lambda caller: self._canceled(
                caller.directory.account(account_name, connector_name), order_id
            )
        )

    def _accepted(self, wanted: _Request, caller: Caller) -> Accepted:
        shape = wanted.shape
        sender = Sender(
            dialect=Dialect.HUMMINGBOT,
            origin=caller.origin,
            account=caller.directory.account(shape["account_name"], shape["connector_name"]),
            received_at_ms=self._ports.clock.now_ms(),
            entry_lateness_ms=self._settings.max_signal_lateness_seconds * 1000,
            registry_version=caller.version,
        )
        return accept_order(reading.command_from(shape), sender, self._ports, wanted.key(caller))

    def _canceled(self, account: Account, order_id: str) -> Answer:
        found = self._find(account, order_id)
        if found is None or not request_cancel(found, _BY_REQUEST, self._ports):
            raise NotFound(f"Order '{order_id[:64]}' not found in active orders")
        return good({"message": f"Order cancellation initiated for {order_id}"})

    def _find(self, account: Account, order_id: str) -> AggregateId | None:
        """Return the order with this id, if it is one of the account that is not closed."""
        found = self._ports.ids.order_of(ClientOrderId(order_id))
        if found is None:
            return None
        try:
            order = self._ports.ledger.load(found).aggregate
        except NotFound:
            return None
        is_there = isinstance(order, Order) and order.account == account.id and order.is_live
        return found if is_there else None
