"""Plain orders are taken in, replaced and canceled (docs/poloniex.md)."""

from collections.abc import Sequence

from app.bootstrap import Wiring
from app.dialects.poloniex import render_orders as writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.addresses import Address, address_from, addresses_from, reach_from
from app.dialects.poloniex.answers import problem_of
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Content, array_from, object_from
from app.dialects.poloniex.finding import Finder, Named, each_once
from app.dialects.poloniex.parse_orders import amended_order, order_from, proceeds
from app.dialects.poloniex.smart_order_routes import BY_REQUEST
from app.domain.enums import Dialect
from app.domain.errors import HistoryUnavailable
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.services.intake.orders import accept_exact_order
from app.services.intake.replace import Replacement, await_place, replace_order
from app.services.placing.cancel import request_cancel
from app.web.registry_refresh import Failed

Json = dict[str, object]

#: Of one batch.
BATCH_MAX = 20


class Orders:
    """Changes the plain orders of an account."""

    def __init__(self, wiring: Wiring, callers: Callers, finder: Finder) -> None:
        self._ports = wiring.ports
        self._callers = callers
        self._finder = finder

    def create(self) -> Json:
        """Take in an order; it is durable before the answer."""
        return self._callers.serve(lambda caller: self._created(caller, object_from(caller.body)))

    def create_batch(self) -> list[Json]:
        """Take in several orders; each has an answer of its own, in their order."""
        return self._callers.serve_parts(
            lambda caller: list(enumerate(array_from(caller.body, BATCH_MAX))),
            self._one_created,
            _not_placed,
        )

    def replace(self, order_id: str) -> Json:
        """Take in an order in the place of another."""
        return self._callers.serve(lambda caller: self._replaced(caller, order_id))

    def cancel(self, order_id: str) -> Json:
        """Ask an order to end."""
        return self._callers.serve(lambda caller: self._canceled(caller, order_id))

    def cancel_named(self) -> list[Json]:
        """Ask those to end that the body names; each has a result of its own."""
        return self._callers.serve_parts(self._named, self._one_canceled, _not_canceled)

    def cancel_many(self) -> list[Json]:
        """Ask all to end that the body describes and that came in through this dialect."""
        results = self._callers.serve_parts(self._described, self._one_ended, _not_ended)
        return [one for one in results if one is not None]

    def _created(self, caller: Caller, body: Content) -> Json:
        return writing.id_pair(self._accepted(caller, body, self._callers.sender(caller)))

    def _accepted(self, caller: Caller, body: Content, sender: Sender) -> Order:
        command = order_from(body, self._finder.instruments(caller))
        return accept_exact_order(command, sender, self._ports)

    def _one_created(self, caller: Caller, item: tuple[int, object]) -> Json:
        part, content = item
        if not isinstance(content, dict):
            raise Problem(Code.INVALID_PARAMETER)
        order = self._callers.taken_once(
            caller,
            part,
            Order,
            lambda sender: self._accepted(caller, content, sender),
        )
        return writing.id_pair(order)

    def _replaced(self, caller: Caller, order_id: str) -> Json:
        new = self._callers.taken_once(
            caller, 0, Order, lambda sender: self._taken_over(caller, order_id, sender)
        )
        return writing.id_pair(await_place(new, self._ports))

    def _taken_over(self, caller: Caller, order_id: str, sender: Sender) -> Order:
        body = object_from(caller.body, required=False)
        old = self._known(caller, address_from(order_id))
        instrument_of = self._finder.instruments(caller)
        replacement = Replacement(
            old_id=old.id,
            command_of=lambda old: amended_order(body, old, instrument_of),
            takes_rest=body.get("quantity") is None,
            proceed_on_failure=proceeds(body),
        )
        return replace_order(replacement, sender, self._ports)

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

    def _named(self, caller: Caller) -> Sequence[Named[Order]]:
        """Return what the body names, each order once."""
        addresses = addresses_from(object_from(caller.body))
        return each_once(addresses, lambda address: self._finder.order(caller, address))

    def _one_canceled(self, caller: Caller, named: Named[Order]) -> Json:
        del caller
        _, order = named
        if isinstance(order, HistoryUnavailable):
            raise order
        if order is None:
            raise Problem(Code.ORDER_NOT_FOUND)
        return self._asked(order)

    def _described(self, caller: Caller) -> Sequence[Order]:
        body = object_from(caller.body, required=False)
        wanted = reach_from(schemas.DESCRIBED, body, self._finder.instruments(caller))
        found = self._finder.open_orders(caller, wanted)
        return [one for one in found if one.dialect is Dialect.POLONIEX]

    def _one_ended(self, caller: Caller, order: Order) -> Json | None:
        """Return the result of a cancel; None where the order ended by itself meanwhile."""
        del caller
        if not request_cancel(order.id, BY_REQUEST, self._ports):
            return None
        return writing.canceled(order, writing.PENDING_CANCEL)

    def _known(self, caller: Caller, address: Address) -> Order:
        found = self._finder.order(caller, address)
        if found is None:
            raise Problem(Code.ORDER_NOT_FOUND)
        return found


def _not_placed(item: tuple[int, object], failed: Failed) -> Json:
    _, content = item
    given = content.get("clientOrderId") if isinstance(content, dict) else None
    return writing.not_placed(problem_of(failed), given if isinstance(given, str) else "")


def _not_canceled(named: Named[Order], failed: Failed) -> Json:
    address, order = named
    if isinstance(order, Order):
        return _not_ended(order, failed)
    return writing.not_canceled(problem_of(failed), *address.names)


def _not_ended(order: Order, failed: Failed) -> Json:
    names = (str(order.id), writing.caller_id_of(order))
    return writing.not_canceled(problem_of(failed), *names, writing.state_of(order))
