"""The routes of the 3Commas dialect: SmartTrades of version 1, and what their clients need beside.

Each stands under `/public/api/ver1`, where clients call it, and under `/ver1`, as the page prints
it. py3cw since 0.0.22 calls version 1 `smart_trades_deprecated`.
"""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response

from app.bootstrap import Wiring
from app.dialects.three_commas.callers import Callers
from app.dialects.three_commas.entering import Call
from app.dialects.three_commas.market_routes import MarketRoutes
from app.dialects.three_commas.operations import ENTITIES
from app.dialects.three_commas.replies import PREFIXES
from app.dialects.three_commas.trade_routes import Trades
from app.domain.enums import Dialect


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes; each checks by itself who calls."""
    routes = Blueprint(Dialect.THREE_COMMAS, __name__)
    callers = Callers(wiring)
    for prefix in PREFIXES:
        _add_neighbors(routes, prefix, MarketRoutes(wiring, callers))
        for entity in ENTITIES:
            _add_trades(routes, f"{prefix}/{entity}", Trades(wiring, callers))
    return routes


def _add_neighbors(routes: Blueprint, prefix: str, neighbors: MarketRoutes) -> None:
    views = {
        "ping": neighbors.ping,
        "time": neighbors.time,
        "validate": neighbors.validate,
        "accounts": neighbors.accounts,
        "accounts/market_pairs": neighbors.market_pairs,
        "accounts/currency_rates": neighbors.currency_rates,
    }
    for path, view in views.items():
        _add(routes, "GET", f"{prefix}/{path}", view)


def _add_trades(routes: Blueprint, prefix: str, trades: Trades) -> None:
    _add(routes, "GET", prefix, trades.list)
    for call in Call:
        _add(routes, "POST", f"{prefix}/{call}", partial(trades.create, call))
    one = f"{prefix}/<trade_id>"
    _add(routes, "GET", f"{one}/show", trades.show)
    _add(routes, "PATCH", f"{one}/update", trades.update)
    actions = {
        "cancel": trades.cancel,
        "panic_sell": trades.panic_sell,
        "force_process": trades.force_process,
        "cancel_order": trades.cancel_order,
        "step_panic_sell": trades.step_panic_sell,
        "add_funds": trades.add_funds,
    }
    for path, view in actions.items():
        _add(routes, "POST", f"{one}/{path}", view)


def _add(routes: Blueprint, method: str, rule: str, view: Callable[..., Response]) -> None:
    # Endpoints are told by their rules, which no two share.
    name = rule.strip("/").replace("/", "_").replace(".", "_")
    routes.add_url_rule(rule, endpoint=f"{method.lower()}_{name}", view_func=view, methods=[method])
