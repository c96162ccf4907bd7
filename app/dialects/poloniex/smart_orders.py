"""Smart orders: those that stand alone and came in through this dialect."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from flask import request

from app.bootstrap import Wiring
from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Caller
from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.fields import Content
from app.dialects.poloniex.order_kind import BY_REQUEST, Closed, Json, OrderKind
from app.dialects.poloniex.parse_orders import amended_smart_order, proceeds, smart_order_from
from app.dialects.poloniex.queries import Filter, Span
from app.domain.commands import SmartOrderRules
from app.domain.enums import Dialect, Kind, StopDirection, StopPrice
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.services.intake.replace import replace_smart_order
from app.services.intake.smart_orders import accept_smart_order
from app.services.placing.cancel import cancel_smart_order
from app.settings import Settings

_ENDED: Final = frozenset[str](
    frozenset(SmartOrderStatus) - {SmartOrderStatus.PENDING_NEW, SmartOrderStatus.PENDING_CANCEL}
)


class SmartOrders(OrderKind[SmartOrder]):
    """Orders that wait for a price."""

    model = SmartOrder
    kind = Kind.SMART_ORDER
    not_found = Code.SMART_ORDERS_NOT_FOUND
    canceled = render.CANCELED
    many_canceled = "SUCCESS"
    body = schemas.SMART_ORDER
    amendment = schemas.SMART_AMENDMENT
    described = schemas.SMART_DESCRIBED
    open_list = schemas.OPEN_SMART_LIST
    closed_list = schemas.CLOSED_SMART_LIST

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self._rules = _rules(wiring.settings)

    def accept(self, caller: Caller, content: Content, sender: Sender) -> SmartOrder:
        """Take in what a body asks for."""
        command = smart_order_from(content, self.instruments(caller))
        return accept_smart_order(command, self._rules, sender, self.ports)

    def replace(
        self, caller: Caller, old: SmartOrder, content: Content, sender: Sender
    ) -> SmartOrder:
        """Take in what a body asks for in the place of an old one."""
        command = amended_smart_order(content, old.command(), self.instruments(caller))
        return replace_smart_order(
            old.id, command, self._rules, sender, self.ports, proceeds=proceeds(content)
        )

    def end(self, one: SmartOrder) -> SmartOrder:
        """Cancel one that waits; one whose cancel is on its way is no failure."""
        if one.status is SmartOrderStatus.PENDING_CANCEL:
            return one
        if not one.is_waiting:
            raise render.why_not_canceled(one)
        after, is_canceled = cancel_smart_order(one.id, BY_REQUEST, self.ports)
        # One that waited a moment ago was ended by this very request, which was cut short then.
        if not (is_canceled or after.reason == BY_REQUEST):
            raise render.why_not_canceled(after)
        return after

    def owns(self, one: SmartOrder, caller: Caller) -> bool:
        """Tell whether a caller may see one."""
        is_ours = one.dialect is Dialect.POLONIEX and one.stands_alone
        return is_ours and one.account == caller.account.id

    def open(self, caller: Caller, wanted: Filter) -> Iterable[SmartOrder]:
        """Return those that wait, newest first."""
        waiting = self.ports.live.waiting(caller.account.id)
        return (one for one in waiting if one.origin == caller.origin and wanted.holds(one))

    def closed(
        self, caller: Caller, wanted: Filter, span: Span, *, hides_canceled: bool
    ) -> Iterator[Closed]:
        """Yield those that came to their end within a span of time, newest first."""
        states = _ENDED - {SmartOrderStatus.CANCELED} if hides_canceled else _ENDED
        for one in self.in_states(caller, wanted, states, span):
            placed = self._placed_by(one)
            row = partial(render.smart_history_row, one, placed)
            yield Closed(one.id, render.states_of(one, placed), row)

    def row(self, one: SmartOrder) -> Json:
        """Write one of a list."""
        return render.smart_row(one)

    def alone(self, caller: Caller, one: SmartOrder) -> Json | list[Json]:
        """Write one with the order that it has placed, in the shape that its client reads."""
        shape = render.smart_detail(one, self._placed_by(one))
        return [shape] if caller.settings.wants_array(request.content_type or "") else shape

    def _placed_by(self, one: SmartOrder) -> Order | None:
        """Return the order that a smart order has placed, as it is now; None if it has none."""
        found = self.by_id(one.order_id)
        return found if isinstance(found, Order) else None


def _rules(settings: Settings) -> SmartOrderRules:
    seconds = settings.poloniex_smart_order_seconds
    return SmartOrderRules(
        stop_price=StopPrice(settings.poloniex_trigger_price),
        direction=StopDirection(settings.poloniex_trigger_direction),
        open_max=settings.poloniex_smart_orders_max,
        life_ms=seconds * 1000 if seconds else None,
    )
