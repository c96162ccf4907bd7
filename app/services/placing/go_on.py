"""The next order of an exit that goes on, when its pause is over."""

from app.domain.events import PauseOver
from app.domain.exits import PAUSE_MAX_MS
from app.domain.moments import has_come
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.draft import IDS_PER_EVENT
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.services.advance import advance


def go_on(owner: SmartOrder | SmartTrade, ports: Ports) -> None:
    """Let a guard, or a smart trade, send its next order, if its time has come.

    Twice, or at once in two workers: the second one finds that it pauses no more.
    """
    at_ms = owner.resumes_at_ms
    if at_ms is None or not has_come(at_ms, ports.clock.server_ms(), PAUSE_MAX_MS):
        return
    new_ids = ports.ids.fresh(owner.account, IDS_PER_EVENT)
    advance(owner.id, PauseOver(at_ms=ports.clock.now_ms(), new_ids=new_ids), ports)
