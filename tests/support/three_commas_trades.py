"""Trades to show and to change: one valid thing each, with only the odd detail named."""

from decimal import Decimal
from typing import Any

from app.domain.account import Account
from app.domain.enums import Dialect, Market, OrderType, PriceSource, Side
from app.domain.identifiers import (
    AccountId,
    AccountName,
    AggregateId,
    ClientOrderId,
    EpochMs,
    OrderId,
    Symbol,
    VenueName,
    VenueOrderId,
)
from app.domain.instrument import Instrument
from app.domain.smart_trade.enums import EntryMethod, StepKind, StepStatus, TradeStatus, TradeType
from app.domain.smart_trade.spec import EntryRule, StopLoss, TakeProfit
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus

#: 2018-08-08T08:08:08.008Z
NOW = EpochMs(1_533_715_688_008)
ETH = Symbol("ETH/USDT")
ACCOUNT = Account(id=AccountId(1), name=AccountName("my acc"), group="mine")
RULES = Instrument(
    symbol=ETH, market=Market.SPOT, price_step=Decimal("0.01"), quantity_step=Decimal("0.01")
)


def a_step(number: int, kind: StepKind, **odd: Any) -> Step:  # noqa: ANN401 - as Step has it
    """Return a step that waits."""
    facts: dict[str, Any] = {"created_at_ms": NOW, "updated_at_ms": NOW, **odd}
    return Step(id=AggregateId(number), kind=kind, **facts)


def an_order(number: int, step: int | None, side: Side, filled: str, **odd: Any) -> StepOrder:  # noqa: ANN401
    """Return a market order that has filled at 100."""
    facts: dict[str, Any] = {
        "type": OrderType.MARKET,
        "quantity": Decimal(filled),
        "status": OrderStatus.FILLED,
        "filled_quantity": Decimal(filled),
        "average_price": Decimal(100),
        "venue_order_id": VenueOrderId(f"v{number}"),
        **odd,
    }
    return StepOrder(
        id=OrderId(AggregateId(number)),
        client_order_id=ClientOrderId(f"h{number}"),
        step_id=None if step is None else AggregateId(step),
        side=side,
        **facts,
    )


ENTRY = a_step(
    11, StepKind.ENTRY, status=StepStatus.PROCESSED, source=PriceSource.ASK, quantity=Decimal(2)
)
PROFIT = a_step(12, StepKind.TAKE_PROFIT, percent=Decimal(100), price=Decimal(105))
STOP = a_step(13, StepKind.STOP_LOSS, price=Decimal(95), quantity=Decimal(2))


def a_trade(**odd: Any) -> SmartTrade:  # noqa: ANN401 - as SmartTrade has it
    """Return a bought trade with a classic take-profit at 105 and a stop-loss at 95."""
    facts: dict[str, Any] = {
        "type": TradeType.CLASSIC,
        "status": TradeStatus.BOUGHT,
        "entry": EntryRule(method=EntryMethod.MARKET),
        "take_profit": TakeProfit(),
        "stop_loss": StopLoss(),
        "steps": (ENTRY, PROFIT, STOP),
        "orders": (an_order(21, 11, Side.BUY, "2"),),
        "created_at_ms": NOW,
        "updated_at_ms": EpochMs(NOW + 1000),
        **odd,
    }
    return SmartTrade(
        id=AggregateId(10),
        dialect=Dialect.THREE_COMMAS,
        origin="three_commas:key",
        account=ACCOUNT.id,
        venue=VenueName("binance"),
        symbol=ETH,
        market=Market.SPOT,
        instrument=RULES,
        asked_quantity=Decimal(2),
        **facts,
    )
