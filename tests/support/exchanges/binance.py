"""Binance's REST interface: spot (`/api/v3`), USDⓈ-M (`/fapi`) and COIN-M futures (`/dapi`).

As in the documents "Spot REST API", "USDⓈ-M Futures REST API" and "COIN-M Futures REST API" of
developers.binance.com, as far as ccxt asks for it. Stops of USDⓈ-M go by routes of their own ("New
Algo Order" and its like), where neither position nor margin is looked at before their price comes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from decimal import Decimal

from tests.support.exchanges import binance_rows
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
from tests.support.exchanges.stops import waits
from tests.support.exchanges.trading import Exchange

Json = dict[str, object]

_DAY_MS = 86_400_000

#: Why → (HTTP status, code, message), by market.
_SPOT_CODES = {
    Why.FUNDS: (400, -2010, "Account has insufficient balance for requested action."),
    Why.SYMBOL: (400, -1121, "Invalid symbol."),
    Why.HALTED: (400, -1122, "Invalid symbol status."),
    Why.LOT: (400, -1013, "Filter failure: LOT_SIZE"),
    Why.SIZE: (400, -1013, "Filter failure: MARKET_LOT_SIZE"),
    Why.TICK: (400, -1013, "Filter failure: PRICE_FILTER"),
    Why.TOO_HIGH: (400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Why.TOO_LOW: (400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Why.NOTIONAL: (400, -1013, "Filter failure: NOTIONAL"),
    Why.DUPLICATE: (400, -2010, "Duplicate order sent."),
    Why.NO_ORDER: (400, -2013, "Order does not exist."),
    Why.GONE: (400, -2011, "Unknown order sent."),
    Why.WOULD_TAKE: (400, -2010, "Order would immediately match and take."),
    Why.KEY: (401, -2015, "Invalid API-key, IP, or permissions for action."),
    Why.SIGNATURE: (400, -1022, "Signature for this request is not valid."),
    Why.CLOCK: (400, -1021, "Timestamp for this request is outside of the recvWindow."),
    Why.MALFORMED: (400, -1102, "Mandatory parameter was not sent."),
    Why.FORBIDDEN: (400, -2010, "This action is disabled on this account."),
    Why.HAS_RISEN: (400, -2010, "Stop price would trigger immediately."),
    Why.HAS_FALLEN: (400, -2010, "Stop price would trigger immediately."),
    Why.STOPS: (400, -1013, "Filter failure: MAX_NUM_ALGO_ORDERS"),
    Why.ELSEWHERE: (400, -2010, "Stop loss orders are not supported for this symbol."),
}
_LINEAR_CODES = {
    **_SPOT_CODES,
    Why.FUNDS: (400, -2019, "Margin is insufficient."),
    Why.HALTED: (400, -4108, "This contract is pending on settlement."),
    Why.LOT: (400, -1111, "Precision is over the maximum defined for this asset."),
    Why.SIZE: (400, -4005, "Quantity greater than max quantity."),
    Why.TICK: (400, -4014, "Price not increased by tick size."),
    Why.TOO_HIGH: (400, -4016, "Limit price can't be higher than 2100."),
    Why.TOO_LOW: (400, -4024, "Limit price can't be lower than 1900."),
    Why.NOTIONAL: (400, -4164, "Order's notional must be no smaller than 5."),
    Why.DUPLICATE: (400, -4116, "ClientOrderId is duplicated."),
    Why.REDUCE_ONLY: (400, -2022, "ReduceOnly Order is rejected."),
    Why.WOULD_TAKE: (400, -5022, "Due to the order could not be executed as maker."),
    Why.LEG: (400, -4061, "Order's position side does not match user's setting."),
    Why.MODE_IS_SET: (400, -4059, "No need to change position side."),
    Why.MODE_IN_USE: (400, -4067, "Position side cannot be changed if there exists open orders."),
    Why.HAS_RISEN: (400, -2021, "Order would immediately trigger."),
    Why.HAS_FALLEN: (400, -2021, "Order would immediately trigger."),
    Why.STOPS: (400, -4045, "Reach max stop order limit."),
    Why.ELSEWHERE: (400, -4120, "Order type not supported for this endpoint. Please use the Algo."),
}
_STOPS = {"STOP_MARKET", "TAKE_PROFIT_MARKET"}
#: Time in force, or type → what it comes to.
_TYPES = {"GTX": "LIMIT_MAKER", **dict.fromkeys(binance_rows.SPOT_STOPS, "MARKET")}
_ONE_ORDER = {"/api/v3/order", "/fapi/v1/order", "/dapi/v1/order", "/fapi/v1/algoOrder"}


#: Where each kind of market is; spot is everywhere else.
_KINDS = {"/fapi": LINEAR, "/dapi": INVERSE}

#: The most orders that one answer lists; of COIN-M as its newer documents have it.
_LISTED_MAX = {SPOT: 1_000, LINEAR: 1_000, INVERSE: 100}


class Binance(Dialect):
    """Binance as ccxt sees it. Weights are told in `X-MBX-USED-WEIGHT-1M`, as there."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        exchange.stops.apart = True

    def name(self, market: Market) -> str:
        return binance_rows.name(market)

    def call_of(self, request: Request) -> Call:
        if request.path in _ONE_ORDER:
            return {"POST": Call.PLACE, "DELETE": Call.CANCEL, "GET": Call.FIND}[request.method]
        if request.path.endswith(("/openOrders", "/openAlgoOrders")):
            return Call.LIST
        if request.path.endswith(("/account", "/balance", "/positionRisk")):
            return Call.VIEW
        return Call.OTHER

    def refusal(self, refused: Refused, request: Request) -> Answer:
        codes = _LINEAR_CODES if request.path[:5] in _KINDS else _SPOT_CODES
        status, code, message = codes.get(refused.why, (400, -1000, str(refused)))
        return Answer({"code": code, "msg": message}, status)

    def limit(self, retry_after_seconds: int) -> Answer:
        headers = {"Retry-After": str(retry_after_seconds)}
        return Answer({"code": -1003, "msg": "Too many requests."}, 429, headers)

    def ban(self, retry_after_seconds: int) -> Answer:
        until = self.exchange.now_ms() + retry_after_seconds * 1000
        message = f"Way too much request weight used; IP banned until {until}."
        headers = {"Retry-After": str(retry_after_seconds)}
        return Answer({"code": -1003, "msg": message}, 418, headers)

    def answer(self, request: Request, fault: Fault) -> Answer:
        kind = _KINDS.get(request.path[:5], SPOT)
        route = f"{request.method} {request.path.rsplit('/', 1)[1]}"
        public = self._public(kind, request.fields).get(route)
        if public is not None:
            return Answer(public())
        account, fields = self._signed(request)
        private = self._private(account, kind, fields, fault).get(route)
        if kind == LINEAR and private is None:
            private = self._of_stops(account, fields, fault).get(route)
        if private is None:
            raise Refused(Why.MALFORMED)
        return Answer(private())

    def _public(self, kind: str, fields: dict[str, str]) -> dict[str, Callable[[], object]]:
        return {
            "GET time": lambda: {"serverTime": self.exchange.now_ms()},
            "GET exchangeInfo": lambda: self._rules(kind),
            "GET 24hr": lambda: self._tickers(kind, fields, touch=kind == SPOT),
            "GET bookTicker": lambda: self._tickers(kind, fields, touch=True),
            "GET depth": lambda: self._depth(kind, fields),
        }

    def _private(
        self, account: Account, kind: str, fields: dict[str, str], fault: Fault
    ) -> dict[str, Callable[[], object]]:
        return {
            "POST order": lambda: self._place(account, kind, fields),
            "GET order": lambda: binance_rows.row(self._found(account, kind, fields, fault)),
            "DELETE order": lambda: self._cancel(account, kind, fields),
            "GET openOrders": lambda: self._open(account, kind, fields),
            "GET allOrders": lambda: self._open(account, kind, fields, only_open=False),
            "GET myTrades": lambda: self._trades(account, kind, fields),
            "GET userTrades": lambda: self._trades(account, kind, fields),
            "GET account": lambda: (
                self._spot_account(account)
                if kind == SPOT
                else self._futures_account(account, kind)
            ),
            "GET positionRisk": lambda: self._positions(account, kind),
            "GET leverageBracket": self._brackets,
            "POST leverage": lambda: self._set_leverage(account, kind, fields),
            "GET dual": lambda: {"dualSidePosition": account.hedged},
            "POST dual": lambda: self._set_mode(account, fields),
            "GET getall": lambda: [
                {"coin": code, "name": name, "networkList": []} for code, name in NAMES.items()
            ],
            "GET apiRestrictions": lambda: binance_rows.restrictions(account),
        }

    def _of_stops(
        self, account: Account, fields: dict[str, str], fault: Fault
    ) -> dict[str, Callable[[], object]]:
        return {
            "POST algoOrder": lambda: self._place_stop(account, fields),
            "GET algoOrder": lambda: self._row_of(account, self._stop(account, fields, fault)),
            "DELETE algoOrder": lambda: self._cancel_stop(account, fields),
            "GET openAlgoOrders": lambda: self._open_stops(account, fields),
            "GET allAlgoOrders": lambda: self._all_stops(account, fields),
        }

    def _brackets(self) -> list[Json]:
        one = {
            "bracket": 1,
            "initialLeverage": 75,
            "notionalCap": 10_000_000,
            "notionalFloor": 0,
            "maintMarginRatio": 0.0065,
            "cum": 0,
        }
        markets = self.exchange.of_kind(LINEAR)
        return [{"symbol": each.base + each.quote, "brackets": [one]} for each in markets]

    def _set_mode(self, account: Account, fields: dict[str, str]) -> Json:
        self.exchange.set_mode(account, hedged=fields["dualSidePosition"] == "true")
        return {"code": 200, "msg": "success"}

    def _set_leverage(self, account: Account, kind: str, fields: dict[str, str]) -> Json:
        market = self.market(fields["symbol"], kind)
        account.leverage[market.symbol] = int(fields["leverage"])
        return {"symbol": fields["symbol"], "leverage": fields["leverage"]}

    # Who asks

    def _signed(self, request: Request) -> tuple[Account, dict[str, str]]:
        account = self.exchange.accounts.get(request.headers.get("x-mbx-apikey", ""))
        if account is None:
            raise Refused(Why.KEY)
        text = request.query or request.body.decode()
        signed, _, signature = text.rpartition("&signature=")
        digest = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if signature != digest:
            raise Refused(Why.SIGNATURE)
        fields = request.fields if request.query else request.form
        ahead = self.exchange.now_ms() - int(fields["timestamp"])
        if ahead > int(fields.get("recvWindow", 5000)) or ahead < -1000:
            raise Refused(Why.CLOCK)
        return account, fields

    # What is traded

    def _rules(self, kind: str) -> Json:
        return {
            "timezone": "UTC",
            "serverTime": self.exchange.now_ms(),
            "rateLimits": [],
            "symbols": [binance_rows.rule(one) for one in self.exchange.of_kind(kind)],
        }

    def _tickers(self, kind: str, fields: dict[str, str], *, touch: bool) -> object:
        told_ms = self.exchange.now_ms() - self.plan.price_age_ms
        rows = [
            binance_rows.ticker(market, self._prices(market), told_ms, touch)
            for market in self.exchange.of_kind(kind)
            if market.symbol in self.exchange.prices
        ]
        if "symbol" not in fields:
            return rows
        wanted = [row for row in rows if row["symbol"] == fields["symbol"]]
        if not wanted:
            raise Refused(Why.SYMBOL)
        return wanted if kind == INVERSE else wanted[0]  # of COIN-M it is a list always

    def _prices(self, market: Market) -> tuple[Decimal, Decimal, Decimal]:
        return (self.exchange.prices[market.symbol], *self.exchange.touch(market.symbol))

    def _depth(self, kind: str, fields: dict[str, str]) -> Json:
        symbol, now_ms = self.market(fields.get("symbol", ""), kind).symbol, self.exchange.now_ms()
        sides = {
            "bids": self.exchange.offered(symbol, "SELL"),
            "asks": self.exchange.offered(symbol, "BUY"),
        }
        return {"lastUpdateId": now_ms, "E": now_ms, "T": now_ms, **sides}

    # Orders

    def _place(self, account: Account, kind: str, fields: dict[str, str]) -> Json:
        if fields["type"] in _STOPS and kind == LINEAR:
            raise Refused(Why.ELSEWHERE)
        budget, market = fields.get("quoteOrderQty"), self.market(fields.get("symbol", ""), kind)
        ticket = Ticket(
            client_id=fields["newClientOrderId"],
            market=market,
            side=fields["side"],
            type=_TYPES.get(fields.get("timeInForce", fields["type"]), fields["type"]),
            time_in_force=fields.get("timeInForce", "GTC"),
            quantity=Decimal(fields.get("quantity", "0")),
            budget=None if budget is None else Decimal(budget),
            price=Decimal(fields["price"]) if "price" in fields else None,
            leg=fields.get("positionSide", "BOTH"),
            reduce_only=fields.get("reduceOnly", "").lower() == "true",
            stop=_stop_of(market, fields),
        )
        order = self.exchange.place(account, ticket)
        row = binance_rows.row(order)
        if kind == SPOT:
            row["fills"] = [binance_rows.fill(one) for one in self.listed_trades(order)]
        return row

    def _found(self, account: Account, kind: str, fields: dict[str, str], fault: Fault) -> Order:
        market = self.market(fields.get("symbol", ""), kind)
        client_id, venue_id = fields.get("origClientOrderId", ""), fields.get("orderId", "")
        if client_id and "order" in self.plan.hides:
            raise Refused(Why.NO_ORDER)
        order = self.looked_up(account, client_id, venue_id, fault)
        if order.ticket.market != market:
            raise Refused(Why.NO_ORDER)
        return order

    def _cancel(self, account: Account, kind: str, fields: dict[str, str]) -> Json:
        try:
            order = self._found(account, kind, fields, Fault.OK)
        except Refused as refused:
            raise Refused(Why.GONE) from refused
        row = binance_rows.row(self.exchange.cancel(account, order))
        # As there: the answer names the cancel by an id of its own.
        return {**row, "origClientOrderId": row["clientOrderId"], "clientOrderId": f"x{order.id}"}

    def _open(
        self, account: Account, kind: str, fields: dict[str, str], *, only_open: bool = True
    ) -> list[Json]:
        if ("openOrders" if only_open else "allOrders") in self.plan.hides:
            return []
        orders = (
            self.listed(account, kind) if only_open else self._all_orders(account, kind, fields)
        )
        if "symbol" in fields:
            market = self.market(fields.get("symbol", ""), kind)
            orders = [one for one in orders if one.ticket.market == market]
        return [binance_rows.row(one) for one in orders]

    def _all_orders(self, account: Account, kind: str, fields: dict[str, str]) -> list[Order]:
        """As "All Orders": the newest, or the oldest of a day of spot, of a week of futures."""
        most, now_ms = int(fields.get("limit", 500)), self.exchange.now_ms()
        most = min(most, _LISTED_MAX[kind])
        span_ms = _DAY_MS if kind == SPOT else 7 * _DAY_MS
        if "startTime" not in fields:
            since_ms = 0 if kind == SPOT else now_ms - span_ms
            return self.placed(account, kind, since_ms, now_ms, 10**9)[-most:]
        since_ms = int(fields["startTime"])
        until_ms = int(fields.get("endTime", since_ms + span_ms))
        if until_ms - since_ms > span_ms:
            raise Refused(Why.MALFORMED)
        return self.placed(account, kind, since_ms, until_ms, most)

    def _trades(self, account: Account, kind: str, fields: dict[str, str]) -> list[Json]:
        market = self.market(fields.get("symbol", ""), kind)
        if "myTrades" in self.plan.hides:
            return []
        return [
            binance_rows.trade(order, trade)
            for order in self.listed(account, kind, only_open=False)
            if order.ticket.market == market
            and fields.get("orderId", str(order.id)) == str(order.id)
            for trade in self.listed_trades(order)
        ]

    # Stops

    def _place_stop(self, account: Account, fields: dict[str, str]) -> Json:
        kind, leg = fields["type"], fields.get("positionSide", "BOTH")
        has_legs = leg != "BOTH"
        if fields["algoType"] != "CONDITIONAL" or kind not in _STOPS:
            raise Refused(Why.MALFORMED)
        if has_legs and "reduceOnly" in fields:
            raise Refused(Why.MALFORMED)  # "cannot be sent in Hedge Mode"
        stop = Stop(
            level=Decimal(fields["triggerPrice"]),
            rises=(kind == "STOP_MARKET") is (fields["side"] == "BUY"),
            by_mark=fields.get("workingType") == "MARK_PRICE",
        )
        ticket = Ticket(
            client_id=fields["clientAlgoId"],
            market=self.market(fields.get("symbol", ""), LINEAR),
            side=fields["side"],
            type="MARKET",
            quantity=Decimal(fields["quantity"]),
            leg=leg,
            reduce_only=fields.get("reduceOnly", "").lower() == "true",
            stop=stop,
        )
        order = self.exchange.place(account, ticket)
        return binance_rows.stop(order, None)

    def _row_of(self, account: Account, stop: Order) -> Json:
        made = self.exchange.stops.made_of(account, stop)
        return {**binance_rows.stop(stop, made), **binance_rows.made_of(stop, made)}

    def _stop(self, account: Account, fields: dict[str, str], fault: Fault) -> Order:
        client_id, venue_id = fields.get("clientAlgoId", ""), fields.get("algoId", "")
        stop = self.exchange.stops.find(account, client_id, venue_id)
        is_kept_back = client_id and "algoOrder" in self.plan.hides
        if fault is Fault.NOT_FOUND or is_kept_back or self.is_hidden(stop):
            raise Refused(Why.NO_ORDER)
        return stop

    def _cancel_stop(self, account: Account, fields: dict[str, str]) -> Json:
        try:
            stop = self._stop(account, fields, Fault.OK)
        except Refused as refused:
            raise Refused(Why.GONE) from refused
        self.exchange.stops.cancel(account, stop)
        named = {"algoId": stop.id, "clientAlgoId": stop.ticket.client_id}
        return {**named, "code": "200", "msg": "success"}

    def _open_stops(self, account: Account, fields: dict[str, str]) -> list[Json]:
        if "openAlgoOrders" in self.plan.hides:
            return []
        told, all_of_them = self._told(account, fields), self.exchange.stops.lists_fired
        listed = [one for one in told if waits(one) or (all_of_them and one.made)]
        return [self._row_of(account, one) for one in listed]

    def _all_stops(self, account: Account, fields: dict[str, str]) -> list[Json]:
        """As "Query All Algo Orders": of a week at most, the oldest first."""
        if "allAlgoOrders" in self.plan.hides:
            return []
        now_ms = self.exchange.now_ms()
        since_ms = int(fields.get("startTime", now_ms - 7 * _DAY_MS))
        until_ms = int(fields.get("endTime", now_ms))
        if until_ms - since_ms > 7 * _DAY_MS:
            raise Refused(Why.MALFORMED)
        told = self._told(account, {"symbol": fields["symbol"]})
        found = [one for one in told if since_ms <= one.created_ms <= until_ms]
        most = min(int(fields.get("limit", 500)), _LISTED_MAX[LINEAR])
        found = found[:most] if "startTime" in fields else found[-most:]
        return [self._row_of(account, one) for one in found]

    def _told(self, account: Account, fields: dict[str, str]) -> list[Order]:
        stops = [one for one in account.stops if not self.is_hidden(one)]
        if "symbol" not in fields:
            return stops
        market = self.market(fields["symbol"], LINEAR)
        return [one for one in stops if one.ticket.market == market]

    # What an account has

    def _spot_account(self, account: Account) -> Json:
        return {
            "canTrade": True,
            "canWithdraw": account.can_withdraw,
            "accountType": "SPOT",
            "updateTime": self.exchange.now_ms(),
            "balances": [
                {
                    "asset": currency,
                    "free": str(self.exchange.free(account, currency)),
                    "locked": str(self.exchange.held(account, currency)),
                }
                for currency in account.total
            ],
            "permissions": ["SPOT"],
        }

    def _futures_account(self, account: Account, kind: str) -> Json:
        coins = sorted({one.margin for one in self.exchange.of_kind(kind)})
        return {
            "assets": [self._asset(account, one) for one in coins],
            "positions": [],
            "canTrade": True,
        }

    def _asset(self, account: Account, currency: str) -> Json:
        there = self.exchange.wallet(account, currency)
        free = self.exchange.free_margin(account, currency)
        return {
            "asset": currency,
            "walletBalance": str(there),
            "marginBalance": str(there),
            "initialMargin": str(there - free),
            "availableBalance": str(free),
            "updateTime": self.exchange.now_ms(),
        }

    def _positions(self, account: Account, kind: str) -> list[Json]:
        return [
            {
                **binance_rows.position(market, leg, held, self.exchange.prices[symbol]),
                "updateTime": self.exchange.now_ms(),
            }
            for (symbol, leg), held in account.positions.items()
            if (market := self.exchange.contract(symbol)).kind == kind
        ]


def _stop_of(market: Market, fields: dict[str, str]) -> Stop | None:
    """Return what a spot order waits for ("New order", STOP_LOSS and TAKE_PROFIT), if it does."""
    kind = fields["type"]
    if kind not in binance_rows.SPOT_STOPS or market.kind != SPOT:
        return None
    if not market.holds_stops:
        raise Refused(Why.ELSEWHERE)
    if {"price", "timeInForce", "workingType"} & fields.keys():
        raise Refused(Why.MALFORMED)  # "Parameter sent when not required"
    rises = (kind == "STOP_LOSS") is (fields["side"] == "BUY")
    return Stop(level=Decimal(fields["stopPrice"]), rises=rises)
