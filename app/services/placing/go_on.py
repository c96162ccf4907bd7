"""The next order of a guard that goes on, when its pause is over."""

from app.domain.events import TimerDue
from app.domain.exits import PAUSE_MAX_MS
from app.domain.moments import has_come
from app.domain.smart_order import SmartOrder
from app.ports import Ports
from app.services.advance import advance


def go_on(smart_order: SmartOrder, ports: Ports) -> None:
    """Let a guard send its next order, if its time has come.

    Twice, or at once in two workers: the second one finds it with an order at work.
    """
    at_ms = smart_order.goes_on_at_ms
    if at_ms is None or not has_come(at_ms, ports.clock.server_ms(), PAUSE_MAX_MS):
        return
    new_ids = ports.ids.fresh(smart_order.account, 1)
    advance(smart_order.id, TimerDue(at_ms=ports.clock.now_ms(), new_ids=new_ids), ports)
