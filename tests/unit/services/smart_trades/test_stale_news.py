"""Two read the news of one order: how it was before must not count after how it is."""

from decimal import Decimal

import pytest

from app.domain.aggregate import Aggregate
from app.domain.events import OrderReported
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.smart_trade.enums import TradeType
from app.domain.status import OrderStatus
from app.ports import Ports
from app.services import advance as advance_module
from app.services.advance import ATTEMPTS_TOGETHER, advance
from app.services.find_anywhere import present
from app.services.following import news
from app.services.perform import perform
from tests.support.trade_rig import TradeRig, a_trade, entry


def reported(rig: TradeRig, order: Order, status: OrderStatus, filled: str) -> None:
    report = OrderReport(
        status=status, filled_quantity=Decimal(filled), average_price=Decimal(99), fees={}
    )
    advance(order.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)


@pytest.mark.parametrize("together", [0, ATTEMPTS_TOGETHER])
def test_whoever_looked_first_and_commits_last_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    rig = TradeRig()
    rig.set_price("100")
    trade = rig.open(a_trade(TradeType.SIMPLE_BUY, "1", entry=entry("limit", "99")))
    (order,) = rig.orders()
    monkeypatch.setattr(advance_module, "ATTEMPTS_TOGETHER", 0)  # its trade is told by a message
    reported(rig, order, OrderStatus.PARTIALLY_FILLED, "0.25")

    def slowly(aggregate_id: AggregateId, ports: Ports) -> Aggregate:
        """Look at the order, and be overtaken: it ends, and its trade knows that."""
        seen = present(aggregate_id, ports)
        if aggregate_id == order.id:
            monkeypatch.setattr(news, "present", present)
            monkeypatch.setattr(advance_module, "ATTEMPTS_TOGETHER", together)
            reported(rig, order, OrderStatus.CANCELED, "0.5")
            if not together:
                perform(trade.id, ports)
        return seen

    monkeypatch.setattr(news, "present", slowly)
    perform(trade.id, rig.ports)
    rig.drain()

    (known,) = rig.trade(trade.id).orders
    assert (known.status, known.filled_quantity) == (OrderStatus.CANCELED, Decimal("0.5"))
    assert rig.ports.outbox.owed() == []
