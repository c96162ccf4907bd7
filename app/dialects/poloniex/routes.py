"""The routes of the Poloniex dialect, at the root of the host (docs/poloniex.md)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from app.bootstrap import Wiring
from app.dialects.poloniex import render_markets as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.account_routes import Accounts, KillSwitches, Trades
from app.dialects.poloniex.answers import answered
from app.dialects.poloniex.callers import Callers
from app.dialects.poloniex.market_routes import Markets
from app.dialects.poloniex.order_routes import OrderRoutes
from app.dialects.poloniex.plain_orders import PlainOrders
from app.dialects.poloniex.smart_orders import SmartOrders
from app.web.routes import Access, Route, Shape

_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer"}


def _object(**properties: Shape) -> Shape:
    return {"type": "object", "properties": properties}


def _array(items: Shape) -> Shape:
    return {"type": "array", "items": items}


_ID_PAIR: Final = _object(id=_TEXT, clientOrderId=_TEXT)
_RESULT: Final = _object(
    orderId=_TEXT, clientOrderId=_TEXT, state=_TEXT, code=_WHOLE, message=_TEXT
)
_KILL_STATUS: Final = _object(startTime=_WHOLE, cancellationTime=_WHOLE)
_BALANCES: Final = _array(
    _object(
        accountId=_TEXT,
        accountType=_TEXT,
        balances=_array(_object(currencyId=_TEXT, currency=_TEXT, available=_TEXT, hold=_TEXT)),
    )
)

#: Credentials are in headers of their own.
_SIGNED: Final = {
    200: "As asked. Errors are `code` and `message`.",
    400: "Refused, or signed at another time; `code` says which.",
    401: "Key or signature.",
}

#: Hummingbot has the same path with a slash, so this one must not answer to it.
_EXACT: Final = frozenset({"/accounts"})


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes: market data as open as there, and what must be signed."""
    callers, plain = Callers(wiring), PlainOrders(wiring)
    signed = (
        *_smart_orders(OrderRoutes(callers, SmartOrders(wiring))),
        *_orders(OrderRoutes(callers, plain), Trades(wiring, callers, plain)),
        *_account(Accounts(wiring, callers), KillSwitches(wiring, callers)),
    )
    return [
        *(_row(route, Access.OPEN) for route in _public(Markets(wiring))),
        *(_row(replace(route, answers=_SIGNED), Access.CALLER) for route in signed),
    ]


def _row(route: Route, access: Access) -> Route:
    is_exact = route.rule in _EXACT
    return replace(route, view=answered(route.view), access=access, is_exact=is_exact)


def _public(markets: Markets) -> Sequence[Route]:
    return (
        Route(
            "GET", "/timestamp", markets.timestamp, "The time.", answer=_object(serverTime=_WHOLE)
        ),
        Route(
            "GET", "/currencies", partial(markets.currencies, render.currency), "All currencies."
        ),
        Route(
            "GET", "/currencies/<code>", partial(markets.currency, render.currency), "One currency."
        ),
        Route(
            "GET",
            "/v2/currencies",
            partial(markets.currencies, render.currency_v2),
            "All currencies.",
        ),
        Route(
            "GET",
            "/v2/currencies/<code>",
            partial(markets.currency, render.currency_v2),
            "One currency.",
        ),
        Route("GET", "/v3/market/allInstruments", markets.contracts, "Futures: none."),
        Route("GET", "/markets", markets.markets, "The rules of all pairs."),
        Route(
            "GET",
            "/markets/price",
            partial(markets.quoted, render.price),
            "The last prices of all pairs.",
        ),
        Route(
            "GET",
            "/markets/ticker24h",
            partial(markets.quoted, render.ticker),
            "The last 24 hours of all pairs.",
        ),
        Route("GET", "/markets/<symbol>", markets.market, "The rules of one pair."),
        Route(
            "GET",
            "/markets/<symbol>/price",
            partial(markets.quoted_one, render.price),
            "The last price of one pair.",
        ),
        Route(
            "GET",
            "/markets/<symbol>/ticker24h",
            partial(markets.quoted_one, render.ticker),
            "The last 24 hours of one pair.",
        ),
        Route(
            "GET",
            "/markets/<symbol>/orderBook",
            markets.order_book,
            "The book.",
            query=schemas.BOOK,
        ),
        Route(
            "GET", "/markets/<symbol>/candles", markets.candles, "Candles.", query=schemas.CANDLES
        ),
        Route(
            "GET",
            "/markets/<symbol>/trades",
            markets.trades,
            "What was traded.",
            query=schemas.PUBLIC_TRADES,
        ),
    )


def _smart_orders(smart: OrderRoutes[Any]) -> Sequence[Route]:
    return (
        Route(
            "POST",
            "/smartorders",
            smart.create,
            "Create a smart order.",
            body=schemas.SMART_ORDER,
            answer=_ID_PAIR,
        ),
        Route(
            "GET",
            "/smartorders",
            smart.open,
            "Smart orders that wait.",
            query=schemas.OPEN_SMART_LIST,
        ),
        Route(
            "DELETE",
            "/smartorders",
            smart.cancel_many,
            "Cancel all smart orders that wait, or some.",
            body=schemas.SMART_DESCRIBED,
            answer=_array(_RESULT),
        ),
        Route(
            "GET",
            "/smartorders/history",
            smart.closed,
            "Smart orders that wait no more.",
            query=schemas.CLOSED_SMART_LIST,
        ),
        Route(
            "DELETE",
            "/smartorders/cancelByIds",
            smart.cancel_named,
            "Cancel smart orders by their ids.",
            body=schemas.NAMED,
            answer=_array(_RESULT),
        ),
        Route(
            "GET",
            "/smartorders/<order_id>",
            smart.shown,
            "One smart order, with the order it placed.",
        ),
        Route(
            "PUT",
            "/smartorders/<order_id>",
            smart.replace,
            "Cancel a smart order and create another in its place.",
            body=schemas.SMART_AMENDMENT,
            answer=_ID_PAIR,
        ),
        Route(
            "DELETE",
            "/smartorders/<order_id>",
            smart.cancel,
            "Cancel a smart order.",
            answer=_RESULT,
        ),
    )


def _orders(orders: OrderRoutes[Any], trades: Trades) -> Sequence[Route]:
    return (
        Route(
            "POST",
            "/orders",
            orders.create,
            "Create an order.",
            body=schemas.PLAIN_ORDER,
            answer=_ID_PAIR,
        ),
        Route(
            "GET", "/orders", orders.open, "Orders that are not closed.", query=schemas.OPEN_LIST
        ),
        Route(
            "DELETE",
            "/orders",
            orders.cancel_many,
            "Cancel all orders of this dialect, or some.",
            body=schemas.DESCRIBED,
            answer=_array(_RESULT),
        ),
        Route(
            "POST",
            "/orders/batch",
            orders.create_batch,
            "Create up to 20 orders.",
            body=_array(schemas.PLAIN_ORDER),
        ),
        Route(
            "GET",
            "/orders/history",
            orders.closed,
            "Orders that are closed.",
            query=schemas.CLOSED_LIST,
        ),
        Route(
            "DELETE",
            "/orders/cancelByIds",
            orders.cancel_named,
            "Cancel orders by their ids.",
            body=schemas.NAMED,
            answer=_array(_RESULT),
        ),
        Route("GET", "/orders/<order_id>", orders.shown, "One order."),
        Route(
            "PUT",
            "/orders/<order_id>",
            orders.replace,
            "Cancel an order and create another in its place.",
            body=schemas.AMENDMENT,
            answer=_ID_PAIR,
        ),
        Route("DELETE", "/orders/<order_id>", orders.cancel, "Cancel an order.", answer=_RESULT),
        Route("GET", "/orders/<order_id>/trades", trades.trades_of, "The trades of one order."),
        Route(
            "GET", "/trades", trades.trades, "The trades of the account.", query=schemas.TRADE_LIST
        ),
    )


def _account(accounts: Accounts, kill_switches: KillSwitches) -> Sequence[Route]:
    return (
        Route(
            "POST",
            "/orders/killSwitch",
            kill_switches.set,
            "Cancel everything after a time, unless it is set again.",
            body=schemas.KILL_SWITCH,
            answer=_KILL_STATUS,
        ),
        Route(
            "GET",
            "/orders/killSwitchStatus",
            kill_switches.status,
            "When the kill switch cancels.",
            answer=_KILL_STATUS,
        ),
        Route("GET", "/accounts", accounts.all, "The account of the key."),
        Route(
            "GET",
            "/accounts/balances",
            accounts.balances,
            "What the account has.",
            query=schemas.ACCOUNT,
            answer=_BALANCES,
        ),
        Route(
            "GET",
            "/accounts/<account_id>/balances",
            accounts.balances_of,
            "The same.",
            query=schemas.ACCOUNT,
            answer=_BALANCES,
        ),
        Route("GET", "/feeinfo", accounts.fees, "The fees of the account."),
    )
