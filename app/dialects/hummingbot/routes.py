"""The routes of the Hummingbot API that there are here (docs/hummingbot.md)."""

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, Response, abort, request

from app.bootstrap import Wiring
from app.dialects.hummingbot.callers import Callers
from app.dialects.hummingbot.directory import DirectoryRoutes
from app.dialects.hummingbot.lists import Lists
from app.dialects.hummingbot.orders import Orders
from app.dialects.hummingbot.perpetual import Perpetual
from app.dialects.hummingbot.replies import error_reply
from app.domain.enums import Dialect
from app.domain.errors import HookfillError

View = Callable[..., Response]


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes; each asks who is calling before it does anything else."""
    callers = Callers(wiring)
    orders, lists = Orders(wiring, callers), Lists(wiring, callers)
    perpetual, directory = Perpetual(wiring, callers), DirectoryRoutes(wiring, callers)
    one = "/trading/<account_name>/<connector_name>"
    views: list[tuple[str, str, View]] = [
        ("POST", "/trading/orders", orders.place),
        ("POST", f"{one}/orders/<order_id>/cancel", orders.cancel),
        ("POST", "/trading/orders/active", lists.active),
        ("POST", "/trading/orders/search", lists.search),
        ("POST", "/trading/trades", lists.trades),
        ("POST", "/trading/positions", lists.positions),
        ("POST", "/trading/funding-payments", lists.funding_payments),
        ("GET", f"{one}/position-mode", perpetual.mode),
        ("POST", f"{one}/position-mode", perpetual.set_mode),
        ("POST", f"{one}/leverage", perpetual.set_leverage),
        ("GET", "/accounts/", directory.accounts),
        ("GET", "/connectors/", directory.connectors),
        ("GET", "/connectors/<connector_name>/trading-rules", directory.trading_rules),
        ("GET", "/connectors/<connector_name>/order-types", directory.order_types),
        ("POST", "/portfolio/state", directory.portfolio),
    ]
    routes = Blueprint(Dialect.HUMMINGBOT, __name__)
    for method, rule, view in views:
        slashed = rule.endswith("/")
        routes.add_url_rule(
            rule,
            f"{method} {rule}".replace(".", " "),
            _exactly(rule, view) if slashed else view,
            methods=[method],
            # Else the path without its slash would be sent on to the one with it.
            strict_slashes=not slashed,
        )
    routes.register_error_handler(HookfillError, error_reply)
    return routes


def _exactly(path: str, view: View) -> View:
    """Return a view that does not answer to its path without the slash."""

    @wraps(view)
    def exact() -> Response:
        if request.path != path:
            abort(404)
        return view()

    return exact
