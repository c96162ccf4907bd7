"""The words of a smart trade, and which statuses allow what (3Commas spec, 4.1, 4.2, 4.5, 4.6)."""

from enum import StrEnum

from app.domain.enums import PriceSource, Side


class TradeType(StrEnum):
    """What was created, and how it enters."""

    SIMPLE_BUY = "SimpleBuy"
    SIMPLE_SELL = "SimpleSell"
    CONDITIONAL_SIMPLE_BUY = "ConditionalSimpleBuy"
    CONDITIONAL_SIMPLE_SELL = "ConditionalSimpleSell"
    SMART_SALE = "SmartSale"
    CLASSIC = "Classic"
    CONDITIONAL_BUY = "ConditionalBuy"
    SELL_BUY_BACK = "SellBuyBack"
    CONDITIONAL_SELL = "ConditionalSell"

    @property
    def is_simple(self) -> bool:
        """Whether it is over when its entry is filled: it has no exits."""
        return self in _SIMPLE

    @property
    def is_conditional(self) -> bool:
        """Whether its entry waits for a price."""
        return self in _CONDITIONAL

    @property
    def entry_side(self) -> Side:
        """Which way its entry trades: a cover first sells what it buys back later."""
        return Side.SELL if self in _SHORT else Side.BUY

    @property
    def exit_side(self) -> Side:
        """Which way its exits trade."""
        return self.entry_side.opposite

    @property
    def entry_source(self) -> PriceSource:
        """Which price its entry condition watches: the one that a taker would pay (spec 5.1)."""
        return PriceSource.ASK if self.entry_side is Side.BUY else PriceSource.BID


_SIMPLE = frozenset(
    {
        TradeType.SIMPLE_BUY,
        TradeType.SIMPLE_SELL,
        TradeType.CONDITIONAL_SIMPLE_BUY,
        TradeType.CONDITIONAL_SIMPLE_SELL,
    }
)
_CONDITIONAL = frozenset(
    {
        TradeType.CONDITIONAL_SIMPLE_BUY,
        TradeType.CONDITIONAL_SIMPLE_SELL,
        TradeType.CONDITIONAL_BUY,
        TradeType.CONDITIONAL_SELL,
    }
)
_SHORT = frozenset(
    {
        TradeType.SIMPLE_SELL,
        TradeType.CONDITIONAL_SIMPLE_SELL,
        TradeType.SELL_BUY_BACK,
        TradeType.CONDITIONAL_SELL,
    }
)


class EntryMethod(StrEnum):
    """How a trade enters: an order at once, or when its price has come."""

    LIMIT = "limit"
    MARKET = "market"
    CONDITIONAL = "conditional"


class TakeProfitType(StrEnum):
    """Whether profit is taken in one step, or in up to four."""

    CLASSIC = "classic"
    STEP_SELL = "step_sell"


class TradeStatus(StrEnum):
    """Where a smart trade stands: the 14 words of the spec, 4.1."""

    CONDITIONAL_ORDER_WAITING_PRICE = "conditional_order_waiting_price"
    TRAILING_BUY_ACTIVATED = "trailing_buy_activated"
    BUY_ORDER_PLACED = "buy_order_placed"
    BOUGHT = "bought"
    TRAILING_TAKE_PROFIT_ACTIVATED = "trailing_take_profit_activated"
    TAKE_PROFIT_ORDER_PLACED = "take_profit_order_placed"
    STOP_LOSS_ORDER_PLACED = "stop_loss_order_placed"
    PANIC_SELL_ORDER_PLACED = "panic_sell_order_placed"
    TAKE_PROFIT_FINISHED = "take_profit_finished"
    STOP_LOSS_FINISHED = "stop_loss_finished"
    PANIC_SELL_FINISHED = "panic_sell_finished"
    SIMPLE_TRADE_FINISHED = "simple_trade_finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


_T = TradeStatus

#: The four ends by which a trade has done what it was for.
FINISHED = frozenset(
    {
        _T.TAKE_PROFIT_FINISHED,
        _T.STOP_LOSS_FINISHED,
        _T.PANIC_SELL_FINISHED,
        _T.SIMPLE_TRADE_FINISHED,
    }
)

#: Nothing more happens, whatever comes.
FINAL = FINISHED | {_T.CANCELLED, _T.FAILED}

#: Nothing is placed yet: the entry waits for its price.
WAITING = frozenset({_T.CONDITIONAL_ORDER_WAITING_PRICE, _T.TRAILING_BUY_ACTIVATED})

#: A position may be open, and exits are watched or placed.
OPEN = frozenset(
    {
        _T.BOUGHT,
        _T.TRAILING_TAKE_PROFIT_ACTIVATED,
        _T.TAKE_PROFIT_ORDER_PLACED,
        _T.STOP_LOSS_ORDER_PLACED,
    }
)

#: Both kinds of exit are watched.
GUARDED = OPEN - {_T.STOP_LOSS_ORDER_PLACED}

CANCELLABLE = frozenset(_T) - FINAL - {_T.PANIC_SELL_ORDER_PLACED}
EDITABLE = frozenset({_T.CONDITIONAL_ORDER_WAITING_PRICE, _T.BUY_ORDER_PLACED, _T.BOUGHT})
FUNDABLE = frozenset({_T.BUY_ORDER_PLACED, _T.BOUGHT})


class StepKind(StrEnum):
    """What a step of a trade is for (spec 4.6); FUNDS is an entry that was added later."""

    ENTRY = "entry"
    FUNDS = "funds"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


class StepStatus(StrEnum):
    """Where a step stands: the 8 words of the spec, 4.5."""

    IDLE = "idle"
    ENQUEUED = "enqueued"
    NEED_CHECK = "need_check"
    PROCESSED = "processed"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PANIC_SOLD = "panic_sold"


_S = StepStatus

#: An order of the step may be at work.
STEP_ACTIVE = frozenset({_S.ENQUEUED, _S.NEED_CHECK})

#: Nothing more happens to the step.
STEP_FINAL = frozenset({_S.PROCESSED, _S.SKIPPED, _S.FAILED, _S.CANCELLED, _S.PANIC_SOLD})

#: The step was carried out: its share of the position is closed.
STEP_EXECUTED = frozenset({_S.PROCESSED, _S.PANIC_SOLD})
