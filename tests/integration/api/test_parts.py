"""Requests of several parts while the store goes away, or the registry changes, at any call.

Whatever happens: each part is done once at most, what the answer calls done is done, what it calls
failed is not, and no answer fails as a whole after something was done.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from unittest.mock import Mock

import pytest
from werkzeug.test import TestResponse

from app.bootstrap import Wiring
from app.domain.errors import HistoryUnavailable
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.settings import Settings
from tests.support.caller import WEBHOOK, Caller, Json, Worker
from tests.support.faulty_store import Fault
from tests.support.three_commas import TRADES, json_body, sale
from tests.support.trader import Placed, Signed, Trader, failing_web

#: What a result says of a part of which the store has said nothing.
IN_DOUBT = "Service Unavailable: it is not known whether this was done"

SALE = sale(
    pair="USDT_BTC",
    units_to_buy="0.001",
    average_buy_price=49_000,
    take_profit_price_condition=60_000,
    stop_loss_price_condition=40_000,
)

PARTS = 3
CANCELS = 2

#: Faults after which the store has certainly not got what it did not answer.
CERTAIN = {Fault.CHANGE, Fault.CHANGES, Fault.LOST, Fault.AWAY}

pytestmark = pytest.mark.integration


@pytest.fixture
def wiring(settings: Settings, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Wiring:
    """A web process whose store can fail; while it waits, the worker works."""
    return failing_web(settings, worker, monkeypatch)


@pytest.fixture
def trader(demo: Caller, wiring: Wiring, worker: Worker) -> Trader:
    return Trader(demo, wiring, worker)


def moments(
    trader: Trader, fault: Fault, ask: Callable[[], Signed]
) -> Iterator[tuple[Signed, TestResponse]]:
    """Yield request and answer with a fault at the first call of the store, the second, ..."""
    for at in count(1):
        request = ask()
        trader.store.arm(fault, at, trader.change)
        answer = trader.send(request)
        calls = trader.store.disarm()
        yield request, answer
        if calls < at:
            assert at > 3, "there was no call to fail"
            return


def has_failed(answer: TestResponse) -> bool:
    """Tell whether the whole has failed, which is a 503 in the dialect's own words."""
    if answer.status_code == 200:
        return False
    assert answer.status_code == 503, answer.text
    assert answer.get_json() == {"code": 503, "message": "Service Unavailable"}
    return True


# Orders are made


@pytest.mark.parametrize("fault", Fault)
def test_each_order_of_a_batch_is_made_once(trader: Trader, fault: Fault) -> None:
    batch: list[Json] = []

    def ask() -> Signed:
        batch[:] = [trader.limit() for _ in range(PARTS)]
        return trader.signed("POST", "/orders/batch", batch)

    for request, answer in moments(trader, fault, ask):
        prices = [item["price"] for item in batch]
        made = [[str(order.id) for order in trader.at(price)] for price in prices]
        if has_failed(answer):
            assert made == [[]] * PARTS
        else:
            results = answer.get_json()
            for result, ids in zip(results, made, strict=True):
                check_made(result, ids)
        # The very same request again makes what is missing, and nothing else.
        again = [result["id"] for result in trader.send(request).get_json()]
        assert [[str(order.id) for order in trader.at(price)] for price in prices] == [
            [order_id] for order_id in again
        ]
        assert all(ids in ([], [order_id]) for ids, order_id in zip(made, again, strict=True))


def check_made(result: Json, ids: Sequence[str]) -> None:
    """See that a result agrees with what was made at its price."""
    if "id" in result:
        assert ids == [result["id"]]
    elif result["message"] == IN_DOUBT:
        assert len(ids) <= 1
    else:
        assert (result["code"], ids) == (503, [])


def test_a_refusal_in_a_batch_is_its_own(trader: Trader) -> None:
    good, bad = trader.limit(), {**trader.limit(), "quantity": "-1", "clientOrderId": "bad"}

    results = trader.good("POST", "/orders/batch", [bad, good, 7])

    assert results[0] == {
        "code": 21328,
        "message": "Order quantity must be greater than 0",
        "clientOrderId": "bad",
    }
    assert str(trader.at(good["price"])[0].id) == results[1]["id"]
    assert results[2]["code"] == 601


def test_two_equal_orders_of_a_batch_are_two(trader: Trader) -> None:
    order = trader.limit()

    trader.good("POST", "/orders/batch", [order, order])

    assert len(trader.at(order["price"])) == 2


# Orders are canceled


def is_asked_to_end(one: Placed) -> bool:
    return not one.is_live or (isinstance(one, Order) and one.cancel_requested)


def check_canceled(trader: Trader, ids: Sequence[str], answer: TestResponse) -> None:
    """See that the results agree with what was canceled; what is missing among them was not."""
    ended = {one: is_asked_to_end(trader.now(one)) for one in ids}
    if has_failed(answer):
        assert not any(ended.values())
        return
    results = {one["orderId"]: one for one in answer.get_json()}
    assert results.keys() <= set(ids)
    for order_id, has_ended in ended.items():
        result = results.get(order_id)
        if result is None or (result["code"] != 200 and result["message"] != IN_DOUBT):
            assert not has_ended
        elif result["code"] == 200:
            assert has_ended


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(
    ("path", "named"),
    [("/orders", True), ("/orders", False), ("/smartorders", True), ("/smartorders", False)],
)
def test_a_cancel_of_many_tells_of_each(
    trader: Trader,
    fault: Fault,
    path: str,
    named: bool,  # noqa: FBT001 - a case
) -> None:
    ids: list[str] = []

    def ask() -> Signed:
        trader.good("DELETE", path)
        trader.worker.step(2)
        item = trader.stop if path == "/smartorders" else trader.limit
        ids[:] = [trader.made(path, item()) for _ in range(CANCELS)]
        if named:
            return trader.signed("DELETE", f"{path}/cancelByIds", {"orderIds": ids})
        return trader.signed("DELETE", path, {"symbols": ["BTC_USDT"]})

    for request, answer in moments(trader, fault, ask):
        check_canceled(trader, ids, answer)
        trader.send(request)
        assert all(is_asked_to_end(trader.now(one)) for one in ids)


@pytest.mark.parametrize("path", ["/orders", "/smartorders"])
def test_what_is_live_is_canceled_while_the_history_is_away(
    trader: Trader, wiring: Wiring, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    away = Mock(side_effect=HistoryUnavailable("away"))
    item = trader.stop if path == "/smartorders" else trader.limit
    named = trader.made(path, {**item(), "clientOrderId": "mine"})
    other = trader.made(path, item())
    for question in ("load", "newest"):
        monkeypatch.setattr(wiring.ports.history, question, away)

    one = trader.send(trader.signed("DELETE", f"{path}/cid:mine"))
    several = trader.good("DELETE", f"{path}/cancelByIds", {"orderIds": ["12345", other]})

    assert one.status_code == 200, one.text
    assert [result["code"] for result in several] == [503, 200]
    assert all(is_asked_to_end(trader.now(order_id)) for order_id in (named, other))


# Orders are replaced


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(
    ("path", "rests"), [("/orders", False), ("/orders", True), ("/smartorders", False)]
)
def test_a_replacement_is_done_or_undone(
    trader: Trader,
    fault: Fault,
    path: str,
    rests: bool,  # noqa: FBT001 - a case
) -> None:
    old: list[str] = []
    price: list[str] = []

    def ask() -> Signed:
        item = trader.stop if path == "/smartorders" else trader.limit
        old[:] = [trader.made(path, item())]
        price[:] = [trader.limit()["price"]]
        if rests:
            trader.worker.step()
            assert trader.now(old[0]).is_live
        return trader.signed("PUT", f"{path}/{old[0]}", {"price": price[0]})

    for request, answer in moments(trader, fault, ask):
        made = [str(one.id) for one in trader.at(price[0])]
        assert len(made) <= 1
        assert is_asked_to_end(trader.now(old[0])) is bool(made)
        if not has_failed(answer):
            assert made == [answer.get_json()["id"]]
        # The very same request again tells of the new one, or makes it.
        again = trader.send(request).get_json()["id"]
        assert [str(one.id) for one in trader.at(price[0])] == [again]
        assert made in ([], [again])
        trader.worker.step(3)
        new = trader.now(again)
        assert not trader.now(old[0]).is_live
        assert new.is_live
        assert not isinstance(new, Order) or new.status is OrderStatus.NEW
        trader.good("DELETE", f"{path}/{again}")
        trader.worker.step()


# What is one commit is not called failed once it is done


#: A request that makes one thing: what sends it, and what counts the things.
Deed = tuple[Callable[[], TestResponse], Callable[[], int]]


def poloniex(trader: Trader, path: str) -> Deed:
    item = trader.stop() if path == "/smartorders" else trader.limit()
    request = trader.signed("POST", path, item)
    return lambda: trader.send(request), lambda: len(trader.at(item["price"]))


def signal(trader: Trader) -> Deed:
    caller_id = f"n{next(trader.numbers)}"
    body = {"action": "buy", "baseAmount": "0.001", "clientOrderId": caller_id}
    sender = {"connectorName": "demo", "connectorToken": "demo-token"}
    return (
        lambda: trader.client.post(WEBHOOK, json={**sender, **body}),
        lambda: sum(getattr(one, "caller_id", None) == caller_id for one in trader.newest()),
    )


def new_trade(trader: Trader) -> Deed:
    body = json_body(SALE)
    seen: set[AggregateId] = set()

    def made() -> int:
        seen.update(one.id for one in trader.newest() if isinstance(one, SmartTrade))
        return len(seen)

    return lambda: trader.tell(f"{TRADES}/create_smart_sell", body), made


def more_funds(trader: Trader) -> Deed:
    answer = trader.tell(f"{TRADES}/create_smart_sell", json_body(SALE))
    trade_id = AggregateId(answer.get_json()["id"])
    funds = {"is_market": True, "quantity": "0.001", "response_type": "smart_trade"}

    def steps() -> int:
        trade = trader.worker.wiring.reader.find(trade_id)
        assert isinstance(trade, SmartTrade)
        return len(trade.steps)

    return lambda: trader.tell(f"{TRADES}/{trade_id}/add_funds", json_body(funds)), steps


def cancel_by_hand(trader: Trader) -> Deed:
    order_id = trader.made("/orders", trader.limit())
    path = f"/api/orders/{order_id}/cancel"
    return (
        lambda: trader.demo.send("POST", path, {}),
        lambda: int(is_asked_to_end(trader.now(order_id))),
    )


DEEDS: dict[str, Callable[[Trader], Deed]] = {
    "order": lambda trader: poloniex(trader, "/orders"),
    "smart order": lambda trader: poloniex(trader, "/smartorders"),
    "signal": signal,
    "trade": new_trade,
    "funds": more_funds,
    "cancel by hand": cancel_by_hand,
}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", DEEDS)
def test_what_is_done_is_told(trader: Trader, fault: Fault, name: str) -> None:
    for at in count(1):
        send, things = DEEDS[name](trader)
        before = things()
        trader.store.arm(fault, at, trader.change)
        answer = send()
        calls = trader.store.disarm()
        done = things() - before
        assert answer.status_code in {200, 201, 503}, answer.text
        if answer.status_code != 503:
            assert done == 1
        elif fault in CERTAIN:
            assert done == 0
        else:
            assert done <= 1
        if calls < at:
            assert (at > 3, done) == (True, 1)
            return
