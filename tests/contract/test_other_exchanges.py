"""Exchanges of which only ccxt knows: without a time to be asked for, and with buys by cost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from app.domain.enums import Market, Side
from app.domain.status import OrderStatus
from app.exchanges import exchange, templates
from app.exchanges.order_request import order_arguments
from app.exchanges.suitability import Buys, Suitability
from tests.support.builders import must
from tests.support.exchanges.faults import Call
from tests.support.venue_world import ExchangeWorld, running_world


@pytest.fixture
def world() -> Iterator[ExchangeWorld]:
    with running_world("binanceus", Market.SPOT) as running:
        yield running


@pytest.fixture
def timeless(world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch) -> ExchangeWorld:
    """An exchange that cannot be asked for its time, as 42 of those that ccxt knows."""
    template = templates._template(world.account.venue, Market.SPOT, None)  # noqa: SLF001
    monkeypatch.setattr(template, "has", {**template.has, "fetchTime": None})
    return world


def buying(monkeypatch: pytest.MonkeyPatch, buys: Buys) -> None:
    found = Suitability(is_there=True, buys=buys)
    monkeypatch.setattr(exchange, "suitability_of", lambda *_: found)


def test_without_a_time_to_ask_for_it_is_traded(timeless: ExchangeWorld) -> None:
    placed = timeless.venue.place(timeless.order())
    resting = timeless.order(price=timeless.low)
    timeless.venue.place(resting)

    assert placed.status is OrderStatus.FILLED
    assert timeless.count() == 2
    assert "GET /api/v3/time" not in {path for _, path in timeless.gateway.log}
    assert timeless.ports.memory.clock_offset_ms(timeless.account.hosts) == 0


def test_without_a_time_to_ask_for_it_is_inspected(timeless: ExchangeWorld) -> None:
    found = {one.check: one for one in timeless.venue.inspect()}

    assert "taken for ours" in found["clock"].message
    assert "are good" in found["keys"].message


def test_without_a_time_to_ask_for_an_order_closes_the_breaker(timeless: ExchangeWorld) -> None:
    timeless.venue.view()
    for _ in range(5):
        timeless.ports.budget.failed(f"{timeless.account.feed}:here", 5)

    placed = timeless.venue.place(timeless.order())

    assert placed.status is OrderStatus.FILLED
    assert timeless.gateway.counted(Call.VIEW) == 2


def test_a_market_buy_goes_by_what_it_costs_at_the_touch(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    buying(monkeypatch, Buys.BY_COST)

    placed = world.venue.place(world.order(quantity="0.1"))

    (made,) = world.holder.orders
    assert made.ticket.budget == Decimal(5_000)
    assert (placed.status, placed.filled_quantity) == (OrderStatus.FILLED, Decimal("0.1"))


@pytest.mark.parametrize("buys", [Buys.BY_COST, Buys.AT_TOUCH])
def test_a_sale_and_a_limit_go_by_quantity(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch, buys: Buys
) -> None:
    buying(monkeypatch, buys)
    asked = exchange_of(world)
    found = must(asked.rules(world.symbol))

    sale = order_arguments(world.order(Side.SELL), found, asked, world.venue.quote)
    limit = order_arguments(world.order(price="40000"), found, asked, world.venue.quote)

    assert sale[1:5] == ("market", "sell", "0.1", None)
    assert limit[1:5] == ("limit", "buy", "0.1", "40000")


def test_a_touch_goes_with_a_market_buy_where_the_library_makes_the_cost(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    buying(monkeypatch, Buys.AT_TOUCH)
    asked = exchange_of(world)

    made = order_arguments(world.order(), must(asked.rules(world.symbol)), asked, world.venue.quote)

    assert made[1:5] == ("market", "buy", "0.1", "50000")


def exchange_of(world: ExchangeWorld) -> exchange.Exchange:
    return world.clients.exchange(world.account)
