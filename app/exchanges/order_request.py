"""An order as ccxt's `create_order` takes it."""

from collections.abc import Callable
from decimal import Decimal

from app.domain.enums import (
    Direction,
    Market,
    OrderType,
    PositionMode,
    PositionSide,
    PriceSource,
    ReasonCode,
    Side,
)
from app.domain.errors import VenueRejected, VenueUnavailable
from app.domain.identifiers import Symbol
from app.domain.market import Quote
from app.domain.order import Condition, Order
from app.exchanges import parse
from app.exchanges.exchange import Exchange
from app.exchanges.profiles import LookUp
from app.exchanges.suitability import Buys
from app.exchanges.templates import Json


def order_arguments(
    order: Order, found: Json, exchange: Exchange, quote_of: Callable[[Symbol], Quote | None]
) -> tuple[object, ...]:
    """Return what `create_order` takes.

    Args:
        order: fit to be sent.
        found: ccxt's market.
        exchange: that it is for.
        quote_of: returns the prices of now, where the exchange wants to know the cost of a buy, or
            does not look itself whether the price of a stop has come already.

    Raises:
        VenueUnavailable: they are wanted, and none are known.
        VenueRejected: it has.
    """
    params: dict[str, object] = {"clientOrderId": str(order.client_order_id)}
    if order.type is OrderType.LIMIT_MAKER:
        params["postOnly"] = True
    if order.type is OrderType.LIMIT and order.time_in_force != "GTC":
        params["timeInForce"] = str(order.time_in_force)
    if order.market is not Market.SPOT:
        params |= _leg_of(order, exchange)
    if order.condition is not None:
        params |= _condition_of(order, order.condition, exchange, quote_of)
    size = order.quantity / parse.contract_size(found)
    kind = "market" if order.price is None else "limit"
    price = None if order.price is None else f"{order.price:f}"
    if order.amount is not None:
        params["cost"] = f"{order.amount:f}"
        size = order.amount  # ccxt wants one, and sends the cost
    elif _is_bought_at_market(order) and exchange.buys is not Buys.BY_QUANTITY:
        touch = _touch(order, quote_of)
        if exchange.buys is Buys.AT_TOUCH:
            price = f"{touch:f}"  # of which ccxt makes what it costs
        else:
            params["cost"] = f"{parse.spent(order.quantity, touch, parse.cost_step(found)):f}"
    unified = exchange.unified(order.symbol)
    return unified, kind, order.side.lower(), f"{size:f}", price, params


def _leg_of(order: Order, exchange: Exchange) -> dict[str, object]:
    waits = order.condition is not None
    if exchange.account.position_mode is PositionMode.ONEWAY:
        # What it is to reduce may be gone by the time that its price comes.
        return {"reduceOnly": True} if order.reduce_only or waits else {}
    if waits and exchange.profile.look_up is LookUp.BYBIT:
        # In the library's own words for legs it would leave out that it only reduces.
        index = _BYBIT_LEGS[order.side.opens.opposite]
        return {"positionIdx": index, "reduceOnly": True}
    closes = order.position_side is order.side.opens.opposite
    return {"hedged": True, "reduceOnly": closes}


#: "Place Order" of Bybit: what stands for the legs in hedge mode.
_BYBIT_LEGS = {PositionSide.LONG: 1, PositionSide.SHORT: 2}


def _condition_of(
    order: Order,
    condition: Condition,
    exchange: Exchange,
    quote_of: Callable[[Symbol], Quote | None],
) -> dict[str, object]:
    if exchange.profile.look_up is LookUp.POLONIEX:
        return _smart_order_of(order, condition, quote_of)
    level, by_mark = f"{condition.level:f}", condition.source is PriceSource.MARK
    rises = condition.direction is Direction.RISING
    if exchange.profile.look_up is LookUp.BYBIT:
        return {
            "triggerPrice": level,
            "triggerDirection": "ascending" if rises else "descending",
            "triggerBy": "MarkPrice" if by_mark else "LastPrice",
        }
    # "New Algo Order" of Binance has no direction: a STOP_MARKET waits for a price that is worse
    # for whoever waits, a TAKE_PROFIT_MARKET for one that is better. So the library calls them.
    # Of spot a STOP_LOSS and a TAKE_PROFIT ("New order"), which know the last price alone.
    is_worse = rises is (order.side is Side.BUY)
    waits_for = {"stopLossPrice" if is_worse else "takeProfitPrice": level}
    if order.market is Market.SPOT:
        return {**waits_for}
    return {**waits_for, "workingType": "MARK_PRICE" if by_mark else "CONTRACT_PRICE"}


def _smart_order_of(
    order: Order, condition: Condition, quote_of: Callable[[Symbol], Quote | None]
) -> dict[str, object]:
    """Return what makes a smart order of Poloniex of an order: its time in force is its order's.

    "Smart Orders" does not say what becomes of one whose price has come already. Some have seen it
    fire at once; none is to wait for the price to come back from the other side.
    """
    now = _known(order.symbol, quote_of).of(condition.source)
    rises = condition.direction is Direction.RISING
    if now >= condition.level if rises else now <= condition.level:
        raise VenueRejected(
            f"a stop at {condition.level:f}, and the price is {now:f}", ReasonCode.WOULD_TRIGGER
        )
    return {"triggerPrice": f"{condition.level:f}", "timeInForce": str(order.time_in_force)}


def _is_bought_at_market(order: Order) -> bool:
    bought = order.side is Side.BUY and order.type is OrderType.MARKET
    return bought and order.market is Market.SPOT


def _touch(order: Order, quote_of: Callable[[Symbol], Quote | None]) -> Decimal:
    return _known(order.symbol, quote_of).ask


def _known(symbol: Symbol, quote_of: Callable[[Symbol], Quote | None]) -> Quote:
    try:
        quote = quote_of(symbol)
    except VenueRejected as error:
        raise VenueUnavailable(str(error)) from error
    if quote is None:
        raise VenueUnavailable(f"no price of {symbol} is known")
    return quote
