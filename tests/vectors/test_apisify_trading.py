"""Orders beyond the vectors: limits, hedge legs, failures, inverse contracts, the page's sample."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Installation
from tests.support.users.apisify import ACCOUNT, Caller, fresh

#: As it is printed, save for its indentation: there its last block stands outside of any function.
SAMPLE = Path(__file__).with_name("apisify_sample.py.txt")

#: SHA-256 of its lines without the blanks around them, taken from the page.
PRINTED = "78c9a1a960dc720ce3ea72219a377b579c2ff86596b3963ec900291df4b86816"


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
    legs = caller.stack.account(ACCOUNT)["positions"]["BTC/USD"]
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


def sample_for(stack: Installation) -> str:
    """Return the sample with its three blanks filled in."""
    demo = stack.run["demo"]["apisify"]
    blanks = {
        "< YOUR APISIFY APIKEY >": demo["apikey"],
        "< YOUR APISIFY SECRETKEY >": demo["secret"],
        "< YOUR SERVER URL >": stack.run["base_url"],
    }
    text = SAMPLE.read_text()
    for blank, value in blanks.items():
        assert text.count(blank) == 1
        text = text.replace(blank, value)
    return text


def test_the_sample_of_the_page_buys_an_inverse_contract(shared_stack: Installation) -> None:
    stack = shared_stack
    stack.thaw()  # it is signed as it is, now
    printed: list[Any] = []
    names = {"__name__": "__main__", "print": printed.append}
    exec(compile(sample_for(stack), str(SAMPLE), "exec"), names)  # noqa: S102
    (answer,) = printed
    assert (answer["result"], answer["side"], answer["symbol"]) == ("success", "Buy", "BTCUSD")
    stack.settle()
    account = stack.account("demo-coinm")
    assert account["positions"]["BTC/USD"]["long"] == "1"
    assert Decimal(account["balances"]["BTC"]["hold"]) > 0
    row = stack.call("GET", f"/api/orders/{answer['order_id']}")
    assert (row["account"], row["market"], row["memo"]) == ("demo-coinm", "COINM", "memo")


def test_the_sample_is_the_printed_one_but_for_its_indentation() -> None:
    lines = [line.strip() for line in SAMPLE.read_text().splitlines() if line.strip()]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == PRINTED
