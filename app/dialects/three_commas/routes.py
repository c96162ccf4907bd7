"""The routes of the 3Commas dialect: SmartTrades of version 1, and what their clients need beside.

Each stands under `/public/api/ver1`, where clients call it, and under `/ver1`, as the page prints
it. py3cw since 0.0.22 calls version 1 `smart_trades_deprecated`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from app.bootstrap import Wiring
from app.dialects.three_commas import schemas
from app.dialects.three_commas.callers import Callers
from app.dialects.three_commas.market_routes import MarketRoutes
from app.dialects.three_commas.schemas import Call
from app.dialects.three_commas.signing import BASE
from app.dialects.three_commas.trade_routes import Trades
from app.web.routes import Access, Route

#: Every route stands under both: as clients call it, and as the page prints it.
PREFIXES: Final = (f"{BASE}/ver1", "/ver1")

#: What trades are called in paths.
ENTITIES: Final = ("smart_trades", "smart_trades_deprecated")


#: Call → what it makes.
_MADE: Final = {
    Call.SIMPLE_BUY: "Buy, without exits.",
    Call.SIMPLE_SELL: "Sell, without exits.",
    Call.SMART_SELL: "Guard coins that are held already, by take-profit and stop-loss.",
    Call.SMART_COVER: "Sell first, and buy back by take-profit or stop-loss.",
    Call.SMART_TRADE: "Buy, then sell by take-profit or stop-loss.",
}


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
    for path, view, access, query in (
        ("ping", market.ping, Access.OPEN, None),
        ("time", market.time, Access.OPEN, None),
        ("accounts/currency_rates", market.currency_rates, Access.OPEN, schemas.RATES),
        ("validate", market.validate, Access.CALLER, None),
        ("accounts", market.accounts, Access.CALLER, None),
        ("accounts/market_pairs", market.market_pairs, Access.CALLER, schemas.PAIRS),
    ):
        yield Route("GET", f"{prefix}/{path}", view, access=access, query=query)


def _trades(prefix: str, trades: Trades) -> Iterator[Route]:
    for route in (
        Route("GET", "", trades.list, query=schemas.LISTED),
        *(
            Route(
                "POST",
                f"/{call}",
                partial(trades.create, call),
                made,
                body=schemas.CREATED[call],
                answers={201: "Stored durably; the trade.", 422: "Against the market's rules."},
            )
            for call, made in _MADE.items()
        ),
        Route("GET", "/<trade_id>/show", trades.show),
        Route(
            "PATCH",
            "/<trade_id>/update",
            trades.update,
            body=schemas.UPDATED,
            answers={200: "The trade as it is now.", 422: "Not in this state."},
        ),
        *_actions(trades),
    ):
        yield replace(route, rule=f"{prefix}{route.rule}", access=Access.CALLER)


def _actions(trades: Trades) -> Iterator[Route]:
    done = {201: "The trade as it is now.", 422: "Not in this state."}
    for path, view, body in (
        ("cancel", trades.cancel, None),
        ("panic_sell", trades.panic_sell, None),
        ("force_process", trades.force_process, None),
        ("force_start", trades.force_start, None),
        ("cancel_order", trades.cancel_order, schemas.ONE_STEP),
        ("step_panic_sell", trades.step_panic_sell, schemas.ONE_STEP),
        ("add_funds", trades.add_funds, schemas.ADDED),
    ):
        yield Route("POST", f"/<trade_id>/{path}", view, body=body, answers=done)
