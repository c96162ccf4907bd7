"""All orders since some moment, from exchanges that bound what one answer lists."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from app.domain.enums import Market
from app.domain.identifiers import Symbol
from app.exchanges.order_history import orders_placed
from app.exchanges.profiles import LookUp

WEEK_MS = 7 * 86_400_000
BTC = Symbol("BTC/USDT")
EXCHANGE: Any = SimpleNamespace(
    profile=SimpleNamespace(look_up=LookUp.BYBIT),
    account=SimpleNamespace(market=Market.SPOT),
    venue="bybit",
    unified=str,
)


class Bybit:
    """Tells newest first of orders that are spread evenly over a week, in pages of fifty."""

    def __init__(self, count: int) -> None:
        self.placed = [WEEK_MS + number * WEEK_MS // count for number in range(count)]
        self.asked = 0

    def market(self, symbol: str) -> Mapping[str, str]:
        return {"id": symbol}

    def parse_order(self, row: Mapping[str, int], market: object) -> Mapping[str, int]:
        del market
        return row

    def privateGetV5OrderHistory(self, asked: Mapping[str, Any]) -> object:  # noqa: N802 - ccxt's
        self.asked += 1
        span = range(asked["startTime"], asked["endTime"] + 1)
        found = [one for one in reversed(self.placed) if one in span]
        first = int(asked.get("cursor", 0))
        rows = [{"timestamp": one} for one in found[first : first + 50]]
        return {"result": {"list": rows, "nextPageCursor": str(first + 50) if rows else ""}}

    def privateGetV5OrderRealtime(self, asked: object) -> object:  # noqa: N802 - ccxt's
        del asked
        return {"result": {"list": [], "nextPageCursor": ""}}


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_an_account_with_very_many_orders_is_read_step_by_step(count: int) -> None:
    api = Bybit(count)

    rows, until_ms = orders_placed(api, EXCHANGE, BTC, WEEK_MS, 2 * WEEK_MS)

    assert until_ms is not None
    assert {one["timestamp"] for one in rows} == {one for one in api.placed if one <= until_ms}
    assert rows != []
    assert api.asked <= 60  # a call has twenty seconds, and an answer may take a third of one
