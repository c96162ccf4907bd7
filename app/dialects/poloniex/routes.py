"""The routes of the Poloniex dialect, at the root of the host (docs/poloniex.md)."""

from collections.abc import Callable, Mapping

from flask import Blueprint

from app.bootstrap import Wiring
from app.dialects.poloniex.account_routes import Accounts
from app.dialects.poloniex.answers import answered, error_answer
from app.dialects.poloniex.callers import Callers
from app.dialects.poloniex.finding import Finder
from app.dialects.poloniex.kill_switch_routes import KillSwitches
from app.dialects.poloniex.market_routes import Markets
from app.dialects.poloniex.order_lists import OrderLists
from app.dialects.poloniex.order_routes import Orders
from app.dialects.poloniex.smart_lists import SmartLists
from app.dialects.poloniex.smart_order_routes import SmartOrders
from app.domain.enums import Dialect
from app.domain.errors import HookfillError

View = Callable[..., object]

#: Hummingbot has the same path with a slash, so this one must not answer to it.
_STRICT = frozenset({"/accounts"})


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes. Nothing redirects, since a client signs the path that it has asked for."""
    routes = Blueprint(Dialect.POLONIEX, __name__)
    views = {**_public(wiring), **_signed(wiring)}
    for (method, rule), view in views.items():
        routes.add_url_rule(
            rule,
            f"{method} {rule}".replace(".", " "),
            answered(view),
            methods=[method],
            strict_slashes=rule in _STRICT,
        )
    routes.register_error_handler(HookfillError, error_answer)
    return routes


def _public(wiring: Wiring) -> Mapping[tuple[str, str], View]:
    markets = Markets(wiring)
    return {
        ("GET", "/timestamp"): markets.timestamp,
        ("GET", "/currencies"): markets.currencies,
        ("GET", "/currencies/<code>"): markets.currency,
        ("GET", "/v2/currencies"): markets.currencies_v2,
        ("GET", "/v2/currencies/<code>"): markets.currency_v2,
        ("GET", "/v3/market/allInstruments"): markets.contracts,
        ("GET", "/markets"): markets.markets,
        ("GET", "/markets/price"): markets.prices,
        ("GET", "/markets/ticker24h"): markets.tickers,
        ("GET", "/markets/<symbol>"): markets.market,
        ("GET", "/markets/<symbol>/price"): markets.price,
        ("GET", "/markets/<symbol>/ticker24h"): markets.ticker,
        ("GET", "/markets/<symbol>/orderBook"): markets.order_book,
        ("GET", "/markets/<symbol>/candles"): markets.candles,
        ("GET", "/markets/<symbol>/trades"): markets.trades,
    }


def _signed(wiring: Wiring) -> Mapping[tuple[str, str], View]:
    callers, finder = Callers(wiring), Finder(wiring)
    smart, smart_lists = SmartOrders(wiring, callers, finder), SmartLists(wiring, callers, finder)
    orders, order_lists = Orders(wiring, callers, finder), OrderLists(wiring, callers, finder)
    accounts, kill_switches = Accounts(wiring, callers), KillSwitches(wiring, callers)
    return {
        ("POST", "/smartorders"): smart.create,
        ("GET", "/smartorders"): smart_lists.waiting,
        ("DELETE", "/smartorders"): smart.cancel_many,
        ("GET", "/smartorders/history"): smart_lists.ended,
        ("DELETE", "/smartorders/cancelByIds"): smart.cancel_named,
        ("GET", "/smartorders/<order_id>"): smart_lists.shown,
        ("PUT", "/smartorders/<order_id>"): smart.replace,
        ("DELETE", "/smartorders/<order_id>"): smart.cancel,
        ("POST", "/orders"): orders.create,
        ("GET", "/orders"): order_lists.open,
        ("DELETE", "/orders"): orders.cancel_many,
        ("POST", "/orders/batch"): orders.create_batch,
        ("GET", "/orders/history"): order_lists.closed,
        ("DELETE", "/orders/cancelByIds"): orders.cancel_named,
        ("POST", "/orders/killSwitch"): kill_switches.set,
        ("GET", "/orders/killSwitchStatus"): kill_switches.status,
        ("GET", "/orders/<order_id>"): order_lists.shown,
        ("PUT", "/orders/<order_id>"): orders.replace,
        ("DELETE", "/orders/<order_id>"): orders.cancel,
        ("GET", "/orders/<order_id>/trades"): order_lists.trades_of,
        ("GET", "/trades"): order_lists.trades,
        ("GET", "/accounts"): accounts.all,
        ("GET", "/accounts/balances"): accounts.balances,
        ("GET", "/accounts/<account_id>/balances"): accounts.balances_of,
        ("GET", "/feeinfo"): accounts.fees,
    }
