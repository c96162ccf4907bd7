"""Smart orders are taken in, replaced and canceled (docs/poloniex.md)."""

from collections.abc import Sequence

from app.bootstrap import Wiring
from app.dialects.poloniex import render_smart_orders as writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.addresses import Address, address_from, addresses_from, reach_from
from app.dialects.poloniex.answers import problem_of
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Content, object_from
from app.dialects.poloniex.finding import Finder, Named, each_once
from app.dialects.poloniex.parse_orders import amended_smart_order, proceeds, smart_order_from
from app.dialects.poloniex.render_orders import (
    CANCELED,
    PENDING_CANCEL,
    cancel_result,
    not_canceled,
)
from app.domain.commands import PlaceSmartOrder, SmartOrderRules
from app.domain.enums import ReasonCode, SmartOrderType, StopDirection, StopPrice
from app.domain.errors import HistoryUnavailable
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderState
from app.services.intake.replace import Replacement, replace_smart_order
from app.services.intake.smart_orders import accept_smart_order
from app.services.placing.cancel_smart_orders import (
    SmartOrderFilter,
    cancel_smart_order,
    waiting_smart_orders,
)
from app.settings import Settings
from app.web.registry_refresh import Failed

Json = dict[str, object]

BY_REQUEST = Reason(ReasonCode.REQUESTED, "canceled by request")


class SmartOrders:
    """Changes the smart orders of an account."""

    def __init__(self, wiring: Wiring, callers: Callers, finder: Finder) -> None:
        self._ports = wiring.ports
        self._callers = callers
        self._finder = finder
        self._rules = _rules(wiring.settings)

    def create(self) -> Json:
        """Take in a smart order; it is durable before the answer."""
        return self._callers.serve(self._created)

    def replace(self, order_id: str) -> Json:
        """Take in a smart order in the place of another."""
        return self._callers.serve(lambda caller: self._replaced(caller, order_id))

    def cancel(self, order_id: str) -> Json:
        """Cancel one that waits."""
        return self._callers.serve(lambda caller: self._canceled(caller, order_id))

    def cancel_named(self) -> list[Json]:
        """Cancel those that the body names; each has a result of its own."""
        return self._callers.serve_parts(self._named, self._one_canceled, _not_canceled)

    def cancel_many(self) -> list[Json]:
        """Cancel all that the body describes."""
        results = self._callers.serve_parts(self._described, self._one_ended, _not_ended)
        return [one for one in results if one is not None]

    def _created(self, caller: Caller) -> Json:
        command = smart_order_from(object_from(caller.body), self._finder.instruments(caller))
        sender = self._callers.sender(caller)
        return writing.id_pair(accept_smart_order(command, self._rules, sender, self._ports))

    def _replaced(self, caller: Caller, order_id: str) -> Json:
        body = object_from(caller.body, required=False)
        old = self._known(caller, address_from(order_id))
        new = self._callers.taken_once(
            caller, 0, SmartOrder, lambda sender: self._taken_over(caller, old, body, sender)
        )
        return writing.id_pair(new)

    def _taken_over(
        self, caller: Caller, old: SmartOrder, body: Content, sender: Sender
    ) -> SmartOrder:
        command = amended_smart_order(body, old.command(), self._finder.instruments(caller))
        replacement: Replacement[SmartOrder, PlaceSmartOrder] = Replacement(
            old_id=old.id, command_of=lambda _: command, proceed_on_failure=proceeds(body)
        )
        return replace_smart_order(replacement, self._rules, sender, self._ports)

    def _canceled(self, caller: Caller, order_id: str) -> Json:
        after = self._ended(self._known(caller, address_from(order_id)))
        return cancel_result(str(after.id), after.caller_id or "", CANCELED)

    def _named(self, caller: Caller) -> Sequence[Named[SmartOrder]]:
        """Return what the body names, each smart order once."""
        addresses = addresses_from(object_from(caller.body))
        return each_once(addresses, lambda address: self._finder.smart_order(caller, address))

    def _one_canceled(self, caller: Caller, named: Named[SmartOrder]) -> Json:
        """Return the result of a cancel, or of one that found it triggered or ended."""
        address, found = named
        if isinstance(found, HistoryUnavailable):
            raise found
        if found is None:
            raise Problem(Code.SMART_ORDERS_NOT_FOUND)
        names = (str(found.id), found.caller_id or "")
        try:
            self._ended(found)
        except Problem as problem:
            now = self._finder.smart_order(caller, address) or found
            return not_canceled(problem, *names, now.state.value)
        return cancel_result(*names, PENDING_CANCEL)

    def _ended(self, found: SmartOrder) -> SmartOrder:
        """Cancel one that waits, and return it; one whose cancel is on its way is no failure.

        Raises:
            Problem: it has triggered or ended.
        """
        if found.state is SmartOrderState.PENDING_CANCEL:
            return found
        if not found.is_waiting:
            raise writing.not_canceled(found)
        outcome = cancel_smart_order(found.id, BY_REQUEST, self._ports)
        # One that waited a moment ago was ended by this very request, which was cut short then.
        if not (outcome.is_canceled or outcome.smart_order.reason == BY_REQUEST):
            raise writing.not_canceled(outcome.smart_order)
        return outcome.smart_order

    def _described(self, caller: Caller) -> Sequence[SmartOrder]:
        body = object_from(caller.body, required=False)
        reach = reach_from(schemas.SMART_DESCRIBED, body, self._finder.instruments(caller))
        types = None if reach.types is None else {SmartOrderType(one) for one in reach.types}
        wanted = SmartOrderFilter(origin=caller.origin, symbols=reach.symbols, types=types)
        return waiting_smart_orders(caller.account.id, wanted, self._ports)

    def _one_ended(self, caller: Caller, found: SmartOrder) -> Json | None:
        """Return the result of a cancel; None where it triggered or ended meanwhile."""
        del caller
        try:
            ended = self._ended(found)
        except Problem:
            return None
        return cancel_result(str(ended.id), ended.caller_id or "", PENDING_CANCEL, "SUCCESS")

    def _known(self, caller: Caller, address: Address) -> SmartOrder:
        found = self._finder.smart_order(caller, address)
        if found is None:
            raise Problem(Code.SMART_ORDERS_NOT_FOUND)
        return found


def _not_canceled(named: Named[SmartOrder], failed: Failed) -> Json:
    address, found = named
    if isinstance(found, SmartOrder):
        return _not_ended(found, failed)
    return not_canceled(problem_of(failed), *address.names)


def _not_ended(found: SmartOrder, failed: Failed) -> Json:
    names = (str(found.id), found.caller_id or "")
    return not_canceled(problem_of(failed), *names, found.state.value)


def _rules(settings: Settings) -> SmartOrderRules:
    seconds = settings.poloniex_smart_order_seconds
    return SmartOrderRules(
        stop_price=StopPrice(settings.poloniex_trigger_price),
        direction=StopDirection(settings.poloniex_trigger_direction),
        open_max=settings.poloniex_smart_orders_max,
        life_ms=seconds * 1000 if seconds else None,
    )
