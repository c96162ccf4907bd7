"""An order as ccxt's `create_order` takes it."""

from collections.abc import Callable
from decimal import Decimal

from app.domain.enums import Market, OrderType, PositionMode, Side
from app.domain.errors import VenueRejected, VenueUnavailable
from app.domain.identifiers import Symbol
from app.domain.market import Quote
from app.domain.order import Order
from app.exchanges import parse
from app.exchanges.exchange import Exchange
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
        quote_of: returns the prices of now, where the exchange wants to know the cost of a buy.

    Raises:
        VenueUnavailable: they are wanted, and none are known.
    """
    params: dict[str, object] = {"clientOrderId": str(order.client_order_id)}
    if order.type is OrderType.LIMIT_MAKER:
        params["postOnly"] = True
    if order.type is OrderType.LIMIT and order.time_in_force != "GTC":
        params["timeInForce"] = str(order.time_in_force)
    if order.market is not Market.SPOT:
        params |= _leg_of(order, exchange)
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
    if exchange.account.position_mode is PositionMode.ONEWAY:
        return {"reduceOnly": True} if order.reduce_only else {}
    closes = order.position_side is order.side.opens.opposite
    return {"hedged": True, "reduceOnly": closes}


def _is_bought_at_market(order: Order) -> bool:
    bought = order.side is Side.BUY and order.type is OrderType.MARKET
    return bought and order.market is Market.SPOT


def _touch(order: Order, quote_of: Callable[[Symbol], Quote | None]) -> Decimal:
    try:
        quote = quote_of(order.symbol)
    except VenueRejected as error:
        raise VenueUnavailable(str(error)) from error
    if quote is None:
        raise VenueUnavailable(f"no price of {order.symbol} is known")
    return quote.ask
