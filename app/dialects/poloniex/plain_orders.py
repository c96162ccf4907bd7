"""Plain orders: those of an account, whichever dialect made them."""

from collections.abc import Iterable
from typing import Final

from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Caller
from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.fields import Content
from app.dialects.poloniex.order_routes import BY_REQUEST, OrderRoutes
from app.dialects.poloniex.parse_orders import amended_order, order_from, proceeds
from app.dialects.poloniex.queries import Filter
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.status import CLOSED, OrderStatus
from app.services.intake.orders import accept_exact_order
from app.services.intake.replace import replace_order
from app.services.placing.cancel import request_cancel

_OPEN: Final = frozenset[str](frozenset(OrderStatus) - CLOSED)


class PlainOrders(OrderRoutes[Order]):
    """Orders that are placed at once."""

    model = Order
    not_found = Code.ORDER_NOT_FOUND
    canceled = render.PENDING_CANCEL
    many_canceled = ""
    over = frozenset[str](CLOSED)
    body = schemas.PLAIN_ORDER
    amendment = schemas.AMENDMENT
    described = schemas.DESCRIBED
    open_list = schemas.OPEN_LIST
    closed_list = schemas.CLOSED_LIST

    def _accept(self, caller: Caller, content: Content, sender: Sender) -> Order:
        command = order_from(content, self.instruments(caller), self.last_prices(caller))
        return accept_exact_order(command, sender, self._ports)

    def _accept_instead(
        self, caller: Caller, old: Order, content: Content, sender: Sender
    ) -> Order:
        instrument_of, last_of = self.instruments(caller), self.last_prices(caller)
        return replace_order(
            old.id,
            lambda old: amended_order(content, old, instrument_of, last_of),
            sender,
            self._ports,
            takes_rest=content.get("quantity") is None,
            proceeds=proceeds(content),
        )

    def _end(self, one: Order) -> Order:
        if one.is_closed or not request_cancel(one.id, BY_REQUEST, self._ports):
            raise render.why_not_canceled(one)
        return one

    def _not_over(self, caller: Caller, wanted: Filter) -> Iterable[Order]:
        return self._in_states(caller, wanted, _OPEN)
