"""What an exchange can do, as ccxt tells of it; no request is made."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import ccxt

from app.domain.enums import Market, OrderType
from app.exchanges.suitability import Buys, suitability_of

_SECTIONS = {
    Market.SPOT: ("spot",),
    Market.USDM: ("swap", "linear"),
    Market.COINM: ("swap", "inverse"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What there is in one market of an exchange.

    Attributes:
        order_types: the types of orders that it takes.
        spends_amounts: whether a market buy may say what it spends instead of what it buys.
        lists_trades: whether it can be asked for trades.
    """

    order_types: frozenset[OrderType]
    spends_amounts: bool
    lists_trades: bool


@cache
def capabilities_of(exchange_id: str, market: Market) -> Capabilities:
    """Return what ccxt knows of an exchange; what it says nothing of is not there.

    Args:
        exchange_id: its name in ccxt.
        market: where an account trades.
    """
    api = getattr(ccxt, exchange_id)()
    section: Any = api.features or {}
    for name in _SECTIONS[market]:
        section = section.get(name) or {}
    kept = (section.get("createOrder") or {}).get("timeInForce") or {}
    there = {
        OrderType.MARKET: api.has.get("createMarketOrder"),
        OrderType.LIMIT: api.has.get("createLimitOrder"),
        OrderType.LIMIT_MAKER: kept.get("PO"),
    }
    spends = market is Market.SPOT and api.has.get("createMarketBuyOrderWithCost")
    if spends and suitability_of(exchange_id, market).buys is Buys.AT_TOUCH:
        spends = False  # the library takes no cost there
    return Capabilities(
        order_types=frozenset(one for one, has in there.items() if has),
        spends_amounts=bool(spends),
        lists_trades=bool(api.has.get("fetchOrderTrades") or api.has.get("fetchMyTrades")),
    )
