"""The routes of the Hummingbot API that there are here (docs/hummingbot.md)."""

from collections.abc import Sequence

from app.bootstrap import Wiring
from app.dialects.hummingbot.account_routes import AccountRoutes
from app.dialects.hummingbot.callers import Callers, View
from app.dialects.hummingbot.order_routes import OrderRoutes
from app.web.routes import Access, Route

_ONE = "/trading/<account_name>/<connector_name>"


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes; each asks who is calling before it does anything else."""
    callers = Callers(wiring)
    orders, accounts = OrderRoutes(wiring, callers), AccountRoutes(wiring)
    rows: Sequence[tuple[str, str, View]] = (
        ("POST", f"{_ONE}/orders/<order_id>/cancel", orders.cancel),
        ("POST", "/trading/orders/active", orders.active),
        ("POST", "/trading/orders/search", orders.search),
        ("POST", "/trading/trades", orders.trades),
        ("POST", "/trading/positions", accounts.positions),
        ("POST", "/trading/funding-payments", accounts.funding_payments),
        ("GET", f"{_ONE}/position-mode", accounts.mode),
        ("POST", f"{_ONE}/position-mode", accounts.set_mode),
        ("POST", f"{_ONE}/leverage", accounts.set_leverage),
        ("GET", "/accounts/", accounts.accounts),
        ("GET", "/connectors/", accounts.connectors),
        ("GET", "/connectors/<connector_name>/trading-rules", accounts.trading_rules),
        ("GET", "/connectors/<connector_name>/order-types", accounts.order_types),
        ("POST", "/portfolio/state", accounts.portfolio),
    )
    place = Route(method="POST", rule="/trading/orders", view=orders.place, access=Access.CALLER)
    return [
        place,
        *(
            Route(method=method, rule=rule, view=callers.served(view), access=Access.CALLER)
            for method, rule, view in rows
        ),
    ]
