"""Poloniex's REST interface for spot (api-docs.poloniex.com/spot), as far as ccxt asks for it.

Its manners: a market buy names the quote amount, an order is answered with its ids alone, a cancel
with PENDING_CANCEL, and the time stamp is good for a second unless `recvWindow` says otherwise.

Smart orders ("Smart Orders") hold no coins before they trigger. What is made of one bears its
client order id. By either id one is told in a list of one, or an empty one, as the documents'
example has it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from tests.support.exchanges.books import (
    NAMES,
    OPEN,
    SPOT,
    Account,
    Market,
    Order,
    Refused,
    Stop,
    Ticket,
    Trade,
    Why,
)
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.server import Answer, Dialect, Request
from tests.support.exchanges.stops import WAITING, waits
from tests.support.exchanges.trading import Exchange, Level

Json = dict[str, Any]

_CODES = {
    Why.FUNDS: (400, 21709, "Low available balance"),
    Why.SYMBOL: (400, 24101, "Invalid symbol"),
    Why.HALTED: (400, 10041, "Symbol frozen for trading"),
    Why.LOT: (400, 21330, "Quantity is less than minQuantity trade limit"),
    Why.SIZE: (400, 21360, "Order size exceeds the limit."),
    Why.TICK: (400, 21335, "Invalid priceScale for this symbol"),
    Why.TOO_HIGH: (400, 21310, "Order price cannot be greater than max price"),
    Why.TOO_LOW: (400, 21311, "Order price cannot be lower than min price"),
    Why.NOTIONAL: (400, 21322, "Amount is less than minAmount trade limit, the least notional"),
    Why.DUPLICATE: (400, 21312, "Client orderId already exists"),
    Why.NO_ORDER: (400, 21301, "Order not found"),
    Why.GONE: (400, 21301, "Order not found"),
    Why.WOULD_TAKE: (400, 21348, "Order type must be LIMIT_MAKER"),
    Why.KEY: (401, 401, "Invalid API key"),
    Why.SIGNATURE: (401, 401, "Invalid signature"),
    Why.CLOCK: (408, 408, "recvWindow exceeded"),
    Why.MALFORMED: (400, 601, "Invalid Parameter"),
    Why.STOPS: (400, 21314, "Max limit of open orders (2000) exceeded"),
    Why.NO_STOP: (404, 25014, "Failed to cancel as smartorders were not found"),
    Why.CANCELED: (400, 21305, "Order is canceled"),
    Why.FIRED: (400, 25009, "Failed to cancel order"),
}

#: How the books have a smart order → its state.
_SMART_STATES = {
    WAITING: "PENDING_NEW",
    "TRIGGERING": "PENDING_NEW",
    "DEACTIVATED": "CANCELED",
    "REJECTED": "FAILED",
}


_NAMES = tuple(NAMES.items())


class Poloniex(Dialect):
    """Poloniex as ccxt sees it."""

    separator = "_"

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        exchange.stops.apart = exchange.stops.bear_ids = exchange.stops.fire_at_once = True
        exchange.stops.binds_coins = False
        #: Whether a smart order is told as an object, as the documents' text has it.
        self.tells_objects = False

    def call_of(self, request: Request) -> Call:
        parts = unquote(request.path).strip("/").split("/")
        match request.method, parts:
            case "POST", ["orders" | "smartorders"]:
                return Call.PLACE
            case "DELETE", ["orders" | "smartorders", _]:
                return Call.CANCEL
            case "GET", ["orders" | "smartorders"] | ["orders" | "smartorders", "history"]:
                return Call.LIST
            case "GET", ["orders" | "smartorders", _]:
                return Call.FIND
            case "GET", ["accounts", "balances"]:
                return Call.VIEW
            case _:
                return Call.OTHER

    def refusal(self, refused: Refused, request: Request) -> Answer:
        del request
        status, code, message = _CODES.get(refused.why, (400, 601, str(refused)))
        return Answer({"code": code, "message": message}, status)

    def ban(self, retry_after_seconds: int) -> Answer:
        return self.limit(retry_after_seconds)  # its documents know no other word

    def limit(self, retry_after_seconds: int) -> Answer:
        headers = {"Retry-After": str(retry_after_seconds)}
        return Answer({"code": 429, "message": "Too many requests"}, 429, headers)

    def answer(self, request: Request, fault: Fault) -> Answer:
        parts = unquote(request.path).strip("/").split("/")
        public = self._public(parts)
        if public is None:
            public = self._shown(parts, request.fields)
        if public is not None:
            return Answer(public)
        return Answer(self._private(self._signed(request), request, parts, fault))

    def _public(self, parts: list[str]) -> object:  # noqa: PLR0911 - a table
        match parts:
            case ["timestamp"]:
                return {"serverTime": self.exchange.now_ms()}
            case ["markets"]:
                return [_rule(one) for one in self.exchange.of_kind(SPOT)]
            case ["v3", "market", "allInstruments"]:
                return {"code": 200, "msg": "Success", "data": []}
            case ["v2", "currencies"]:
                return [{"coin": code, "name": name, "networkList": []} for code, name in _NAMES]
            case ["markets", name, "ticker24h"]:
                return self._ticker(self.market(name))
            case ["markets", "ticker24h"]:
                return [self._ticker(one) for one in self.exchange.of_kind(SPOT)]
            case _:
                return None

    def _shown(self, parts: list[str], fields: dict[str, str]) -> object:
        """As "Order Book", "Trades" and "Candles": everybody has traded once, a minute ago."""
        if len(parts) != 3 or parts[0] != "markets":
            return None
        market = self.market(parts[1])
        price, now_ms = str(self.exchange.prices[market.symbol]), self.exchange.now_ms()
        at_ms = now_ms - 60_000
        match parts[2]:
            case "orderBook":
                asks, bids = (self._levels(market, side, fields) for side in ("BUY", "SELL"))
                return {"time": now_ms, "scale": "0.01", "asks": asks, "bids": bids, "ts": 1}
            case "trades":
                names = ("id", "price", "quantity", "amount", "takerSide", "ts", "createTime")
                return [
                    dict(zip(names, ("7", price, "1", price, "BUY", at_ms, at_ms), strict=True))
                ]
            case "candles":
                span = (at_ms // 60_000 * 60_000, at_ms // 60_000 * 60_000 + 59_999)
                traded = (price, "3", "0", "0", 5, at_ms, price, fields["interval"])
                return [[price, price, price, price, *traded, *span]]
            case _:
                return None

    def _levels(self, market: Market, side: str, fields: dict[str, str]) -> list[str]:
        """Return what a taker of a side finds, prices and quantities in turn."""
        bid, ask = self.exchange.touch(market.symbol)
        touch = Level(ask if side == "BUY" else bid, Decimal(2))
        found = self.exchange.books.get((market.symbol, side), [touch])
        most = int(fields.get("limit", "10"))
        return [str(figure) for one in found[:most] for figure in (one.price, one.quantity)]

    def _private(  # noqa: C901, PLR0911 - a table
        self, account: Account, request: Request, parts: list[str], fault: Fault
    ) -> object:
        if parts[0] == "smartorders":
            return self._smart(account, request, parts[1:], fault)
        match request.method, parts:
            case "GET", ["accounts", "balances"]:
                return self._balances(account)
            case "POST", ["orders"]:
                return self._place(account, json.loads(request.body))
            case "GET", ["orders"]:
                return [_row(one) for one in self.listed(account, SPOT)]
            case "GET", ["orders", "history"]:
                return self._history(account, request.fields)
            case "GET", ["orders", name]:
                return _row(self._found(account, name, fault))
            case "GET", ["orders", name, "trades"]:
                order = self._found(account, name, Fault.OK)
                return [_trade(order, trade) for trade in self.listed_trades(order)]
            case "DELETE", ["orders", name]:
                return self._cancel(account, name)
            case _:
                raise Refused(Why.MALFORMED)

    def _signed(self, request: Request) -> Account:
        headers = request.headers
        account = self.exchange.accounts.get(headers.get("key", ""))
        if account is None:
            raise Refused(Why.KEY)
        stamp = headers["signtimestamp"]
        if request.body:
            values = f"requestBody={request.body.decode()}&signTimestamp={stamp}"
        else:
            pairs = sorted({**request.fields, "signTimestamp": stamp}.items())
            values = "&".join(f"{name}={quote(text)}" for name, text in pairs)
        text = f"{request.method}\n{request.path}\n{values}"
        digest = hmac.new(account.secret.encode(), text.encode(), hashlib.sha256).digest()
        if headers["signature"] != base64.b64encode(digest).decode():
            raise Refused(Why.SIGNATURE)
        age = self.exchange.now_ms() - int(stamp)
        if abs(age) > int(headers.get("recvwindow", "1000")):
            raise Refused(Why.CLOCK)
        return account

    def _ticker(self, market: Market) -> Json:
        if market.symbol not in self.exchange.prices:
            raise Refused(Why.SYMBOL)
        last = self.exchange.prices[market.symbol]
        price = str(last)
        bid, ask = map(str, self.exchange.touch(market.symbol))
        return {
            "symbol": f"{market.base}_{market.quote}",
            "close": price,
            "open": str(last / 2),
            "low": str(last / 4),
            "high": str(last * 2),
            "quantity": "12",
            "amount": "600000",
            "tradeCount": 34,
            "bid": bid,
            "bidQuantity": "1",
            "ask": ask,
            "askQuantity": "1",
            "markPrice": price,
            "ts": self.exchange.now_ms() - self.plan.price_age_ms,
        }

    # Orders

    def _place(self, account: Account, fields: Json) -> Json:
        market = self.market(fields["symbol"])
        budget = fields.get("amount")
        if fields["type"] == "MARKET" and (budget is None) is (fields["side"] == "BUY"):
            raise Refused(Why.MALFORMED)
        ticket = Ticket(
            client_id=fields["clientOrderId"],
            market=market,
            side=fields["side"],
            type=fields["type"],
            time_in_force=fields.get("timeInForce", "GTC"),
            quantity=Decimal(fields.get("quantity", "0")),
            budget=None if budget is None else Decimal(budget),
            price=Decimal(fields["price"]) if "price" in fields else None,
        )
        order = self.exchange.place(account, ticket)
        return {"id": str(order.id), "clientOrderId": ticket.client_id}

    def _history(self, account: Account, fields: dict[str, str]) -> list[Json]:
        """As "Orders History": those that are closed, by their last change."""
        since_ms, until_ms = int(fields["startTime"]), int(fields["endTime"])
        if until_ms - since_ms > 30 * 86_400_000:
            raise Refused(Why.MALFORMED)
        rows = [
            _row(one)
            for one in reversed(self.listed(account, SPOT, only_open=False))
            if one.status not in OPEN and since_ms <= one.updated_ms <= until_ms
        ]
        wanted = [row for row in rows if row["symbol"] == fields["symbol"]]
        return wanted[: min(int(fields.get("limit", 100)), 1_000)]

    def _found(self, account: Account, name: str, fault: Fault) -> Order:
        client_id = name.removeprefix("cid:") if name.startswith("cid:") else ""
        if client_id and "order" in self.plan.hides:
            raise Refused(Why.NO_ORDER)
        return self.looked_up(account, client_id, name, fault)

    def _cancel(self, account: Account, name: str) -> Json:
        order = self.exchange.cancel(account, self._found(account, name, Fault.OK))
        return {
            "orderId": str(order.id),
            "clientOrderId": order.ticket.client_id,
            "state": "PENDING_CANCEL",
            "code": 200,
            "message": "",
        }

    # Smart orders

    def _smart(self, account: Account, request: Request, parts: list[str], fault: Fault) -> object:
        match request.method, parts:
            case "POST", []:
                return self._place_smart(account, json.loads(request.body))
            case "GET", []:
                rows = [] if "smartorders" in self.plan.hides else self._shown_smart(account)
                return [_smart_row(one) for one in rows if waits(one)]
            case "GET", ["history"]:
                return self._smart_history(account, request.fields)
            case "GET", [name]:
                return self._smart_detail(account, name, fault)
            case "DELETE", [name]:
                return self._cancel_smart(account, name)
            case _:
                raise Refused(Why.MALFORMED)

    def _place_smart(self, account: Account, fields: Json) -> Json:
        if fields["type"] != "STOP" or not isinstance(fields["stopPrice"], str):
            raise Refused(Why.MALFORMED)  # no other is sent from here
        ticket = Ticket(
            client_id=fields["clientOrderId"],
            market=self.market(fields["symbol"]),
            side=fields["side"],
            type="MARKET",
            time_in_force=fields.get("timeInForce", "GTC"),
            quantity=Decimal(fields["quantity"]),
            stop=Stop(Decimal(fields["stopPrice"]), rises=fields["side"] == "BUY"),
        )
        order = self.exchange.place(account, ticket)
        return {"id": str(order.id), "clientOrderId": ticket.client_id}

    def _shown_smart(self, account: Account) -> list[Order]:
        return [one for one in reversed(account.stops) if not self.is_hidden(one)]

    def _smart_history(self, account: Account, fields: dict[str, str]) -> list[Json]:
        """As "Smart Orders History": those that wait no more, by their last change."""
        now_ms = self.exchange.now_ms()
        until_ms = int(fields.get("endTime", now_ms))
        since_ms = int(fields.get("startTime", until_ms - 7 * 86_400_000))
        if until_ms - since_ms > 30 * 86_400_000:
            raise Refused(Why.MALFORMED)
        told = [] if "history" in self.plan.hides else self._shown_smart(account)
        rows = [
            _smart_row(one) | {"orderSource": "API"}
            for one in told
            if not waits(one) and since_ms <= one.updated_ms <= until_ms
        ]
        wanted = [row for row in rows if row["symbol"] == fields["symbol"]]
        return wanted[: min(int(fields.get("limit", 100)), 1_000)]

    def _smart_found(self, account: Account, name: str) -> Order:
        client_id = name.removeprefix("cid:") if name.startswith("cid:") else ""
        stop = self.exchange.stops.find(account, client_id, name)
        if self.is_hidden(stop):
            raise Refused(Why.NO_ORDER)
        return stop

    def _smart_detail(self, account: Account, name: str, fault: Fault) -> object:
        try:
            stop = self._smart_found(account, name)
        except Refused:
            return []
        if fault is Fault.NOT_FOUND or "smartorder" in self.plan.hides:
            return []
        made = self.exchange.stops.made_of(account, stop)
        row = _smart_row(stop)
        if made is not None and "triggeredOrder" not in self.plan.hides:
            row["triggeredOrder"] = _row(made)
        return row if self.tells_objects else [row]

    def _cancel_smart(self, account: Account, name: str) -> Json:
        try:
            stop = self._smart_found(account, name)
        except Refused as refused:
            raise Refused(Why.NO_STOP) from refused
        if stop.status == "DEACTIVATED":
            raise Refused(Why.CANCELED)
        if stop.status != WAITING:
            raise Refused(Why.FIRED)
        self.exchange.stops.cancel(account, stop)
        named = {"orderId": str(stop.id), "clientOrderId": stop.ticket.client_id}
        return {**named, "state": "CANCELED", "code": 200, "message": ""}

    def _balances(self, account: Account) -> list[Json]:
        rows = [
            {
                "currencyId": "1",
                "currency": currency,
                "available": str(self.exchange.free(account, currency)),
                "hold": str(self.exchange.held(account, currency)),
            }
            for currency in account.total
        ]
        return [{"accountId": "1", "accountType": "SPOT", "balances": rows}]


def _scale(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def _rule(market: Market) -> Json:
    name = f"{market.base}_{market.quote}"
    return {
        "symbol": name,
        "baseCurrencyName": market.base,
        "quoteCurrencyName": market.quote,
        "state": "PAUSE" if market.status else "NORMAL",
        "symbolTradeLimit": {
            "symbol": name,
            "priceScale": _scale(market.price_step),
            "quantityScale": _scale(market.quantity_step),
            "amountScale": 2,
            "minQuantity": f"{market.min_quantity:f}",
            "maxQuantity": str(min(market.max_quantity, market.max_market_quantity)),
            "minAmount": str(market.min_notional),
        },
    }


def _state(order: Order) -> str:
    if order.status in {"CANCELED", "EXPIRED"}:
        return "PARTIALLY_CANCELED" if order.filled else "CANCELED"
    return order.status.removeprefix("told as ")


def _row(order: Order) -> Json:
    ticket = order.ticket
    return {
        "id": str(order.id),
        "clientOrderId": ticket.client_id,
        "symbol": f"{ticket.market.base}_{ticket.market.quote}",
        "state": _state(order),
        "accountType": "SPOT",
        "side": ticket.side,
        "type": ticket.type,
        "timeInForce": ticket.time_in_force,
        "quantity": "0.00" if ticket.budget is not None else str(ticket.quantity),
        "price": str(ticket.price or "0.00"),
        "avgPrice": str(order.average),
        "amount": str(ticket.budget or "0.00"),
        "filledQuantity": str(order.filled),
        "filledAmount": str(order.cost),
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
    }


def _smart_row(stop: Order) -> Json:
    ticket = stop.ticket
    assert ticket.stop is not None
    return {
        "id": str(stop.id),
        "clientOrderId": ticket.client_id,
        "symbol": f"{ticket.market.base}_{ticket.market.quote}",
        "state": _SMART_STATES.get(stop.status, stop.status),
        "accountType": "SPOT",
        "side": ticket.side,
        "type": "STOP",
        "timeInForce": ticket.time_in_force,
        "quantity": str(ticket.quantity),
        "price": "0.00",
        "amount": "0.00",
        "stopPrice": str(ticket.stop.level),
        "createTime": stop.created_ms,
        "updateTime": stop.updated_ms,
    }


def _trade(order: Order, trade: Trade) -> Json:
    return {
        "id": str(trade.id),
        "symbol": f"{order.ticket.market.base}_{order.ticket.market.quote}",
        "accountType": "SPOT",
        "orderId": str(order.id),
        "side": order.ticket.side,
        "type": order.ticket.type,
        "matchRole": "TAKER",
        "createTime": trade.at_ms,
        "price": str(trade.price),
        "quantity": str(trade.quantity),
        "amount": str(trade.price * trade.quantity),
        "feeCurrency": trade.fee_currency,
        "feeAmount": str(trade.fee),
        "clientOrderId": order.ticket.client_id,
    }
