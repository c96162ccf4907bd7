"""Orders beyond the vectors: limits, hedge legs, failures, inverse contracts."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.users.apisify import ACCOUNT, Caller, fresh


def test_e12_a_limit_close_rests_and_reduces(caller: Caller) -> None:
    caller.reset("1")
    caller.accepted(fresh(side="Close", order_type="Limit", price=70000))
    (order,) = caller.orders()
    assert (order["type"], order["price"], order["state"]) == ("LIMIT", "70000", "NEW")
    assert caller.traded() == [("SELL", Decimal(1), True)]
    caller.price("70000")
    assert caller.position() == 0


def test_e13_a_limit_reversal_rests_as_one_order(caller: Caller) -> None:
    caller.reset("-3")
    body = caller.accepted(fresh(side="Sarbuy", order_type="Limit", price="59999.7"))
    assert (body["price"], caller.position()) == ("59999.7", Decimal(-3))
    (order,) = caller.orders()
    assert (order["quantity"], order["price"]) == ("4", "59999.5")
    caller.price("59999")
    assert caller.position() == 1


def test_e3_a_plain_order_passes_through_zero(caller: Caller) -> None:
    caller.reset("1")
    caller.accepted(fresh(side="Sell", qty=3))
    assert caller.traded() == [("SELL", Decimal(3), False)]
    assert caller.position() == -2


@pytest.mark.parametrize("kind", ["Market", "Limit"])
def test_a_hedge_account_reverses_by_two_legs(caller: Caller, kind: str) -> None:
    caller.reset("-3", mode="HEDGE")
    caller.accepted(fresh(side="Sarbuy", order_type=kind, price=50000))
    assert caller.traded() == [("BUY", Decimal(3), True), ("BUY", Decimal(1), False)]
    caller.price("50000")
    caller.stack.settle()
    legs = caller.legs()
    assert (legs["long"], legs["short"]) == ("1", "0")


def test_a_close_that_fails_is_tried_again_before_anything_opens(caller: Caller) -> None:
    caller.reset("-3", mode="HEDGE")
    caller.stack.call("PUT", f"/paper/faults/{ACCOUNT}", {"place": ["reject"]})
    body = caller.accepted(fresh(side="Sarbuy"))
    assert caller.row(body["order_id"])["state"] == "DONE"
    states = [row["state"] for row in caller.orders()]
    assert (sorted(states), caller.position()) == (["FILLED", "FILLED", "REJECTED"], Decimal(1))


def test_a_failed_opening_leaves_it_flat(caller: Caller) -> None:
    caller.reset("-3", mode="HEDGE")
    caller.stack.call("PUT", f"/paper/faults/{ACCOUNT}", {"place": ["ok", "reject"]})
    body = caller.accepted(fresh(side="Sarbuy"))
    row = caller.row(body["order_id"])
    assert (row["state"], row["reason"]["code"]) == ("PARTIAL", "venue_rejected")
    assert "alert" in [entry["event"] for entry in row["timeline"]]
    assert caller.position() == 0


def test_a_lost_answer_neither_doubles_nor_loses_a_reversal(caller: Caller) -> None:
    caller.reset("-3")
    caller.stack.call("PUT", f"/paper/faults/{ACCOUNT}", {"place": ["accept_then_timeout"]})
    body = caller.accepted(fresh(side="Sarbuy"))
    for _ in range(100):
        caller.stack.settle()
        if caller.row(body["order_id"])["state"] == "DONE":
            break
    assert len(caller.stack.account(ACCOUNT)["ledger"]) == 1
    assert caller.position() == 1


def test_below_the_lot_is_denied(caller: Caller) -> None:
    body = caller.accepted(fresh(qty="0.0001"))
    row = caller.row(body["order_id"])
    assert (row["state"], row["reason"]["code"]) == ("DENIED", "below_minimum")


def test_settings_of_a_client_count(caller: Caller) -> None:
    caller.reset("2")
    settings = {"close_mode": "all", "sar_same_side": "add"}
    caller.stack.call("PUT", "/api/clients/apisify/ak_test", settings)
    caller.accepted(fresh(side="Sarbuy"))
    assert caller.position() == 3
    caller.accepted(fresh(side="Close", qty="0.5"))
    assert caller.position() == 0


def test_a_signature_is_used_up_whatever_the_account(caller: Caller) -> None:
    stack = caller.stack
    stack.call("PUT", "/paper/accounts/vector-coins", {"market": "COINM", "reset": True})
    accounts = {"accounts": [ACCOUNT, "vector-coins"]}
    stack.call("PUT", "/api/clients/apisify/ak_test", accounts)
    payload = fresh()
    caller.accepted(payload)
    caller.refused({**payload, "symbol": "ETHUSD"}, 401, "signature_reused")


def test_a_key_without_an_account_is_told_so(caller: Caller) -> None:
    caller.stack.call("PUT", "/api/clients/apisify/ak_test", {"accounts": []})
    caller.refused(fresh(), 403, "exchange_not_allowed")


def test_errors_are_json_whatever_is_sent(caller: Caller) -> None:
    session, url = caller.stack.session, caller.stack.url("/v1/order")
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = session.request(method, url, timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST"), method
        assert answer.json()["code"] == "method_not_allowed"
    assert session.post(f"{url}/x", timeout=30).json()["code"] == "not_found"
    large = caller.post("x" * 70_000)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")


# A spot account, where there is no other


@pytest.fixture
def spot(caller: Caller) -> Caller:
    """A caller whose key has an account of coins, at 50,000, and no other."""
    stack = caller.stack
    stack.open_account("vector-spot", {"USDT": "100000", "BTC": "0"}, "SPOT")
    stack.call("PUT", "/api/clients/apisify/ak_test", {"accounts": ["vector-spot"]})
    stack.quotes({"BTC/USDT": {"last": "50000"}})
    return caller


def in_coins(**odd: object) -> dict[str, Any]:
    return fresh(**{"symbol": "BTCUSDT", **odd})


def coins(spot: Caller) -> str:
    total: str = spot.stack.account("vector-spot")["balances"]["BTC"]["total"]
    return total


def test_a_spot_account_buys_and_sells_what_it_has(spot: Caller) -> None:
    states = []
    for side, quantity in (("Buy", "1"), ("Sell", "0.25"), ("Close", "0.5"), (0, 0), (0, 0)):
        body = spot.accepted(in_coins(side=side, qty=quantity))
        states.append((coins(spot), spot.row(body["order_id"])["state"]))

    assert states == [
        ("1", "DONE"),
        ("0.75", "DONE"),
        ("0.25", "DONE"),
        ("0", "DONE"),
        ("0", "SKIPPED"),
    ]


@pytest.mark.parametrize("side", ["Sarbuy", -2])
def test_a_spot_account_is_not_turned_around(spot: Caller, side: object) -> None:
    body = spot.refused(in_coins(side=side), 400, "not_on_spot")

    assert list(body["fields"]) == ["side"]


def test_a_spot_account_that_only_reduces_still_sells(spot: Caller) -> None:
    spot.accepted(in_coins(side="Buy", qty="1"))
    spot.stack.call("PUT", "/api/accounts/vector-spot", {"state": "REDUCE_ONLY"})
    try:
        bought = spot.accepted(in_coins(side="Buy", qty="1"))
        sold = spot.accepted(in_coins(side="Sell", qty="1"))
    finally:
        spot.stack.call("PUT", "/api/accounts/vector-spot", {"state": "RUN"})

    reason = spot.row(bought["order_id"])["reason"]["code"]
    assert reason == "account_reduce_only"
    assert (spot.row(sold["order_id"])["state"], coins(spot)) == ("DONE", "0")


def test_a_limit_that_rests_leaves_the_rest_of_the_coins_to_a_close(spot: Caller) -> None:
    spot.accepted(in_coins(side="Buy", qty="1"))
    spot.accepted(in_coins(side="Sell", qty="0.4", order_type="Limit", price=60000))
    spot.accepted(in_coins(side="Close", qty=0))
    rest = coins(spot)
    spot.stack.quotes({"BTC/USDT": {"last": "60000"}})

    assert (rest, coins(spot)) == ("0.4", "0")


def test_the_same_sale_twice_is_one(spot: Caller) -> None:
    spot.accepted(in_coins(side="Buy", qty="1"))
    sale = in_coins(side="Sell", qty="0.25")

    first, second = spot.accepted(sale), spot.accepted(sale)

    assert (first["order_id"], second["duplicate"]) == (second["order_id"], True)
    assert coins(spot) == "0.75"
