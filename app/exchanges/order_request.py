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
    if order.amount is not None:
        params["cost"] = f"{order.amount:f}"
        size = order.amount  # ccxt wants one, and sends the cost
    elif _spends(order, exchange):
        params["cost"] = f"{_cost_of(order, found, quote_of):f}"
    kind = "market" if order.price is None else "limit"
    price = None if order.price is None else f"{order.price:f}"
    unified = exchange.unified(order.symbol)
    return unified, kind, order.side.lower(), f"{size:f}", price, params


def _leg_of(order: Order, exchange: Exchange) -> dict[str, object]:
    if exchange.account.position_mode is PositionMode.ONEWAY:
        return {"reduceOnly": True} if order.reduce_only else {}
    closes = order.position_side is order.side.opens.opposite
    return {"hedged": True, "reduceOnly": closes}


def _spends(order: Order, exchange: Exchange) -> bool:
    bought = order.side is Side.BUY and order.type is OrderType.MARKET
    return bought and exchange.profile.buys_with_quote and order.market is Market.SPOT


def _cost_of(order: Order, found: Json, quote_of: Callable[[Symbol], Quote | None]) -> Decimal:
    """Return what the quantity costs at the touch, in the steps of the quote currency."""
    try:
        quote = quote_of(order.symbol)
    except VenueRejected as error:
        raise VenueUnavailable(str(error)) from error
    if quote is None:
        raise VenueUnavailable(f"no price of {order.symbol} is known")
    step = parse.number((found.get("precision") or {}).get("price")) or Decimal("0.01")
    return parse.spent(order.quantity, quote.ask, step)
