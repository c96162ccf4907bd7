"""Fees told after their fill: coins that have paid one are not there to be sold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.enums import Side
from app.domain.events import OrderReported
from app.domain.identifiers import Currency, TradeId
from app.domain.order import Order
from app.domain.report import Fill, OrderReport
from app.domain.smart_trade.enums import StepKind, TradeStatus, TradeType
from app.domain.smart_trade.profit import entered_quantity
from app.domain.smart_trade.trade import SmartTrade
from app.services.advance import advance
from tests.support.trade_rig import TradeRig, a_trade, entry, steps

IN_STEPS = steps(("50", "105"), ("50", "110"))
PAID = {Currency("ETH"): Decimal("0.01")}


@pytest.fixture
def rig() -> TradeRig:
    return TradeRig(price="100")


def bought(rig: TradeRig) -> tuple[SmartTrade, Order]:
    trade = rig.open(a_trade(TradeType.CLASSIC, "1", entry=entry(), **IN_STEPS))
    (order,) = rig.orders()
    return trade, order


def told_late(rig: TradeRig, order: Order) -> None:
    """Let the venue list one more trade of the entry, which paid in the coin that was bought."""
    fill = Fill(
        trade_id=TradeId("late"),
        quantity=Decimal(0),
        price=Decimal(100),
        fee=PAID[Currency("ETH")],
        fee_currency=Currency("ETH"),
        at_ms=rig.clock.now_ms(),
    )
    report = OrderReport(
        status=order.status, filled_quantity=order.filled_quantity, fills=(fill,), fees=PAID
    )
    advance(order.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)
    rig.drain()


def test_what_is_held_is_less_by_a_fee_that_is_told_late(rig: TradeRig) -> None:
    trade, order = bought(rig)

    told_late(rig, order)

    after = rig.trade(trade.id)
    before_fee, after_fee = entered_quantity(trade), entered_quantity(after)
    shares = [one.quantity or 0 for one in after.steps_of(StepKind.TAKE_PROFIT)]
    assert before_fee - after_fee == PAID[Currency("ETH")]
    assert (after.status, sum(shares)) == (trade.status, after_fee)


def test_no_more_is_sold_than_is_held_then(rig: TradeRig) -> None:
    trade, order = bought(rig)
    told_late(rig, order)

    rig.tick("110")

    sold = sum(one.filled_quantity for one in rig.orders() if one.side is Side.SELL)
    assert sold == entered_quantity(rig.trade(trade.id))
    assert rig.trade(trade.id).is_final


def test_a_fee_that_is_told_after_the_end_changes_no_end(rig: TradeRig) -> None:
    trade, order = bought(rig)
    rig.tick("110")
    ended = rig.trade(trade.id)
    placed = len(rig.orders())

    told_late(rig, order)

    after = rig.trade(trade.id)
    assert after.status is ended.status
    assert after.status is not TradeStatus.FAILED
    assert [one.status for one in after.steps] == [one.status for one in ended.steps]
    assert len(rig.orders()) == placed
