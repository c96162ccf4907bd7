"""The acceptance vectors of the Poloniex dialect, A1 to A62, but those about its processes."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.support.processes import eventually
from tests.support.stack import Installation, Json
from tests.support.users.poloniex import KEY, NOW_MS, OTHER_KEY, READ_KEY, RequestError, Sdk, Trader

#: Trials of a cancel against the price.
TRIALS = 50

FOK = {
    "time_in_force": "FOK",
    "type": "STOP_LIMIT",
    "side": "BUY",
    "quantity": "0.5",
    "price": "60100",
    "stop_price": "60000",
}


#: A small buy stop that waits above the price.
STOP = {"symbol": "BTC_USDT", "side": "BUY", "quantity": "0.01", "stop_price": "70000"}


def stop(trader: Trader, **fields: object) -> str:
    """Create it, or one like it."""
    return trader.create(**{**STOP, **fields})


def figures(row: Json, *names: str) -> list[Decimal]:
    """Return some numbers of a row."""
    return [Decimal(row[name]) for name in names]


def test_a1_a_stop_limit_fires_at_its_stop(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(**FOK, client_order_id="999999910")
    trader.price("59999.99")
    assert trader.state(order_id) == "PENDING_NEW"
    trader.price("60000")
    assert trader.state(order_id) == "TRIGGERED"
    child = trader.child(order_id)
    assert (child["type"], child["timeInForce"], child["side"]) == ("LIMIT", "FOK", "BUY")
    assert (child["state"], child["clientOrderId"]) == ("FILLED", "999999910")
    assert figures(child, "quantity", "price", "avgPrice") == [Decimal("0.5"), 60100, 60000]


THIN: dict[str, Any] = {
    "last": "60000",
    "asks": [["60050", "0.3"], ["60200", "5"]],
    "bids": [["59990", "5"]],
}


def test_a2_fill_or_kill_kills(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(**FOK)
    trader.book(**THIN)
    assert trader.state(order_id) == "TRIGGERED"
    child = trader.child(order_id)
    assert (child["state"], child["avgPrice"]) == ("CANCELED", "0.00")
    assert figures(child, "filledQuantity") == [0]
    assert trader.hold("USDT") == 0


def test_a3_immediate_or_cancel_takes_what_there_is(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(**{**FOK, "time_in_force": "IOC"})
    trader.book(**THIN)
    child = trader.child(order_id)
    assert (child["state"], child["filledQuantity"]) == ("PARTIALLY_CANCELED", "0.3")


def test_a4_good_till_canceled_rests(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(**{**FOK, "time_in_force": "GTC"})
    trader.book(**THIN)
    child = trader.child(order_id)
    assert (child["state"], child["filledQuantity"]) == ("PARTIALLY_FILLED", "0.3")
    assert trader.hold("USDT") == 12020
    (open_order,) = trader.sdk.request("GET", "/orders")
    assert open_order["id"] == child["id"]
    assert trader.sdk.get_all() == []


def test_a5_a_sale_without_a_type_is_a_stop(trader: Trader) -> None:
    order_id = trader.create(side="SELL", quantity="0.5", stop_price="55000")
    assert trader.sdk.get_by_id(order_id)["type"] == "STOP"
    trader.price("55000.01")
    assert trader.state(order_id) == "PENDING_NEW"
    trader.price("55000")
    child = trader.child(order_id)
    assert (child["type"], child["side"], child["state"]) == ("MARKET", "SELL", "FILLED")
    assert child["quantity"] == "0.5"


def gapped(trader: Trader, quantity: str = "0.5") -> str:
    """Return a sale whose limit lies above the price that has triggered it (A6)."""
    order_id = trader.create(
        side="SELL", type="STOP_LIMIT", quantity=quantity, stop_price="55000", price="54900"
    )
    trader.price("54000")
    return order_id


def test_a6_after_a_gap_the_limit_rests(trader: Trader) -> None:
    order_id = gapped(trader)
    assert trader.state(order_id) == "TRIGGERED"
    child = trader.child(order_id)
    assert (child["type"], child["state"], child["price"]) == ("LIMIT", "NEW", "54900")


def test_a7_a_price_makes_it_a_stop_limit(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(side="BUY", quantity="0.1", stop_price="60000", price="60050")
    row = trader.sdk.get_by_id(order_id)
    assert (row["type"], row["state"]) == ("STOP_LIMIT", "PENDING_NEW")


def test_a8_a_stop_keeps_a_price_and_does_not_use_it(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(
        side="BUY", type="STOP", price="41920", amount="10", stop_price="60000"
    )
    assert trader.sdk.get_by_id(order_id)["price"] == "41920"
    trader.price("60000")
    child = trader.child(order_id)
    assert (child["type"], child["price"], child["quantity"]) == ("MARKET", "0.00", "0.00")
    assert child["amount"] == "10"
    assert child["state"] == "FILLED"
    assert 0 < Decimal(child["filledAmount"]) <= 10


def test_a9_the_amount_goes_before_the_quantity(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(side="BUY", quantity="0.2", amount="10", stop_price="60000")
    trader.price("60001")
    assert 0 < Decimal(trader.child(order_id)["filledAmount"]) <= 10


def test_a10_a_quantity_alone_is_bought(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(side="BUY", quantity="0.01", stop_price="60000")
    trader.price("60000")
    child = trader.child(order_id)
    assert (child["type"], child["side"]) == ("MARKET", "BUY")
    assert figures(child, "filledQuantity", "filledAmount") == [Decimal("0.01"), 600]


def test_a11_an_amount_alone_is_enough_for_a_buy(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(side="BUY", amount="10", stop_price="60000")
    row = trader.sdk.get_by_id(order_id)
    assert (row["amount"], row["quantity"]) == ("10", "0.00")


def test_a12_but_not_for_a_sale(trader: Trader) -> None:
    trader.refused(602, 400, trader.create, side="SELL", amount="10", stop_price="55000")


def test_a13_a_stop_on_the_wrong_side_fires_at_once(trader: Trader) -> None:
    order_id = trader.create(side="BUY", quantity="0.01", stop_price="58000")
    assert trader.state(order_id) == "TRIGGERED"
    assert trader.child(order_id)["state"] == "FILLED"


def test_a13_unless_the_direction_is_inferred(odd_stack: Installation) -> None:
    trader = Trader(odd_stack)
    trader.reset()
    order_id = trader.create(side="BUY", quantity="0.01", stop_price="58000")
    trader.price("58000.01")
    assert trader.state(order_id) == "PENDING_NEW"
    trader.price("57999")
    assert trader.state(order_id) == "TRIGGERED"


def test_a14_equality_fires(trader: Trader) -> None:
    order_id = trader.create(side="SELL", quantity="0.01", stop_price="60000")
    assert trader.state(order_id) == "TRIGGERED"


def test_a15_without_a_price_nothing_fires(trader: Trader) -> None:
    trader.price(None)
    order_id = trader.create(side="BUY", quantity="0.01", stop_price="60000")
    assert trader.state(order_id) == "PENDING_NEW"
    trader.price("59000")
    assert trader.state(order_id) == "PENDING_NEW"
    trader.price("60000")
    assert trader.state(order_id) == "TRIGGERED"


def test_a16_a17_money_is_asked_for_when_it_triggers(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(
        side="BUY", type="STOP_LIMIT", quantity="5", price="60100", stop_price="60000"
    )
    assert trader.hold("USDT") == 0
    trader.price("60000")
    row = trader.sdk.get_by_id(order_id)
    assert (row["state"], row["failCode"]) == ("FAILED", 21709)
    assert "triggeredOrder" not in row
    assert trader.hold("USDT") == 0
    assert [one["outcome"] for one in trader.placed()] in ([], ["REJECTED"])
    assert trader.sdk.request("GET", "/orders") == []


def test_a18_the_first_takes_the_money(trader: Trader) -> None:
    trader.price("59000")
    both = [
        trader.create(side="BUY", quantity="1", price="60000", stop_price="60000") for _ in range(2)
    ]
    trader.price("60000")
    assert [trader.state(one) for one in both] == ["TRIGGERED", "FAILED"]
    assert trader.sdk.get_by_id(both[1])["failCode"] == 21709


def test_a19_what_is_canceled_never_fires(trader: Trader) -> None:
    order_id = stop(trader)
    answer = trader.sdk.cancel_by_id(order_id)
    assert answer == {
        "orderId": order_id,
        "clientOrderId": "",
        "state": "CANCELED",
        "code": 200,
        "message": "",
    }
    trader.price("71000")
    assert trader.state(order_id) == "CANCELED"
    assert trader.placed() == []


def test_a20_to_a21_a_client_order_id_names_it(trader: Trader) -> None:
    order_id = stop(trader, client_order_id="123Abc")
    answer = trader.sdk.cancel_by_id(client_order_id="123Abc")
    assert (answer["orderId"], answer["clientOrderId"]) == (order_id, "123Abc")
    trader.refused(21305, 400, trader.sdk.cancel_by_id, client_order_id="123Abc")


def test_a22_a_triggered_one_is_not_canceled(trader: Trader) -> None:
    order_id = gapped(trader)
    trader.refused(25009, 400, trader.sdk.cancel_by_id, order_id)
    assert trader.child(order_id)["state"] == "NEW"


def test_a23_nor_is_an_unknown_one(trader: Trader) -> None:
    trader.refused(25014, 404, trader.sdk.cancel_by_id, "1")


def test_a24_many_are_canceled_one_by_one(trader: Trader) -> None:
    first, second = stop(trader), stop(trader, client_order_id="cidB")
    results = trader.sdk.cancel_by_multiple_ids(
        order_ids=[first, "123456"], client_order_ids=["cidB"]
    )
    assert [(one["orderId"], one["state"], one["code"]) for one in results] == [
        (first, "PENDING_CANCEL", 200),
        ("123456", "", 25014),
        (second, "PENDING_CANCEL", 200),
    ]
    assert [trader.state(one) for one in (first, second)] == ["CANCELED", "CANCELED"]


def test_a25_none_named_is_an_error(trader: Trader) -> None:
    trader.refused(25008, 400, trader.sdk.cancel_by_multiple_ids, order_ids=[])


@pytest.fixture
def three(trader: Trader) -> list[str]:
    """Let two stops in BTC and one in ETH wait."""
    eth = {"symbol": "ETH_USDT", "quantity": "0.1", "stop_price": "3000"}
    orders = []
    for number, fields in enumerate(({}, {}, eth)):
        trader.freeze(NOW_MS + number)
        orders.append(stop(trader, **fields))
    return orders


def test_a26_one_symbol_is_canceled(trader: Trader, three: list[str]) -> None:
    results = trader.sdk.cancel(symbol="BTC_USDT")
    assert {one["orderId"] for one in results} == set(three[:2])
    assert all(one["message"] == "SUCCESS" for one in results)
    assert trader.state(three[2]) == "PENDING_NEW"


def test_a27_several_symbols_are(trader: Trader, three: list[str]) -> None:
    assert len(trader.sdk.cancel(symbol=["BTC_USDT", "ETH_USDT"])) == len(three)


def test_a28_all_are_but_not_what_has_triggered(trader: Trader, three: list[str]) -> None:
    child = trader.child(gapped(trader))
    assert len(trader.sdk.cancel(account_type="SPOT")) == len(three)
    (open_order,) = trader.sdk.request("GET", "/orders")
    assert open_order["id"] == child["id"]


def test_a29_to_cancel_nothing_is_no_error(trader: Trader) -> None:
    assert trader.sdk.cancel(symbol="BTC_USDT") == []


def test_a30_there_are_spot_accounts_only(trader: Trader) -> None:
    trader.refused(25018, 400, trader.sdk.cancel, account_type="MARGIN")


def test_a31_what_waits_is_listed(trader: Trader, three: list[str]) -> None:
    trader.sdk.cancel_by_id(stop(trader))
    gapped(trader)
    listed = trader.sdk.get_all()
    assert [one["id"] for one in listed] == three[::-1]
    assert all("triggeredOrder" not in one for one in listed)
    assert len(trader.sdk.get_all(limit=1)) == 1


SMART_KEYS = {
    "id": str,
    "clientOrderId": str,
    "symbol": str,
    "state": str,
    "accountType": str,
    "side": str,
    "type": str,
    "timeInForce": str,
    "quantity": str,
    "price": str,
    "amount": str,
    "stopPrice": str,
    "createTime": int,
    "updateTime": int,
    "triggeredOrder": dict,
}
CHILD_KEYS = {
    **{
        name: kind
        for name, kind in SMART_KEYS.items()
        if name not in {"stopPrice", "triggeredOrder"}
    },
    "avgPrice": str,
    "filledQuantity": str,
    "filledAmount": str,
}


def test_a32_all_keys_are_there(trader: Trader) -> None:
    trader.price("59000")
    order_id = trader.create(**FOK)
    trader.price("60000")
    row = trader.sdk.get_by_id(order_id)
    assert {name: type(value) for name, value in row.items()} == SMART_KEYS
    child = row["triggeredOrder"]
    assert {name: type(value) for name, value in child.items()} == CHILD_KEYS


def test_a33_what_nobody_has_named_is_not_found(trader: Trader) -> None:
    trader.refused(21301, 404, trader.sdk.get_by_id, client_order_id="nope")


def waiting_limit(trader: Trader, **fields: object) -> str:
    """Return a buy stop limit at 20000, below which the price is."""
    trader.price("18000")
    named = {"type": "STOP_LIMIT", "price": "20100", "stop_price": "20000", **fields}
    return stop(trader, **named)


def test_a34_a_replacement_inherits(trader: Trader) -> None:
    old = waiting_limit(trader, client_order_id="old")
    answer = trader.sdk.cancel_replace(old, price="19000", proceed_on_failure=True)
    assert answer["id"] != old
    assert trader.state(old) == "CANCELED"
    new = trader.sdk.get_by_id(answer["id"])
    assert (new["state"], new["clientOrderId"]) == ("PENDING_NEW", "")
    assert figures(new, "price", "stopPrice", "quantity") == [19000, 20000, Decimal("0.01")]


def test_a35_without_changes_it_is_the_same_again(trader: Trader) -> None:
    old = waiting_limit(trader, client_order_id="myId-1")
    answer = trader.sdk.cancel_replace("cid:myId-1")
    assert trader.state(old) == "CANCELED"
    before, after = trader.sdk.get_by_id(old), trader.sdk.get_by_id(answer["id"])
    same = set(SMART_KEYS) - {"id", "clientOrderId", "state", "triggeredOrder"}
    assert {name: before[name] for name in same} == {name: after[name] for name in same}


def test_a36_a_triggered_one_is_not_replaced(trader: Trader) -> None:
    order_id = gapped(trader, "1")
    trader.refused(25009, 400, trader.sdk.cancel_replace, order_id, price="1")
    assert trader.sdk.get_all() == []


@pytest.mark.parametrize("ends_as", ["CANCELED", "TRIGGERED"])
def test_a37_unless_its_caller_says_so(trader: Trader, ends_as: str) -> None:
    order_id = waiting_limit(trader)
    if ends_as == "CANCELED":
        trader.sdk.cancel_by_id(order_id)
    else:
        trader.price("20000", "18000")
    assert trader.state(order_id) == ends_as
    answer = trader.sdk.cancel_replace(order_id, price="19500", proceed_on_failure=True)
    new = trader.sdk.get_by_id(answer["id"])
    assert new["state"] == "PENDING_NEW"
    assert figures(new, "price", "stopPrice", "quantity") == [19500, 20000, Decimal("0.01")]


def test_a38_a_bad_replacement_leaves_the_old_one(trader: Trader) -> None:
    order_id = waiting_limit(trader)
    trader.refused(21328, 400, trader.sdk.cancel_replace, order_id, quantity="-1")
    assert trader.state(order_id) == "PENDING_NEW"


def test_a39_a_stop_limit_needs_a_price(trader: Trader) -> None:
    order_id = stop(trader)
    trader.refused(602, 400, trader.sdk.cancel_replace, order_id, type="STOP_LIMIT")
    assert trader.state(order_id) == "PENDING_NEW"


def test_a40_a_client_order_id_is_taken_while_it_may_trade(trader: Trader) -> None:
    first = stop(trader, client_order_id="once")
    trader.refused(25004, 400, stop, trader, client_order_id="once")
    trader.sdk.cancel_by_id(first)
    third = stop(trader, client_order_id="once")
    assert trader.sdk.get_by_id(client_order_id="once")["id"] == third


REFUSALS = [
    (25019, {"symbol": "NOPE_USDT"}),  # A41
    (21319, {"side": "HOLD"}),
    (21320, {"type": "FOO"}),
    (21321, {"time_in_force": "DAY"}),
    (21347, {"stop_price": "-1"}),
    (21328, {"quantity": "0"}),
    (21315, {"client_order_id": "c" * 65}),
    (25001, {"client_order_id": "a b"}),
    (602, {"type": "STOP_LIMIT"}),  # A42
    (602, {"symbol": None}),
    (21335, {"price": "60100.001"}),  # A43
    (21336, {"quantity": "0.0000001"}),
    (602, {"type": "TRAILING_STOP"}),  # A50
    (602, {"type": "TRAILING_STOP_LIMIT", "trailingOffset": "5"}),
    (25001, {"type": "TRAILING_STOP", "trailingOffset": "100%"}),
]


@pytest.mark.parametrize(("code", "odd"), REFUSALS)
def test_a41_a42_a43_a50_bad_fields(trader: Trader, code: int, odd: Json) -> None:
    trader.refused(code, 400, lambda: stop(trader, **odd))
    assert trader.stack.rows() == []


def test_a42_a_list_is_no_order(trader: Trader) -> None:
    trader.refused(601, 400, trader.sdk.request, "POST", "/smartorders", body=[1])


def trailing(side: str, offset: str, limit: str | None = None, **more: str) -> Json:
    """A trailing stop; with a limit its order is placed so far off the price."""
    order = {"side": side, "type": "TRAILING_STOP", "trailingOffset": offset, **more}
    limits = {"type": "TRAILING_STOP_LIMIT", "limitOffset": limit}
    return order if limit is None else {**order, **limits}


#: Order, price at creation, prices, and what its order is (T1 to T6).
TRAILS: list[tuple[str, Json, str, list[str], tuple[str, str, str]]] = [
    (
        "BTC",
        trailing("SELL", "500"),
        "60000",
        ["60400", "60100", "61000", "60600", "60500"],
        ("SELL", "MARKET", "0.00"),
    ),
    (
        "BTC",
        trailing("SELL", "2%", stop_price="62000", operator="GTE"),
        "60000",
        ["58000", "61999", "62000", "63000", "61740.01", "61740"],
        ("SELL", "MARKET", "0.00"),
    ),
    (
        "ETH",
        trailing("BUY", "1.5%"),
        "2000",
        ["1900", "1928.49", "1928.50"],
        ("BUY", "MARKET", "0.00"),
    ),
    ("BTC", trailing("SELL", "500", "0.5%"), "61000", ["60450"], ("SELL", "LIMIT", "60147.75")),
    ("ETH", trailing("BUY", "1%", "10"), "1950", ["1900", "1920"], ("BUY", "LIMIT", "1930")),
    (
        "ETH",
        trailing("BUY", "50", stop_price="1900"),
        "2000",
        ["2100", "1900", "1880", "1929", "1930"],
        ("BUY", "MARKET", "0.00"),
    ),
]


@pytest.mark.parametrize(("base", "order", "first", "path", "placed"), TRAILS)
def test_a44_to_a49_trailing(
    trader: Trader,
    base: str,
    order: Json,
    first: str,
    path: list[str],
    placed: tuple[str, str, str],
) -> None:
    trader.stack.prices(**{base: first})
    order_id = trader.create(**{"symbol": f"{base}_USDT", "quantity": "0.1", **order})
    row = trader.sdk.get_by_id(order_id)
    assert row["trailingOffset"] == order["trailingOffset"]
    assert row.get("limitOffset") == order.get("limitOffset")
    assert row["stopPrice"] == order.get("stop_price", "0.00")
    for price in path[:-1]:
        trader.stack.prices(**{base: price})
        assert trader.state(order_id) == "PENDING_NEW", price
    trader.stack.prices(**{base: path[-1]})
    assert trader.state(order_id) == "TRIGGERED"
    child = trader.child(order_id)
    assert (child["side"], child["type"], child["price"]) == placed
    assert len(trader.placed()) == 1


def test_a51_a_signature_covers_the_body(trader: Trader) -> None:
    class Forger(Sdk):
        def sign(self, text: str) -> str:
            return super().sign(text.replace('"0.01"', '"0.02"'))

    forger = Forger(trader.stack.run["base_url"], KEY, trader.sdk.secret, trader.time)
    trader.refused(401, 401, forger.create, **STOP)
    assert trader.stack.rows() == []


@pytest.mark.parametrize("off_ms", [-5_000, 5_000])
def test_a52_the_clocks_must_agree(trader: Trader, off_ms: int) -> None:
    trader.now_ms = lambda: NOW_MS + off_ms
    trader.refused(400, 400, trader.sdk.get_all)


def test_a53_the_window_narrows(trader: Trader) -> None:
    trader.now_ms = lambda: NOW_MS - 800
    trader.refused(408, 408, trader.sdk.request, "GET", "/smartorders", recvWindow="500")
    assert trader.sdk.request("GET", "/smartorders", recvWindow="900") == []
    trader.now_ms = lambda: NOW_MS - 1_500
    trader.refused(400, 400, trader.sdk.request, "GET", "/smartorders", recvWindow="5000")


def test_a54_a_key_is_needed(trader: Trader) -> None:
    answer = requests.get(trader.stack.url("/smartorders"), timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, 401)
    stranger = trader.client("nobody")
    trader.refused(401, 401, stranger.get_all)


def test_a54_a_key_may_be_for_reading_only(trader: Trader) -> None:
    reader = trader.client(READ_KEY)
    assert reader.get_all() == []
    trader.refused(403, 403, reader.create, **STOP)


def test_a55_the_published_signature_is_good(trader: Trader) -> None:
    headers = {
        "key": KEY,
        "signTimestamp": str(NOW_MS),
        "signature": "LO7436gMwLE0xHzhGEWpGiL8/+NDHxbQvpOeswhY+gQ=",
    }
    answer = requests.get(trader.stack.url("/smartorders?limit=5"), headers=headers, timeout=5)
    assert (answer.status_code, answer.json()) == (200, [])


def test_a56_accounts_do_not_see_each_other(trader: Trader) -> None:
    order_id = stop(trader, client_order_id="mine")
    other = trader.client(OTHER_KEY)
    trader.refused(21301, 404, other.get_by_id, order_id)
    trader.refused(21301, 404, other.get_by_id, client_order_id="mine")
    trader.refused(25014, 404, other.cancel_by_id, order_id)
    assert trader.state(order_id) == "PENDING_NEW"


def test_a57_the_past_is_listed(trader: Trader) -> None:
    # A reset does not take history away; what is older than a week is not asked for.
    trader.freeze(NOW_MS + 40 * 86_400_000)
    canceled = stop(trader)
    trader.sdk.cancel_by_id(canceled)
    triggered = gapped(trader)
    trader.price("59000")
    failed = trader.create(side="BUY", quantity="5", price="60100", stop_price="60000")
    trader.price("60000")
    assert trader.state(failed) == "FAILED"
    history = trader.sdk.get_history
    found = history(hide_cancel=True, states="FAILED,CANCELED", **{"from": 0})
    assert [one["id"] for one in found] == [failed]
    assert found[0]["orderSource"] == "API"
    assert {one["id"] for one in history()} == {failed, triggered, canceled}
    filled = history(states="FILLED")
    assert [(one["state"], one["filledQuantity"]) for one in filled] == [("TRIGGERED", "0.5")]


def test_a58_a_cancel_meets_the_price(trader: Trader) -> None:
    orders = [stop(trader, quantity="0.001", stop_price="60001") for _ in range(TRIALS)]

    def cancel(order_id: str) -> int:
        try:
            return int(trader.sdk.cancel_by_id(order_id)["code"])
        except RequestError as error:
            return error.code

    with ThreadPoolExecutor(9) as pool:
        crossing = pool.submit(trader.stack.prices, BTC="60001")
        codes = list(pool.map(cancel, orders))
        crossing.result()
    trader.stack.settle()
    for order_id, code in zip(orders, codes, strict=True):
        row = trader.sdk.get_by_id(order_id)
        assert (row["state"], "triggeredOrder" in row) == (
            ("CANCELED", False) if code == 200 else ("TRIGGERED", True)
        )
        assert code in {200, 25009}
    triggered = [code for code in codes if code != 200]
    assert len(trader.placed()) == len(triggered)


def test_a60_numbers_may_be_numbers(trader: Trader) -> None:
    trader.price("59000")
    text = (
        '{"symbol":"BTC_USDT","side":"BUY","stopPrice":60000.0,"type":"STOP_LIMIT",'
        '"quantity":"0.1","price":"50"}'
    )
    signed = f"POST\n/smartorders\nrequestBody={text}&signTimestamp={NOW_MS}"
    headers = {
        "key": KEY,
        "signTimestamp": str(NOW_MS),
        "signature": trader.sdk.sign(signed),
        "Content-Type": "application/json",
    }
    url = trader.stack.url("/smartorders")
    answer = requests.post(url, data=text, headers=headers, timeout=5)
    assert answer.status_code == 200, answer.text
    row = trader.sdk.get_by_id(answer.json()["id"])
    assert Decimal(row["stopPrice"]) == 60000


def test_a62_its_order_is_canceled_as_an_order(trader: Trader) -> None:
    order_id = gapped(trader)
    child = trader.child(order_id)
    answer: Any = trader.sdk.request("DELETE", f"/orders/{child['id']}")
    assert answer["state"] == "PENDING_CANCEL"
    trader.stack.settle()
    assert trader.child(order_id)["state"] == "CANCELED"
    assert trader.state(order_id) == "TRIGGERED"


def test_the_kill_switch(trader: Trader) -> None:
    request = trader.sdk.request
    trader.refused(25020, 400, request, "GET", "/orders/killSwitchStatus")
    smart = stop(trader)
    order = {"symbol": "BTC_USDT", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "9"}
    plain = request("POST", "/orders", body=order)["id"]
    trader.stack.settle()
    status = request("POST", "/orders/killSwitch", body={"timeout": "60"})
    assert status == {"startTime": NOW_MS, "cancellationTime": NOW_MS + 60_000}
    assert request("GET", "/orders/killSwitchStatus") == status
    trader.freeze(NOW_MS + 60_000)
    eventually(lambda: trader.state(smart) == "CANCELED")
    eventually(lambda: request("GET", f"/orders/{plain}")["state"] == "CANCELED")
    trader.refused(25020, 400, request, "GET", "/orders/killSwitchStatus")


def test_errors_of_paths_and_methods(trader: Trader) -> None:
    nowhere = requests.get(trader.stack.url("/smartorder"), timeout=5)
    assert (nowhere.status_code, nowhere.json()) == (404, {"code": 404, "message": "Not Found"})
    patched = requests.patch(trader.stack.url("/smartorders"), timeout=5)
    assert patched.json() == {"code": 405, "message": "Method Not Allowed"}
    assert json.loads(patched.text)["code"] == patched.status_code
