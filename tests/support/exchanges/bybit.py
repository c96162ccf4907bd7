"""Bybit's REST interface, V5 (bybit-exchange.github.io/docs/v5), as far as ccxt asks for it.

Its manners: every answer is a 200 with a `retCode`, an order is answered with its id alone, a
look-up of open orders soon forgets those that are closed, and a post-only order that would take is
taken in and canceled.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.support.exchanges import bybit_rows
from tests.support.exchanges.books import (
    INVERSE,
    LINEAR,
    NAMES,
    SPOT,
    Account,
    Market,
    Order,
    Refused,
    Stop,
    Ticket,
    Why,
)
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.server import Answer, Dialect, Request
from tests.support.exchanges.stops import is_open, waits
from tests.support.exchanges.trading import Exchange

Json = dict[str, Any]

_SPOT_CODES = {
    Why.FUNDS: (170131, "Insufficient balance."),
    Why.SYMBOL: (170121, "Invalid symbol."),
    Why.HALTED: (170157, "This trading pair is not available for API trading."),
    Why.LOT: (170137, "Order quantity has too many decimals."),
    Why.SIZE: (170135, "Order quantity too large."),
    Why.TICK: (170134, "Order price has too many decimals."),
    Why.TOO_HIGH: (170193, "Buy order price cannot be higher than 52500."),
    Why.TOO_LOW: (170194, "Sell order price cannot be lower than 47500."),
    Why.NOTIONAL: (170140, "Order notional lower than the lower limit."),
    Why.DUPLICATE: (170141, "Duplicate clientOrderId"),
    Why.NO_ORDER: (170213, "Order does not exist."),
    Why.GONE: (170213, "Order does not exist."),
    Why.KEY: (10003, "API key is invalid."),
    Why.SIGNATURE: (10004, "error sign! please check your signature generation algorithm."),
    Why.CLOCK: (10002, "invalid request, please check your server timestamp or recv_window param."),
    Why.MALFORMED: (10001, "params error"),
    Why.FORBIDDEN: (110059, "Platform risk control on the account"),
}
_LINEAR_CODES = {
    **_SPOT_CODES,
    Why.FUNDS: (110007, "ab not enough for new order"),
    Why.SYMBOL: (10001, "symbol invalid"),
    Why.HALTED: (110074, "This contract is not live"),
    Why.LOT: (10001, "Qty invalid"),
    Why.SIZE: (10001, "The number of contracts exceeds maximum limit allowed"),
    Why.TICK: (10001, "Price invalid"),
    Why.NOTIONAL: (110094, "Order notional lower than the lower limit"),
    Why.DUPLICATE: (110072, "OrderLinkedID is duplicate"),
    Why.NO_ORDER: (110001, "order not exists or too late to cancel"),
    Why.GONE: (110001, "order not exists or too late to cancel"),
    Why.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Why.LEG: (10001, "position idx not match position mode"),
    Why.MODE_IS_SET: (110025, "Position mode is not modified"),
    Why.MODE_IN_USE: (110028, "Position mode cannot be switched while there are open orders"),
    Why.HAS_RISEN: (110092, "expect Rising, but trigger_price[2000] <= current[2000]??LastPrice"),
    Why.HAS_FALLEN: (110093, "expect Falling, but trigger_price[2000] >= current[2000]??LastPrice"),
    Why.STOPS: (110009, "The number of stop orders exceeds maximum limit allowed"),
}
_KINDS = {"linear": LINEAR, "inverse": INVERSE}
_WEEK_MS = 7 * 86_400_000
_PAGE_MAX = 50
_LEGS = {index: leg for leg, index in bybit_rows.INDEXES.items()}
#: "Switch Position Mode": what holds long and short apart.
_BOTH_SIDES = 3
#: By what one order is asked for.
_NAMES = {"orderLinkId", "orderId"}
_TYPES = {"Market": "MARKET", "Limit": "LIMIT"}


class Bybit(Dialect):
    """Bybit as ccxt sees it; a unified account holds inverse contracts one way."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        exchange.one_way = frozenset({INVERSE})

    def name(self, market: Market) -> str:
        return bybit_rows.name(market)

    def call_of(self, request: Request) -> Call:
        match request.path:
            case "/v5/order/create":
                return Call.PLACE
            case "/v5/order/cancel":
                return Call.CANCEL
            case "/v5/order/realtime" | "/v5/order/history":
                return Call.FIND if _NAMES & request.fields.keys() else Call.LIST
            case "/v5/account/wallet-balance" | "/v5/position/list":
                return Call.VIEW
            case _:
                return Call.OTHER

    def refusal(self, refused: Refused, request: Request) -> Answer:
        codes = _LINEAR_CODES if self._fields(request).get("category") in _KINDS else _SPOT_CODES
        code, message = codes.get(refused.why, (10001, str(refused)))
        return Answer(self._said({}, code, message))

    def limit(self, retry_after_seconds: int) -> Answer:
        until = self.exchange.now_ms() + retry_after_seconds * 1000
        headers = {"X-Bapi-Limit-Reset-Timestamp": str(until)}
        return Answer(self._said({}, 10006, "Too many visits!"), 200, headers)

    def ban(self, retry_after_seconds: int) -> Answer:
        del retry_after_seconds  # it tells no time; the ban lasts ten minutes
        return Answer(self._said({}, 403, "access too frequent"), 403)

    def answer(self, request: Request, fault: Fault) -> Answer:
        fields = self._fields(request)
        kind = _KINDS.get(str(fields.get("category")), SPOT)
        route = request.path.removeprefix("/v5/")
        public = self._public(kind, fields).get(route)
        if public is not None:
            return Answer(self._said(public()))
        account = self._signed(request)
        private = self._private(account, kind, fields, fault).get(route)
        if private is None:
            raise Refused(Why.MALFORMED)
        return Answer(self._said(private()))

    def _public(self, kind: str, fields: Json) -> dict[str, Callable[[], Json]]:
        return {
            "market/time": dict,
            "market/instruments-info": lambda: self._rules(kind, fields),
            "market/tickers": lambda: self._tickers(kind, fields),
            "market/orderbook": lambda: self._book(kind, fields),
        }

    def _private(
        self, account: Account, kind: str, fields: Json, fault: Fault
    ) -> dict[str, Callable[[], Json]]:
        return {
            "user/query-api": lambda: bybit_rows.key_rights(account),
            "asset/coin/query-info": lambda: {
                "rows": [{"coin": code, "name": name, "chains": []} for code, name in NAMES.items()]
            },
            "account/info": lambda: {"unifiedMarginStatus": 6},
            "account/wallet-balance": lambda: self._wallet(account),
            "position/list": lambda: self._positions(account, kind, fields),
            "position/set-leverage": lambda: self._set_leverage(account, kind, fields),
            "position/switch-mode": lambda: self._set_mode(account, fields),
            "order/create": lambda: self._create(account, kind, fields),
            "order/cancel": lambda: self._cancel(account, kind, fields),
            "order/realtime": lambda: self._realtime(account, kind, fields, fault),
            "order/history": lambda: self._history(account, kind, fields, fault),
            "execution/list": lambda: self._executions(account, kind, fields),
        }

    def _said(self, result: Json, code: int = 0, message: str = "OK") -> Json:
        now = self.exchange.now_ms()
        return {"retCode": code, "retMsg": message, "result": result, "time": now}

    @staticmethod
    def _fields(request: Request) -> Json:
        if request.method == "POST":
            found: Json = json.loads(request.body or b"{}")
            return found
        return dict(request.fields)

    def _signed(self, request: Request) -> Account:
        headers = request.headers
        account = self.exchange.accounts.get(headers.get("x-bapi-api-key", ""))
        if account is None:
            raise Refused(Why.KEY)
        stamp, window = headers["x-bapi-timestamp"], headers["x-bapi-recv-window"]
        text = stamp + account.key + window + (request.body.decode() or request.query)
        digest = hmac.new(account.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if headers["x-bapi-sign"] != digest:
            raise Refused(Why.SIGNATURE)
        age = self.exchange.now_ms() - int(stamp)
        if age > int(window) or age < -1000:
            raise Refused(Why.CLOCK)
        return account

    # What is traded

    def _rules(self, kind: str, fields: Json) -> Json:
        markets = [] if fields.get("status") == "PreLaunch" else self.exchange.of_kind(kind)
        return {"category": fields["category"], "list": [bybit_rows.rule(one) for one in markets]}

    def _tickers(self, kind: str, fields: Json) -> Json:
        rows = []
        for market in self.exchange.of_kind(kind):
            if market.symbol not in self.exchange.prices:
                continue
            if fields.get("symbol", bybit_rows.name(market)) == bybit_rows.name(market):
                last = self.exchange.prices[market.symbol]
                rows.append(bybit_rows.ticker(market, last, *self.exchange.touch(market.symbol)))
        if not rows:
            raise Refused(Why.SYMBOL)
        return {"category": fields["category"], "list": rows}

    def _book(self, kind: str, fields: Json) -> Json:
        symbol = self.market(str(fields.get("symbol", "")), kind).symbol
        bids, asks = (self.exchange.offered(symbol, side) for side in ("SELL", "BUY"))
        return {"s": fields["symbol"], "b": bids, "a": asks, "ts": self.exchange.now_ms(), "u": 1}

    # Orders

    def _create(self, account: Account, kind: str, fields: Json) -> Json:
        market = self.market(str(fields.get("symbol", "")), kind)
        # "Place Order": the quantity of a spot market buy is in quote, unless it says otherwise.
        spends = (
            market.kind == SPOT
            and fields["orderType"] == "Market"
            and fields["side"] == "Buy"
            and fields.get("marketUnit") != "baseCoin"
        )
        ticket = Ticket(
            client_id=fields["orderLinkId"],
            market=market,
            side=fields["side"].upper(),
            type="LIMIT_MAKER"
            if fields.get("timeInForce") == "PostOnly"
            else _TYPES[fields["orderType"]],
            time_in_force=fields.get("timeInForce", "GTC"),
            quantity=Decimal(0) if spends else Decimal(fields["qty"]),
            budget=Decimal(fields["qty"]) if spends else None,
            price=Decimal(fields["price"]) if "price" in fields else None,
            leg=_LEGS[str(fields.get("positionIdx", 0))],
            reduce_only=bool(fields.get("reduceOnly")),
            stop=None if market.kind == SPOT else _stop_of(fields),
        )
        try:
            order = self.exchange.place(account, ticket)
        except Refused as refused:
            if refused.why is not Why.WOULD_TAKE:
                raise
            order = self.exchange.take_in_and_cancel(account, ticket)
        return {"orderId": str(order.id), "orderLinkId": ticket.client_id}

    def _cancel(self, account: Account, kind: str, fields: Json) -> Json:
        named = str(fields.get("orderLinkId", "")), str(fields.get("orderId", ""))
        order = self.looked_up(account, *named)
        if order.ticket.market != self.market(str(fields.get("symbol", "")), kind):
            raise Refused(Why.NO_ORDER)
        self.exchange.cancel(account, order)
        return {"orderId": str(order.id), "orderLinkId": order.ticket.client_id}

    def _realtime(self, account: Account, kind: str, fields: Json, fault: Fault) -> Json:
        rows = self._matching(account, kind, fields, fault)
        wanted = fields.get("orderFilter")  # "Others: all kinds of orders by default"
        found = [one for one in rows if is_open(one)]
        if wanted is not None:
            found = [one for one in found if waits(one) is (wanted == "StopOrder")]
        return {"list": [bybit_rows.row(one) for one in found]}

    def _history(self, account: Account, kind: str, fields: Json, fault: Fault) -> Json:
        """As "Get Order History": a week, the newest first, in pages with a cursor to the next."""
        if _NAMES & fields.keys():
            named = self._matching(account, kind, fields, fault)
            return {"list": [bybit_rows.row(one) for one in named]}
        until_ms = int(fields.get("endTime", self.exchange.now_ms()))
        since_ms = int(fields.get("startTime", until_ms - _WEEK_MS))
        most = int(fields.get("limit", 20))
        if until_ms - since_ms > _WEEK_MS or most > _PAGE_MAX:
            raise Refused(Why.MALFORMED)
        found = self.placed(account, kind, since_ms, until_ms, 10**9)
        closed = [
            one
            for one in reversed(found)
            if not is_open(one) and bybit_rows.name(one.ticket.market) == fields["symbol"]
        ]
        first = int(fields.get("cursor") or 0)
        rows = [bybit_rows.row(one) for one in closed[first : first + most]]
        more = first + most < len(closed)
        return {"list": rows, "nextPageCursor": str(first + most) if more else ""}

    def _matching(self, account: Account, kind: str, fields: Json, fault: Fault) -> list[Order]:
        if not _NAMES & fields.keys():
            found = [one for one in self.listed(account, kind, only_open=False) if is_open(one)]
            return [one for one in found if _is_asked_for(one.ticket.market, fields)]
        named = str(fields.get("orderLinkId", "")), str(fields.get("orderId", ""))
        try:
            return [self.looked_up(account, *named, fault)]
        except Refused:
            return []

    def _executions(self, account: Account, kind: str, fields: Json) -> Json:
        rows = [
            bybit_rows.execution(order, trade)
            for order in self.listed(account, kind, only_open=False)
            if fields.get("orderId", str(order.id)) == str(order.id)
            for trade in self.listed_trades(order)
        ]
        return {"list": rows}

    # What an account has

    def _wallet(self, account: Account) -> Json:
        coins = []
        for currency in {*account.total, "USDT", *account.coins}:
            total = account.total.get(currency, Decimal(0))
            margin = account.coins.get(currency, Decimal(0))
            if currency == "USDT" and not total:
                margin = account.margin
            used = margin - self.exchange.free_margin(account, currency) if margin else Decimal(0)
            coins.append(
                {
                    "coin": currency,
                    "walletBalance": str(total + margin),
                    "locked": str(self.exchange.held(account, currency)),
                    "totalPositionIM": str(used),
                    "totalOrderIM": "0",
                }
            )
        return {"list": [{"accountType": "UNIFIED", "coin": coins}]}

    def _positions(self, account: Account, kind: str, fields: Json) -> Json:
        rows = []
        for (symbol, leg), held in account.positions.items():
            market = self.exchange.contract(symbol)
            if market.kind != kind or not _is_asked_for(market, fields):
                continue
            row = bybit_rows.position(market, leg, held, self.exchange.prices[symbol])
            row["leverage"] = str(account.leverage.get(symbol, 20))
            row["updatedTime"] = str(self.exchange.now_ms())
            rows.append(row)
        return {"list": rows}

    def _set_mode(self, account: Account, fields: Json) -> Json:
        self.exchange.set_mode(account, hedged=int(fields["mode"]) == _BOTH_SIDES)
        return {}

    def _set_leverage(self, account: Account, kind: str, fields: Json) -> Json:
        market = self.market(fields["symbol"], kind)
        account.leverage[market.symbol] = int(fields["buyLeverage"])
        return {}


def _stop_of(fields: Json) -> Stop | None:
    """As "Place Order": what has a trigger price waits for it, rising (1) or falling (2)."""
    if not fields.get("triggerPrice"):
        return None
    return Stop(
        level=Decimal(fields["triggerPrice"]),
        rises={1: True, 2: False}[int(fields["triggerDirection"])],
        by_mark=fields.get("triggerBy") == "MarkPrice",
    )


def _is_asked_for(market: Market, fields: Json) -> bool:
    """Tell whether a list names a market: by its symbol, or by what it settles in, or all."""
    named = fields.get("symbol", bybit_rows.name(market))
    settles = fields.get("settleCoin", market.margin)
    return (named, settles if market.kind != SPOT else market.margin) == (
        bybit_rows.name(market),
        market.margin,
    )
