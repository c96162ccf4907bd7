"""What Poloniex requests mean: every row of the tables, and the first that is wrong."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.dialects.poloniex import parse_orders, schemas
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Reading, array_from, object_from
from app.dialects.poloniex.queries import Address, Filter, address_from, addresses_from, reach_from
from app.domain.commands import PlaceSmartOrder
from app.domain.enums import Direction, Market, OrderType, Side, SmartOrderType, TimeInForce
from app.domain.identifiers import EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.search import Search
from app.domain.trigger import Offset
from tests.support.builders import a_smart_order

BTC = Instrument(
    symbol=Symbol("BTC/USDT"),
    market=Market.SPOT,
    price_step=Decimal("0.01"),
    quantity_step=Decimal("0.000001"),
    quote_step=Decimal("0.01"),
    min_quantity=Decimal("0.0001"),
    max_quantity=Decimal(100),
    min_notional=Decimal(1),
)

STOP = {"symbol": "BTC_USDT", "side": "BUY", "quantity": "0.5", "stopPrice": "60000"}
LIMIT = {**STOP, "type": "STOP_LIMIT", "price": "60100"}
TRAILING = {"symbol": "BTC_USDT", "side": "SELL", "quantity": "1", "type": "TRAILING_STOP"}
TRAILING |= {"trailingOffset": "500"}
TRAILING_LIMIT = {**TRAILING, "type": "TRAILING_STOP_LIMIT", "limitOffset": "0.5%"}
PLAIN = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "0.5", "price": "60000"}


def traded(symbol: Symbol) -> Instrument | None:
    return BTC if symbol == BTC.symbol else None


def last(symbol: Symbol) -> Decimal | None:
    return Decimal(60_000) if symbol == BTC.symbol else None


def smart(content: dict[str, Any], **odd: object) -> PlaceSmartOrder:
    return parse_orders.smart_order_from({**content, **odd}, traded, last)


def code_of(act: Any) -> int:  # noqa: ANN401 - any call
    with pytest.raises(Problem) as caught:
        act()
    return int(caught.value.code)


def test_a_stop_limit() -> None:
    assert smart(LIMIT, timeInForce="fok", clientOrderId="999999910") == PlaceSmartOrder(
        symbol=BTC.symbol,
        side=Side.BUY,
        type=SmartOrderType.STOP_LIMIT,
        time_in_force=TimeInForce.FOK,
        quantity=Decimal("0.5"),
        price=Decimal(60100),
        stop=Decimal(60000),
        caller_id="999999910",
    )


@pytest.mark.parametrize(
    ("odd", "kind", "post_only"),
    [
        ({}, SmartOrderType.STOP, False),
        ({"price": "60100"}, SmartOrderType.STOP_LIMIT, False),
        ({"type": "market"}, SmartOrderType.STOP, False),
        ({"type": "STOP", "price": "41920"}, SmartOrderType.STOP, False),
        ({"type": "LIMIT", "price": "60100"}, SmartOrderType.STOP_LIMIT, False),
        ({"type": "LIMIT_MAKER", "price": "60100"}, SmartOrderType.STOP_LIMIT, True),
    ],
)
def test_types(odd: dict[str, object], kind: SmartOrderType, *, post_only: bool) -> None:
    command = smart(STOP, **odd)

    assert (command.type, command.post_only) == (kind, post_only)


def test_trailing_orders() -> None:
    command = smart(TRAILING_LIMIT, stopPrice="62000", operator="gte", trailingOffset="2%")

    assert command.trail == Offset(Decimal(2), is_percent=True)
    assert command.limit_offset == Offset(Decimal("0.5"), is_percent=True)
    assert (command.stop, command.operator) == (Decimal(62000), Direction.RISING)
    assert smart(TRAILING).stop is None
    assert smart(TRAILING_LIMIT, limitOffset="0").limit_offset == Offset(Decimal(0))


def test_other_spellings() -> None:
    spelled = {"stop_price": 60000.0, "time_in_force": "IOC", "client_order_id": 17}
    given = {"symbol": "btc_usdt", "side": "buy", "quantity": Decimal("0.5"), "unknown": [1]}
    command = smart({**given, **spelled, "stop_price": Decimal("60000.0")})

    assert (command.stop, command.caller_id) == (Decimal(60000), "17")
    assert command.time_in_force is TimeInForce.IOC


@pytest.mark.parametrize(
    ("base", "odd", "code"),
    [
        (STOP, {"symbol": None}, 602),
        (STOP, {"symbol": ""}, 602),
        (STOP, {"symbol": 5}, 25019),
        (STOP, {"symbol": "NOPE_USDT"}, 25019),
        (STOP, {"symbol": "BTCUSDT"}, 25019),
        (STOP, {"side": None}, 602),
        (STOP, {"side": "HOLD"}, 21319),
        (STOP, {"side": True}, 21319),
        (STOP, {"type": "FOO"}, 21320),
        (STOP, {"timeInForce": "DAY"}, 21321),
        (STOP, {"accountType": "MARGIN"}, 25018),
        (STOP, {"stopPrice": None}, 602),
        (STOP, {"stopPrice": "0"}, 21347),
        (STOP, {"stopPrice": "-1"}, 21347),
        (STOP, {"stopPrice": "60000.001"}, 21335),
        (STOP, {"stopPrice": "1e30"}, None),
        (STOP, {"stopPrice": "NaN"}, 601),
        (STOP, {"stopPrice": True}, 601),
        (LIMIT, {"price": None}, 602),
        (LIMIT, {"price": "0"}, 21309),
        (LIMIT, {"price": "60100.001"}, 21335),
        (STOP, {"type": "STOP", "price": "-5"}, 21309),
        (STOP, {"quantity": None}, 602),
        (STOP, {"quantity": "0"}, 21328),
        (STOP, {"quantity": "0.0000001"}, 21336),
        (STOP, {"quantity": "0.00001"}, 21330),
        (STOP, {"quantity": "101"}, 21360),
        (STOP, {"quantity": None, "amount": "10"}, None),
        (STOP, {"quantity": None, "amount": "10", "side": "SELL"}, 602),
        (LIMIT, {"quantity": None, "amount": "10"}, 602),
        (STOP, {"amount": "0"}, 21317),
        (STOP, {"amount": "10.001"}, 21337),
        (STOP, {"amount": "0.5"}, 21322),
        (STOP, {"clientOrderId": ""}, None),
        (STOP, {"clientOrderId": "c" * 64}, None),
        (STOP, {"clientOrderId": "c" * 65}, 21315),
        (STOP, {"clientOrderId": "a b"}, 25001),
        (STOP, {"clientOrderId": "é"}, 25001),
        (STOP, {"clientOrderId": 1.5}, 25001),
        (TRAILING, {"trailingOffset": None}, 602),
        (TRAILING, {"trailingOffset": "0"}, 25001),
        (TRAILING, {"trailingOffset": "-1"}, 25001),
        (TRAILING, {"trailingOffset": "100%"}, 25001),
        (TRAILING, {"trailingOffset": "99.9%"}, None),
        (TRAILING, {"trailingOffset": "0.00000000001%"}, 25001),
        (TRAILING, {"trailingOffset": "much"}, 25001),
        (TRAILING, {"trailingOffset": "%"}, 25001),
        (TRAILING, {"trailingOffset": 500}, None),
        (TRAILING_LIMIT, {"limitOffset": None}, 602),
        (TRAILING_LIMIT, {"limitOffset": "-1"}, 25001),
        (TRAILING_LIMIT, {"limitOffset": "100%"}, 25001),
        (TRAILING, {"operator": "ABOVE"}, 25001),
        (LIMIT, {"quantity": "0.0001", "price": "60"}, 21322),
    ],
)
def test_each_row_of_the_table(
    base: dict[str, object], odd: dict[str, object], code: int | None
) -> None:
    if code is None:
        smart(base, **odd)
    else:
        assert code_of(lambda: smart(base, **odd)) == code


def test_the_first_row_that_is_wrong_is_told() -> None:
    wrong: dict[str, object] = {
        "symbol": "NOPE_USDT",
        "side": "HOLD",
        "type": "FOO",
        "timeInForce": "DAY",
        "accountType": "MARGIN",
        "stopPrice": "-1",
        "price": "-1",
        "quantity": "-1",
        "amount": "-1",
        "clientOrderId": "a b",
        "trailingOffset": "x",
    }
    right = {**TRAILING, "accountType": "SPOT", "timeInForce": "GTC", "stopPrice": "62000"}
    right |= {"price": "61000", "amount": "10", "clientOrderId": "c"}
    codes = [25019, 21319, 21320, 21321, 25018, 21347, 21309, 21328, 21317, 25001, 25001]
    for name, code in zip(list(wrong), codes, strict=True):
        assert code_of(lambda: smart(wrong)) == code, name
        wrong[name] = right[name]
    smart(wrong)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", 602), (b"  ", 602), (b"[1]", 601), (b"nonsense", 601), (b'{"a":1,"a":2}', 601)],
)
def test_bodies(body: bytes, code: int) -> None:
    assert code_of(lambda: object_from(body)) == code


def test_a_body_may_be_absent() -> None:
    assert object_from(b"", required=False) == {}


@pytest.mark.parametrize(
    ("body", "code"), [(b"", 602), (b"{}", 601), (b"[]", 601), (b"[1,2,3]", 601)]
)
def test_batches(body: bytes, code: int) -> None:
    assert code_of(lambda: array_from(body, 2)) == code


OLD = PlaceSmartOrder(
    symbol=BTC.symbol,
    side=Side.BUY,
    type=SmartOrderType.STOP_LIMIT,
    time_in_force=TimeInForce.IOC,
    quantity=Decimal("0.01"),
    price=Decimal(20100),
    stop=Decimal(20000),
    caller_id="old",
)


def amended(old: PlaceSmartOrder = OLD, **fields: Any) -> PlaceSmartOrder:  # noqa: ANN401
    return parse_orders.amended_smart_order(fields, old, traded, last)


def test_what_is_not_amended_is_inherited() -> None:
    new = amended(price="19000", symbol="ETH_USDT", side="SELL")

    assert new.price == 19000
    assert (new.symbol, new.side, new.stop) == (BTC.symbol, Side.BUY, Decimal(20000))
    assert (new.time_in_force, new.caller_id) == (TimeInForce.IOC, None)


def test_a_price_makes_a_stop_a_stop_limit() -> None:
    stop = smart(STOP)

    assert amended(stop, price="60100").type is SmartOrderType.STOP_LIMIT
    assert amended(stop, price="60100", type="STOP").type is SmartOrderType.STOP
    assert code_of(lambda: amended(stop, type="STOP_LIMIT")) == 602


def test_a_change_to_a_market_type_drops_the_price() -> None:
    assert amended(type="STOP").price is None


def test_a_change_of_type_drops_what_trails() -> None:
    old = smart(TRAILING_LIMIT)

    new = amended(old, type="STOP", stopPrice="55000")
    assert (new.trail, new.limit_offset) == (None, None)
    assert amended(old, trailingOffset="1%").trail == Offset(Decimal(1), is_percent=True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"quantity": "-1"}, 21328),
        ({"price": "0.001"}, 21335),
        ({"type": "FOO"}, 21320),
        ({"timeInForce": "DAY"}, 21321),
        ({"clientOrderId": "a b"}, 25001),
        ({"price": "1"}, 21322),
    ],
)
def test_bad_amendments(fields: dict[str, Any], code: int) -> None:
    assert code_of(lambda: amended(**fields)) == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, False), (True, True), (False, False), ("TRUE", True), ("false", False)],
)
def test_whether_a_replacement_proceeds(value: object, *, expected: bool) -> None:
    assert parse_orders.proceeds({"proceedOnFailure": value}) is expected


def test_it_must_be_said_clearly() -> None:
    assert code_of(lambda: parse_orders.proceeds({"proceedOnFailure": "maybe"})) == 601


def test_a_plain_order() -> None:
    order = parse_orders.order_from(PLAIN, traded, last)

    assert (order.type, order.quantity, order.price) == (
        OrderType.LIMIT,
        Decimal("0.5"),
        Decimal(60000),
    )
    assert (order.amount, order.time_in_force) == (None, TimeInForce.GTC)


def test_a_market_buy_names_what_it_spends() -> None:
    order = parse_orders.order_from(
        {"symbol": "BTC_USDT", "side": "BUY", "amount": "10"}, traded, last
    )

    assert (order.type, order.quantity, order.amount) == (OrderType.MARKET, Decimal(0), Decimal(10))


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"price": None}, 602),
        ({"quantity": None}, 602),
        ({"type": "MARKET"}, 602),
        ({"type": "STOP"}, 21320),
        ({"type": "MARKET", "side": "SELL", "quantity": None}, 602),
        ({"quantity": "0.0001", "price": "60"}, 21322),
        ({"symbol": "NOPE_USDT"}, 25019),
        ({"side": None}, 602),
    ],
)
def test_bad_plain_orders(odd: dict[str, object], code: int) -> None:
    assert code_of(lambda: parse_orders.order_from({**PLAIN, **odd}, traded, last)) == code


def banded(_: Symbol) -> Instrument:
    """At 60,000 a buy may be limited by 63,000 at most, a sale by 57,000 at least."""
    return replace(
        BTC,
        max_market_quantity=Decimal(5),
        multiplier_up=Decimal("1.05"),
        multiplier_down=Decimal("0.95"),
    )


def test_bounds_of_a_plain_order() -> None:
    def order(**odd: str) -> Any:  # noqa: ANN401 - a call
        return lambda: parse_orders.order_from({**PLAIN, **odd}, banded, last)

    assert code_of(order(price="63000.01")) == 21310
    assert code_of(order(price="56999.99", side="SELL")) == 21311
    assert code_of(order(quantity="101")) == 21360
    assert code_of(order(quantity="6", side="SELL", type="MARKET")) == 21360
    assert order(price="63000")().price == 63_000
    assert order(price="1", quantity="6")().price == 1  # it only rests
    dark = parse_orders.order_from({**PLAIN, "price": "99999"}, banded, lambda _: None)
    assert dark.price == 99_999  # the venue looks at it again


@pytest.mark.parametrize(
    ("stop", "side", "good", "bad", "code"),
    [
        ("70000", "BUY", "73500", "73500.01", 21310),
        ("50000", "BUY", "63000", "63000.01", 21310),
        ("50000", "SELL", "47500", "47499.99", 21311),
    ],
)
def test_the_limit_of_a_stop_may_fit_its_stop_or_the_price(
    stop: str, side: str, good: str, bad: str, code: int
) -> None:
    def limited(price: str) -> PlaceSmartOrder:
        content = {**LIMIT, "side": side, "stopPrice": stop, "price": price}
        return parse_orders.smart_order_from(content, banded, last)

    assert limited(good).price == Decimal(good)
    assert code_of(lambda: limited(bad)) == code


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("cid:abc", Address(caller_id="abc")),
        ("CID:12", Address(caller_id="12")),
        ("12", Address("12", "12")),
        ("1" * 17, Address("1" * 17, "1" * 17)),
        ("bare-id", Address("bare-id", "bare-id")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert address_from(text) == address


@pytest.mark.parametrize("text", ["cid:", "a b", "é", "x" * 65, "cid:a:b"])
def test_what_is_no_address(text: str) -> None:
    assert code_of(lambda: address_from(text)) == Code.INVALID_ORDER_ID


def test_lists_of_ids() -> None:
    body = {"orderIds": [1, "2", "x"], "clientOrderIds": "one"}

    found = addresses_from(body)

    assert found == [("1", None), ("2", None), ("x", None), ("", "one")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({}, 25008),
        ({"orderIds": [], "clientOrderIds": []}, 25008),
        ({"orderIds": ["1"] * 201}, 25001),
        ({"orderIds": {"a": 1}}, 25001),
        ({"orderIds": [1.5]}, 25001),
        ({"orderIds": [True]}, 25001),
    ],
)
def test_bad_lists_of_ids(content: dict[str, object], code: int) -> None:
    assert code_of(lambda: addresses_from(content)) == code


@pytest.mark.parametrize(
    ("content", "symbols", "types"),
    [
        ({}, None, None),
        ({"symbols": []}, None, None),
        ({"symbol": "BTC_USDT"}, {"BTC/USDT"}, None),
        ({"symbol": ["btc_usdt"], "accountType": ["spot"]}, {"BTC/USDT"}, None),
        ({"symbols": ["BTC_USDT"], "orderTypes": ["STOP"]}, {"BTC/USDT"}, {"STOP"}),
    ],
)
def test_what_a_cancel_reaches(
    content: dict[str, object], symbols: set[str] | None, types: set[str] | None
) -> None:
    reach = reach_from(schemas.SMART_DESCRIBED, content, traded)

    assert (reach.symbols, reach.types) == (symbols, types)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"symbol": "ETH_USDT"}, 25019),
        ({"symbols": [5]}, 25019),
        ({"accountTypes": ["MARGIN"]}, 25018),
        ({"orderTypes": ["FOO"]}, 21320),
    ],
)
def test_what_no_cancel_reaches(content: dict[str, object], code: int) -> None:
    assert code_of(lambda: reach_from(schemas.SMART_DESCRIBED, content, traded)) == code


def timeout_from(given: object) -> object:
    return Reading(schemas.KILL_SWITCH, {"timeout": given})["timeout"]


@pytest.mark.parametrize(("given", "seconds"), [("60", 60), (10, 10), ("-1", schemas.OFF)])
def test_kill_switches(given: object, seconds: int) -> None:
    assert timeout_from(given) == seconds


@pytest.mark.parametrize(
    ("given", "code"), [(None, 602), ("", 602), ("9", 25001), (601, 25001), ("x", 601)]
)
def test_bad_kill_switches(given: object, code: int) -> None:
    assert code_of(lambda: timeout_from(given)) == code


def test_a_filter_asks_for_symbol_side_and_type() -> None:
    one = a_smart_order()
    fits = Filter(symbols=frozenset({one.symbol}), side=one.side, types=frozenset({"STOP"}))

    assert Filter().holds(one)
    assert fits.holds(one)
    assert not replace(fits, symbols=frozenset({Symbol("LTC/USDT")})).holds(one)
    assert not replace(fits, side=one.side.opposite).holds(one)
    assert not replace(fits, types=frozenset({"STOP_LIMIT"})).holds(one)


def test_a_filter_of_the_past_asks_when_an_order_changed_last() -> None:
    one = a_smart_order()
    at_ms = one.updated_at_ms

    assert Filter(since_ms=at_ms, until_ms=at_ms).holds(one)
    assert not Filter(since_ms=EpochMs(at_ms + 1)).holds(one)
    assert not Filter(until_ms=EpochMs(at_ms - 1)).holds(one)
    after_ms = EpochMs(at_ms + 1)
    assert Filter(since_ms=at_ms, until_ms=at_ms).search == Search(
        until_ms=after_ms, updated_since_ms=at_ms, updated_until_ms=after_ms
    )


@pytest.mark.parametrize(
    "unset",
    [
        {"type": "MARKET", "quantity": "0.00", "price": "0.00", "amount": "10"},
        {"type": "MARKET", "quantity": "0", "price": "-1", "amount": "10"},
        {"type": "MARKET", "side": "SELL", "price": "0", "amount": "0.00"},
        {"amount": "0.00"},
    ],
)
def test_what_an_order_has_no_use_for_may_be_zero(unset: dict[str, object]) -> None:
    order = parse_orders.order_from({**PLAIN, **unset}, traded, last)

    assert (order.price is None) is (order.type is OrderType.MARKET)
    assert (order.amount is None) is ("amount" not in unset or unset["amount"] == "0.00")


@pytest.mark.parametrize("name", ["price", "quantity", "amount"])
def test_what_is_no_number_is_refused_all_the_same(name: str) -> None:
    shape = {**PLAIN, "type": "MARKET", "amount": "10", name: "abc"}

    assert code_of(lambda: parse_orders.order_from(shape, traded, last)) == 601
