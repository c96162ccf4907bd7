"""Smart orders: those that stand alone and came in through this dialect."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from flask import request

from app.bootstrap import Wiring
from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.fields import Content
from app.dialects.poloniex.order_routes import BY_REQUEST, OrderRoutes
from app.dialects.poloniex.parse_orders import amended_smart_order, proceeds, smart_order_from
from app.dialects.poloniex.queries import Filter
from app.dialects.poloniex.render_orders import Json
from app.domain.account import Account
from app.domain.commands import SmartOrderRules
from app.domain.enums import PriceSource, Protection, StopDirection, StopPrice
from app.domain.identifiers import VenueName
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.services.intake.replace import replace_smart_order
from app.services.intake.smart_orders import accept_smart_order
from app.services.placing.cancel import await_end, cancel_smart_order
from app.venues import held_by

#: The venue whose own smart orders these are.
POLONIEX: Final = VenueName("poloniex")


class ByIdShape(StrEnum):
    """What `GET /smartorders/{id}` answers with: the official SDK and ccxt read it differently.

    AUTO gives an array to whoever names a content type without a body, which ccxt always does and
    the SDK never.
    """

    OBJECT = "object"
    ARRAY = "array"
    AUTO = "auto"


def rest_by(settings: Mapping[str, Any], account: Account) -> frozenset[PriceSource]:
    """Return the prices by which stops that sell are to rest at Poloniex itself.

    None do unless the client says so: the documents have this service follow the price. Elsewhere a
    stop would hold the coins that it is to sell, which a smart order does not.

    Args:
        settings: of the client; our own API has checked them.
        account: its account.
    """
    wanted = Protection(settings.get("protection", Protection.AUTO))
    is_there = wanted is Protection.EXCHANGE and account.venue == POLONIEX
    return held_by(account) if is_there else frozenset()


def wants_list(settings: Mapping[str, Any], content_type: str) -> bool:
    """Tell whether the one that was asked for stands in a list.

    Args:
        settings: of the client; our own API has checked them.
        content_type: of the request, which has no body.
    """
    shape = ByIdShape(settings.get("by_id_shape", ByIdShape.OBJECT))
    is_named = content_type.partition(";")[0].strip().lower() == "application/json"
    return shape is ByIdShape.ARRAY or (shape is ByIdShape.AUTO and is_named)


class SmartOrders(OrderRoutes[SmartOrder]):
    """Orders that wait for a price."""

    model = SmartOrder
    not_found = Code.SMART_ORDERS_NOT_FOUND
    canceled = render.CANCELED
    many_canceled = "SUCCESS"
    over = frozenset[str](
        set(SmartOrderStatus) - {SmartOrderStatus.PENDING_NEW, SmartOrderStatus.PENDING_CANCEL}
    )
    hidden = frozenset[str]({SmartOrderStatus.CANCELED})
    body = schemas.SMART_ORDER
    amendment = schemas.SMART_AMENDMENT
    described = schemas.SMART_DESCRIBED
    open_list = schemas.OPEN_SMART_LIST
    closed_list = schemas.CLOSED_SMART_LIST

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        super().__init__(wiring, callers)
        settings = wiring.settings
        seconds = settings.poloniex_smart_order_seconds
        self._rules = SmartOrderRules(
            stop_price=StopPrice(settings.poloniex_trigger_price),
            direction=StopDirection(settings.poloniex_trigger_direction),
            open_max=settings.poloniex_smart_orders_max,
            life_ms=seconds * 1000 if seconds else None,
        )

    def _rules_of(self, caller: Caller) -> SmartOrderRules:
        return replace(self._rules, rest_by=rest_by(caller.client.settings, caller.account))

    def _accept(self, caller: Caller, content: Content, sender: Sender) -> SmartOrder:
        command = smart_order_from(content, self.instruments(caller), self.last_prices(caller))
        return accept_smart_order(command, self._rules_of(caller), sender, self._ports)

    def _accept_instead(
        self, caller: Caller, old: SmartOrder, content: Content, sender: Sender
    ) -> SmartOrder:
        command = amended_smart_order(
            content, old.command(), self.instruments(caller), self.last_prices(caller)
        )
        rules = self._rules_of(caller)
        return replace_smart_order(
            old.id, command, rules, sender, self._ports, proceeds=proceeds(content)
        )

    def _end(self, one: SmartOrder) -> SmartOrder:
        """Cancel one that waits; one whose cancel is on its way is no failure."""
        if one.status is SmartOrderStatus.PENDING_CANCEL:
            return one
        if not one.is_pending:
            raise render.why_not_canceled(one)
        after, is_canceled = cancel_smart_order(one.id, BY_REQUEST, self._ports)
        # One that waited a moment ago was ended by this very request, which was cut short then.
        is_going = is_canceled or after.status is SmartOrderStatus.PENDING_CANCEL
        if not (is_going or after.reason == BY_REQUEST):
            raise render.why_not_canceled(after)
        return after

    def _canceled(self, caller: Caller, order_id: str) -> Json:
        """Cancel one; of one that rests at the exchange that has the last word, for a moment."""
        found = self.known(caller, order_id, self.not_found)
        after = await_end(self._end(found), self._ports)
        if after.status is SmartOrderStatus.PENDING_CANCEL:
            return render.canceled(after, render.PENDING_CANCEL)
        if after.status is not SmartOrderStatus.CANCELED:
            raise render.why_not_canceled(after)
        return render.canceled(after, self.canceled)

    def _not_over(self, caller: Caller, wanted: Filter) -> Iterable[SmartOrder]:
        waiting = self._ports.live.waiting(caller.account.id)
        return (one for one in waiting if one.origin == caller.origin and wanted.holds(one))

    def shown(self, order_id: str) -> Json | list[Json]:
        """Show an order, in any state.

        It stands with the order that it has placed, in the shape that its client reads.
        """
        caller = self._callers.reader()
        one = self.known(caller, order_id, Code.ORDER_NOT_FOUND)
        shape = render.smart_detail(one, self._placed_by(one))
        in_list = wants_list(caller.client.settings, request.content_type or "")
        return [shape] if in_list else shape
