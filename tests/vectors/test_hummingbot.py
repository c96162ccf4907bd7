"""The acceptance vectors of the Hummingbot spec, section 6, but those about processes."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.support.users.hummingbot import User, detail

KEYS = {
    "order_id",
    "account_name",
    "connector_name",
    "trading_pair",
    "trade_type",
    "amount",
    "order_type",
    "price",
    "status",
}


def problem(answer: requests.Response) -> dict[str, Any]:
    """Return the one thing that is wrong with a body."""
    (found,) = detail(answer, 422)
    assert isinstance(found, dict)
    return found


def test_v1_an_order_is_answered_with_nine_keys(user: User) -> None:
    answer = user.order()

    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == KEYS
    assert (body["amount"], body["price"], body["status"]) == ("0.001", "59000.5", "submitted")
    assert body["order_id"].isalnum()
    assert len(body["order_id"]) == 16


def test_v2_strangers_are_told_how_to_sign_in(user: User) -> None:
    url = user.stack.url("/trading/orders")
    nobody = requests.post(url, json=user.spot, timeout=60)
    bearer = requests.post(url, json={}, headers={"Authorization": "Bearer x"}, timeout=60)
    garbled = requests.post(url, json={}, headers={"Authorization": "Basic %%"}, timeout=60)
    wrong = requests.post(url, json=user.spot, auth=("admin", "wrong"), timeout=60)
    unknown = requests.post(url, json=user.spot, auth=("who", "admin"), timeout=60)

    for answer in (nobody, bearer, garbled):
        assert detail(answer, 401) == "Not authenticated"
    for answer in (wrong, unknown):
        assert detail(answer, 401) == "Incorrect username or password"
    for answer in (nobody, bearer, garbled, wrong, unknown):
        assert answer.headers["WWW-Authenticate"] == "Basic"


def test_v3_the_password_goes_before_the_fields(user: User) -> None:
    url = user.stack.url("/trading/orders")

    detail(requests.post(url, json={}, auth=("admin", "wrong"), timeout=60), 401)


def test_v4_missing_fields_are_named_in_order(user: User) -> None:
    problems = detail(user.send("/trading/orders", {}), 422)

    assert [one["type"] for one in problems] == ["missing"] * 5
    assert [one["loc"] for one in problems] == [
        ["body", name]
        for name in ("account_name", "connector_name", "trading_pair", "trade_type", "amount")
    ]
    assert all(one["input"] == {} for one in problems)


def test_v5_words_have_a_case(user: User) -> None:
    found = problem(user.order(trade_type="buy"))

    assert (found["type"], found["loc"], found["input"]) == (
        "literal_error",
        ["body", "trade_type"],
        "buy",
    )
    assert found["ctx"] == {"expected": "'BUY' or 'SELL'"}


@pytest.mark.parametrize("amount", [0, -1])
def test_v6_an_amount_is_above_zero(user: User, amount: int) -> None:
    found = problem(user.order(amount=amount))

    assert (found["type"], found["ctx"], found["input"]) == ("greater_than", {"gt": 0}, amount)


@pytest.mark.parametrize(
    ("amount", "kind"),
    [
        ("abc", "decimal_parsing"),
        (None, "decimal_type"),
        (True, "decimal_type"),
        ("NaN", "finite_number"),
    ],
)
def test_v7_an_amount_is_a_number(user: User, amount: object, kind: str) -> None:
    found = problem(user.order(amount=amount))

    assert (found["type"], found["loc"], found["input"]) == (kind, ["body", "amount"], amount)


def test_v8_an_amount_is_echoed_as_it_was_written(user: User) -> None:
    answer = user.order(amount="0.00100")

    assert (answer.status_code, answer.json()["amount"]) == (201, "0.00100")


def test_v9_less_than_the_least_amount(user: User) -> None:
    said = detail(user.order(amount=1e-7), 400)

    assert "amount 0.0000001 below minimum order size 0.00001 for BTC-USDT" in said


def test_v10_no_exponents(user: User) -> None:
    body = json.dumps({**user.spot, "amount": "AMOUNT", "price": "PRICE"})
    body = body.replace('"AMOUNT"', "1e3").replace('"PRICE"', "1e3")
    answer = user.send("/trading/orders", body, **{"Content-Type": "application/json"})

    assert answer.status_code == 201, answer.text
    assert (answer.json()["amount"], answer.json()["price"]) == ("1000", "1000")


def test_v11_a_limit_order_needs_a_price(user: User) -> None:
    without = {name: value for name, value in user.spot.items() if name != "price"}

    for answer in (user.send("/trading/orders", without), user.order(price=None)):
        assert "rice" in detail(answer, 400)


def test_v12_a_market_order_needs_none(user: User) -> None:
    order_id = user.placed(order_type="MARKET", price=None)

    row = user.found(order_id)
    assert (row["status"], row["average_fill_price"]) == ("FILLED", Decimal(60000))


def test_v13_a_market_order_ignores_its_price(user: User) -> None:
    answer = user.order(order_type="MARKET", price=1)
    user.stack.settle()

    assert answer.json()["price"] == "1"
    row = user.found(answer.json()["order_id"])
    assert (row["status"], row["average_fill_price"]) == ("FILLED", Decimal(60000))


def test_v14_an_order_is_a_limit_order_unless_it_says_else(user: User) -> None:
    without = {name: value for name, value in user.spot.items() if name != "order_type"}

    answer = user.send("/trading/orders", without)

    assert (answer.status_code, answer.json()["order_type"]) == (201, "LIMIT")


def test_v15_an_unknown_account(user: User) -> None:
    assert detail(user.order(account_name="nope"), 404) == "Account 'nope' not found"


def test_v16_an_unknown_connector(user: User) -> None:
    assert detail(user.order(connector_name="nope"), 404) == "Connector 'nope' not found"


@pytest.mark.parametrize("pair", ["FOO-BAR", "btc-usdt", "BTC/USDT", "BTCUSDT", ""])
def test_v17_an_unknown_pair(user: User, pair: str) -> None:
    said = detail(user.order(trading_pair=pair), 400)

    assert f"'{pair}' not supported" in said
    assert "BTC-USDT" in said


def test_v18_too_small_a_notional(user: User) -> None:
    said = detail(user.order(amount=0.00005, price=59000), 400)

    assert "notional 2.95 below minimum 5 for BTC-USDT" in said


@pytest.mark.parametrize(
    "odd", [{"order_type": "STOP"}, {"position_action": "NIL"}, {"position_action": None}]
)
def test_v19_other_words_are_errors(user: User, odd: dict[str, object]) -> None:
    (name,) = odd

    found = problem(user.order(**odd))

    assert (found["type"], found["loc"]) == ("literal_error", ["body", name])


def test_v20_a_maker_order_that_would_take_fails(user: User) -> None:
    order_id = user.placed(order_type="LIMIT_MAKER", price=61000)

    row = user.found(order_id)
    assert (row["status"], row["filled_amount"]) == ("FAILED", Decimal(0))
    assert "post only" in row["error_message"]


def test_v21_unknown_keys_are_ignored(user: User) -> None:
    assert user.order(leverage=5, note={"a": [1]}).status_code == 201


def test_v22_what_is_no_json(user: User) -> None:
    kind = {"Content-Type": "application/json"}
    found = problem(user.send("/trading/orders", '{"amount": }', **kind))

    assert (found["type"], found["loc"], found["input"]) == ("json_invalid", ["body", 11], {})
    assert found["msg"] == "JSON decode error"
    assert set(found["ctx"]) == {"error"}
    url = user.stack.url("/trading/orders")
    detail(requests.post(url, data="{", headers=kind, timeout=60), 401)


@pytest.mark.parametrize("kind", [{"Content-Type": "text/plain"}, {}])
def test_v23_json_must_be_announced(user: User, kind: dict[str, str]) -> None:
    found = problem(user.send("/trading/orders", '{"amount": 1}', **kind))

    assert (found["type"], found["loc"]) == ("model_attributes_type", ["body"])
    assert found["input"] == '{"amount": 1}'


def test_v24_other_methods_and_slashes(user: User) -> None:
    answer = user.get("/trading/orders")

    assert detail(answer, 405) == "Method Not Allowed"
    assert answer.headers["Allow"] == "POST"
    assert detail(user.send("/trading/orders/", user.spot), 404) == "Not Found"


def test_v25_an_order_is_active_from_its_201_on(user: User) -> None:
    order_id = user.order().json()["order_id"]

    (row,) = user.rows("orders/active")

    assert (row["order_id"], row["amount"]) == (order_id, Decimal("0.001"))
    assert row["status"] in {"SUBMITTED", "OPEN"}


def test_v26_a_canceled_order(user: User) -> None:
    order_id = user.placed()

    answer = user.cancel(order_id)

    assert answer.status_code == 200
    assert answer.json() == {"message": f"Order cancellation initiated for {order_id}"}
    user.stack.settle()
    assert user.found(order_id)["status"] == "CANCELLED"
    assert user.rows("orders/active") == []
    said = detail(user.cancel(order_id), 404)
    assert said == f"Order '{order_id}' not found in active orders"


def test_v27_what_cannot_be_canceled(user: User) -> None:
    assert detail(user.cancel("nope"), 404) == "Order 'nope' not found in active orders"
    said = detail(user.cancel("nope", account_name="nobody"), 404)
    assert said == "Account 'nobody' not found"


def test_v28_pages_of_a_search(user: User) -> None:
    ids = {user.placed(order_type="MARKET", price=None) for _ in range(3)}
    user.placed()

    page = user.page("orders/search", status="FILLED", limit=1)

    assert page["pagination"]["has_more"] is True
    assert page["pagination"]["total_count"] == 3
    seen = [page["data"][0]["order_id"]]
    while page["pagination"]["next_cursor"] is not None:
        cursor = page["pagination"]["next_cursor"]
        page = user.page("orders/search", status="FILLED", limit=1, cursor=cursor)
        seen += [row["order_id"] for row in page["data"]]
    assert len(seen) == 3
    assert set(seen) == ids


@pytest.mark.parametrize(("limit", "kind"), [(0, "greater_than_equal"), (1001, "less_than_equal")])
def test_v29_the_bounds_of_a_page(user: User, limit: int, kind: str) -> None:
    found = problem(user.send("/trading/orders/search", {"limit": limit}))

    assert (found["type"], found["loc"]) == (kind, ["body", "limit"])


def test_v30_seconds_and_milliseconds(user: User) -> None:
    user.placed()
    user.stack.advance(10_000)
    after = user.placed()
    at_ms = user.stack.call("GET", "/paper/clock")["now_ms"] // 1000 * 1000

    in_ms = user.rows("orders/search", start_time=at_ms)
    in_seconds = user.rows("orders/search", start_time=at_ms // 1000)

    assert in_ms == in_seconds
    assert [row["order_id"] for row in in_ms] == [after]


def test_v31_a_short_is_opened_and_reduced(user: User) -> None:
    user.perpetual("SELL", "OPEN", 2)
    user.perpetual("BUY", "CLOSE", 0.5)

    assert user.position_rows() == [("SHORT", Decimal("1.5"))]


def test_v32_a_close_never_flips(user: User) -> None:
    user.perpetual("SELL", "OPEN", 2)
    user.perpetual("BUY", "CLOSE", 0.5)
    user.perpetual("BUY", "CLOSE", 9)

    assert user.position_rows() == []


def test_v33_spot_has_no_positions(user: User) -> None:
    user.placed(order_type="MARKET", price=None)

    assert user.position_rows(connector_names=[user.connector]) == []


def test_v34_the_same_order_twice_is_two_orders(user: User) -> None:
    assert user.placed() != user.placed()
    assert len(user.rows("orders/active")) == 2


def test_v35_the_same_key_twice_is_one_order(user: User) -> None:
    key = {"Idempotency-Key": "one"}
    first = user.send("/trading/orders", user.spot, **key)
    again = user.send("/trading/orders", user.spot, **key)
    other = user.send("/trading/orders", {**user.spot, "amount": 0.002}, **key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert isinstance(detail(other, 422), str)
    user.stack.settle()
    assert len(user.rows("orders/active")) == 1
    user.stack.advance(86_400_001)
    later = user.send("/trading/orders", user.spot, **key)
    assert later.json()["order_id"] != first.json()["order_id"]


def test_v38_what_only_derivatives_have(user: User) -> None:
    path = f"/trading/{user.account_name}"
    mode = user.send(f"{path}/{user.connector}/position-mode", {"position_mode": "HEDGE"})
    leverage = user.send(
        f"{path}/{user.perpetual_connector}/leverage", {"trading_pair": "ETH-USDT", "leverage": 0}
    )

    assert isinstance(detail(mode, 400), str)
    assert problem(leverage)["type"] == "greater_than_equal"


# Beyond the vectors


def test_a_close_waits_for_the_opening_before_it(user: User) -> None:
    for _ in range(5):
        opening = user.order(**user.in_futures("SELL", "OPEN", 2))
        closing = user.order(**user.in_futures("BUY", "CLOSE", 2))
        user.stack.settle()

        statuses = [user.found(one.json()["order_id"])["status"] for one in (opening, closing)]
        assert statuses == ["FILLED", "FILLED"]
    assert user.position_rows() == []


def test_closes_at_once_never_close_more_than_there_is(user: User) -> None:
    user.perpetual("BUY", "OPEN", 3)

    with ThreadPoolExecutor(6) as crowd:
        sent = list(
            crowd.map(lambda _: user.order(**user.in_futures("SELL", "CLOSE", 1)), range(6))
        )
    user.stack.settle()

    assert [(one.status_code, one.text) for one in sent if one.status_code != 201] == []
    found = [user.found(one.json()["order_id"]) for one in sent]
    assert sum(one["filled_amount"] for one in found) == 3
    assert sorted(one["status"] for one in found) == ["FAILED"] * 3 + ["FILLED"] * 3
    assert user.position_rows() == []


def test_in_one_way_mode_a_close_never_turns_the_position(user: User) -> None:
    path = f"/trading/{user.account_name}/{user.perpetual_connector}/position-mode"
    assert user.send(path, {"position_mode": "oneway"}).status_code == 200
    user.perpetual("SELL", "OPEN", 2)
    assert user.position_rows() == [("BOTH", Decimal(-2))]

    user.perpetual("BUY", "CLOSE", 9)

    assert user.position_rows() == []


def test_the_position_mode_cannot_change_while_orders_rest(user: User) -> None:
    path = f"/trading/{user.account_name}/{user.perpetual_connector}/position-mode"
    user.perpetual("BUY", "OPEN", 1, order_type="LIMIT", price=1000)

    assert isinstance(detail(user.send(path, {"position_mode": "ONEWAY"}), 400), str)
    assert user.get(path).json()["position_mode"] == "HEDGE"


def test_leverage_is_set_at_the_venue(user: User) -> None:
    path = f"/trading/{user.account_name}/{user.perpetual_connector}/leverage"
    unknown = user.send(path, {"trading_pair": "FOO-BAR", "leverage": 3})
    done = user.send(path, {"trading_pair": "ETH-USDT", "leverage": 7})

    assert "not supported" in detail(unknown, 400)
    assert done.json()["status"] == "success"
    user.perpetual("BUY", "OPEN", 1)
    assert [one["leverage"] for one in user.rows("positions")] == [7]


def test_a_key_is_one_whatever_account_it_comes_with(user: User) -> None:
    key = {"Idempotency-Key": "shared"}
    futures = {**user.spot, "connector_name": user.perpetual_connector, "trading_pair": "ETH-USDT"}
    first = user.send("/trading/orders", user.spot, **key)
    other = user.send("/trading/orders", {**futures, "price": 1900, "amount": 1}, **key)

    assert first.status_code == 201
    assert isinstance(detail(other, 422), str)
    user.stack.settle()
    assert len(user.rows("orders/search")) == 1


def test_a_key_stands_for_its_order_when_its_user_has_other_accounts_by_now(user: User) -> None:
    key = {"Idempotency-Key": "kept"}
    first = user.send("/trading/orders", user.spot, **key)
    only_spot = {"accounts": [f"{user.account_name}-spot"]}
    user.stack.call("PUT", "/api/clients/hummingbot/admin", only_spot)
    again = user.send("/trading/orders", user.spot, **key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    user.stack.settle()
    assert len(user.rows("orders/active")) == 1


def test_a_waiting_cancel_is_answered_again(user: User) -> None:
    order_id = user.placed()
    first = user.cancel(order_id)
    again = user.cancel(order_id)

    assert first.status_code == 200
    assert again.status_code in {200, 404}  # the venue may have been quicker
    user.stack.settle()
    assert user.found(order_id)["status"] == "CANCELLED"
