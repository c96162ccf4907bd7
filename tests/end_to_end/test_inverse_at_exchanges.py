"""Inverse contracts over a whole running stack: from a request to an exchange's own books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from string import ascii_uppercase
from typing import Any

import pytest
import requests

from app.domain.enums import Dialect, Market, PositionMode, PositionSide
from app.domain.money import plain
from tests.support.each_dialect import KEY as CALLER
from tests.support.each_dialect import SECRET as PASSWORD
from tests.support.each_dialect import signed_by
from tests.support.exchange_stack import Customer, Running, stack_at_exchanges
from tests.support.exchanges.faults import Call, Fault
from tests.support.processes import eventually
from tests.support.venue_world import inverse

BTC_USD = "BTC/USD"
COINS = [f"COIN{letter}" for letter in ascii_uppercase]
HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
SHORT = PositionSide.SHORT
VENUES = ["bybit_testnet", "bybit", "binance"]
MODES = [("bybit", ONEWAY), ("binance", ONEWAY), ("binance", HEDGE)]

#: "Place order" of apisify shows this one.
SAMPLE: dict[str, Any] = {
    "exchange": "bybit_testnet",
    "order_type": "Market",
    "quantity": 1,
    "side": "Buy",
    "symbol": "BTCUSD",
    "price": 10000,
}

#: US dollars in one contract.
DOLLARS = {"bybit_testnet": 1, "bybit": 1, "binance": 100}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with stack_at_exchanges(tmp_path_factory.mktemp("inverse"), VENUES) as running:
        for venue, wire in running.wires.items():
            for coin in COINS:  # one for each test, so that no price of another is remembered
                listed = inverse(coin, str(DOLLARS[venue]))
                wire.exchange.markets[listed.symbol, listed.kind] = listed
                wire.exchange.set_price(listed.symbol, "50000")
        yield running


@pytest.fixture(scope="module")
def coins() -> Iterator[str]:
    return iter(COINS)


@pytest.fixture
def symbol(coins: Iterator[str]) -> str:
    return f"{next(coins)}/USD"


@pytest.fixture
def running(stack: Running) -> Iterator[Running]:
    yield stack
    for one in stack.wires.values():
        one.calm()


def customer(
    running: Running,
    venue: str,
    mode: PositionMode,
    symbol: str = BTC_USD,
    leverage: int = 1,
) -> Customer:
    """Somebody with one coin at an exchange, who calls in both dialects that have futures."""
    me = Customer(running, venue, Market.COINM, symbol, mode=mode, leverage=leverage)
    me.client_of(Dialect.APISIFY)
    return me


def asked(me: Customer) -> list[str]:
    """Return side and contracts of each order that has come to the exchange's market."""
    orders = [one for one in me.holder.orders if one.is_at_market]
    return [f"{one.ticket.side} {plain(one.ticket.quantity)}" for one in orders]


def is_flat(me: Customer) -> bool:
    """Tell whether nothing is held, nor rests, and no order was refused on the way there."""
    return not (me.leg() or me.leg(SHORT) or me.stops() or me.refused())


def test_the_sample_of_the_document_is_one_contract(running: Running) -> None:
    me = customer(running, "bybit_testnet", ONEWAY)

    me.ended(me.order(**SAMPLE))

    (taken,) = me.holder.orders
    assert (taken.ticket.market.kind, taken.ticket.price) == ("inverse", None)
    assert taken.filled == me.leg() == 1
    assert me.refused() == []
    fee = Decimal(1) / 50_000 / 1_000
    assert me.holder.coins[me.coin] == 1 - fee
    row = running.stack.rows(kind="ORDER", account=me.name)[0]
    assert (row["quantity"], row["market"]) == ("1", "COINM")
    assert {name: Decimal(one) for name, one in row["fees"].items()} == {"BTC": fee}


@pytest.mark.parametrize(("venue", "mode"), MODES)
def test_sides_of_apisify_trade_contracts(running: Running, venue: str, mode: PositionMode) -> None:
    me = customer(running, venue, mode)

    me.ended(me.order("Buy", "2"))
    me.ended(me.order("Long", "1"))
    bought = me.leg()
    me.ended(me.order("Sarsell", "4"))
    turned = me.leg(), me.leg(SHORT)
    me.ended(me.order("Close", "1"))
    less = me.leg(SHORT)
    me.ended(me.order("Close", "0"))

    turn = ["SELL 3", "SELL 4"] if mode is HEDGE else ["SELL 7"]
    assert asked(me) == ["BUY 2", "BUY 1", *turn, "BUY 1", "BUY 3"]
    assert bought == 3
    assert turned == (Decimal(0 if mode is HEDGE else -4), Decimal(-4))
    assert less == -3
    assert is_flat(me)


@pytest.mark.parametrize(("venue", "mode"), MODES)
def test_a_share_of_the_balance_is_of_the_coin(
    running: Running, symbol: str, venue: str, mode: PositionMode
) -> None:
    me = customer(running, venue, mode, symbol, leverage=4)

    entry = me.signal(action="openLong", percent="50", loss="45000")
    me.guarded(entry, 1)
    opened, used = me.leg(), me.holder.leverage[symbol]
    me.exchange.set_price(symbol, "44000")
    me.ended(entry)

    # Half a coin, four times, at 50,000 dollars.
    contracts = Decimal(100_000) / DOLLARS[venue]
    assert (opened, used) == (contracts, 4)
    assert asked(me) == [f"BUY {plain(contracts)}", f"SELL {plain(contracts)}"]
    assert is_flat(me)
    lost = 100_000 * (1 / Decimal(44_000) - 1 / Decimal(50_000))
    fees = 100_000 * (1 / Decimal(44_000) + 1 / Decimal(50_000)) / 1_000
    assert abs(me.holder.coins[me.coin] - (1 - lost - fees)) < Decimal("1e-12")


@pytest.mark.parametrize(("venue", "mode"), MODES)
def test_a_stop_goes_on_through_a_thin_book_until_it_is_flat(
    running: Running, symbol: str, venue: str, mode: PositionMode
) -> None:
    me = customer(running, venue, mode, symbol)
    entry = me.opened("40", loss="45000")
    me.exchange.depth.extend([Decimal(10), Decimal(5), *[Decimal(0)] * 1_000])

    me.exchange.set_price(symbol, "44000")
    eventually(lambda: len(me.sold()) >= 4)
    left = me.leg()
    me.exchange.set_price(symbol, "43800")  # Above the stop that rests, 3 % beyond ours.
    me.exchange.depth.clear()
    me.ended(entry)

    assert left == 25
    assert is_flat(me)
    (stop,) = me.guards(entry)
    by_coins = 40 / (Decimal(15) / 44_000 + Decimal(25) / 43_800)
    assert Decimal(stop["filled_quantity"]) == 40
    assert abs(Decimal(stop["average_price"]) - by_coins) < Decimal("0.0001")
    assert len(set(me.client_order_ids())) == len(me.client_order_ids())


@pytest.mark.parametrize(("venue", "mode"), MODES)
def test_a_take_profit_of_a_short_ends_flat(
    running: Running, symbol: str, venue: str, mode: PositionMode
) -> None:
    me = customer(running, venue, mode, symbol)
    entry = me.signal(action="openShort", fixed="40", profit="45000", loss="55000")
    me.guarded(entry, 2)

    me.exchange.set_price(symbol, "44000")
    me.ended(entry)

    assert asked(me) == ["SELL 40", "BUY 40"]
    assert is_flat(me)
    worth = 40 * DOLLARS[venue]
    assert me.holder.coins[me.coin] > 1 + worth * (1 / Decimal(44_000) - 1 / Decimal(50_000)) / 2


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.CUT])
@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_an_order_without_an_answer_is_one_order(
    running: Running, venue: str, fault: Fault
) -> None:
    me = customer(running, venue, ONEWAY)
    running.wires[venue].plan.plan(Call.PLACE, fault)

    me.ended(me.order("Buy", "2"))

    assert asked(me) == ["BUY 2"]
    assert me.leg() == 2


def test_the_same_alert_twice_is_one_order(running: Running) -> None:
    me = customer(running, "binance", ONEWAY)
    me.order("Close", "0")  # what is traded there is known by now
    wanted = {name: value for name, value in SAMPLE.items() if name != "quantity"}
    wanted |= {"exchange": "binance", "qty": 2}
    sent = signed_by(Dialect.APISIFY, "/v1/order", wanted, host=me.host)

    first, second = (
        requests.post(
            running.stack.url(sent.path), data=sent.body, headers=sent.headers, timeout=60
        ).json()
        for _ in range(2)
    )

    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["order_id"] == second["order_id"]
    me.ended(first["order_id"])
    assert asked(me) == ["BUY 2"]
    assert me.leg() == 2


def test_a_part_of_a_contract_is_denied(running: Running) -> None:
    me = customer(running, "binance", ONEWAY)

    denied = me.ended(me.order("Buy", "0.01"), "DENIED")

    assert denied["reason"]["code"] == "below_minimum"
    assert asked(me) == []


def test_a_contract_of_untold_size_is_closed_and_not_opened(running: Running) -> None:
    me = customer(running, "binance", ONEWAY)
    me.ended(me.order("Buy", "2"))
    key = BTC_USD, "inverse"
    listed = me.exchange.markets[key]
    try:
        me.exchange.markets[key] = replace(listed, tells_size=False)
        running.stack.call("POST", f"/api/accounts/{me.name}/test", {})
        denied = me.ended(me.order("Buy", "1"), "DENIED")
        me.ended(me.order("Close", "0"))
    finally:
        me.exchange.markets[key] = listed
        running.stack.call("POST", f"/api/accounts/{me.name}/test", {})

    assert denied["reason"]["code"] == "unknown_instrument"
    assert "one contract of BTC/USD" in denied["reason"]["message"]
    assert asked(me) == ["BUY 2", "SELL 2"]
    assert is_flat(me)


def test_legs_are_held_apart_where_the_exchange_does(running: Running) -> None:
    record = {
        "venue": "bybit",
        "market": "COINM",
        "mode": "live",
        "credentials": {"apiKey": CALLER, "secret": PASSWORD},
    }

    refused = running.stack.call("PUT", "/api/accounts/legs", record, status=400)

    (why,) = refused["error"]["fields"]["venue"]
    assert "set position_mode to ONEWAY" in why
    assert "BTC/USD" not in why
