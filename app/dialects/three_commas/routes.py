"""The routes of the 3Commas dialect: SmartTrades of version 1, and what their clients need beside.

Each stands under `/public/api/ver1`, where clients call it, and under `/ver1`, as the page prints
it. py3cw since 0.0.22 calls version 1 `smart_trades_deprecated`.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from app.bootstrap import Wiring
from app.dialects.three_commas.callers import Callers
from app.dialects.three_commas.entering import Call
from app.dialects.three_commas.market_routes import MarketRoutes
from app.dialects.three_commas.signing import BASE
from app.dialects.three_commas.trade_routes import Trades
from app.web.routes import Access, Route, View

#: Every route stands under both: as clients call it, and as the page prints it.
PREFIXES: Final = (f"{BASE}/ver1", "/ver1")

#: What trades are called in paths.
ENTITIES: Final = ("smart_trades", "smart_trades_deprecated")


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes; all but three ask whose signature the request has."""
    callers = Callers(wiring)
    trades, market = Trades(wiring, callers), MarketRoutes(wiring, callers)
    return [
        route
        for prefix in PREFIXES
        for route in (
            *_market(prefix, market),
            *(one for entity in ENTITIES for one in _trades(f"{prefix}/{entity}", trades)),
        )
    ]


def _market(prefix: str, market: MarketRoutes) -> Iterator[Route]:
    for path, view, access in (
        ("ping", market.ping, Access.OPEN),
        ("time", market.time, Access.OPEN),
        ("accounts/currency_rates", market.currency_rates, Access.OPEN),
        ("validate", market.validate, Access.CALLER),
        ("accounts", market.accounts, Access.CALLER),
        ("accounts/market_pairs", market.market_pairs, Access.CALLER),
    ):
        yield Route(method="GET", rule=f"{prefix}/{path}", view=view, access=access)


def _trades(prefix: str, trades: Trades) -> Iterator[Route]:
    def signed(method: str, path: str, view: View) -> Route:
        return Route(method=method, rule=f"{prefix}{path}", view=view, access=Access.CALLER)

    yield signed("GET", "", trades.list)
    for call in Call:
        yield signed("POST", f"/{call}", partial(trades.create, call))
    yield signed("GET", "/<trade_id>/show", trades.show)
    yield signed("PATCH", "/<trade_id>/update", trades.update)
    for path, view in (
        ("cancel", trades.cancel),
        ("panic_sell", trades.panic_sell),
        ("force_process", trades.force_process),
        ("cancel_order", trades.cancel_order),
        ("step_panic_sell", trades.step_panic_sell),
        ("add_funds", trades.add_funds),
    ):
        yield signed("POST", f"/<trade_id>/{path}", view)
