"""Steps of trades as 3Commas shows them (SmartTrades Api, "SmartTradeStepEntity")."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Final

from app.dialects.three_commas.names import market_of, pair_of
from app.domain.enums import OrderType, Side
from app.domain.identifiers import EpochMs
from app.domain.money import plain
from app.domain.smart_trade import profit as figures
from app.domain.smart_trade.enums import StepKind, StepStatus
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade
from app.web.time_texts import iso

Json = dict[str, Any]

#: Prices have as many decimals; what comes of a division may have more.
_DECIMALS: Final = Decimal("0.00000001")

#: More than a number from outside has (40 digits), or a product of two.
_DIGITS: Final = 200

_ENTRIES: Final = frozenset({StepKind.ENTRY, StepKind.FUNDS})

#: Exits: (kind, side on which the position was entered, trails) → name. The page lists no name for
#: entries, which `buy_steps` are full of.
_TYPES: Final[Mapping[tuple[StepKind, Side, bool], str]] = {
    (StepKind.TAKE_PROFIT, Side.BUY, False): "TakeProfitStep",
    (StepKind.TAKE_PROFIT, Side.BUY, True): "TrailingTakeProfitStep",
    (StepKind.STOP_LOSS, Side.BUY, False): "StopLossStep",
    (StepKind.STOP_LOSS, Side.BUY, True): "TrailingStopLossStep",
    (StepKind.TAKE_PROFIT, Side.SELL, False): "TakeProfitBuyStep",
    (StepKind.TAKE_PROFIT, Side.SELL, True): "TrailingTakeProfitBuyStep",
    (StepKind.STOP_LOSS, Side.SELL, False): "StopLossBuyStep",
    (StepKind.STOP_LOSS, Side.SELL, True): "TrailingStopLossBuyStep",
}


def step_entity(trade: SmartTrade, step: Step) -> Json:
    """Return one step of a trade; every key is there, whatever the kind of step."""
    orders = trade.orders_of(step.id)
    last = orders[-1] if orders else None
    extreme, extreme_at = price_text(step.extreme), moment(step.extreme_at_ms)
    return {
        "id": step.id,
        "editable": step.status is StepStatus.IDLE and trade.is_editable,
        "position": step.position,
        "order_id": None if last is None else last.id,
        "smart_trade_id": trade.id,
        "is_panic_sell": step.is_panic,
        "created_at": iso(step.created_at_ms),
        "updated_at": iso(step.updated_at_ms),
        "trailing_last_pirce_updated_at": extreme_at,
        "trailing_last_price_updated_at": extreme_at,
        "type": f"SmartTradeStep::{_type(trade, step)}",
        "price": price_text(step.price),
        "average_result_price": price_text(figures.filled_price(trade, step)),
        "deviation_condition": _figure(step.trailing_percent),
        "price_method": step.source,
        "trailing_last_pirce": extreme,
        "trailing_last_price": extreme,
        "sell_method": method_name(step.order_type),
        "sell_order_price": price_text(step.order_price),
        "percent": _figure(step.percent),
        "pair": pair_of(trade.symbol),
        "initial_amount": _figure(step.quantity),
        "initial_total": price_text(_planned_total(trade, step)),
        "actual_amount": plain(figures.filled_quantity(trade, step)),
        "actual_total": price_text(figures.filled_total(trade, step)),
        "status": step.status,
        "market_order_id": None if last is None else last.venue_order_id,
        "market_class": market_of(trade.venue).market,
        "price_percentage": _figure(step.price_percentage),
    }


def order_entity(trade: SmartTrade, step: Step, order: StepOrder) -> Json:
    """Return the order of a step, as `add_funds` answers; the page does not show its shape."""
    return {
        "id": order.id,
        "market_order_id": order.venue_order_id,
        "smart_trade_id": trade.id,
        "step_id": step.id,
        "side": order.side.lower(),
        "type": method_name(order.type),
        "price": price_text(order.price),
        "quantity": plain(order.quantity),
        "status": step.status,
    }


def price_text(value: Decimal | None) -> str | None:
    """Return a price or a total in plain digits, at most 8 decimals."""
    if value is None:
        return None
    with localcontext(prec=_DIGITS):
        return plain(value.quantize(_DECIMALS, ROUND_HALF_UP))


def moment(at_ms: EpochMs | None) -> str | None:
    """Return a time that may not have come."""
    return None if at_ms is None else iso(at_ms)


def method_name(kind: OrderType) -> str:
    """Return how an order is priced, `market` or `limit`."""
    return "market" if kind is OrderType.MARKET else "limit"


def _type(trade: SmartTrade, step: Step) -> str:
    if step.kind in _ENTRIES:
        return "BuyStep"
    return _TYPES[step.kind, trade.type.entry_side, step.is_trailing]


def _planned_total(trade: SmartTrade, step: Step) -> Decimal | None:
    """Return what a step comes to in quote currency at the price that it waits for."""
    price = step.order_price or step.price
    if price is None and step.kind in _ENTRIES:
        price = figures.reference_price(trade)
    return None if price is None or step.quantity is None else price * step.quantity


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
