"""Inverse contracts at exchanges: quantities are contracts, and money is the coin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.errors import VenueRejected, VenueUnavailable
from app.domain.identifiers import Currency, Symbol
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.exchanges.parse import Json, instrument_of, market_of, positions_of
from tests.support.builders import must
from tests.support.exchanges.books import INVERSE, Ticket
from tests.support.exchanges.server import Request
from tests.support.venue_world import ExchangeWorld, inverse, running_world

BTC, BTC_USD, ETH_USD = Currency("BTC"), Symbol("BTC/USD"), Symbol("ETH/USD")
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
MODES = [("binance", HEDGE), ("binance", ONEWAY), ("bybit", ONEWAY)]

#: What one contract of BTC/USD is in dollars: COIN-M's "Exchange Information", and Bybit's help.
DOLLARS = {"binance": Decimal(100), "bybit": Decimal(1)}


@pytest.fixture(params=MODES, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[ExchangeWorld]:
    venue, mode = request.param
    with running_world(venue, Market.COINM, position_mode=mode) as running:
        yield running


def contracts(
    world: ExchangeWorld, number: str, side: Side = Side.BUY, price: str | None = None
) -> Order:
    """A market order for so many contracts of BTC/USD, which opens something."""
    order = world.order(side, price=price)
    leg = side.opens if world.position_mode is HEDGE else None
    opening = replace(order, position_side=leg, reduce_only=False)
    return replace(opening, symbol=BTC_USD, quantity=Decimal(number))


def asked(world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request for an order as it comes."""
    seen: list[str] = []
    answer = world.gateway.answer

    def noted(request: Request) -> object:
        if request.method == "POST" and "order" in request.path:
            seen.append(f"{request.path} {request.query} {request.body.decode()}")
        return answer(request)

    monkeypatch.setattr(world.gateway, "answer", noted)
    return seen


def test_what_is_sent_counts_contracts(
    world: ExchangeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = asked(world, monkeypatch)

    placed = world.venue.place(contracts(world, "3"))

    (sent,) = seen
    if world.account.venue == "bybit":
        wanted = ("/v5/order/create", '"category":"inverse"', '"symbol":"BTCUSD"', '"qty":"3"')
    else:
        wanted = ("/dapi/v1/order", "symbol=BTCUSD_PERP", "quantity=3&", "side=BUY")
    assert [one for one in wanted if one not in sent] == []
    assert placed.filled_quantity == placed.position_after == 3
    assert world.venue.view().position(BTC_USD, LONG).size == 3
    assert world.holder.positions[BTC_USD, "LONG" if world.holder.hedged else "BOTH"].quantity == 3


def test_a_contract_is_worth_what_the_exchange_says(world: ExchangeWorld) -> None:
    found = must(world.venue.instrument(BTC_USD))

    assert (found.market, found.kind) == (Market.COINM, "inverse")
    assert found.contract_size == DOLLARS[world.account.venue]
    assert found.quantity_step == found.min_quantity == 1


def test_fees_and_profits_are_coins(world: ExchangeWorld) -> None:
    before = world.venue.view().balances[BTC].total
    worth = 300 * DOLLARS[world.account.venue]

    bought = world.venue.place(contracts(world, "300"))
    world.price(BTC_USD, "60000")
    closing = replace(world.order(Side.SELL), symbol=BTC_USD, quantity=Decimal(300))
    sold = world.venue.place(closing)

    fees = worth / 50_000 / 1_000, worth / 60_000 / 1_000
    assert [dict(one.fees) for one in (bought, sold)] == [{BTC: fee} for fee in fees]
    earned = worth / 50_000 - worth / 60_000
    after = world.venue.view().balances[BTC].total
    assert after - before == earned - sum(fees)
    assert world.venue.view().positions == {}


def test_several_fills_are_averaged_by_coins(world: ExchangeWorld) -> None:
    world.exchange.fill_share = Decimal("0.5")
    order = contracts(world, "4", price="60000")
    first = world.venue.place(order)
    world.exchange.fill_more(world.holder)

    filled = must(world.venue.find(replace(order, venue_order_id=first.venue_order_id)))
    held = world.venue.view().position(BTC_USD, LONG)

    by_coins = 4 / (Decimal(2) / 50_000 + Decimal(2) / 60_000)
    assert filled.status is OrderStatus.FILLED
    assert [one.quantity for one in filled.fills] == [Decimal(2)] * 2
    for average in (must(filled.average_price), held.entry_price):
        assert abs(average - by_coins) < Decimal("0.0001")


def test_a_short_is_told_as_one(world: ExchangeWorld) -> None:
    opened = world.venue.place(contracts(world, "7", Side.SELL))

    view = world.venue.view()

    assert opened.status is OrderStatus.FILLED
    assert opened.position_after == view.position(BTC_USD, SHORT).size == 7
    assert view.position(BTC_USD, LONG).size == 0


def test_a_part_of_a_contract_does_not_leave(world: ExchangeWorld) -> None:
    with pytest.raises(VenueRejected, match="lots are 1"):
        world.venue.place(contracts(world, "0.01"))

    assert world.count() == 0


@pytest.fixture
def binance() -> Iterator[ExchangeWorld]:
    with running_world("binance", Market.COINM) as running:
        yield running


def test_dated_futures_of_the_same_coin_are_something_else(binance: ExchangeWorld) -> None:
    (dated,) = (one for one in binance.exchange.of_kind(INVERSE) if one.delivery)
    ticket = Ticket(
        client_id="by-hand",
        market=dated,
        side="SELL",
        type="MARKET",
        quantity=Decimal(5),
        leg="SHORT",
    )
    binance.exchange.place(binance.holder, ticket)
    resting = replace(ticket, client_id="rests", type="LIMIT", price=Decimal(2_100))
    binance.exchange.place(binance.holder, resting)
    binance.venue.place(binance.order(quantity="0.01"))

    view = binance.venue.view()

    assert {leg: one.size for leg, one in view.positions.items()} == {(ETH_USD, LONG): 10}
    assert binance.venue.standing([ETH_USD]) == []
    assert must(binance.venue.instrument(ETH_USD)).contract_size == 10


def test_a_size_that_is_not_told_is_not_guessed(binance: ExchangeWorld) -> None:
    listed = binance.exchange.markets[BTC_USD, INVERSE]
    binance.exchange.markets[BTC_USD, INVERSE] = replace(listed, tells_size=False)

    found = must(binance.venue.instrument(BTC_USD))

    assert found.contract_size is None
    assert must(found.refusal(Decimal(3), Decimal(50_000))).message == (
        "how much one contract of BTC/USD is worth, its venue does not tell"
    )
    assert found.reducing().refusal(Decimal(3), Decimal(50_000)) is None


def test_the_least_order_is_not_the_size_of_a_contract() -> None:
    """The library takes the one for the other at Bybit."""
    with running_world("bybit", Market.COINM) as bybit:
        listed = replace(inverse("BTC"), min_quantity=Decimal(10))
        bybit.exchange.markets[BTC_USD, INVERSE] = listed

        found = must(bybit.venue.instrument(BTC_USD))

    assert found.contract_size == 1
    assert found.min_quantity == 10


def test_open_orders_of_every_coin_are_listed(world: ExchangeWorld) -> None:
    orders = [contracts(world, "3", price="40000"), world.order(price=world.low, quantity="0.01")]
    for order in orders:
        world.venue.place(order)

    found = world.venue.standing([BTC_USD])

    assert {(one.symbol, one.quantity) for one in found} == {
        (BTC_USD, Decimal(3)),
        (ETH_USD, Decimal(10)),
    }


# What no exchange here answers


def test_a_position_without_a_side_is_not_taken_for_none() -> None:
    row: Json = {"symbol": "BTC/USD:BTC", "contracts": "3", "side": None, "info": {}}

    with pytest.raises(VenueUnavailable, match="without a side"):
        positions_of([row], {}, Market.COINM)


def test_contracts_that_settle_in_a_third_currency_are_none_of_ours() -> None:
    quanto = {"swap": True, "linear": False, "inverse": False}

    assert market_of(quanto) is None


def test_a_linear_contract_of_an_untold_size_is_not_traded() -> None:
    found = {
        "swap": True,
        "contract": True,
        "linear": True,
        "contractSize": None,
        "precision": {"price": "0.1", "amount": "1"},
    }

    assert instrument_of(Symbol("BTC/USDT"), Market.USDM, found) is None
    known = instrument_of(Symbol("BTC/USDT"), Market.USDM, {**found, "contractSize": "0.01"})
    assert must(known).quantity_step == Decimal("0.01")
