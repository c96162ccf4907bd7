"""What Binance answers: a market, a ticker, an order, a fill, as it writes them."""

from __future__ import annotations

from decimal import Decimal

from tests.support.exchanges.books import (
    INVERSE,
    OPEN,
    SPOT,
    Account,
    Market,
    Order,
    Position,
    Trade,
)

Json = dict[str, object]

#: What waits for a worse price on spot, and what for a better one, to go to the market then.
SPOT_STOPS = ("STOP_LOSS", "TAKE_PROFIT")

#: How a market stands → what it is called.
_STATUSES = {"": "TRADING", "halted": "HALT", "closed": "CLOSE"}


def name(market: Market) -> str:
    pair = market.base + market.quote
    return f"{pair}_{market.delivery or 'PERP'}" if market.kind == INVERSE else pair


def rule(market: Market) -> Json:
    filters = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "0.01",
            "maxPrice": "1000000",
            "tickSize": str(market.price_step),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": str(market.min_quantity),
            "maxQty": str(market.max_quantity),
            "stepSize": f"{market.quantity_step:f}",
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": str(market.min_quantity),
            "maxQty": str(market.max_market_quantity),
            "stepSize": "0",
        },
    ]
    rule: Json = {
        "symbol": name(market),
        "status": _STATUSES[market.status],
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "filters": filters,
    }
    if market.kind == SPOT:
        filters.append({"filterType": "NOTIONAL", "minNotional": str(market.min_notional)})
        kinds = ["LIMIT", "LIMIT_MAKER", "MARKET", *(SPOT_STOPS if market.holds_stops else ())]
        more = {"orderTypes": kinds, "permissions": ["SPOT"]}
        return {**rule, **more, "isSpotTradingAllowed": True}
    if market.kind == INVERSE:
        return _inverse(market, rule)
    filters.append({"filterType": "MIN_NOTIONAL", "notional": str(market.min_notional)})
    return {
        **rule,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "marginAsset": market.quote,
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "orderTypes": ["LIMIT", "MARKET", "STOP_MARKET", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _inverse(market: Market, rule: Json) -> Json:
    """COIN-M, "Exchange Information": another word for the status, and what one contract is."""
    rule["contractStatus"] = rule.pop("status")
    if market.tells_size:
        rule["contractSize"] = int(market.contract_size)
    return {
        **rule,
        "pair": market.base + market.quote,
        "contractType": "CURRENT_QUARTER" if market.delivery else "PERPETUAL",
        "deliveryDate": 1_900_000_000_000 if market.delivery else 4133404800000,
        "marginAsset": market.margin,
        "pricePrecision": 2,
        "quantityPrecision": 0,
        "equalQtyPrecision": 4,
        "orderTypes": ["LIMIT", "MARKET", "STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def ticker(
    market: Market,
    prices: tuple[Decimal, Decimal, Decimal],
    now_ms: int,
    touch: bool,  # noqa: FBT001
) -> Json:
    """Return a row of last price, bid and ask."""
    last, bid, ask = prices
    ticker: Json = {
        "symbol": name(market),
        "lastPrice": str(last),
        "closeTime": now_ms,
        "time": now_ms,
    }
    if not touch:
        return ticker  # the futures' day has no touch
    return {**ticker, "bidPrice": str(bid), "bidQty": "1", "askPrice": str(ask), "askQty": "1"}


def row(order: Order) -> Json:
    ticket = order.ticket
    row: Json = {
        "symbol": name(ticket.market),
        "orderId": order.id,
        "clientOrderId": ticket.client_id,
        "price": str(ticket.price or 0),
        "origQty": str(ticket.quantity),
        "executedQty": str(order.filled),
        "status": order.status,
        "timeInForce": ticket.time_in_force,
        "type": ticket.type,
        "side": ticket.side,
        "updateTime": order.updated_ms,
        "time": order.created_ms,
    }
    if ticket.market.kind == SPOT:
        return {
            **row,
            **_waiting(order),
            "orderListId": -1,
            "cummulativeQuoteQty": str(order.cost),
            "transactTime": order.updated_ms,
        }
    return {
        **row,
        "type": "MARKET" if ticket.price is None else "LIMIT",
        "avgPrice": str(order.average),
        "cumBase" if ticket.market.kind == INVERSE else "cumQuote": str(order.cost),
        "reduceOnly": ticket.reduce_only,
        "positionSide": ticket.leg,
        "closePosition": False,
    }


def _waiting(order: Order) -> Json:
    """Return what is told of a spot order that has waited for a price, or of one that has not."""
    stop = order.ticket.stop
    if stop is None:
        return {"stopPrice": "0", "isWorking": True}
    is_worse = stop.rises is (order.ticket.side == "BUY")
    waits = {"UNTRIGGERED": "NEW", "TRIGGERING": "NEW", "DEACTIVATED": "CANCELED"}
    return {
        "type": SPOT_STOPS[0] if is_worse else SPOT_STOPS[1],
        "status": waits.get(order.status, order.status),
        "stopPrice": str(stop.level),
        "isWorking": order.status not in waits,
    }


#: How a stop stands → what it is called; one of which an order was made is told by that order.
_STOP_STATUSES = {"UNTRIGGERED": "NEW", "DEACTIVATED": "CANCELED"}


def stop(order: Order, made: Order | None) -> Json:
    """Return a stop as it is told to whoever places it."""
    ticket, condition = order.ticket, order.ticket.stop
    assert condition is not None
    is_worse = condition.rises is (ticket.side == "BUY")
    status = _STOP_STATUSES.get(order.status, order.status)
    if made is not None and made.status not in OPEN:
        status = "FINISHED"
    return {
        "algoId": order.id,
        "clientAlgoId": ticket.client_id,
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET" if is_worse else "TAKE_PROFIT_MARKET",
        "symbol": name(ticket.market),
        "side": ticket.side,
        "positionSide": ticket.leg,
        "timeInForce": "GTC",
        "quantity": str(ticket.quantity),
        "algoStatus": status,
        "triggerPrice": str(condition.level),
        "price": "0.00",
        "icebergQuantity": None,
        "workingType": "MARK_PRICE" if condition.by_mark else "CONTRACT_PRICE",
        "priceMatch": "NONE",
        "closePosition": False,
        "priceProtect": False,
        "reduceOnly": ticket.reduce_only,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.updated_ms if order.made else 0,
        "goodTillDate": 0,
    }


def made_of(order: Order, made: Order | None) -> Json:
    """Return what a look-up tells of a stop besides."""
    price = "0.00000" if made is None else str(made.average)
    return {"actualOrderId": str(order.made or ""), "actualPrice": price}


def fill(trade: Trade) -> Json:
    return {
        "price": str(trade.price),
        "qty": str(trade.quantity),
        "commission": str(trade.fee),
        "commissionAsset": trade.fee_currency,
        "tradeId": trade.id,
    }


def trade(order: Order, trade: Trade) -> Json:
    market = order.ticket.market
    worth = str(market.worth(trade.quantity, trade.price))
    return {
        **fill(trade),
        "symbol": name(market),
        "id": trade.id,
        "orderId": order.id,
        "baseQty" if market.kind == INVERSE else "quoteQty": worth,
        "time": trade.at_ms,
        "side": order.ticket.side,
        "isBuyer": order.ticket.side == "BUY",
        "isMaker": False,
        "maker": False,
        "buyer": order.ticket.side == "BUY",
    }


def position(market: Market, leg: str, held: Position, price: Decimal) -> Json:
    worth = market.worth(held.quantity, price)
    way = -1 if market.kind == INVERSE else 1
    gain = worth - market.worth(held.quantity, held.entry) if held.quantity else Decimal(0)
    row: Json = {
        "symbol": name(market),
        "positionSide": leg,
        "positionAmt": str(held.quantity),
        "entryPrice": str(held.entry),
        "markPrice": str(price),
        "unRealizedProfit": str(gain * way),
    }
    if market.kind == INVERSE:
        # "Position Information" of COIN-M has no notional.
        return {**row, "leverage": "20", "maxQty": "50", "marginType": "cross"}
    return {**row, "notional": str(worth)}


def restrictions(account: Account) -> Json:
    return {
        "ipRestrict": False,
        "enableReading": True,
        "enableSpotAndMarginTrading": True,
        "enableFutures": True,
        "enableWithdrawals": account.can_withdraw,
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
    }
