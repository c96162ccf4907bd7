"""How each exchange is asked for one order, and for its fills.

"No such order" of one place proves nothing where an exchange keeps open and closed orders apart:
all places are asked.
"""

from collections.abc import Mapping
from contextlib import suppress

import ccxt

from app.domain.enums import Market
from app.domain.identifiers import Symbol, VenueOrderId
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.exchanges.apart import are_apart, is_apart, manner_of
from app.exchanges.exchange import Exchange
from app.exchanges.profiles import LookUp
from app.exchanges.stops import found_elsewhere
from app.exchanges.templates import Json

#: What Bybit calls our markets.
BYBIT_CATEGORIES = {Market.SPOT: "spot", Market.USDM: "linear", Market.COINM: "inverse"}

#: Trades are looked for from this long before their order was made here: clocks differ.
EARLIER_MS = 60_000

#: Orders of a symbol that a list tells at most, the newest: "All Orders" of Binance. Of COIN-M its
#: documents have named 100 and 1,000; what is answered in part must not pass for all there is.
NEWEST_ORDERS = {Market.SPOT: 1_000, Market.USDM: 1_000, Market.COINM: 100}

#: Trades likewise.
NEWEST_TRADES = 1_000

#: Orders that are known from their trades alone, and are asked for one by one.
NAMELESS_MAX = 10


def found_order(
    api: Json, exchange: Exchange, order: Order, *, everywhere: bool = False
) -> Json | None:
    """Return ccxt's order, or None if the exchange has none with this client order id.

    Args:
        api: of the exchange.
        exchange: to ask.
        order: to look for.
        everywhere: ask each place that may tell of it, not just the one that should.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    try:
        if is_apart(order, exchange):
            named = str(order.client_order_id)
            return manner_of(exchange).found_stop(api, exchange, order.symbol, client_id=named)
        return _in_its_place(api, exchange, order)
    except ccxt.OrderNotFound:
        if everywhere and exchange.profile.look_up is LookUp.ORIGINAL_ID:
            return _elsewhere_at_binance(api, exchange, order)
        return None


def _in_its_place(api: Json, exchange: Exchange, order: Order) -> Json | None:
    match exchange.profile.look_up:
        case LookUp.ORIGINAL_ID:
            return _at_binance(api, exchange, order)
        case LookUp.BYBIT:
            asked = {"orderLinkId": str(order.client_order_id)}
            return _in_either_place(api, exchange, order.symbol, asked)
        case LookUp.POLONIEX:
            return _at_poloniex(api, exchange, order)
        case LookUp.NONE:
            return api.fetch_order(order.venue_order_id, exchange.unified(order.symbol))


def _at_binance(api: Json, exchange: Exchange, order: Order) -> Json:
    """Binance: one place for all orders ("Query order", origClientOrderId)."""
    params = {"origClientOrderId": str(order.client_order_id)}
    return api.fetch_order("", exchange.unified(order.symbol), params)


def found_standing(api: Json, exchange: Exchange, order: VenueOrder) -> Json | None:
    """Return ccxt's order with this id of the exchange's own, or None if it has none.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    try:
        if exchange.profile.look_up is LookUp.BYBIT:
            asked = {"orderId": str(order.venue_order_id)}
            return _in_either_place(api, exchange, order.symbol, asked)
        if order.is_stop and are_apart(exchange):
            named = str(order.venue_order_id)
            return manner_of(exchange).found_stop(api, exchange, order.symbol, venue_id=named)
        return api.fetch_order(order.venue_order_id, exchange.unified(order.symbol))
    except ccxt.OrderNotFound:
        return None


def _elsewhere_at_binance(api: Json, exchange: Exchange, order: Order) -> Json | None:
    """Binance: lists of orders, and what orders of trades are called that no list tells of.

    They are answered from different sources ("General API Information", data sources: memory,
    database), so that one may lag where another does not.
    """
    if is_apart(order, exchange):
        return found_elsewhere(api, exchange, order)
    unified = exchange.unified(order.symbol)
    most = NEWEST_ORDERS[exchange.account.market]
    rows = [*api.fetch_open_orders(unified), *api.fetch_orders(unified, None, most)]
    for row in rows:
        if row.get("clientOrderId") == order.client_order_id:
            return row
    listed = {str(row.get("id")) for row in rows}
    trades = api.fetch_my_trades(unified, None, NEWEST_TRADES)
    traded = {str(one.get("order")): None for one in trades}
    for venue_id in [one for one in reversed(traded) if one not in listed][:NAMELESS_MAX]:
        with suppress(ccxt.OrderNotFound):
            row = api.fetch_order(venue_id, unified)
            if row.get("clientOrderId") == order.client_order_id:
                return row
    return None


def _in_either_place(
    api: Json, exchange: Exchange, symbol: Symbol, named: Mapping[str, str]
) -> Json | None:
    """Bybit: "Get Open & Closed Orders", then "Get Order History"; the first forgets soon."""
    market = api.market(exchange.unified(symbol))
    asked = {
        "category": BYBIT_CATEGORIES[exchange.account.market],
        "symbol": market["id"],
        **named,
    }
    for question in (api.privateGetV5OrderRealtime, api.privateGetV5OrderHistory):
        rows = question(asked)["result"]["list"]
        if rows:
            return api.parse_order(rows[0], market)
    return None


def _at_poloniex(api: Json, exchange: Exchange, order: Order) -> Json:
    """Poloniex: "Order Details" takes `cid:` and the client order id in place of the id."""
    market = api.market(exchange.unified(order.symbol))
    answer = api.privateGetOrdersId({"id": f"cid:{order.client_order_id}"})
    return api.parse_order(answer, market)


def trades_of(api: Json, exchange: Exchange, order: Order, traded_id: VenueOrderId) -> list[Json]:
    """Return ccxt's trades of an order, which are told under an id of the venue's.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    if not exchange.capabilities.lists_trades:
        return []
    unified, venue_id = exchange.unified(order.symbol), str(traded_id)
    if exchange.profile.look_up is LookUp.ORIGINAL_ID:
        found = api.fetch_my_trades(unified, None, None, {"orderId": venue_id})
    else:
        try:
            found = api.fetch_order_trades(venue_id, unified)
        except ccxt.NotSupported:  # not at all, or not in this market
            found = api.fetch_my_trades(unified, order.created_at_ms - EARLIER_MS)
    return [one for one in found if one.get("order") in {None, venue_id}]
