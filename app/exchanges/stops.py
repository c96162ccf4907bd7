"""Stops that rest at an exchange which keeps them apart from orders: Binance's USDⓈ-M futures.

"New Algo Order", "Query Algo Order" and their like there: a stop has an id, a look-up and lists of
its own. When its price comes, an order is made of it, with another id and perhaps another client
order id; what that one has filled is what the stop has filled. So a stop is told of here as the one
order that it is for us: under its own ids always, and otherwise as the order that was made of it
stands, once there is one.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import ccxt

from app.domain.identifiers import Symbol
from app.domain.order import Order
from app.exchanges import parse
from app.exchanges.exchange import Exchange
from app.exchanges.templates import Json

#: How ccxt is told that a question or a cancel is about stops.
_STOPS: Mapping[str, object] = {"trigger": True}

#: What stands in `actualOrderId` while no order has been made.
_NOTHING = frozenset({"", "0", "None"})

#: What it weighs to ask for the open stops of all symbols, in those of one.
_WEIGHT_OF_ALL = 40

#: Stops of a symbol that one answer lists at most, of seven days at most ("Query All Algo Orders").
_LISTED_MAX = 1_000


def found_stop(
    api: Json, exchange: Exchange, symbol: Symbol, *, client_id: str = "", venue_id: str = ""
) -> Json:
    """Return ccxt's order for the stop with this client order id, or else with this id of its own.

    Raises:
        ccxt.OrderNotFound: there is none.
        ccxt.BaseError: the exchange could not be asked.
    """
    named = {"clientAlgoId": client_id} if client_id else {}
    row = api.fetch_order(venue_id, exchange.unified(symbol), {**_STOPS, **named})
    return followed(api, row)


def found_elsewhere(api: Json, exchange: Exchange, order: Order) -> Json | None:
    """Return ccxt's order for a stop of which its own look-up does not tell, or None.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    unified = exchange.unified(order.symbol)
    waiting = api.fetch_open_orders(unified, None, None, dict(_STOPS))
    for row in [*waiting, *_newest(api, unified)]:
        if row.get("clientOrderId") == order.client_order_id:
            return followed(api, row)
    with suppress(ccxt.OrderNotFound):
        # An order that was made of a stop has been seen to bear the same client order id.
        return api.fetch_order("", unified, {"origClientOrderId": str(order.client_order_id)})
    return None


def followed(api: Json, row: Json) -> Json:
    """Return a stop as the order stands that was made of it, or as it is if there is none yet.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    made_id = _made_id(row)
    if made_id is None:
        return row
    with suppress(ccxt.OrderNotFound):  # not yet: one place may lag behind the other
        return _as_stop(row, api.fetch_order(made_id, row.get("symbol")))
    return row


def take_off(
    api: Json, exchange: Exchange, symbol: Symbol, *, client_id: str = "", venue_id: str = ""
) -> None:
    """Cancel a stop, named as in `found_stop`, or what an order that was made of it has left.

    Raises:
        ccxt.OrderNotFound: there is none, or none that is open.
        ccxt.BaseError: the exchange could not be asked.
    """
    unified = exchange.unified(symbol)
    named = {"clientAlgoId": client_id} if client_id else {}
    try:
        api.cancel_order(venue_id, unified, {**_STOPS, **named})
    except ccxt.OrderNotFound:
        row = found_stop(api, exchange, symbol, client_id=client_id, venue_id=venue_id)
        made_id = row.get(parse.TRADED_AS)
        if made_id is None:
            raise
        api.cancel_order(made_id, unified)


def waiting_stops(api: Json, exchange: Exchange, symbols: Sequence[Symbol]) -> list[Json]:
    """Return the stops of these symbols that wait; of which an order was made wait no more.

    To ask for one symbol weighs 1, for all of them 40 ("Current All Algo Open Orders").

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    all_of_them: Sequence[str | None] = [None]
    asked = all_of_them if len(symbols) >= _WEIGHT_OF_ALL else [*map(exchange.unified, symbols)]
    rows = [row for one in asked for row in api.fetch_open_orders(one, None, None, dict(_STOPS))]
    return [row for row in rows if _made_id(row) is None]


def with_open(api: Json, exchange: Exchange, orders: Sequence[Json]) -> list[Json]:
    """Return the open orders of all symbols with the stops that wait, each of them once.

    Args:
        api: of the exchange.
        exchange: to ask.
        orders: ccxt's open orders, as they were told just now; what is made of a stop meanwhile is
            told as no stop any more.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    del exchange
    waiting = api.fetch_open_orders(None, None, None, dict(_STOPS))
    told = {_made_id(row) for row in waiting}
    # No order at the market waits there but what was made of a stop, which need not be listed.
    at_market = [row for row in orders if row.get("type") == "market"]
    unexplained = {str(row["symbol"]) for row in at_market if row.get("id") not in told}
    older = [row for unified in sorted(unexplained) for row in _newest(api, unified)]
    seen = {row.get("id") for row in waiting}
    stops = [*waiting, *(row for row in older if row.get("id") not in seen and _made_id(row))]
    return [row for row in joined(orders, stops) if _made_id(row) is None]


def placed_between(
    api: Json, exchange: Exchange, symbol: Symbol, since_ms: int, until_ms: int
) -> list[Json]:
    """Return ccxt's orders for the stops of a symbol that were placed within a span of time.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    params = {**_STOPS, "until": until_ms}
    found: list[Json] = api.fetch_orders(exchange.unified(symbol), since_ms, _LISTED_MAX, params)
    return found


def joined(orders: Sequence[Json], stops: Sequence[Json]) -> list[Json]:
    """Return stops and orders as one list, in which an order that was made of a stop is that stop.

    Stops come first: whoever keeps them by client order id keeps the order that bears the same.
    """
    made = {str(row.get("id")): row for row in orders}
    rows = []
    for stop in stops:
        order = made.pop(_made_id(stop) or "", None)
        rows.append(stop if order is None else _as_stop(stop, order))
    return [*rows, *made.values()]


def _newest(api: Json, unified: str) -> list[Json]:
    found: list[Json] = api.fetch_orders(unified, None, _LISTED_MAX, dict(_STOPS))
    return found


def _made_id(row: Json) -> str | None:
    """Return the id of the order that was made of a stop; of what is told as that order, None."""
    found = str((row.get("info") or {}).get("actualOrderId"))
    return None if found in _NOTHING else found


def _as_stop(stop: Json, order: Json) -> Json:
    """Return a stop as the order stands that was made of it, under the stop's own ids."""
    own = {name: stop.get(name) for name in ("id", "clientOrderId", "amount", "timestamp")}
    return {**order, **own, parse.TRADED_AS: order.get("id")}
