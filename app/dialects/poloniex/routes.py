"""The routes of the Poloniex dialect, at the root of the host (docs/poloniex.md)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from app.bootstrap import Wiring
from app.dialects.poloniex import render_markets as render
from app.dialects.poloniex.account_routes import Accounts, KillSwitches, Trades
from app.dialects.poloniex.answers import answered
from app.dialects.poloniex.callers import Callers
from app.dialects.poloniex.market_routes import Markets
from app.dialects.poloniex.order_routes import OrderRoutes
from app.dialects.poloniex.plain_orders import PlainOrders
from app.dialects.poloniex.smart_orders import SmartOrders
from app.web.routes import Access, Route

#: Hummingbot has the same path with a slash, so this one must not answer to it.
_EXACT = frozenset({"/accounts"})

_Views = Mapping[tuple[str, str], Callable[..., object]]


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes: market data as open as there, and what must be signed."""
    return (*_rows(_public(wiring), Access.OPEN), *_rows(_signed(wiring), Access.CALLER))


def _rows(views: _Views, access: Access) -> Iterator[Route]:
    for (method, rule), view in views.items():
        is_exact = rule in _EXACT
        yield Route(method=method, rule=rule, view=answered(view), access=access, is_exact=is_exact)


def _public(wiring: Wiring) -> _Views:
    markets = Markets(wiring)
    return {
        ("GET", "/timestamp"): markets.timestamp,
        ("GET", "/currencies"): partial(markets.currencies, render.currency),
        ("GET", "/currencies/<code>"): partial(markets.currency, render.currency),
        ("GET", "/v2/currencies"): partial(markets.currencies, render.currency_v2),
        ("GET", "/v2/currencies/<code>"): partial(markets.currency, render.currency_v2),
        ("GET", "/v3/market/allInstruments"): markets.contracts,
        ("GET", "/markets"): markets.markets,
        ("GET", "/markets/price"): partial(markets.quoted, render.price),
        ("GET", "/markets/ticker24h"): partial(markets.quoted, render.ticker),
        ("GET", "/markets/<symbol>"): markets.market,
        ("GET", "/markets/<symbol>/price"): partial(markets.quoted_one, render.price),
        ("GET", "/markets/<symbol>/ticker24h"): partial(markets.quoted_one, render.ticker),
        ("GET", "/markets/<symbol>/orderBook"): markets.order_book,
        ("GET", "/markets/<symbol>/candles"): markets.candles,
        ("GET", "/markets/<symbol>/trades"): markets.trades,
    }


def _signed(wiring: Wiring) -> _Views:
    callers, plain = Callers(wiring), PlainOrders(wiring)
    orders, smart = OrderRoutes(callers, plain), OrderRoutes(callers, SmartOrders(wiring))
    accounts, kill_switches = Accounts(wiring, callers), KillSwitches(wiring, callers)
    trades = Trades(wiring, callers, plain)
    return {
        ("POST", "/smartorders"): smart.create,
        ("GET", "/smartorders"): smart.open,
        ("DELETE", "/smartorders"): smart.cancel_many,
        ("GET", "/smartorders/history"): smart.closed,
        ("DELETE", "/smartorders/cancelByIds"): smart.cancel_named,
        ("GET", "/smartorders/<order_id>"): smart.shown,
        ("PUT", "/smartorders/<order_id>"): smart.replace,
        ("DELETE", "/smartorders/<order_id>"): smart.cancel,
        ("POST", "/orders"): orders.create,
        ("GET", "/orders"): orders.open,
        ("DELETE", "/orders"): orders.cancel_many,
        ("POST", "/orders/batch"): orders.create_batch,
        ("GET", "/orders/history"): orders.closed,
        ("DELETE", "/orders/cancelByIds"): orders.cancel_named,
        ("POST", "/orders/killSwitch"): kill_switches.set,
        ("GET", "/orders/killSwitchStatus"): kill_switches.status,
        ("GET", "/orders/<order_id>"): orders.shown,
        ("PUT", "/orders/<order_id>"): orders.replace,
        ("DELETE", "/orders/<order_id>"): orders.cancel,
        ("GET", "/orders/<order_id>/trades"): trades.trades_of,
        ("GET", "/trades"): trades.trades,
        ("GET", "/accounts"): accounts.all,
        ("GET", "/accounts/balances"): accounts.balances,
        ("GET", "/accounts/<account_id>/balances"): accounts.balances_of,
        ("GET", "/feeinfo"): accounts.fees,
    }
