"""The routes of the Poloniex dialect, at the root of the host (docs/poloniex.md)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from app.bootstrap import Wiring
from app.dialects.poloniex import render_markets as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.account_routes import Accounts, KillSwitches, Trades
from app.dialects.poloniex.callers import Callers
from app.dialects.poloniex.market_routes import Markets
from app.dialects.poloniex.order_routes import OrderRoutes
from app.dialects.poloniex.plain_orders import PlainOrders
from app.dialects.poloniex.smart_orders import SmartOrders
from app.domain.order import Order
from app.web.answers import Answer, good
from app.web.routes import Access, Route, Shape, View

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


#: Nearly all of them.
_get: Final = partial(Route, "GET")


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes: market data as open as there, and what must be signed."""
    callers, plain = Callers(wiring), PlainOrders(wiring)
    orders, smart = OrderRoutes(callers, plain), OrderRoutes(callers, SmartOrders(wiring))
    signed = (
        *_orders("/smartorders", "a smart order", smart),
        *_orders("/orders", "an order", orders),
        *_more_orders(orders, Trades(wiring, callers, plain)),
        *_account(Accounts(wiring, callers), KillSwitches(wiring, callers)),
    )
    return [
        *(_row(route, Access.OPEN) for route in _public(Markets(wiring))),
        *(_row(replace(route, answers=_SIGNED), Access.CALLER) for route in signed),
    ]


def _row(route: Route, access: Access) -> Route:
    is_exact = route.rule in _EXACT
    return replace(route, view=_answered(route.view), access=access, is_exact=is_exact)


def _answered(view: View) -> Callable[..., Answer]:
    """Return a view that answers 200 with what `view` returns; the SDK takes nothing else."""
    return lambda **arguments: good(view(**arguments))


def _public(markets: Markets) -> Sequence[Route]:
    all_currencies, one_currency = markets.currencies, markets.currency
    quoted, quoted_one = markets.quoted, markets.quoted_one
    return (
        _get("/timestamp", markets.timestamp, "The time.", answer=_object(serverTime=_WHOLE)),
        _get("/currencies", partial(all_currencies, render.currency), "All currencies."),
        _get("/currencies/<code>", partial(one_currency, render.currency), "One currency."),
        _get("/v2/currencies", partial(all_currencies, render.currency_v2), "All currencies."),
        _get("/v2/currencies/<code>", partial(one_currency, render.currency_v2), "One currency."),
        _get("/v3/market/allInstruments", markets.contracts, "Futures: none."),
        _get("/markets", markets.markets, "The rules of all pairs."),
        _get("/markets/price", partial(quoted, render.price), "The last prices of all pairs."),
        _get(
            "/markets/ticker24h", partial(quoted, render.ticker), "The last 24 hours of all pairs."
        ),
        _get("/markets/<symbol>", markets.market, "The rules of one pair."),
        _get(
            "/markets/<symbol>/price",
            partial(quoted_one, render.price),
            "The last price of one pair.",
        ),
        _get(
            "/markets/<symbol>/ticker24h",
            partial(quoted_one, render.ticker),
            "The last 24 hours of one pair.",
        ),
        _get("/markets/<symbol>/orderBook", markets.order_book, "The book.", query=schemas.BOOK),
        _get("/markets/<symbol>/candles", markets.candles, "Candles.", query=schemas.CANDLES),
        _get(
            "/markets/<symbol>/trades",
            markets.trades,
            "What was traded.",
            query=schemas.PUBLIC_TRADES,
        ),
    )


def _orders(path: str, one: str, orders: OrderRoutes[Any]) -> Sequence[Route]:
    """Return what there is alike for plain orders and for smart orders.

    Args:
        path: of all of them.
        one: what one of them is called.
        orders: answers.
    """
    kind, by_id, results = orders.kind, f"{path}/<order_id>", _array(_RESULT)
    many = f"{one.partition(' ')[2]}s"
    return (
        Route("POST", path, orders.create, f"Create {one}.", body=kind.body, answer=_ID_PAIR),
        _get(path, orders.open, f"The {many} that are not over.", query=kind.open_list),
        Route(
            "DELETE",
            path,
            orders.cancel_many,
            f"Cancel all {many} of this dialect, or some.",
            body=kind.described,
            answer=results,
        ),
        _get(
            f"{path}/history", orders.closed, f"The {many} that are over.", query=kind.closed_list
        ),
        Route(
            "DELETE",
            f"{path}/cancelByIds",
            orders.cancel_named,
            f"Cancel {many} by their ids.",
            body=schemas.NAMED,
            answer=results,
        ),
        _get(by_id, orders.shown, f"Show {one}; a smart order with the order that it has placed."),
        Route(
            "PUT",
            by_id,
            orders.replace,
            f"Cancel {one} and create another in its place.",
            body=kind.amendment,
            answer=_ID_PAIR,
        ),
        Route("DELETE", by_id, orders.cancel, f"Cancel {one}.", answer=_RESULT),
    )


def _more_orders(orders: OrderRoutes[Order], trades: Trades) -> Sequence[Route]:
    """Return what there is for plain orders only."""
    batch = _array(schemas.PLAIN_ORDER)
    return (
        Route("POST", "/orders/batch", orders.create_batch, "Create up to 20 orders.", body=batch),
        _get("/orders/<order_id>/trades", trades.trades_of, "The trades of one order."),
        _get("/trades", trades.trades, "The trades of the account.", query=schemas.TRADE_LIST),
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
        _get(
            "/orders/killSwitchStatus",
            kill_switches.status,
            "When the kill switch cancels.",
            answer=_KILL_STATUS,
        ),
        _get("/accounts", accounts.all, "The account of the key."),
        _get(
            "/accounts/balances",
            accounts.balances,
            "What the account has.",
            query=schemas.ACCOUNT,
            answer=_BALANCES,
        ),
        _get(
            "/accounts/<account_id>/balances",
            accounts.balances_of,
            "The same.",
            query=schemas.ACCOUNT,
            answer=_BALANCES,
        ),
        _get("/feeinfo", accounts.fees, "The fees of the account."),
    )
