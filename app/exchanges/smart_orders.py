"""Poloniex's smart orders: the stops of its spot market ("Smart Orders", api-docs.poloniex.com).

A smart order holds no coins while it waits. When its price comes, an order is made of it, with an
id of its own and the same client order id (the documents' example of "Get Smart Order"), which the
look-up of the smart order tells as `triggeredOrder`; one that could not be made leaves the smart
order FAILED. What that order has filled is what the stop has filled, so that a smart order is told
of here as the one order that it is for us: under its own ids always, and otherwise as the order
stands that was made of it, once there is one.

ccxt 4.5 makes smart orders. Its look-up takes the answer for a list, as the documents' example has
it while their text has an object, and leaves out what was made; so the exchange is asked directly.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import ccxt

from app.domain.identifiers import Symbol
from app.exchanges import parse
from app.exchanges.exchange import Exchange
from app.exchanges.profiles import SMART_STATE
from app.exchanges.templates import Json

#: The states of one that waits for its price, or is being taken off.
_WAITING = frozenset({"PENDING_NEW", "PENDING_CANCEL"})

_TRIGGERED = "TRIGGERED"

#: "Failed to cancel order": it does not wait any more ("Error Codes").
_NOT_CANCELED = "25009"


def found_stop(
    api: Json, exchange: Exchange, symbol: Symbol, *, client_id: str = "", venue_id: str = ""
) -> Json:
    """Return ccxt's order for the smart order with this client order id, or else with this id.

    By a client order id all places are asked before there is none: the documents do not say whether
    one that has ended is found by it, and what has sold must not pass for what was never there.

    Raises:
        ccxt.OrderNotFound: there is none.
        ccxt.BaseError: the exchange could not be asked.
    """
    named = f"cid:{client_id}" if client_id else venue_id
    with suppress(ccxt.OrderNotFound):
        told = api.privateGetSmartordersId({"id": named})
        if told != []:
            one = told[0] if isinstance(told, list) else told
            return _followed(api, exchange, symbol, one)
    if not client_id:
        raise ccxt.OrderNotFound(f"{exchange.venue} has no smart order {named}")
    return _listed(api, exchange, symbol, client_id)


def _listed(api: Json, exchange: Exchange, symbol: Symbol, client_id: str) -> Json:
    """Return it by the lists of smart orders, or else the order that bears its client order id."""
    asked = {"symbol": _market(api, exchange, symbol)["id"]}
    for told in [*api.privateGetSmartorders(), *api.privateGetSmartordersHistory(asked)]:
        if told.get("clientOrderId") == client_id:
            return _followed(api, exchange, symbol, told)
    return _bearer(api, exchange, symbol, client_id)


def take_off(
    api: Json, exchange: Exchange, symbol: Symbol, *, client_id: str = "", venue_id: str = ""
) -> None:
    """Cancel a smart order, named as in `found_stop`, or what an order made of it has left.

    Raises:
        ccxt.OrderNotFound: there is none, or none that is open.
        ccxt.BaseError: the exchange could not be asked.
    """
    named = f"cid:{client_id}" if client_id else venue_id
    try:
        api.privateDeleteSmartordersId({"id": named})
    except ccxt.ExchangeError as error:
        if not isinstance(error, ccxt.OrderNotFound) and _NOT_CANCELED not in str(error):
            raise
        row = found_stop(api, exchange, symbol, client_id=client_id, venue_id=venue_id)
        made_id = row.get(parse.TRADED_AS)
        if made_id is not None:
            api.cancel_order(made_id, exchange.unified(symbol))
        elif row.get("status") == "open":
            raise
        else:
            raise ccxt.OrderNotFound(f"smart order {named} waits no more") from error


def waiting_stops(api: Json, exchange: Exchange, symbols: Sequence[Symbol]) -> list[Json]:
    """Return the smart orders of these symbols that wait: as many of all as one answer lists.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    traded = {exchange.unified(one) for one in symbols}
    return [row for row in _waiting(api) if row.get("symbol") in traded]


def with_open(api: Json, exchange: Exchange, orders: Sequence[Json]) -> list[Json]:
    """Return the open orders of all symbols with the smart orders that wait.

    An order that was made of one bears its client order id, and is that order from then on.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    del exchange
    return [*_waiting(api), *orders]


def ended_between(
    api: Json, exchange: Exchange, symbol: Symbol, asked: Mapping[str, object]
) -> list[Json]:
    """Return what "Smart Orders History" tells of a symbol: ccxt's orders, by their last change.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    market = _market(api, exchange, symbol)
    return [_row(api, market, told) for told in api.privateGetSmartordersHistory(asked)]


def joined(
    api: Json, exchange: Exchange, symbol: Symbol, orders: Sequence[Json], ended: Sequence[Json]
) -> list[Json]:
    """Return orders and smart orders as one list, in which what was made of one is that one.

    Raises:
        ccxt.BaseError: the exchange could not be asked.
    """
    named = {one["clientOrderId"]: one for one in orders if one.get("clientOrderId")}
    rows, made = [], set()
    for stop in ended:
        order = named.get(stop.get("clientOrderId"))
        if stop["info"][SMART_STATE] == _TRIGGERED and order is not None:
            made.add(order["id"])
            rows.append(_as_stop(stop, order))
        else:
            rows.append(_of_now(api, exchange, symbol, stop))
    return [*rows, *(one for one in orders if one["id"] not in made)]


def _of_now(api: Json, exchange: Exchange, symbol: Symbol, stop: Json) -> Json:
    """Return a smart order of the past with the order that was made of it later, if one was."""
    if stop["info"][SMART_STATE] == _TRIGGERED:
        with suppress(ccxt.OrderNotFound):
            return found_stop(api, exchange, symbol, venue_id=str(stop["id"]))
    return stop


def _waiting(api: Json) -> list[Json]:
    """Return all smart orders that wait; without a limit, of which the documents name several."""
    rows = [_row(api, None, told) for told in api.privateGetSmartorders()]
    return [row for row in rows if row["status"] == "open"]


def _followed(api: Json, exchange: Exchange, symbol: Symbol, told: Json) -> Json:
    """Return a smart order as the order stands that was made of it, or as it is if there is none.

    Of one that has triggered, and whose order is shown nowhere yet, its state is all there is.
    """
    market = _market(api, exchange, symbol)
    row, made = _row(api, market, told), told.get("triggeredOrder")
    if made:
        return _as_stop(row, api.parse_order(made, market))
    if told.get("state") == _TRIGGERED and told.get("clientOrderId"):
        with suppress(ccxt.OrderNotFound):
            return _as_stop(row, _bearer(api, exchange, symbol, told["clientOrderId"]))
    return row


def _bearer(api: Json, exchange: Exchange, symbol: Symbol, client_id: str) -> Json:
    """Return ccxt's order, none of the smart ones, that bears a client order id."""
    told = api.privateGetOrdersId({"id": f"cid:{client_id}"})
    return api.parse_order(told, _market(api, exchange, symbol))


def _market(api: Json, exchange: Exchange, symbol: Symbol) -> Json:
    return api.market(exchange.unified(symbol))


def _row(api: Json, market: Json, told: Json) -> Json:
    """Return ccxt's order for a smart order as it is told, and its state by a name of its own.

    Orders have a `state` as well, of which the words mean something else.
    """
    row, state = api.parse_order(told, market), str(told.get("state"))
    status = "open" if state in _WAITING else row["status"]
    return {**row, "status": status, "info": {**told, SMART_STATE: state}}


def _as_stop(stop: Json, order: Json) -> Json:
    """Return a smart order as the order stands that was made of it, under its own ids."""
    own = {name: stop.get(name) for name in ("id", "clientOrderId", "amount", "timestamp")}
    return {**order, **own, parse.TRADED_AS: order.get("id")}
