"""Plain orders: those of an account, whichever dialect made them."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Caller
from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.fields import Content
from app.dialects.poloniex.order_kind import BY_REQUEST, Closed, Json, OrderKind
from app.dialects.poloniex.parse_orders import amended_order, order_from, proceeds
from app.dialects.poloniex.queries import Filter, Span
from app.domain.enums import Kind
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.status import CLOSED, OrderStatus
from app.services.intake.orders import accept_exact_order
from app.services.intake.replace import await_place, replace_order
from app.services.placing.cancel import request_cancel

_OPEN: Final = frozenset[str](frozenset(OrderStatus) - CLOSED)


class PlainOrders(OrderKind[Order]):
    """Orders that are placed at once."""

    model = Order
    kind = Kind.ORDER
    not_found = Code.ORDER_NOT_FOUND
    canceled = render.PENDING_CANCEL
    many_canceled = ""
    body = schemas.PLAIN_ORDER
    amendment = schemas.AMENDMENT
    described = schemas.DESCRIBED
    open_list = schemas.OPEN_LIST
    closed_list = schemas.CLOSED_LIST

    def accept(self, caller: Caller, content: Content, sender: Sender) -> Order:
        """Take in what a body asks for."""
        command = order_from(content, self.instruments(caller))
        return accept_exact_order(command, sender, self.ports)

    def replace(self, caller: Caller, old: Order, content: Content, sender: Sender) -> Order:
        """Take in what a body asks for in the place of an old one."""
        instrument_of = self.instruments(caller)
        return replace_order(
            old.id,
            lambda old: amended_order(content, old, instrument_of),
            sender,
            self.ports,
            takes_rest=content.get("quantity") is None,
            proceeds=proceeds(content),
        )

    def settled(self, new: Order) -> Order:
        """Return one that has taken the place of another, when it is known that it has."""
        return await_place(new, self.ports)

    def end(self, one: Order) -> Order:
        """Ask one to end."""
        if one.is_closed or not request_cancel(one.id, BY_REQUEST, self.ports):
            raise render.why_not_canceled(one)
        return one

    def owns(self, one: Order, caller: Caller) -> bool:
        """Tell whether a caller may see one."""
        return one.account == caller.account.id

    def open(self, caller: Caller, wanted: Filter) -> Iterable[Order]:
        """Return those that are not over, newest first."""
        return self.in_states(caller, wanted, _OPEN)

    def closed(
        self, caller: Caller, wanted: Filter, span: Span, *, hides_canceled: bool
    ) -> Iterator[Closed]:
        """Yield those that came to their end within a span of time, newest first."""
        for one in self.in_states(caller, wanted, frozenset(CLOSED), span):
            state = render.state_of(one)
            if not (hides_canceled and state == render.CANCELED):
                yield Closed(one.id, frozenset({state}), partial(render.history_row, one))

    def row(self, one: Order) -> Json:
        """Write one of a list."""
        return render.order_row(one)

    def alone(self, caller: Caller, one: Order) -> Json:
        """Write one that was asked for by itself."""
        del caller
        return render.order_row(one)
