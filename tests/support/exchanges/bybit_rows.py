"""What Bybit answers: a market, a ticker, an order, a fill, as it writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.support.exchanges.books import INVERSE, SPOT, Account, Market, Order, Position

Json = dict[str, Any]

#: Leg → its `positionIdx`.
INDEXES = {"BOTH": "0", "LONG": "1", "SHORT": "2"}


#: How a market stands → what it is called.
_STATUSES = {"": "Trading", "halted": "Settling", "closed": "Closed"}


def name(market: Market) -> str:
    return market.base + market.quote


def rule(market: Market) -> Json:
    rule: Json = {
        "symbol": name(market),
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "status": _STATUSES[market.status],
        "priceFilter": {"tickSize": str(market.price_step), "minPrice": "0.01"},
    }
    lots = {"minOrderQty": f"{market.min_quantity:f}", "maxOrderQty": str(market.max_quantity)}
    if market.kind == SPOT:
        lots |= {"maxMarketOrderQty": str(market.max_market_quantity)}
        more = {"basePrecision": f"{market.quantity_step:f}", "quotePrecision": "0.0000001"}
        return {**rule, "lotSizeFilter": {**lots, **more, "minOrderAmt": str(market.min_notional)}}
    lots |= {"maxMktOrderQty": str(market.max_market_quantity)}
    more = {"qtyStep": f"{market.quantity_step:f}", "minNotionalValue": str(market.min_notional)}
    return {
        **rule,
        "contractType": "InversePerpetual" if market.kind == INVERSE else "LinearPerpetual",
        "settleCoin": market.margin,
        "launchTime": "1584230400000",
        "deliveryTime": "0",
        "lotSizeFilter": {**lots, **more},
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100"},
    }


def ticker(market: Market, last: Decimal, bid: Decimal, ask: Decimal) -> Json:
    row: Json = {
        "symbol": name(market),
        "lastPrice": str(last),
        "bid1Price": str(bid),
        "bid1Size": "1",
        "ask1Price": str(ask),
        "ask1Size": "1",
    }
    return row if market.kind == SPOT else {**row, "openInterestValue": "1"}


_STATES = {
    "NEW": "New",
    "PARTIALLY_FILLED": "PartiallyFilled",
    "FILLED": "Filled",
    "UNTRIGGERED": "Untriggered",
    "TRIGGERING": "Triggered",
    "DEACTIVATED": "Deactivated",
}


def _state(order: Order) -> str:
    if order.status in {"CANCELED", "EXPIRED"}:
        is_spot = order.ticket.market.kind == SPOT  # futures have no word for a part
        return "PartiallyFilledCanceled" if order.filled and is_spot else "Cancelled"
    return _STATES[order.status]


def row(order: Order) -> Json:
    ticket = order.ticket
    post_only = ticket.type == "LIMIT_MAKER"
    would_take = post_only and order.status == "CANCELED" and order.would_take
    more = {} if ticket.market.kind == SPOT else {"tpslMode": ""}
    return {
        **more,
        "symbol": name(ticket.market),
        "orderId": str(order.id),
        "orderLinkId": ticket.client_id,
        "side": ticket.side.capitalize(),
        "orderType": "Market" if ticket.price is None else "Limit",
        "timeInForce": "PostOnly" if post_only else ticket.time_in_force,
        "price": str(ticket.price or 0),
        "qty": str(ticket.budget or ticket.quantity),
        "leavesQty": str(order.left),
        "cumExecQty": str(order.filled),
        "cumExecValue": str(order.cost),
        "avgPrice": str(order.average) if order.filled else "",
        "orderStatus": _state(order),
        "rejectReason": "EC_PostOnlyWillTakeLiquidity" if would_take else "EC_NoError",
        "reduceOnly": ticket.reduce_only,
        "positionIdx": int(INDEXES[ticket.leg]),
        "marketUnit": "baseCoin" if ticket.budget is None else "quoteCoin",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        **_stop(order),
    }


def _stop(order: Order) -> Json:
    """Return what is told of the price that an order waits for, or has waited for."""
    stop = order.ticket.stop
    if stop is None:
        return {"stopOrderType": "", "triggerPrice": "", "triggerDirection": 0, "triggerBy": ""}
    gone = "CancelByReduceOnly" if order.reduces_nothing else "UNKNOWN"
    return {
        "stopOrderType": "Stop",
        "triggerPrice": str(stop.level),
        "triggerDirection": 1 if stop.rises else 2,
        "triggerBy": "MarkPrice" if stop.by_mark else "LastPrice",
        "cancelType": gone,
    }


def execution(order: Order, trade: Any) -> Json:  # noqa: ANN401 - a trade
    return {
        "symbol": name(order.ticket.market),
        "orderId": str(order.id),
        "orderLinkId": order.ticket.client_id,
        "side": order.ticket.side.capitalize(),
        "execId": str(trade.id),
        "execPrice": str(trade.price),
        "execQty": str(trade.quantity),
        "execValue": str(order.ticket.market.worth(trade.quantity, trade.price)),
        "execFee": str(trade.fee),
        "feeCoin": trade.fee_currency,
        "execTime": str(trade.at_ms),
        "execType": "Trade",
        "isMaker": False,
    }


def position(market: Market, leg: str, held: Position, price: Decimal) -> Json:
    side = "Buy" if held.quantity > 0 else "Sell"
    size = abs(held.quantity)
    return {
        "symbol": name(market),
        "positionIdx": int(INDEXES[leg]),
        "side": side if size else "",
        "size": str(size),
        "avgPrice": str(held.entry),
        "positionValue": str(market.worth(size, held.entry)) if size else "0",
        "markPrice": str(price),
    }


def key_rights(account: Account) -> Json:
    wallet = ["AccountTransfer", "Withdraw"] if account.can_withdraw else []
    rights = {"Spot": ["SpotTrade"], "ContractTrade": ["Order", "Position"], "Wallet": wallet}
    return {"readOnly": 0, "unified": 0, "uta": 1, "permissions": rights, "ips": ["*"]}
