"""The routes of the Poloniex dialect, at the root of the host (docs/poloniex.md)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Final

from app.bootstrap import Wiring
from app.dialects.poloniex import render_markets as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.account_routes import AccountRoutes
from app.dialects.poloniex.callers import Callers
from app.dialects.poloniex.market_routes import Markets
from app.dialects.poloniex.order_routes import OrderRoutes
from app.dialects.poloniex.plain_orders import PlainOrders
from app.dialects.poloniex.smart_orders import SmartOrders
from app.web.answers import good
from app.web.routes import Access, Route, View

#: Credentials are in headers of their own.
_SIGNED: Final = {
    200: "As asked. Errors are `code` and `message`.",
    400: "Refused, or signed at another time; `code` says which.",
    401: "Key or signature.",
}

#: Nearly all of them.
_get: Final = partial(Route, "GET")


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes: market data as open as there, and what must be signed."""
    callers = Callers(wiring)
    orders, smart = PlainOrders(wiring, callers), SmartOrders(wiring, callers)
    accounts = AccountRoutes(wiring, callers, orders)
    signed = (
        *_orders("/smartorders", smart),
        *_orders("/orders", orders),
        *_account(orders, accounts),
    )
    return [
        *(_row(route, Access.OPEN) for route in _public(Markets(wiring, callers))),
        *(_row(replace(route, answers=_SIGNED), Access.CALLER) for route in signed),
    ]


def _row(route: Route, access: Access) -> Route:
    # Hummingbot has this one path with a slash, so this one must not answer to it.
    is_exact = route.rule == "/accounts"
    return replace(route, view=_answered(route.view), access=access, is_exact=is_exact)


def _answered(view: View) -> View:
    """Return a view that answers 200 with what `view` returns; the SDK takes nothing else."""
    return wraps(view)(lambda **arguments: good(view(**arguments)))


def _public(markets: Markets) -> Sequence[Route]:
    all_currencies, one_currency = markets.currencies, markets.currency
    quoted, quoted_one = markets.quoted, markets.quoted_one
    one = "/markets/<symbol>"
    looked_up = (
        _get("/currencies", partial(all_currencies, render.currency), "All currencies."),
        _get("/currencies/<code>", partial(one_currency, render.currency), "One currency."),
        _get("/v2/currencies", partial(all_currencies, render.currency_v2), "All currencies."),
        _get("/v2/currencies/<code>", partial(one_currency, render.currency_v2), "One currency."),
        _get("/markets", markets.markets),
        _get("/markets/price", partial(quoted, render.price), "The last prices of all pairs."),
        _get(
            "/markets/ticker24h", partial(quoted, render.ticker), "The last 24 hours of all pairs."
        ),
        _get(one, markets.market),
        _get(f"{one}/price", partial(quoted_one, render.price), "The last price of one pair."),
        _get(
            f"{one}/ticker24h", partial(quoted_one, render.ticker), "The last 24 hours of one pair."
        ),
        _get(f"{one}/orderBook", markets.order_book, query=schemas.BOOK),
        _get(f"{one}/candles", markets.candles, query=schemas.CANDLES),
        _get(f"{one}/trades", markets.trades, query=schemas.PUBLIC_TRADES),
    )
    return (
        _get("/timestamp", markets.timestamp),
        _get("/v3/market/allInstruments", markets.contracts),
        *(_remembered(route, markets) for route in looked_up),
    )


def _remembered(route: Route, markets: Markets) -> Route:
    return replace(route, view=markets.remembered(route.view))


def _orders(path: str, orders: OrderRoutes[Any]) -> Sequence[Route]:
    """Return what there is alike for plain orders and for smart orders, under one path."""
    by_id = f"{path}/<order_id>"
    return (
        Route("POST", path, orders.create, body=orders.body),
        _get(path, orders.open, query=orders.open_list),
        Route("DELETE", path, orders.cancel_many, body=orders.described),
        _get(f"{path}/history", orders.closed, query=orders.closed_list),
        Route("DELETE", f"{path}/cancelByIds", orders.cancel_named, body=schemas.NAMED),
        _get(by_id, orders.shown),
        Route("PUT", by_id, orders.replace, body=orders.amendment),
        Route("DELETE", by_id, orders.cancel),
    )


def _account(orders: PlainOrders, accounts: AccountRoutes) -> Sequence[Route]:
    """Return what there is for plain orders only, and for the account."""
    batch = {"type": "array", "items": schemas.PLAIN_ORDER}
    kill_switch, one = "/orders/killSwitch", "/accounts/<account_id>/balances"
    purpose = "Cancel everything after a time, unless it is set again."
    return (
        Route("POST", "/orders/batch", orders.create_batch, "Create up to 20 orders.", body=batch),
        _get("/orders/<order_id>/trades", accounts.trades_of),
        _get("/trades", accounts.trades, query=schemas.TRADE_LIST),
        Route("POST", kill_switch, accounts.set_kill_switch, purpose, body=schemas.KILL_SWITCH),
        _get(f"{kill_switch}Status", accounts.kill_switch, "When the kill switch cancels."),
        _get("/accounts", accounts.all),
        _get(
            "/accounts/balances",
            accounts.balances,
            "Return what the account has.",
            query=schemas.ACCOUNT,
        ),
        _get(one, accounts.balances, query=schemas.ACCOUNT),
        _get("/feeinfo", accounts.fees),
    )
