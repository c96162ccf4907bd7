"""What Binance answers: a market, a ticker, an order, a fill, as it writes them."""

from __future__ import annotations

from decimal import Decimal

from tests.support.exchanges.books import SPOT, Account, Market, Order, Trade

Json = dict[str, object]


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
        "symbol": market.base + market.quote,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "filters": filters,
    }
    if market.kind == SPOT:
        filters.append({"filterType": "NOTIONAL", "minNotional": str(market.min_notional)})
        more = {"orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "permissions": ["SPOT"]}
        return {**rule, **more, "isSpotTradingAllowed": True}
    filters.append({"filterType": "MIN_NOTIONAL", "notional": str(market.min_notional)})
    return {
        **rule,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "marginAsset": market.quote,
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "orderTypes": ["LIMIT", "MARKET", "STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def ticker(market: Market, price: Decimal, now_ms: int, touch: bool) -> Json:  # noqa: FBT001
    ticker: Json = {
        "symbol": market.base + market.quote,
        "lastPrice": str(price),
        "closeTime": now_ms,
        "time": now_ms,
    }
    if not touch:
        return ticker  # the futures' day has no touch
    return {**ticker, "bidPrice": str(price), "bidQty": "1", "askPrice": str(price), "askQty": "1"}


def row(order: Order) -> Json:
    ticket = order.ticket
    row: Json = {
        "symbol": ticket.market.base + ticket.market.quote,
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
            "orderListId": -1,
            "cummulativeQuoteQty": str(order.cost),
            "stopPrice": "0",
            "isWorking": True,
            "transactTime": order.updated_ms,
        }
    return {
        **row,
        "type": "MARKET" if ticket.price is None else "LIMIT",
        "avgPrice": str(order.average),
        "cumQuote": str(order.cost),
        "reduceOnly": ticket.reduce_only,
        "positionSide": ticket.leg,
        "closePosition": False,
    }


def fill(trade: Trade) -> Json:
    return {
        "price": str(trade.price),
        "qty": str(trade.quantity),
        "commission": str(trade.fee),
        "commissionAsset": trade.fee_currency,
        "tradeId": trade.id,
    }


def trade(order: Order, trade: Trade) -> Json:
    return {
        **fill(trade),
        "symbol": order.ticket.market.base + order.ticket.market.quote,
        "id": trade.id,
        "orderId": order.id,
        "quoteQty": str(trade.price * trade.quantity),
        "time": trade.at_ms,
        "side": order.ticket.side,
        "isBuyer": order.ticket.side == "BUY",
        "isMaker": False,
        "maker": False,
        "buyer": order.ticket.side == "BUY",
    }


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
