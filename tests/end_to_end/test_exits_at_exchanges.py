"""docs/protection.md over a whole running stack: what is left at an exchange, and what is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from string import ascii_uppercase
from typing import Any

import pytest

from app.domain.enums import Dialect, Market, PositionMode, PositionSide
from tests.support import three_commas as wire
from tests.support.exchange_stack import Customer, Running, stack_at_exchanges
from tests.support.exchanges.books import LINEAR, SPOT, Why
from tests.support.exchanges.books import Market as Listed
from tests.support.exchanges.trading import Exchange
from tests.support.processes import eventually
from tests.support.stack import Json

COINS = [f"COIN{letter}/USDT" for letter in ascii_uppercase]
HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
FLAT = Decimal(0)
TOLD, UNPROTECTED = "Exits that do not get through", 'hookfill_unprotected_positions{lacks="exit"}'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    venues = ["binance", "bybit", "poloniex"]
    with stack_at_exchanges(tmp_path_factory.mktemp("exits"), venues) as running:
        for one in running.wires.values():
            list_coins(one.exchange)
        yield running


def list_coins(exchange: Exchange) -> None:
    """List a coin for each test, at 2,000 USDT, so that no price of another test is remembered."""
    step = Decimal("0.0001")
    for symbol in COINS:
        base = symbol.partition("/")[0]
        for kind in (SPOT, LINEAR):
            listed = Listed(base, "USDT", kind, quantity_step=step, min_quantity=step)
            exchange.markets[symbol, kind] = listed
        exchange.set_price(symbol, "2000")


@pytest.fixture(scope="module")
def coins() -> Iterator[str]:
    return iter(COINS)


@pytest.fixture
def coin(coins: Iterator[str]) -> str:
    return next(coins)


@pytest.fixture
def running(stack: Running) -> Iterator[Running]:
    yield stack
    for one in stack.wires.values():
        one.calm()


def thin(me: Customer, *bids: str) -> None:
    """Let the next market orders find these, one after the other, and then nothing."""
    me.exchange.depth.extend([*map(Decimal, bids), *[FLAT] * 1_000])


def deep(me: Customer) -> None:
    """Let there be depth again."""
    me.exchange.depth.clear()


def end_what_works(me: Customer) -> None:
    """Let the exchange fill nothing more of the order that works there, and take it off."""
    me.exchange.fill_share = Decimal(1)
    me.exchange.cancel(me.holder, me.holder.orders[-1])


def new_rules(me: Customer, **rules: str) -> None:
    """Let the exchange change the rules of the contract, and tell nobody."""
    key = me.symbol, LINEAR
    changed = {name: Decimal(text) for name, text in rules.items()}
    me.exchange.markets[key] = replace(me.exchange.markets[key], **changed)  # type: ignore[arg-type]


# Crypto Arsenal


def test_a_stop_that_is_refused_is_told_until_it_gets_through(running: Running, coin: str) -> None:
    me, stack = Customer(running, "binance", Market.USDM, coin), running.stack
    entry = me.opened("0.4", loss="1900")
    (stop,) = me.guards(entry)
    eventually(lambda: running.gauge(UNPROTECTED) == 0)
    calm = stack.hookfill("status")
    me.exchange.says_no.extend([Why.KEY] * 1_000)

    me.exchange.set_price(coin, "1890")
    eventually(lambda: running.gauge(UNPROTECTED) == 1)
    eventually(lambda: "exits" in stack.call("GET", "/readyz")["warnings"])
    eventually(lambda: f"{TOLD}: 1." in stack.hookfill("status"))
    doctor, left = stack.call("POST", "/api/doctor", {}), me.leg()
    me.exchange.says_no.clear()
    me.ended(entry)

    assert (left, me.leg()) == (Decimal("0.4"), FLAT)
    assert TOLD not in calm
    (said,) = [one["message"] for one in doctor["findings"] if one["check"] == "exits"]
    assert stop["id"] in said
    assert "Invalid API-key" in said
    assert "alert" in events(running.row(stop["id"]))
    eventually(lambda: running.gauge(UNPROTECTED) == 0)
    eventually(lambda: TOLD not in stack.hookfill("status"))


def events(row: Json) -> list[str]:
    return [entry["event"] for entry in row["timeline"]]


@pytest.mark.parametrize("is_by_hand", [False, True])
def test_a_stop_sells_what_is_left(running: Running, coin: str, *, is_by_hand: bool) -> None:
    me = Customer(running, "binance", Market.USDM, coin)
    entry = me.opened("0.4", loss="1900")
    if is_by_hand:
        me.by_hand("SELL", "0.2")
    else:
        me.ended(me.signal(action="closeLong", percent="50"))

    me.exchange.set_price(coin, "1890")
    me.ended(entry)

    assert me.sold() == [Decimal("0.2"), Decimal("0.2")]
    assert (me.leg(), me.refused()) == (FLAT, [])
    (stop,) = me.guards(entry)
    assert Decimal(stop["filled_quantity"]) == Decimal("0.2")


def test_a_stop_goes_on_through_a_thin_book(running: Running, coin: str) -> None:
    me = Customer(running, "binance", Market.USDM, coin)
    entry = me.opened("0.4", loss="1900")
    thin(me, "0.1", "0.05")

    me.exchange.set_price(coin, "1890")
    eventually(lambda: len(me.sold()) >= 4)
    left, state, (waits,) = me.leg(), running.state(entry), me.guards(entry)
    me.exchange.set_price(coin, "1850")
    deep(me)
    me.ended(entry)

    assert (left, state) == (Decimal("0.25"), "EXECUTING")
    assert Decimal(waits["filled_quantity"]) == Decimal("0.15")
    assert (me.leg(), me.refused()) == (FLAT, [])
    (stop,) = me.guards(entry)
    assert Decimal(stop["filled_quantity"]) == Decimal("0.4")
    assert Decimal(stop["average_price"]) == Decimal(1865)
    assert len(set(me.client_order_ids())) == len(me.client_order_ids())


def test_a_stop_goes_on_when_its_order_has_ended_with_a_part(running: Running, coin: str) -> None:
    me = Customer(running, "bybit", Market.USDM, coin)
    entry = me.opened("0.4", loss="1900")
    me.exchange.fill_share = Decimal("0.25")

    me.exchange.set_price(coin, "1890")
    eventually(lambda: Decimal(me.guards(entry)[0]["filled_quantity"]) == Decimal("0.1"))
    end_what_works(me)
    me.ended(entry)

    assert me.sold() == [Decimal("0.4"), Decimal("0.3")]
    assert (me.leg(), me.refused()) == (FLAT, [])
    (stop,) = me.guards(entry)
    assert Decimal(stop["filled_quantity"]) == Decimal("0.4")


@pytest.mark.parametrize(("venue", "leg"), [("binance", "Long"), ("bybit", "Short")])
def test_a_close_is_done_when_the_position_is_flat(
    running: Running, coin: str, venue: str, leg: str
) -> None:
    me, side = Customer(running, venue, Market.USDM, coin), PositionSide(leg.upper())
    me.ended(me.signal(action=f"open{leg}", fixed="0.4"))
    thin(me, "0.1")

    close = me.signal(action=f"close{leg}", percent="100")
    eventually(lambda: len(me.client_order_ids()) >= 4)
    left, before = me.leg(side), running.row(close)
    deep(me)
    done = me.ended(close)

    assert (abs(left), before["state"]) == (Decimal("0.3"), "EXECUTING")
    assert Decimal(before["filled_quantity"]) == Decimal("0.1")
    assert (me.leg(side), me.refused()) == (FLAT, [])
    assert Decimal(done["filled_quantity"]) == Decimal("0.4")


def test_a_sale_is_done_when_the_coins_are_sold(running: Running, coin: str) -> None:
    me = Customer(running, "poloniex", Market.SPOT, coin)
    me.ended(me.signal(action="buy", fixed="0.4"))
    held = me.coins()
    thin(me, "0.1")

    sale = me.signal(action="sell", percent="100")
    eventually(lambda: len(me.sold()) >= 3)
    left, state = me.coins(), running.state(sale)
    deep(me)
    done = me.ended(sale)

    assert (left, state) == (held - Decimal("0.1"), "EXECUTING")
    assert (me.coins(), me.refused()) == (FLAT, [])
    assert Decimal(done["filled_quantity"]) == held


def test_an_opposite_position_is_closed_through_a_thin_book_first(
    running: Running, coin: str
) -> None:
    me = Customer(running, "binance", Market.USDM, coin, on_opposite="reverse")
    me.ended(me.signal(action="openLong", fixed="0.4"))
    thin(me, "0.1")

    entry = me.signal(action="openShort", fixed="0.2")
    eventually(lambda: len(me.sold()) >= 3)
    left = me.leg(), me.leg(PositionSide.SHORT)
    deep(me)
    me.ended(entry)

    assert left == (Decimal("0.3"), FLAT)
    assert (me.leg(), me.leg(PositionSide.SHORT)) == (FLAT, Decimal("-0.2"))
    assert me.refused() == []


def test_an_old_take_profit_leaves_a_new_position_alone(running: Running, coin: str) -> None:
    me, other = (Customer(running, "binance", Market.USDM, coin) for _ in range(2))
    entry = me.opened("0.4", guards=2, profit="2100", loss="1900")
    witness = other.opened("0.1", guards=2, profit="2100", loss="1900")
    me.by_hand("SELL", "0.4")
    done = me.ended(entry)
    me.by_hand("BUY", "0.4")

    me.exchange.set_price(coin, "2150")
    other.ended(witness)

    assert done["reason"]["code"] == "position_closed"
    assert [one["reason"]["code"] for one in me.guards(entry)] == ["position_closed"] * 2
    assert (me.leg(), other.leg()) == (Decimal("0.4"), FLAT)


def test_a_limit_entry_that_fills_beyond_its_stop_is_closed_at_once(
    running: Running, coin: str
) -> None:
    me = Customer(running, "binance", Market.USDM, coin)
    entry = me.signal(action="openLong", fixed="0.4", limit="1950", loss="1900")
    running.order(entry, "NEW")

    me.exchange.set_price(coin, "1850")
    me.ended(entry)

    assert me.sold() == [Decimal("0.4")]
    assert (me.leg(), me.refused()) == (FLAT, [])


def test_a_position_above_the_greatest_market_order_is_sold_by_two(
    running: Running, coin: str
) -> None:
    me = Customer(running, "binance", Market.USDM, coin, usdt="400000")
    entry = me.opened("150", limit="2001", loss="1900")

    me.exchange.set_price(coin, "1890")
    me.ended(entry)

    assert me.sold() == [Decimal(120), Decimal(30)]
    assert (me.leg(), me.refused()) == (FLAT, [])


def test_what_an_entry_has_filled_is_guarded_when_its_rest_has_ended(
    running: Running, coin: str
) -> None:
    me = Customer(running, "binance", Market.USDM, coin)
    me.exchange.fill_share = Decimal("0.25")
    entry = me.signal(action="openLong", fixed="0.4", limit="2000", loss="1900")
    running.order(entry, "PARTIALLY_FILLED")

    end_what_works(me)
    running.order(entry, "CANCELED")
    me.exchange.set_price(coin, "1890")
    done = me.ended(entry)

    assert Decimal(done["filled_quantity"]) == Decimal("0.1")
    assert me.sold() == [Decimal("0.1")]
    assert (me.leg(), me.refused()) == (FLAT, [])


# 3Commas


def test_a_stop_loss_sells_what_fees_have_left_that_nobody_has_told(
    running: Running, coin: str
) -> None:
    me = Customer(running, "bybit", Market.SPOT, coin)
    running.wires["bybit"].plan.trades_lag_ms = 3_600_000
    trade = smart_trade(me, "0.1")
    bought = me.coins()

    me.exchange.set_price(coin, "1890")
    trade_is(me, trade, "stop_loss_finished")

    assert (bought, me.sold()) == (Decimal("0.0999"), [Decimal("0.0999")])
    assert (me.coins(), me.refused()) == (FLAT, [])


def test_a_take_profit_is_finished_when_the_coins_are_sold(running: Running, coin: str) -> None:
    me = Customer(running, "binance", Market.SPOT, coin)
    profit = {"take_profit_type": "classic", "take_profit_price_condition": 2100}
    trade = smart_trade(me, "0.1", take_profit_enabled=True, **profit)
    thin(me, "0.02")

    me.exchange.set_price(coin, "2150")
    eventually(lambda: len(me.sold()) >= 3)
    left, before = me.coins(), shown(me, trade)["status"]
    deep(me)
    trade_is(me, trade, "take_profit_finished")

    assert (left, before) == (Decimal("0.0799"), "take_profit_order_placed")
    assert (me.coins(), me.refused()) == (FLAT, [])


def test_a_panic_sells_into_a_thin_book(running: Running, coin: str) -> None:
    me = Customer(running, "poloniex", Market.SPOT, coin)
    trade = smart_trade(me, "0.1")
    thin(me, "0.02")

    me.call(Dialect.THREE_COMMAS, f"{wire.TRADES}/{trade}/panic_sell", {})
    eventually(lambda: len(me.sold()) >= 3)
    left, before = me.coins(), shown(me, trade)["status"]
    deep(me)
    trade_is(me, trade, "panic_sell_finished")

    assert (left, before) == (Decimal("0.0799"), "panic_sell_order_placed")
    assert (me.coins(), me.refused()) == (FLAT, [])


def test_a_stop_loss_whose_key_is_refused_fails_loudly(running: Running, coin: str) -> None:
    me = Customer(running, "bybit", Market.SPOT, coin)
    trade = smart_trade(me, "0.1")
    me.exchange.says_no.append(Why.KEY)

    me.exchange.set_price(coin, "1890")
    trade_is(me, trade, "failed")

    assert me.coins() == Decimal("0.0999")
    assert "alert" in events(running.row(str(trade)))


def smart_trade(me: Customer, units: str, **odd: object) -> int:
    """Buy at the market with a stop at 1,900, and return the trade's id when it has bought."""
    me.client_of(Dialect.THREE_COMMAS)
    fields = {
        "account_id": me.running.stack.call("GET", f"/api/accounts/{me.name}")["id"],
        "pair": f"USDT_{me.coin}",
        "units_to_buy": units,
        "buy_method": "market",
        "take_profit_enabled": False,
        "stop_loss_enabled": True,
        "stop_loss_price_condition": 1900,
        **odd,
    }
    trade = me.call(Dialect.THREE_COMMAS, f"{wire.TRADES}/create_smart_trade", fields)
    trade_is(me, trade["id"], "bought")
    number: int = trade["id"]
    return number


def shown(me: Customer, trade: int) -> Json:
    return me.call(Dialect.THREE_COMMAS, f"{wire.TRADES}/{trade}/show", {}, "GET")


def trade_is(me: Customer, trade: int, status: str) -> None:
    """Wait until a trade has come so far."""
    eventually(lambda: shown(me, trade)["status"] == status, 40, lambda: shown(me, trade))


# apisify


@pytest.mark.parametrize(("venue", "mode"), [("bybit", HEDGE), ("binance", ONEWAY)])
def test_a_net_close_goes_on_through_a_thin_book(
    running: Running, coin: str, venue: str, mode: PositionMode
) -> None:
    me = Customer(running, venue, Market.USDM, coin, mode=mode)
    me.client_of(Dialect.APISIFY)
    me.ended(net_order(me, "Buy", "0.4"))
    thin(me, "0.1", "0.05")

    close = net_order(me, "Close", "0")
    eventually(lambda: len(me.sold()) >= 4)
    left, state = me.leg(), running.state(close)
    deep(me)
    done = me.ended(close)

    assert (left, state) == (Decimal("0.25"), "EXECUTING")
    assert (me.leg(), me.refused()) == (FLAT, [])
    assert Decimal(done["filled_quantity"]) == Decimal("0.4")


def test_a_reversal_opens_when_a_thin_book_has_taken_what_it_closes(
    running: Running, coin: str
) -> None:
    me = Customer(running, "bybit", Market.USDM, coin)
    me.client_of(Dialect.APISIFY)
    me.ended(net_order(me, "Buy", "0.4"))
    thin(me, "0.1", "0.05")

    reversal = net_order(me, "Sarsell", "0.2")
    eventually(lambda: len(me.sold()) >= 4)
    left = me.leg(), me.leg(PositionSide.SHORT)
    deep(me)
    me.ended(reversal)

    assert left == (Decimal("0.25"), FLAT)
    assert (me.leg(), me.leg(PositionSide.SHORT)) == (FLAT, Decimal("-0.2"))
    assert me.refused() == []


def test_a_reversal_by_one_order_that_fills_in_part_goes_on(running: Running, coin: str) -> None:
    me = Customer(running, "binance", Market.USDM, coin, mode=ONEWAY)
    me.client_of(Dialect.APISIFY)
    me.ended(net_order(me, "Buy", "0.4"))
    thin(me, "0.1", "0.05")

    reversal = net_order(me, "Sarsell", "0.2")
    eventually(lambda: len(me.sold()) >= 4)
    left = me.leg()
    deep(me)
    me.ended(reversal)

    assert (left, me.leg()) == (Decimal("0.25"), Decimal("-0.2"))
    assert me.sold()[:2] == [Decimal("0.6"), Decimal("0.3")]
    assert me.refused() == []


def net_order(me: Customer, side: str, quantity: str) -> str:
    """Send a market order, and return the id under which it is followed."""
    fields = {"exchange": me.venue, "order_type": "Market", "qty": quantity, "side": side}
    answer = me.call(Dialect.APISIFY, "/v1/order", {**fields, "symbol": me.symbol})
    order_id: str = answer["order_id"]
    return order_id


# Hummingbot


def test_a_close_for_more_than_there_is_is_made_as_small(running: Running, coin: str) -> None:
    me = Customer(running, "binance", Market.USDM, coin)
    me.client_of(Dialect.HUMMINGBOT)
    me.by_hand("BUY", "0.2")

    row = derivatives_order(me, "SELL", "CLOSE", "0.5")

    assert (row["status"], row["filled_amount"]) == ("FILLED", 0.2)
    assert me.sold() == [Decimal("0.2")]
    assert (me.leg(), me.refused()) == (FLAT, [])


def test_a_close_into_a_thin_book_is_one_order(running: Running, coin: str) -> None:
    me = Customer(running, "bybit", Market.USDM, coin)
    me.client_of(Dialect.HUMMINGBOT)
    me.by_hand("BUY", "0.2")
    thin(me, "0.05")

    row = derivatives_order(me, "SELL", "CLOSE", "0.2")

    assert (row["status"], row["filled_amount"]) == ("CANCELLED", 0.05)
    assert row["error_message"]
    assert (me.sold(), me.leg()) == ([Decimal("0.2")], Decimal("0.15"))


def derivatives_order(me: Customer, trade_type: str, action: str, amount: str) -> Json:
    """Send a market order, and return how it has ended."""
    fields = {
        "account_name": me.name,
        "connector_name": f"{me.venue}_perpetual",
        "trading_pair": me.symbol.replace("/", "-"),
        "trade_type": trade_type,
        "position_action": action,
        "amount": amount,
        "order_type": "MARKET",
    }
    order_id = me.call(Dialect.HUMMINGBOT, "/trading/orders", fields)["order_id"]

    def found() -> Any:  # noqa: ANN401 - a row
        mine = {"account_names": [me.name]}
        rows = me.call(Dialect.HUMMINGBOT, "/trading/orders/search", mine)["data"]
        (row,) = [one for one in rows if one["order_id"] == order_id]
        return row if row["status"] in {"FILLED", "CANCELLED", "FAILED"} else None

    return eventually(found)


# Poloniex


def test_a_smart_order_places_one_child_ever(running: Running, coin: str) -> None:
    me = Customer(running, "poloniex", Market.SPOT, coin)
    me.client_of(Dialect.POLONIEX)
    me.holder.total[me.coin] = Decimal("0.4")
    thin(me, "0.1")
    figures = {"type": "STOP", "quantity": "0.4", "stopPrice": "1900"}
    fields = {"symbol": coin.replace("/", "_"), "side": "SELL", **figures}
    order_id = me.call(Dialect.POLONIEX, "/smartorders", fields)["id"]
    eventually(lambda: "armed" in events(running.row(order_id)))

    me.exchange.set_price(coin, "1890")
    eventually(lambda: "closed" in events(running.row(order_id)))
    assert "alert" in events(running.row(order_id))

    shown = me.call(Dialect.POLONIEX, f"/smartorders/{order_id}", {}, "GET")
    child = shown["triggeredOrder"]
    assert (shown["state"], child["state"]) == ("TRIGGERED", "PARTIALLY_CANCELED")
    assert (me.sold(), me.coins()) == ([Decimal("0.4")], Decimal("0.3"))


# Last, when the rules that are known have been read some time ago: young ones are not doubted


def test_a_stop_fits_a_lot_that_was_made_larger(running: Running, coin: str) -> None:
    me = Customer(running, "binance", Market.USDM, coin)
    entry = me.opened("0.015", loss="1900")
    new_rules(me, quantity_step="0.01", min_quantity="0.01")

    me.exchange.set_price(coin, "1890")
    me.ended(entry)

    assert me.sold() == [Decimal("0.01")]
    assert me.leg() == Decimal("0.005")
    assert set(me.refused()) == {Why.LOT}
