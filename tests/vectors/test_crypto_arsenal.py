"""The acceptance vectors of the Crypto Arsenal spec, section 6, but those about processes."""

from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.support.stack import Installation
from tests.support.users.crypto_arsenal import FUT1, FUTURES, SPOT, SPOT1

V1 = {"log": "Buy", "action": "buy", "percent": "100", **SPOT1}
V17 = {**FUT1, "action": "openLong", "fixed": "0.5", "delaySeconds": 10}


def sent(stack: Installation, payload: object, **headers: str) -> requests.Response:
    """Send a message and wait for what it brings about."""
    answer = stack.send(payload, **headers)
    stack.settle()
    return answer


def accepted(stack: Installation, payload: object, **headers: str) -> None:
    """Send a message that must be answered `ok`, and wait for what it brings about."""
    answer = sent(stack, payload, **headers)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def refused(stack: Installation, payload: object, code: str, *fields: str) -> None:
    """Send a message that must be refused with 400, and see that nothing is queued."""
    before = len(stack.rows())
    answer = sent(stack, payload)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert (error["code"], tuple(error["fields"])) == (code, fields)
    assert len(stack.rows()) == before


def orders(stack: Installation, account: str) -> list[dict[str, Any]]:
    """Return the orders of an account, oldest first."""
    return list(reversed(stack.rows(kind="ORDER", account=account)))


def long_of(stack: Installation) -> Decimal:
    """Return the long position in ETH/USDT."""
    positions = stack.account(FUTURES)["positions"]
    return Decimal(positions.get("ETH/USDT", {"long": "0"})["long"])


def assert_v1(stack: Installation) -> None:
    """See that the whole balance less the reserve was spent."""
    assert stack.balance(SPOT, "BTC") == Decimal("0.698")
    assert stack.balance(SPOT, "USDT") == Decimal(100)


def test_v1_a_buy_of_all_leaves_the_reserve(stack: Installation) -> None:
    accepted(stack, V1)
    assert_v1(stack)


def test_v2_the_content_type_does_not_matter(stack: Installation) -> None:
    accepted(stack, V1, **{"Content-Type": "text/plain"})
    assert_v1(stack)


def test_v3_a_number_is_as_good_as_its_text(stack: Installation) -> None:
    accepted(stack, {**V1, "percent": 100})
    assert_v1(stack)


def test_v4_strangers_learn_nothing(stack: Installation) -> None:
    bad = [
        {**V1, "connectorToken": "wrong"},
        {**V1, "connectorName": "nobody"},
        {"action": "buy", "connectorName": "spot1"},
    ]
    before = len(stack.rows())
    answers = [sent(stack, payload) for payload in bad]
    assert {one.status_code for one in answers} == {401}
    assert len({one.content for one in answers}) == 1
    assert answers[0].json()["error"]["code"] == "unauthorized"
    assert len(stack.rows()) == before


def test_v5_plain_text_is_no_message(stack: Installation) -> None:
    refused(stack, "Buy now", "invalid_json")


def test_v6_fixed_goes_before_percent(stack: Installation) -> None:
    accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "percent": "100"})
    (order,) = orders(stack, SPOT)
    assert Decimal(order["filled_quantity"]) == Decimal("0.01")


def test_v7_a_malformed_size_is_not_passed_over(stack: Installation) -> None:
    payload = {**SPOT1, "action": "buy", "fixed": "abc", "percent": "50"}
    refused(stack, payload, "validation_failed", "fixed")


def test_v8_a_sale_is_a_share_of_the_base(stack: Installation) -> None:
    accepted(stack, {**SPOT1, "action": "sell", "percent": "90"})
    (order,) = orders(stack, SPOT)
    assert (order["side"], Decimal(order["filled_quantity"])) == ("SELL", Decimal("0.45"))


def test_v9_a_resting_order_is_canceled_by_its_id(stack: Installation) -> None:
    accepted(
        stack, {**SPOT1, "action": "buy", "percent": "50", "limit": "40000", "clientOrderId": "a1"}
    )
    (order,) = orders(stack, SPOT)
    assert (order["type"], order["state"]) == ("LIMIT", "NEW")
    assert (Decimal(order["quantity"]), Decimal(order["price"])) == (
        Decimal("0.125"),
        Decimal(40000),
    )
    accepted(stack, {**SPOT1, "action": "cancel", "clientOrderId": "a1"})
    (order,) = orders(stack, SPOT)
    assert order["state"] == "CANCELED"
    assert Decimal(stack.account(SPOT)["balances"]["USDT"]["available"]) == 10_000


def test_v10_a_cancel_needs_an_id(stack: Installation) -> None:
    refused(stack, {**SPOT1, "action": "cancel"}, "validation_failed", "clientOrderId")


@pytest.mark.parametrize("action", ["cancelAll", "cancellAll", "cancel_all"])
def test_v11_cancel_all_in_every_spelling(stack: Installation, action: str) -> None:
    for price in ("40000", "41000"):
        accepted(stack, {**SPOT1, "action": "buy", "fixed": "0.01", "limit": price})
    accepted(stack, {**SPOT1, "action": action})
    assert [one["state"] for one in orders(stack, SPOT)] == ["CANCELED", "CANCELED"]


def test_v12_actions_belong_to_markets(stack: Installation) -> None:
    refused(stack, {**SPOT1, "action": "openLong"}, "market_mismatch", "action")
    refused(stack, {**FUT1, "action": "buy"}, "market_mismatch", "action")


def test_v13_the_take_profit_fills_and_the_stop_goes(stack: Installation) -> None:
    payload = {**FUT1, "action": "openLong", "percent": "20", "profit": "2200", "loss": "1900"}
    accepted(stack, payload)
    assert long_of(stack) == Decimal("0.5")
    children = stack.rows(kind="SMART_ORDER", account=FUTURES)
    assert {Decimal(one["trigger_price"]) for one in children} == {Decimal(2200), Decimal(1900)}
    assert all(one["reduce_only"] and one["state"] == "PENDING_NEW" for one in children)
    stack.prices(ETH="2200")
    states = {
        Decimal(one["trigger_price"]): one["state"]
        for one in stack.rows(kind="SMART_ORDER", account=FUTURES)
    }
    assert states == {Decimal(2200): "TRIGGERED", Decimal(1900): "CANCELED"}
    assert long_of(stack) == 0
    assert stack.balance(FUTURES, "USDT") == 1100


def test_v14_spot_has_no_stop(stack: Installation) -> None:
    payload = {**SPOT1, "action": "buy", "percent": "10", "loss": "1"}
    refused(stack, payload, "validation_failed", "loss")


def test_v15_an_unreadable_protection_is_refused(stack: Installation) -> None:
    payload = {**FUT1, "action": "openLong", "percent": "10", "profit": "NaN"}
    refused(stack, payload, "validation_failed", "profit")


def test_v16_a_bare_nan_is_no_json(stack: Installation) -> None:
    text = '{"connectorName":"fut1","connectorToken":"T2","action":"openLong","percent":NaN}'
    refused(stack, text, "invalid_json")


def test_v17_a_delay_is_neither_early_nor_lost(stack: Installation) -> None:
    accepted(stack, V17)
    stack.advance(9_000)
    assert orders(stack, FUTURES) == []
    stack.advance(1_000)
    (order,) = orders(stack, FUTURES)
    assert order["state"] == "FILLED"


def test_v17_a_percentage_is_of_the_price_at_the_due_time(stack: Installation) -> None:
    accepted(stack, {**FUT1, "action": "openLong", "percent": "20", "delaySeconds": 10})
    stack.prices(ETH="2500")
    stack.advance(10_000)
    (order,) = orders(stack, FUTURES)
    assert Decimal(order["quantity"]) == Decimal("0.4")


@pytest.mark.parametrize(
    ("case", "extra", "is_delayed"),
    [
        ("v18", {"delaySecondsFilter": "open", "log": "close short"}, False),
        ("v19", {"delaySecondsFilter": "open", "log": "open long"}, True),
        ("v20", {"delaySecondsFilter": "open", "log": "Open long"}, False),
        ("v21", {"delaySecondsFilter": "open"}, False),
    ],
)
def test_v18_to_v21_the_filter_word(
    stack: Installation, case: str, extra: dict[str, str], *, is_delayed: bool
) -> None:
    accepted(stack, {**V17, **extra})
    assert len(orders(stack, FUTURES)) == (0 if is_delayed else 1), case
    stack.advance(10_000)
    assert len(orders(stack, FUTURES)) == 1, case


def test_v22_a_filter_alone_delays_nothing(stack: Installation) -> None:
    payload = {**FUT1, "action": "openLong", "fixed": "0.5", "delaySecondsFilter": "x", "log": "x"}
    accepted(stack, payload)
    assert len(orders(stack, FUTURES)) == 1


@pytest.mark.parametrize("delay", [-1, 86401, "abc", True])
def test_v23_bad_delays_are_refused(stack: Installation, delay: object) -> None:
    refused(stack, {**V17, "delaySeconds": delay}, "validation_failed", "delaySeconds")


def test_v23_zero_and_text_are_good_delays(stack: Installation) -> None:
    accepted(stack, {**V17, "delaySeconds": 0})
    accepted(stack, {**V17, "delaySeconds": "10"})
    assert len(orders(stack, FUTURES)) == 1
    stack.advance(10_000)
    assert len(orders(stack, FUTURES)) == 2


def test_v24_cancel_all_revokes_what_is_delayed(stack: Installation) -> None:
    accepted(stack, V17)
    stack.advance(5_000)
    accepted(stack, {**FUT1, "action": "cancelAll"})
    stack.advance(60_000)
    assert orders(stack, FUTURES) == []


def test_v25_the_same_message_twice_is_one_order_within_the_window(stack: Installation) -> None:
    payload = {**SPOT1, "action": "buy", "fixed": "0.01"}
    accepted(stack, payload)
    accepted(stack, payload)
    assert len(orders(stack, SPOT)) == 1
    stack.advance(20_001)
    accepted(stack, payload)
    assert len(orders(stack, SPOT)) == 2


def test_v26_a_closed_order_frees_its_id(stack: Installation) -> None:
    payload = {**SPOT1, "action": "buy", "fixed": "0.01", "clientOrderId": "Long"}
    accepted(stack, payload)
    stack.advance(86_400_000)
    accepted(stack, payload)
    assert [one["state"] for one in orders(stack, SPOT)] == ["FILLED", "FILLED"]


def test_v27_a_close_without_a_position_is_skipped(stack: Installation) -> None:
    accepted(stack, {**FUT1, "action": "closeLong"})
    (row,) = stack.rows(kind="SIGNAL", account=FUTURES)
    assert (row["state"], row["reason"]["code"]) == ("SKIPPED", "no_position")
    assert orders(stack, FUTURES) == []


def test_v28_a_close_is_a_share_of_the_position(stack: Installation) -> None:
    accepted(stack, {**FUT1, "action": "openLong", "fixed": "0.5"})
    accepted(stack, {**FUT1, "action": "closeLong", "percent": "50"})
    assert long_of(stack) == Decimal("0.25")


def test_v31_unknown_fields_are_ignored(stack: Installation) -> None:
    accepted(stack, {**V1, "position": "long", "entryOrder": {"a": [1]}, "maxWait": None})
    assert_v1(stack)


@pytest.mark.parametrize("percent", ["0", "101", "-5"])
def test_v32_a_percentage_has_bounds(stack: Installation, percent: str) -> None:
    refused(stack, {**V1, "percent": percent}, "validation_failed", "percent")
