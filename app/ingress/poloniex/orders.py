"""Plain orders are taken in, replaced and canceled (docs/poloniex.md)."""

import time

from app.bootstrap import Wiring
from app.dialects.poloniex import order_writing as writing
from app.dialects.poloniex.addresses import Address, address_from, addresses_from
from app.dialects.poloniex.cancel_reading import reach_from
from app.dialects.poloniex.order_reading import amendment_from, order_from
from app.dialects.poloniex.payload import Payload, array_from, object_from
from app.dialects.poloniex.problems import Code, Problem
from app.dialects.poloniex.queries import Filter
from app.dialects.poloniex.replies import problem_of
from app.dialects.poloniex.smart_reading import proceeds
from app.dialects.poloniex.words import ORDER_TYPES
from app.domain.errors import CommandError, Conflict, VenueError
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.domain.words import Dialect
from app.ingress.poloniex.callers import Caller, Callers
from app.ingress.poloniex.finding import Finder
from app.ingress.poloniex.smart_orders import BY_REQUEST
from app.services.accept_exact_order import (
    Replacement,
    accept_exact_order,
    replace_exact_order,
)
from app.services.accept_order import OrderSender
from app.services.cancel import request_cancel

Json = dict[str, object]

#: Of one batch.
BATCH_MAX = 20

#: Types on the wire.
TYPES = {word: word for word in ORDER_TYPES}


class Orders:
    """Changes the plain orders of an account."""

    def __init__(self, wiring: Wiring, callers: Callers, finder: Finder) -> None:
        self._ports = wiring.ports
        self._callers = callers
        self._finder = finder
        self._lateness_ms = wiring.settings.max_signal_lateness_seconds * 1000

    def create(self) -> Json:
        """Take in an order; it is durable before the answer."""
        return self._callers.serve(lambda caller: self._created(caller, object_from(caller.body)))

    def create_batch(self) -> list[Json]:
        """Take in several orders; each has an answer of its own, in their order."""
        return self._callers.serve(
            lambda caller: [
                self._one_created(caller, one) for one in array_from(caller.body, BATCH_MAX)
            ]
        )

    def replace(self, order_id: str) -> Json:
        """Take in an order in the place of another."""
        return self._callers.serve(lambda caller: self._replaced(caller, order_id))

    def cancel(self, order_id: str) -> Json:
        """Ask an order to end."""
        return self._callers.serve(lambda caller: self._canceled(caller, order_id))

    def cancel_named(self) -> list[Json]:
        """Ask those to end that the body names; each has a result of its own."""
        return self._callers.serve(self._canceled_named)

    def cancel_many(self) -> list[Json]:
        """Ask all to end that the body describes and that came in through this dialect."""
        return self._callers.serve(self._canceled_many)

    def _created(self, caller: Caller, body: Payload) -> Json:
        command = order_from(body, self._finder.instruments(caller))
        admission, at_ms = self._callers.admission(caller), caller.received_at_ms
        order = accept_exact_order(command, self._sender(caller), admission, at_ms, self._ports)
        return writing.id_pair(order)

    def _one_created(self, caller: Caller, content: object) -> Json:
        if not isinstance(content, dict):
            return writing.not_placed(Problem(Code.INVALID_PARAMETER), "")
        try:
            return self._created(caller, Payload(content))
        except (CommandError, VenueError) as error:
            given = content.get("clientOrderId")
            return writing.not_placed(problem_of(error), given if isinstance(given, str) else "")

    def _replaced(self, caller: Caller, order_id: str) -> Json:
        body = object_from(caller.body, required=False)
        instrument_of = self._finder.instruments(caller)
        replacement = Replacement(
            old=self._known(caller, address_from(order_id)),
            command_of=lambda old: amendment_from(body, old, instrument_of),
            pause_ms=lambda pause: time.sleep(pause / 1000),
            proceed_on_failure=proceeds(body),
        )
        admission, at_ms = self._callers.admission(caller), caller.received_at_ms
        new = replace_exact_order(replacement, self._sender(caller), admission, at_ms, self._ports)
        return writing.id_pair(new)

    def _sender(self, caller: Caller) -> OrderSender:
        return OrderSender(
            dialect=Dialect.POLONIEX,
            origin=caller.origin,
            account=caller.account,
            lateness_ms=self._lateness_ms,
        )

    def _canceled(self, caller: Caller, order_id: str) -> Json:
        order = self._known(caller, address_from(order_id))
        return self._asked(order)

    def _asked(self, order: Order) -> Json:
        """Ask an order to end, and return what its caller is told.

        Raises:
            Problem: it is closed.
        """
        if order.is_closed or not request_cancel(order.id, BY_REQUEST, self._ports):
            is_canceled = order.status is OrderStatus.CANCELED
            raise Problem(Code.ORDER_CANCELED if is_canceled else Code.NOT_CANCELED)
        return writing.canceled(order, writing.PENDING_CANCEL)

    def _canceled_named(self, caller: Caller) -> list[Json]:
        results: dict[object, Json] = {}
        for address in addresses_from(object_from(caller.body)):
            found = self._finder.order(caller, address)
            key = address if found is None else found.id
            if key not in results:
                results[key] = self._result(address, found)
        return list(results.values())

    def _result(self, address: Address, found: Order | None) -> Json:
        if found is None:
            return writing.not_canceled(Problem(Code.ORDER_NOT_FOUND), *address.names)
        try:
            return self._asked(found)
        except (CommandError, Conflict) as error:
            names = (str(found.id), writing.caller_id_of(found))
            return writing.not_canceled(problem_of(error), *names, writing.state_of(found))

    def _canceled_many(self, caller: Caller) -> list[Json]:
        body = object_from(caller.body, required=False)
        reach = reach_from(body, TYPES, self._finder.instruments(caller))
        wanted = Filter(symbols=reach.symbols, types=reach.types)
        return [
            writing.canceled(one, writing.PENDING_CANCEL)
            for one in self._finder.open_orders(caller, wanted)
            if one.dialect is Dialect.POLONIEX and request_cancel(one.id, BY_REQUEST, self._ports)
        ]

    def _known(self, caller: Caller, address: Address) -> Order:
        found = self._finder.order(caller, address)
        if found is None:
            raise Problem(Code.ORDER_NOT_FOUND)
        return found
