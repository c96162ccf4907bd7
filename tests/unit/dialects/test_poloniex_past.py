"""Lists of the past: each page is that of all orders, filtered and sorted, wherever they are."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex.callers import Caller
from app.dialects.poloniex.plain_orders import PlainOrders
from app.domain.enums import OrderType, Side
from app.domain.identifiers import EpochMs, OrderId
from app.domain.order import Order
from app.domain.status import CLOSED, OrderStatus
from app.history.reader import WholeReader
from app.history.tables import AGGREGATES
from app.services.keeping.archive import archive
from tests.support.builders import BTC, ETH, NOW, SPOT, SPOT_ID, a_fill, an_id, an_order
from tests.support.rig import Rig, StepHistory
from tests.support.searching import times

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from app.domain.aggregate import Aggregate
    from app.domain.identifiers import AggregateId

AFTER_MS = 1_000
DAY_MS = 86_400_000
APP = Flask(__name__)
STATES = [*sorted({render.state_of(an_order(status=one)) for one in CLOSED}), "PARTIALLY_CANCELED"]


def drawn_orders() -> st.SearchStrategy[list[Order]]:
    days = st.integers(0, 12)
    facts = st.fixed_dictionaries(
        {
            "status": st.sampled_from([*sorted(CLOSED), OrderStatus.CANCELED, OrderStatus.NEW]),
            "side": st.sampled_from(Side),
            "symbol": st.sampled_from([BTC, ETH]),
            "type": st.sampled_from([OrderType.MARKET, OrderType.LIMIT]),
            "days": st.tuples(days, days).map(sorted),
            "is_filled": st.booleans(),
        }
    )
    return st.lists(facts, max_size=12).map(
        lambda made: [_order(number, **one) for number, one in enumerate(made, start=1)]
    )


def _order(number: int, *, days: Sequence[int], is_filled: bool, **facts: Any) -> Order:  # noqa: ANN401
    created, updated = (EpochMs(NOW - (12 - day) * DAY_MS) for day in days)
    price = {"price": a_fill().price} if facts["type"] is OrderType.LIMIT else {}
    fill = a_fill(at_ms=updated)
    filled: dict[str, Any] = {
        "fills": (fill,),
        "filled_quantity": fill.quantity,
        "average_price": fill.price,
    }
    order = an_order(
        id=OrderId(an_id(number)), created_at_ms=created, updated_at_ms=updated, **price, **facts
    )
    return replace(order, **filled) if is_filled else order


def drawn_queries() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "side": st.sampled_from(["BUY", "SELL"]),
            "symbol": st.sampled_from(["BTC_USDT", "ETH_USDT"]),
            "type": st.sampled_from(["MARKET", "LIMIT"]),
            "states": st.sampled_from(STATES),
            "hideCancel": st.sampled_from(["true", "false"]),
            "limit": st.sampled_from(["1", "2", "100"]),
            "startTime": st.integers(0, 12).map(lambda day: str(NOW - day * DAY_MS)),
            "from": st.integers(0, 13).map(lambda number: str(an_id(number))),
            "direction": st.sampled_from(["NEXT", "PRE"]),
        },
    )


class CountingHistory(StepHistory):
    """Notes whose records were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[AggregateId] = []

    def aggregates(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Aggregate]:
        self.read += ids
        return super().aggregates(ids)


def a_rig(
    orders: Sequence[Order], archived: int, aged: int, history: StepHistory | None = None
) -> Rig:
    """Return a rig in which the first of these have left the store, some with an older release."""
    rig = Rig()
    rig.history = history or rig.history
    rig.whole = WholeReader(rig.reader, rig.history)
    policy = replace(rig.ports.policy, history_after_ms=AFTER_MS)
    rig.ports = replace(rig.ports, policy=policy, history=rig.history)
    for number, one in enumerate(orders):
        if number == archived:
            archive(rig.ports)
            rig.clock.advance(AFTER_MS + 1)
            archive(rig.ports)
        rig.put(one)
    with rig.history._database.writing() as connection:  # noqa: SLF001
        old = AGGREGATES.c.id.in_([one.id for one in orders[:aged]])
        connection.execute(update(AGGREGATES).where(old).values(type=None))
    return rig


def routes_of(rig: Rig) -> PlainOrders:
    caller = Caller(
        client=Mock(),
        account=replace(SPOT, id=SPOT_ID),
        body=b"",
        received_at_ms=NOW,
        version=1,
        request_key="",
    )
    callers: Any = SimpleNamespace(reader=lambda: caller)
    wiring: Any = SimpleNamespace(ports=rig.ports, reader=rig.whole)
    return PlainOrders(wiring, callers)


def naive(orders: Sequence[Order], query: dict[str, str]) -> list[str]:
    """Return the page as it was made in memory: everything looked at, newest first."""
    newest = sorted(orders, key=lambda one: (one.created_at_ms, one.id), reverse=True)
    since = int(query.get("startTime", NOW - 7 * DAY_MS))
    until = since + 7 * DAY_MS
    found = [
        one
        for one in newest
        if one.status in CLOSED
        and since <= one.updated_at_ms <= until
        and query.get("side") in {None, one.side.value}
        and query.get("type") in {None, one.type.value}
        and query.get("symbol") in {None, one.symbol.replace("/", "_")}
        and query.get("states") in {None, render.state_of(one)}
        and not (query.get("hideCancel") == "true" and render.state_of(one) == "CANCELED")
    ]
    limit, start = int(query.get("limit", 100)), int(query.get("from", 0))
    if not start:
        page = found[:limit]
    elif query.get("direction") == "PRE":
        page = list(deque((one for one in found if one.id > start), maxlen=limit))
    else:
        page = list(islice((one for one in found if one.id < start), limit))
    return [str(one.id) for one in page]


@times(0.4)
@given(drawn_orders(), st.integers(0, 12), st.integers(0, 6), drawn_queries())
def test_each_page_is_that_of_all_orders(
    orders: list[Order], archived: int, aged: int, query: dict[str, str]
) -> None:
    routes = routes_of(a_rig(orders, archived, aged))

    with APP.test_request_context("/orders/history", query_string=query):
        shown = [row["id"] for row in routes.closed()]

    assert shown == naive(orders, query)


def test_a_page_reads_no_records_but_its_own() -> None:
    old = [
        _order(
            number,
            days=[0, 0],
            is_filled=False,
            status=OrderStatus.FILLED,
            side=Side.BUY,
            symbol=BTC,
            type=OrderType.MARKET,
        )
        for number in range(1, 30)
    ]
    newest = _order(
        30,
        days=[0, 12],
        is_filled=True,
        status=OrderStatus.FILLED,
        side=Side.BUY,
        symbol=BTC,
        type=OrderType.MARKET,
    )
    history = CountingHistory()
    rig = a_rig([*old, newest, replace(newest, id=OrderId(an_id(31)))], 30, 0, history)
    with APP.test_request_context("/orders/history"):
        shown = [row["id"] for row in routes_of(rig).closed()]

    assert shown == [str(an_id(31)), str(newest.id)]
    assert history.read == [newest.id]
