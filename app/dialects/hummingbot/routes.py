"""The routes of the Hummingbot API that there are here (docs/hummingbot.md)."""

from collections.abc import Sequence

from app.bootstrap import Wiring
from app.dialects.hummingbot.callers import Callers
from app.dialects.hummingbot.directory import DirectoryRoutes
from app.dialects.hummingbot.lists import Lists
from app.dialects.hummingbot.orders import Orders
from app.dialects.hummingbot.perpetual import Perpetual
from app.web.routes import Access, Route, View

_ONE = "/trading/<account_name>/<connector_name>"


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes; each asks who is calling before it does anything else."""
    callers = Callers(wiring)
    orders, lists = Orders(wiring, callers), Lists(wiring, callers)
    perpetual, directory = Perpetual(wiring, callers), DirectoryRoutes(wiring, callers)
    rows: Sequence[tuple[str, str, View]] = (
        ("POST", "/trading/orders", orders.place),
        ("POST", f"{_ONE}/orders/<order_id>/cancel", orders.cancel),
        ("POST", "/trading/orders/active", lists.active),
        ("POST", "/trading/orders/search", lists.search),
        ("POST", "/trading/trades", lists.trades),
        ("POST", "/trading/positions", lists.positions),
        ("POST", "/trading/funding-payments", lists.funding_payments),
        ("GET", f"{_ONE}/position-mode", perpetual.mode),
        ("POST", f"{_ONE}/position-mode", perpetual.set_mode),
        ("POST", f"{_ONE}/leverage", perpetual.set_leverage),
        ("GET", "/accounts/", directory.accounts),
        ("GET", "/connectors/", directory.connectors),
        ("GET", "/connectors/<connector_name>/trading-rules", directory.trading_rules),
        ("GET", "/connectors/<connector_name>/order-types", directory.order_types),
        ("POST", "/portfolio/state", directory.portfolio),
    )
    return [
        Route(method=method, rule=rule, view=view, access=Access.CALLER)
        for method, rule, view in rows
    ]
