"""What a caller may ask for, in our terms; after this nobody knows which dialect it was."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.enums import OrderType, PositionSide, Side
from app.domain.identifiers import Symbol


class Action(StrEnum):
    """What a signal wants done."""

    BUY = "BUY"
    SELL = "SELL"
    OPEN_LONG = "OPEN_LONG"
    CLOSE_LONG = "CLOSE_LONG"
    OPEN_SHORT = "OPEN_SHORT"
    CLOSE_SHORT = "CLOSE_SHORT"
    CANCEL = "CANCEL"
    CANCEL_ALL = "CANCEL_ALL"

    @property
    def side(self) -> Side | None:
        """Which way its order trades; None for cancels, which have no order."""
        return _SIDES.get(self)

    @property
    def position_side(self) -> PositionSide | None:
        """Which leg it works on; None outside futures."""
        return _LEGS.get(self)

    @property
    def is_entry(self) -> bool:
        """Whether it opens or adds to something."""
        return self in {Action.BUY, Action.OPEN_LONG, Action.OPEN_SHORT}

    @property
    def is_cancel(self) -> bool:
        """Whether it only takes off what others placed."""
        return self in {Action.CANCEL, Action.CANCEL_ALL}


_SIDES = {
    Action.BUY: Side.BUY,
    Action.SELL: Side.SELL,
    Action.OPEN_LONG: Side.BUY,
    Action.CLOSE_LONG: Side.SELL,
    Action.OPEN_SHORT: Side.SELL,
    Action.CLOSE_SHORT: Side.BUY,
}
_LEGS = {
    Action.OPEN_LONG: PositionSide.LONG,
    Action.CLOSE_LONG: PositionSide.LONG,
    Action.OPEN_SHORT: PositionSide.SHORT,
    Action.CLOSE_SHORT: PositionSide.SHORT,
}


class SizeKind(StrEnum):
    """What the number of a size counts."""

    FIXED = "FIXED"
    NOTIONAL = "NOTIONAL"
    PERCENT = "PERCENT"


@dataclass(frozen=True, slots=True)
class Size:
    """How much: base quantity (FIXED), quote amount (NOTIONAL) or a share of 100 (PERCENT)."""

    kind: SizeKind
    value: Decimal


class OnOpposite(StrEnum):
    """What an open does when the other leg holds a position."""

    KEEP = "keep"
    REVERSE = "reverse"
    REJECT = "reject"


class LateExits(StrEnum):
    """Whether a sale or close that is late still runs."""

    RUN = "run"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRules:
    """The settings of a connector that shape how its signals are executed.

    Attributes:
        leverage: whole number, at least 1; multiplies percent and notional sizes of opens.
        balance_reserve: share of the available quote that percent sizes leave alone, 0 to 1.
        percent_is_notional: percent of an open is of notional, not of margin.
        entry_lateness_ms: an entry later than this is not sent; 0 is never too late.
    """

    leverage: int = 1
    balance_reserve: Decimal = Decimal("0.01")
    percent_is_notional: bool = False
    on_opposite: OnOpposite = OnOpposite.KEEP
    late_exits: LateExits = LateExits.RUN
    entry_lateness_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCommand:
    """Do this with the connector's symbol, now or after a delay.

    Attributes:
        limit_price: None is a market order.
        take_profit, stop_loss: trigger prices for the opened position.
        delay_ms: from receipt to execution.
        note: the caller's text, shortened for display.
    """

    action: Action
    size: Size | None = None
    limit_price: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    caller_id: str | None = None
    delay_ms: int = 0
    note: str | None = None


class PositionAction(StrEnum):
    """Whether an order of a futures account opens or closes; spot orders ignore it."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCommand:
    """Place one order of a known size, at once.

    Attributes:
        quantity: in base currency, as asked for; the lot is applied when it is accepted.
        price: the limit, as asked for; a market order ignores it.
    """

    symbol: Symbol
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    action: PositionAction = PositionAction.OPEN
