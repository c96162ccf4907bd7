"""What a caller may ask of a smart order, in our terms, and what an amendment makes of it."""

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.enums import (
    Direction,
    Side,
    SmartOrderType,
    StopDirection,
    StopPrice,
    TimeInForce,
)
from app.domain.identifiers import AggregateId, Symbol
from app.domain.trigger import Offset, protective_direction


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrderRules:
    """The settings of a dialect that shape its smart orders.

    Attributes:
        open_max: how many may wait in one account.
        life_ms: how long one may wait; None is for ever.
    """

    stop_price: StopPrice = StopPrice.LAST
    direction: StopDirection = StopDirection.SIDE
    open_max: int = 2_000
    life_ms: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendSmartOrder:
    """What a replacement changes; None leaves as it was. The caller id is that of the new one."""

    type: SmartOrderType | None = None
    time_in_force: TimeInForce | None = None
    quantity: Decimal | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    stop: Decimal | None = None
    trail: Offset | None = None
    limit_offset: Offset | None = None
    operator: Direction | None = None
    post_only: bool | None = None
    caller_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSmartOrder:
    """Cancel one smart order and place another, both or neither.

    Attributes:
        old_id: the one to be canceled.
        command: for the new one; see `amended`.
        proceed_on_failure: place the new one even where the old one has triggered or ended.
    """

    old_id: AggregateId
    command: PlaceSmartOrder
    proceed_on_failure: bool = False


def amended(old: PlaceSmartOrder, amendment: AmendSmartOrder) -> PlaceSmartOrder:
    """Return the command for the replacement: the old fields, overlaid with what is amended.

    A price for an old market stop that names no type makes it a stop limit, so that no bound is
    dropped silently; a change to a market type drops the price that was inherited.

    Source: Poloniex documentation, "Cancel Replace Smart Order".
    """
    kind = amendment.type
    if kind is None:
        adds_limit = old.type is SmartOrderType.STOP and amendment.price is not None
        kind = SmartOrderType.STOP_LIMIT if adds_limit else old.type
    price = old.price if amendment.price is None else amendment.price
    if amendment.type is not None and not kind.is_limit and old.type.is_limit:
        price = amendment.price
    return replace(
        old,
        type=kind,
        time_in_force=amendment.time_in_force or old.time_in_force,
        quantity=_either(amendment.quantity, old.quantity),
        amount=_either(amendment.amount, old.amount),
        price=price,
        stop=_either(amendment.stop, old.stop),
        trail=amendment.trail or old.trail,
        limit_offset=amendment.limit_offset or old.limit_offset,
        operator=amendment.operator or old.operator,
        post_only=old.post_only if amendment.post_only is None else amendment.post_only,
        caller_id=amendment.caller_id,
    )


def _either(new: Decimal | None, old: Decimal | None) -> Decimal | None:
    return old if new is None else new


def stop_direction(
    command: PlaceSmartOrder, mode: StopDirection, price: Decimal | None
) -> Direction:
    """Return which way the price must go for a fixed stop.

    Args:
        command: with a `stop`.
        mode: what tells the direction.
        price: as it is when the order is accepted; None if none is known.
    """
    by_side = protective_direction(command.side)
    if mode is StopDirection.OPERATOR and command.operator is not None:
        return command.operator
    if mode is not StopDirection.INFER or price is None or command.stop in {None, price}:
        return by_side
    return Direction.RISING if (command.stop or price) > price else Direction.FALLING


def activation_direction(command: PlaceSmartOrder) -> Direction | None:
    """Return which way the price must go for a trailing order to become active, if it must.

    Without an operator it is the favorable way: a sale waits for the price to rise first.
    """
    if command.stop is None:
        return None
    if command.operator is not None:
        return command.operator
    return protective_direction(command.side.opposite)
