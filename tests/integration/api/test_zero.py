"""Zero, and the width of a caller's id, mean the same wherever no dialect says otherwise."""

import pytest

from app.domain.enums import Dialect
from tests.support import three_commas as wire
from tests.support.caller import Caller, Json
from tests.support.each_dialect import named, open_for_all, order, signed_by

pytestmark = pytest.mark.integration

POLO = {"symbol": "BTC_USDT", "side": "BUY"}


@pytest.fixture(autouse=True)
def _callers(demo: Caller) -> None:
    open_for_all(demo)


def status_of(demo: Caller, dialect: Dialect, path: str, fields: Json) -> int:
    sent = signed_by(dialect, path, fields)
    answer = sent.to(demo.client)
    return answer.status_code


@pytest.mark.parametrize("price", [0, "0", "0.00"])
def test_a_market_order_has_no_use_for_a_price(price: object, demo: Caller) -> None:
    account = demo.call("GET", "/api/accounts/demo")["id"]
    trade = wire.simple(account, pair="USDT_BTC", units_to_buy="0.001", buy_method="market")
    at_market = named(order_type="MARKET", amount="0.001", price=price)

    assert {
        status_of(
            demo, Dialect.APISIFY, "/v1/order", order(order_type="Market", qty=1, price=price)
        ),
        status_of(demo, Dialect.POLONIEX, "/orders", {**POLO, "amount": "10", "price": price}),
    } == {200}
    assert {
        status_of(demo, Dialect.HUMMINGBOT, "/trading/orders", at_market),
        status_of(
            demo,
            Dialect.THREE_COMMAS,
            f"{wire.TRADES}/create_simple_buy",
            {**trade, "buy_price": price},
        ),
    } == {201}


@pytest.mark.parametrize("price", [0, "0", "0.00"])
def test_a_limit_order_has_one_above_zero(price: object, demo: Caller) -> None:
    account = demo.call("GET", "/api/accounts/demo")["id"]
    trade = wire.simple(account, pair="USDT_BTC", units_to_buy="0.001", buy_price=price)
    limit = {**POLO, "type": "LIMIT", "quantity": "0.001", "price": price}
    resting = named(order_type="LIMIT", amount="0.001", price=price)

    assert demo.signal(action="buy", fixed="0.001", limit=price).status_code == 400
    assert {
        status_of(
            demo, Dialect.APISIFY, "/v1/order", order(order_type="Limit", qty=1, price=price)
        ),
        status_of(demo, Dialect.POLONIEX, "/orders", limit),
        status_of(demo, Dialect.HUMMINGBOT, "/trading/orders", resting),
        status_of(demo, Dialect.THREE_COMMAS, f"{wire.TRADES}/create_simple_buy", trade),
    } == {400}
    assert demo.rows() == []


def test_a_caller_id_is_as_wide_as_its_dialect_says(demo: Caller) -> None:
    signs = "".join(map(chr, range(0x20, 0x7F)))
    for caller_id in (signs[:64], signs[-64:], "x"):
        signal = {"fixed": "0.001", "limit": "40000", "clientOrderId": caller_id}
        assert demo.signal(action="buy", **signal).status_code == 200
        assert [row["caller_id"] for row in demo.rows(caller_id=caller_id)] == [caller_id]
        assert demo.signal(action="cancel", clientOrderId=caller_id).status_code == 200
    for caller_id in (signs[:65], "\u041b\u043e\u043d\u0433", "a\nb"):
        answer = demo.signal(action="buy", fixed="0.001", clientOrderId=caller_id)
        assert list(answer.get_json()["error"]["fields"]) == ["clientOrderId"]

    limit = {**POLO, "type": "LIMIT", "quantity": "0.001", "price": "40000"}
    for spelled in ("aZ09_-" + "x" * 58, 12, "1" * 64):
        fields = {**limit, "clientOrderId": spelled}
        assert status_of(demo, Dialect.POLONIEX, "/orders", fields) == 200
        path = f"/orders/cid:{spelled}"
        sent = signed_by(Dialect.POLONIEX, path, {}, method="DELETE")
        assert sent.to(demo.client).status_code == 200
    for path in ("/orders", "/smartorders"):
        fields = {**limit, "type": "LIMIT", "stopPrice": "41000", "clientOrderId": "x" * 65}
        assert status_of(demo, Dialect.POLONIEX, path, fields) == 400
