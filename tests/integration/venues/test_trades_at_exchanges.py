"""Smart trades at a simulated exchange: what really is there counts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.enums import Dialect, Market
from app.domain.sender import Sender
from app.domain.smart_trade.enums import TradeStatus, TradeType
from app.services.intake.trades import open_trade
from app.services.smart_trades.acting import find_trade
from tests.support.builders import BTC
from tests.support.trade_rig import a_trade, entry, stop
from tests.support.venue_rig import venue_rig
from tests.support.venue_world import KEY


def test_a_stop_sells_what_a_fee_that_nobody_was_told_of_has_left() -> None:
    command = a_trade(TradeType.CLASSIC, "0.1", entry=entry(), **stop("45000"))
    with venue_rig("bybit", Market.SPOT) as rig:
        rig.wire.plan.trades_lag_ms = 3_600_000
        sender = Sender(
            dialect=Dialect.THREE_COMMAS,
            origin="three_commas:1",
            account=rig.account,
            received_at_ms=rig.clock.now_ms(),
        )
        trade_id = open_trade(replace(command, symbol=BTC), sender, rig.ports).id
        rig.drain()
        rig.poll()
        wallet = rig.exchange.accounts[KEY].total
        assert wallet["BTC"] == Decimal("0.0999")
        assert not find_trade(trade_id, rig.ports).orders[0].fees

        rig.exchange.set_price(BTC, "44000")
        rig.poll()
        rig.poll()

        assert wallet["BTC"] == 0
        assert find_trade(trade_id, rig.ports).status is TradeStatus.STOP_LOSS_FINISHED
        assert [one.ticket.quantity for one in rig.exchange.accounts[KEY].orders] == [
            Decimal("0.1"),
            Decimal("0.0999"),
        ]
