"""What a caller may ask for, in our terms; after this nobody knows which dialect it was."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.enums import (
    Direction,
    OrderType,
    PositionSide,
    PriceSource,
    Side,
    SmartOrderType,
    StopDirection,
    StopPrice,
    TimeInForce,
)
from app.domain.identifiers import Currency, Symbol, base_of, quote_of
from app.domain.trigger import Offset, protective_direction


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
        note: the caller's text.
    """

    action: Action
    size: Size | None = None
    limit_price: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    caller_id: str | None = None
    delay_ms: int = 0
    note: str | None = None


class NetAction(StrEnum):
    """What is to become of the net position."""

    BUY = "BUY"
    SELL = "SELL"
    CLOSE = "CLOSE"
    REVERSE_BUY = "REVERSE_BUY"
    REVERSE_SELL = "REVERSE_SELL"

    @property
    def side(self) -> Side | None:
        """Which way it trades; for a close only the position can tell."""
        return _NET_SIDES.get(self)

    @property
    def reverses(self) -> bool:
        """Whether it closes what is there and opens the opposite."""
        return self in {NetAction.REVERSE_BUY, NetAction.REVERSE_SELL}


_NET_SIDES = {
    NetAction.BUY: Side.BUY,
    NetAction.SELL: Side.SELL,
    NetAction.REVERSE_BUY: Side.BUY,
    NetAction.REVERSE_SELL: Side.SELL,
}


class OnSameSide(StrEnum):
    """What a reversal does when the position is on its side already."""

    SKIP = "skip"
    ADD = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetCommand:
    """Do this with the net position in a symbol, now.

    Attributes:
        quantity: in the unit of the instrument, of a reversal that of the new position; 0, for a
            close only, is all there is.
        limit_price: None is a market order.
        alert_price: what a market order says that the price is; None where it does not.
        strategy: the caller's label; it has no position of its own.
        note: the caller's text.
    """

    action: NetAction
    quantity: Decimal
    limit_price: Decimal | None = None
    alert_price: Decimal | None = None
    on_same_side: OnSameSide = OnSameSide.SKIP
    strategy: str | None = None
    note: str | None = None


class PositionAction(StrEnum):
    """Whether an order of a futures account opens or closes; spot orders ignore it."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Place one order at once.

    Attributes:
        quantity: in base currency; 0 where `amount` tells the size.
        amount: what a spot market buy may spend, in quote currency; else None.
        price: the limit; a market order is not bound by it.
    """

    symbol: Symbol
    side: Side
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.GTC
    quantity: Decimal = Decimal(0)
    amount: Decimal | None = None
    price: Decimal | None = None
    action: PositionAction = PositionAction.OPEN
    caller_id: str | None = None

    def cost(self, ask: Decimal) -> tuple[Currency, Decimal]:
        """Return what a spot order is paid with, and how much of that it takes at most.

        Args:
            ask: the price of a market buy that names a quantity.
        """
        if self.side is Side.SELL:
            return base_of(self.symbol), self.quantity
        quote = quote_of(self.symbol)
        if self.amount is not None:
            return quote, self.amount
        return quote, self.quantity * (ask if self.price is None else self.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrderRules:
    """The settings of a dialect that shape its smart orders.

    Attributes:
        open_max: how many may wait in one account.
        life_ms: how long one may wait; None is for ever.
        rest_by: the prices by which stops that sell are to rest at the venue; all else waits here.
    """

    stop_price: StopPrice = StopPrice.LAST
    direction: StopDirection = StopDirection.SIDE
    open_max: int = 2_000
    life_ms: int | None = None
    rest_by: frozenset[PriceSource] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSmartOrder:
    """Wait for a price, then place one order. Its figures are good: the dialect has checked them.

    Attributes:
        quantity: in base currency; None where `amount` alone tells the size.
        amount: in quote currency; counts for buys that place a market order, and goes before
            `quantity` there.
        price: limit of the order it places; kept and not used where it places a market order.
        stop: the level, or where a trailing one becomes active; None trails from the start.
        operator: RISING is GTE, FALLING is LTE; None where the caller has named none.
        post_only: the limit order that it places may only make.
    """

    symbol: Symbol
    side: Side
    type: SmartOrderType
    time_in_force: TimeInForce = TimeInForce.GTC
    quantity: Decimal | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    stop: Decimal | None = None
    trail: Offset | None = None
    limit_offset: Offset | None = None
    operator: Direction | None = None
    post_only: bool = False
    caller_id: str | None = None

    def stop_direction(self, mode: StopDirection, price: Decimal | None) -> Direction:
        """Return which way the price must go for a fixed stop.

        Args:
            mode: what tells the direction.
            price: as it is when the order is accepted; None if none is known.
        """
        by_side = protective_direction(self.side)
        if mode is StopDirection.OPERATOR and self.operator is not None:
            return self.operator
        if mode is not StopDirection.INFER or price is None or self.stop in {None, price}:
            return by_side
        return Direction.RISING if (self.stop or price) > price else Direction.FALLING

    def activation_direction(self) -> Direction | None:
        """Return which way the price must go for a trailing order to become active, if it must.

        Without an operator it is the favorable way: a sale waits for the price to rise first.
        """
        if self.stop is None:
            return None
        if self.operator is not None:
            return self.operator
        return protective_direction(self.side.opposite)

    def amended(self, changes: Mapping[str, Any]) -> "PlaceSmartOrder":
        """Return the command for a replacement: the old fields, overlaid with what changes.

        A price for an old market stop that names no type makes it a stop limit, so that no bound
        is dropped silently; a change to a market type drops the price that was inherited.

        Args:
            changes: by field; None leaves as it was, but the caller id is that of the new one.

        Source: Poloniex documentation, "Cancel Replace Smart Order".
        """
        said = {name: value for name, value in changes.items() if value is not None}
        kind: SmartOrderType = said.get("type", self.type)
        if "type" not in said and "price" in said and kind is SmartOrderType.STOP:
            kind = SmartOrderType.STOP_LIMIT
        if self.type.is_limit and not kind.is_limit:
            said.setdefault("price", None)
        return replace(self, **{"caller_id": None, **said, "type": kind})
