"""Apisify for accounts of coins, over a whole running stack: on paper, and at exchanges."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from app.domain.enums import Dialect, Market
from app.domain.money import plain
from tests.support.each_dialect import KEY as CALLER
from tests.support.exchange_stack import Customer, Running, stack_at_exchanges
from tests.support.exchanges.faults import Call, Fault
from tests.support.processes import eventually

BTC = "BTC/USDT"
VENUES = ["binance", "bybit"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with stack_at_exchanges(tmp_path_factory.mktemp("spot"), VENUES) as running:
        yield running


@pytest.fixture
def running(stack: Running) -> Iterator[Running]:
    yield stack
    for one in stack.wires.values():
        one.calm()
        one.exchange.set_price(BTC, "50000")


def customer(running: Running, venue: str) -> Customer:
    """Somebody who has a spot account there, and no other."""
    me = Customer(running, venue, Market.SPOT, BTC, usdt="100000")
    me.client_of(Dialect.APISIFY)
    return me


def asked(me: Customer) -> list[str]:
    """Return side and quantity of each order that the exchange has taken in."""
    return [f"{one.ticket.side} {plain(one.ticket.quantity)}" for one in me.holder.orders]


@pytest.mark.parametrize("venue", VENUES)
def test_coins_are_bought_and_sold(running: Running, venue: str) -> None:
    me = customer(running, venue)

    me.ended(me.order("Buy", "0.5"))
    me.ended(me.order("Long", "0.5"))
    me.ended(me.order("Sell", "0.2"))
    me.ended(me.order("Close", "0.3"))
    left = me.coins()
    me.ended(me.order("Close", 0))

    # A fee of a thousandth is taken of what is bought.
    assert left == Decimal("0.499")
    assert asked(me) == ["BUY 0.5", "BUY 0.5", "SELL 0.2", "SELL 0.3", "SELL 0.499"]
    assert me.coins() == 0
    assert me.refused() == []


@pytest.mark.parametrize("venue", VENUES)
def test_a_sale_beyond_what_is_held_sells_that(running: Running, venue: str) -> None:
    me = customer(running, venue)
    me.ended(me.order("Buy", "0.5"))

    sold = me.ended(me.order("Sell", "0.5"))

    assert asked(me) == ["BUY 0.5", "SELL 0.4995"]
    assert Decimal(sold["filled_quantity"]) == Decimal("0.4995")
    assert (sold["reduce_only"], sold["position_side"]) == (False, None)
    assert me.refused() == []


@pytest.mark.parametrize("side", ["Sell", "Close"])
def test_without_coins_nothing_is_sold(running: Running, side: str) -> None:
    me = customer(running, "binance")

    skipped = me.ended(me.order(side, "0.5"), "SKIPPED")

    assert skipped["reason"]["code"] == "no_position"
    assert asked(me) == []


@pytest.mark.parametrize("side", ["Sarbuy", "Sarsell", 2, -2])
def test_coins_are_not_turned_around(running: Running, side: object) -> None:
    me = customer(running, "bybit")
    about = {"exchange": "bybit", "symbol": "BTCUSDT", "order_type": "Market", "qty": 1}

    answer = me.answer_to(Dialect.APISIFY, "/v1/order", {**about, "side": side})

    assert (answer.status_code, answer.json()["code"]) == (400, "not_on_spot")
    assert running.stack.rows(account=me.name) == []
    assert asked(me) == []


def test_a_key_with_futures_there_does_not_trade_spot(running: Running) -> None:
    coins, futures = customer(running, "bybit"), Customer(running, "bybit", Market.USDM, "ETH/USDT")
    client = {"accounts": [coins.name, futures.name]}
    running.put(f"clients/{Dialect.APISIFY}/{CALLER}", client)

    futures.ended(futures.order("Buy", "0.1"))

    assert (asked(coins), asked(futures)) == ([], ["BUY 0.1"])


def test_a_close_goes_on_through_a_thin_book(running: Running) -> None:
    me = customer(running, "binance")
    me.ended(me.order("Buy", "0.5"))
    me.exchange.depth.extend([Decimal("0.1"), *[Decimal(0)] * 1_000])

    close = me.order("Close", 0)
    eventually(lambda: len(me.sold()) >= 3)
    left = me.coins()
    me.exchange.depth.clear()
    done = me.ended(close)

    assert left == Decimal("0.3995")
    assert me.coins() == 0
    assert me.refused() == []
    assert Decimal(done["filled_quantity"]) == Decimal("0.4995")


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.CUT])
def test_a_sale_without_an_answer_is_one_sale(running: Running, fault: Fault) -> None:
    me = customer(running, "binance")
    me.ended(me.order("Buy", "0.5"))
    running.wires["binance"].plan.plan(Call.PLACE, fault)

    me.ended(me.order("Sell", "0.3"))

    assert asked(me) == ["BUY 0.5", "SELL 0.3"]
    assert me.coins() == Decimal("0.1995")
